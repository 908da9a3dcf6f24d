"""Values of a model by path, and names that models keep for themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import striate as keras


def _model() -> Any:
    inputs = keras.Input((3,))
    model = keras.Model(inputs, keras.layers.BatchNormalization(name="norm")(keras.layers.Dense(2, name="a")(inputs)))
    model.compile("adam", "mse", metrics=["mae"])
    return model


def test_values_by_path_go_from_one_model_to_another() -> None:
    model, other = _model(), _model()
    x = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")
    model.fit(x, x[:, :2], verbose=0)
    other.train_on_batch(x, x[:, :2])
    state = model.get_state_tree()
    assert set(state) == {
        "trainable_variables", "non_trainable_variables", "optimizer_variables", "metrics_variables",
    }  # fmt: skip
    assert set(state["trainable_variables"]) == {"a", "norm"}
    assert set(state["non_trainable_variables"]["norm"]) == {"moving_mean", "moving_variance"}
    assert state["optimizer_variables"]["adam"]["iteration"] == 1
    assert state["metrics_variables"]["loss"]["count"] == 8
    kernel = state["trainable_variables"]["a"]["kernel"]
    kernel += 1  # a copy
    assert (model.get_layer("a").kernel.numpy() != kernel).all()
    other.set_state_tree({k: state[k] for k in ("trainable_variables", "non_trainable_variables")})
    np.testing.assert_array_equal(other.get_layer("a").kernel.numpy(), kernel)
    np.testing.assert_array_equal(
        other.get_layer("norm").moving_mean.numpy(), model.get_layer("norm").moving_mean.numpy()
    )


def test_what_does_not_fit_is_refused() -> None:
    model = _model()
    with pytest.raises(
        ValueError, match=r"'a/bia', which is none of the model's trainable_variables: a/kernel, a/bias"
    ):
        model.set_state_tree({"trainable_variables": {"a": {"bia": [1.0, 2.0]}}})
    with pytest.raises(ValueError, match="Unknown variable name: weights"):
        model.set_state_tree({"weights": {}})
    with pytest.raises(ValueError, match="shape"):
        model.set_state_tree({"trainable_variables": {"a": {"bias": [1.0]}}})
    with pytest.raises(ValueError, match="Invalid `value_format`"):
        model.get_state_tree("json")


def test_two_variables_of_one_path() -> None:
    class Twice(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = keras.layers.Dense(1, name="one"), keras.layers.Dense(1, name="one")

        def call(self, x: Any) -> Any:
            return self.second(self.first(x))

    model = Twice()
    model(np.ones((1, 1), "float32"))
    with pytest.raises(ValueError, match="found twice in the model"):
        model.get_state_tree()


@pytest.mark.parametrize(
    ("make", "text"), [(_model, "Use another name"), (keras.Sequential, r"Use `add\(\)` and `pop\(\)`")]
)
def test_layers_cannot_be_set(make: Any, text: str) -> None:
    with pytest.raises(AttributeError, match=text):
        make().layers = []


def test_a_copy_of_a_compiled_model_is_compiled_too() -> None:
    model = _model()
    copy = keras.models.clone_model(model)
    assert copy.compiled and copy.optimizer is not model.optimizer and type(copy.optimizer) is type(model.optimizer)
    copy.fit(np.ones((4, 3), "float32"), np.ones((4, 2), "float32"), verbose=0)
    assert int(model.optimizer.iterations) == 0
    assert not keras.models.clone_model(keras.Sequential([keras.layers.Dense(1)])).compiled


def test_add_variable_is_add_weight() -> None:
    layer = keras.layers.Layer()
    made = layer.add_variable((2,), "ones", trainable=False, name="count")
    assert layer.non_trainable_weights == [made] and made.name == "count" and made.numpy().tolist() == [1, 1]


def test_one_number_is_watched() -> None:
    x, y = np.ones((4, 3), "float32"), np.ones((4, 2), "float32")
    model = keras.Sequential([keras.layers.Dense(2)])
    model.compile("sgd", "mse", metrics=[keras.metrics.F1Score(name="f1")])
    with pytest.raises(ValueError, match=r"Received: f1 of shape \(2,\).*average='macro'"):
        model.fit(x, y, callbacks=[keras.callbacks.EarlyStopping("f1", mode="max")], verbose=0)
