"""Losses, metrics, targets and weights of models with several outputs: the forms Keras takes, and its names."""

from __future__ import annotations

import collections
from typing import Any

import numpy as np
import pytest

import striate as keras
from striate import layers
from tests.models.conftest import line

X = np.ones((2, 4), np.float32)
Y = [np.zeros((2, 1)), np.zeros((2, 1))]
#: outputs are then a = 1.4 and b = 1.8: mse 1.96 and 3.24, mae 1.4 and 1.8.
WEIGHTS = [np.full((4, 1), 0.1), np.ones(1), np.full((4, 1), 0.2), np.ones(1)]


def logs_of(y: Any = Y, model: Any = None, sample_weight: Any = None, **compiled: Any) -> dict[str, float]:
    model = model or line(2)
    model.set_weights(WEIGHTS)
    model.compile("sgd", **compiled)
    logs: dict[str, float] = model.test_on_batch(X, y, sample_weight=sample_weight, return_dict=True)
    return {name: round(value, 4) for name, value in logs.items()}


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        ("mse", {"a_loss": 1.96, "b_loss": 3.24, "loss": 5.2}),
        (["mse", "mae"], {"a_loss": 1.96, "b_loss": 1.8, "loss": 3.76}),
        ({"b": "mae", "a": "mse"}, {"a_loss": 1.96, "b_loss": 1.8, "loss": 3.76}),
        (["mse", None], {"loss": 1.96}),
        ({"b": "mse"}, {"loss": 3.24}),
        ([["mse", "mae"], "mse"], {"a_loss": 3.36, "b_loss": 3.24, "loss": 6.6}),
    ],
)
def test_losses(loss: Any, expected: dict[str, float]) -> None:
    assert logs_of(loss=loss) == expected


@pytest.mark.parametrize(("weights", "total"), [({"a": 2.0}, 7.16), ([2.0, 0.0], 3.92), ({"a": 1, "b": 0.5}, 3.58)])
def test_loss_weights_weigh_the_sum_alone(weights: Any, total: float) -> None:
    assert logs_of(loss="mse", loss_weights=weights) == {"a_loss": 1.96, "b_loss": 3.24, "loss": total}


@pytest.mark.parametrize(
    ("metrics", "expected"),
    [
        (["mae", "mse"], {"a_mae": 1.4, "b_mse": 3.24}),
        ([["mae", "mse"], []], {"a_mae": 1.4, "a_mse": 1.96}),
        ({"b": "mae"}, {"b_mae": 1.8}),
        ({"a": ["mae"], "b": ["mse", "mae"]}, {"a_mae": 1.4, "b_mse": 3.24, "b_mae": 1.8}),
    ],
)
def test_metrics(metrics: Any, expected: dict[str, float]) -> None:
    logs = logs_of(loss="mse", metrics=metrics)
    assert {k: v for k, v in logs.items() if not k.endswith("loss")} == expected


def test_order_of_a_list_of_values() -> None:
    model = line(2)
    model.set_weights(WEIGHTS)
    model.compile("sgd", "mse", metrics=["mae", "mse"])
    np.testing.assert_allclose(model.test_on_batch(X, Y), [5.2, 1.96, 3.24, 1.4, 3.24], rtol=1e-5)


def test_outputs_in_a_dictionary_go_by_its_keys() -> None:
    model = line(2)
    model = keras.Model(model.input, {"u": model.output[0], "v": model.output[1]})
    y = {"u": Y[0], "v": Y[1]}
    assert logs_of(y, model, loss={"u": "mse", "v": "mae"}, metrics={"v": ["mae"]}) == {
        "loss": 3.76,
        "u_loss": 1.96,
        "v_loss": 1.8,
        "v_mae": 1.8,
    }
    assert logs_of({"u": Y[0]}, model, loss={"u": "mse"}) == {"loss": 1.96}


def test_targets_by_name_and_only_where_there_is_a_loss() -> None:
    assert logs_of({"b": Y[1], "a": Y[0] + 1}, loss="mse")["a_loss"] == 0.16
    assert logs_of([Y[1]], loss=[None, "mse"]) == {"loss": 3.24}


def test_sample_weights_for_all_and_for_each() -> None:
    half = np.array([1.0, 0.0])
    assert logs_of(loss="mse", sample_weight=half) == {"a_loss": 0.98, "b_loss": 1.62, "loss": 2.6}
    assert logs_of(loss="mse", sample_weight=[half, half * 0]) == {"a_loss": 0.98, "b_loss": 0.0, "loss": 0.98}
    weighted = logs_of(loss="mse", sample_weight={"a": half, "b": half}, weighted_metrics=[["mae"], ["mae"]])
    assert weighted["a_mae"] == 1.4 and weighted["b_mae"] == 1.8


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"loss": {"a": "mse", "c": "mae"}}, r"keys that name no output.*a, b"),
        ({"loss": ["mse"]}, "one for each output"),
        ({"loss": "mse", "metrics": ["mae"]}, "Invalid `metrics`"),
        ({"loss": "mse", "metrics": {"c": "mae"}}, "Invalid `metrics`: it has keys"),
        ({"loss": "mse", "loss_weights": [1.0]}, "`loss_weights` must match the number of losses"),
        ({"loss": "mse", "loss_weights": 2.0}, "`loss_weights` is one number"),
        ({"loss": "mse", "loss_weights": "heavy"}, "Expected `loss_weights`"),
        ({"loss": "mse", "metrics": "mae"}, r"Expected `metrics` argument.*\['mae'\]"),
    ],
)
def test_what_does_not_fit_is_refused(options: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        logs_of(**options)


def nested() -> Any:
    """Outputs {"a": (p, q), "b": {"c": p}}; p is 1.4, q 1.8 for X: mse 1.96 and 3.24, mae 1.4 and 1.8."""
    model = line(2)
    p, q = model.output
    return keras.Model(model.input, {"a": (p, q), "b": {"c": p}})


TARGETS = {"a": (Y[0], Y[1]), "b": {"c": Y[0]}}


def spread(y_true: Any, y_pred: Any) -> Any:
    """Over two outputs at once."""
    return keras.ops.mean(keras.ops.abs(y_pred[0] + y_pred[1] - y_true[0] - y_true[1]), axis=-1)


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        ("mse", {"a/a_loss": 1.96, "a/b_loss": 3.24, "b/c_loss": 1.96, "loss": 7.16}),
        ({"a": (None, "mae"), "b": {"c": "mse"}}, {"a/b_loss": 1.8, "b/c_loss": 1.96, "loss": 3.76}),
        ({"a": spread}, {"loss": 3.2}),
        ({"a": [spread, (None, "mse")]}, {"a_loss": 3.2, "a/b_loss": 3.24, "loss": 6.44}),
        ({"b": {"c": ["mse", "mae"]}, "a": spread}, {"a_loss": 3.2, "b/c_loss": 3.36, "loss": 6.56}),
    ],
)
def test_losses_of_nested_outputs(loss: Any, expected: dict[str, float]) -> None:
    assert logs_of(TARGETS, nested(), loss=loss) == expected


def test_weights_of_nested_losses_go_with_them() -> None:
    loss, weights = {"a": [spread, (None, "mse")], "b": {"c": "mae"}}, {"a": [2.0, (None, 0.5)], "b": {"c": 0.0}}
    logs = logs_of(TARGETS, nested(), loss=loss, loss_weights=weights)
    assert logs == {"a_loss": 3.2, "a/b_loss": 3.24, "b/c_loss": 1.4, "loss": 8.02}
    assert logs_of(TARGETS, nested(), loss=loss, loss_weights=[2.0, 0.0, 0.5, 0.0]) == logs  # None has one too
    with pytest.raises(ValueError, match="got 4 losses and 2 weights"):
        logs_of(TARGETS, nested(), loss=loss, loss_weights=[1.0, 2.0])


def test_losses_of_one_output_have_weights_of_their_own_in_the_same_structure() -> None:
    logs = logs_of(loss=[["mse", "mae"], "mse"], loss_weights=[[1.0, 10.0], 0.5])
    assert logs == {"a_loss": 3.36, "b_loss": 3.24, "loss": round(1.96 + 14 + 1.62, 4)}


def test_a_named_tuple_of_outputs() -> None:
    Pair = collections.namedtuple("Pair", ["p", "q"])
    model = line(2)
    model = keras.Model(model.input, Pair(*model.output))

    def named(y_true: Any, y_pred: Any) -> Any:
        return keras.ops.mean(keras.ops.abs(y_pred.p + y_pred.q - y_true.p - y_true.q), axis=-1)

    logs = logs_of(Pair(*Y), model, loss=[named, Pair("mse", None)], sample_weight=np.array([1.0, 3.0]))
    assert logs == {"a_b_loss": 6.4, "a_loss": 3.92, "loss": 10.32}


def test_one_weight_a_sample_over_several_outputs() -> None:
    with pytest.raises(ValueError, match="over several outputs, which must have the same sample weights"):
        logs_of(TARGETS, nested(), {"a": (np.ones(2), np.zeros(2)), "b": {"c": np.ones(2)}}, loss={"a": spread})


def test_metrics_of_nested_outputs() -> None:
    logs = logs_of(TARGETS, nested(), loss="mse", metrics={"a": (["mae", "mse"], None), "b": {"c": "mae"}})
    assert {k: v for k, v in logs.items() if not k.endswith("loss")} == {"a_mae": 1.4, "a_mse": 1.96, "a_mae_1": 1.4}


def test_keys_that_nested_outputs_lack_are_a_key_error() -> None:
    with pytest.raises(KeyError, match=r"The path \('b', 'd'\) in the `loss` argument, can't be found"):
        logs_of(TARGETS, nested(), loss={"b": {"d": "mse"}})
    with pytest.raises(KeyError, match=r"The path \('a', 2\)"):
        logs_of(TARGETS, nested(), loss={"a": (None, None, "mse")})
    model = line(2)
    model = keras.Model(model.input, {"u": model.output[0], "v": model.output[1]})
    with pytest.raises(KeyError, match=r"keys \['w'\] in the `loss` argument, .*: u, v") as error:
        logs_of({"u": Y[0], "v": Y[1]}, model, loss={"w": "mse"})
    assert isinstance(error.value, ValueError)


def test_targets_in_another_structure_are_refused() -> None:
    with pytest.raises(ValueError, match="different structures"):
        logs_of({"a": Y[0], "b": (Y[1], Y[1])}, nested(), loss="mse")
    assert logs_of([Y[0], Y[1], Y[0]], nested(), loss="mse")["loss"] == 7.16  # one list, in flat order


def test_compute_loss_may_give_the_losses_other_outputs() -> None:
    class Twice(keras.Model):
        def __init__(self) -> None:
            inputs = keras.Input((4,))
            super().__init__(inputs, layers.Dense(1, name="a")(inputs))

        def compute_loss(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None, **kwargs: Any) -> Any:
            return super().compute_loss(x=x, y=y, y_pred=[y_pred, y_pred * 2], sample_weight=sample_weight, **kwargs)

    model = Twice()
    model.set_weights(WEIGHTS[:2])
    model.compile("sgd", ["mse", "mae"])
    history = model.fit(X, (Y[0], Y[1]), verbose=0).history
    assert {name: round(values[0], 4) for name, values in history.items()} == {
        "loss": 4.76,
        "mae_loss": 2.8,
        "mse_loss": 1.96,
    }


def test_missing_targets_are_named() -> None:
    with pytest.raises(ValueError, match="'b', which has a loss"):
        logs_of({"a": Y[0]}, loss="mse")


@pytest.mark.parametrize(
    ("y", "units", "kind"),
    [
        (np.array([[0], [1]]), 1, "Binary"),
        (np.array([0, 2]), 3, "SparseCategorical"),
        (np.array([[0], [2]]), 3, "SparseCategorical"),
        (np.eye(3)[[0, 2]], 3, "Categorical"),
    ],
)
def test_accuracy_and_crossentropy_are_chosen_by_the_shapes(y: Any, units: int, kind: str) -> None:
    inputs = keras.Input((4,))
    activation = "sigmoid" if units == 1 else "softmax"
    model = keras.Model(inputs, layers.Dense(units, activation=activation)(inputs))
    model.compile("sgd", "crossentropy", metrics=["accuracy", "acc", "ce"])
    logs = model.test_on_batch(X, y, return_dict=True)
    assert set(logs) == {"loss", "accuracy", "acc", "ce"}
    assert [type(m).__name__ for m in model.metrics[1].metrics] == [f"{kind}Accuracy"] * 2 + [f"{kind}Crossentropy"]
    assert logs["ce"] == pytest.approx(logs["loss"], rel=1e-4)


def test_names_of_metrics() -> None:
    model = line()

    def offset(y_true: Any, y_pred: Any) -> Any:
        return y_pred - y_true

    metrics = ["mae", "mean_absolute_error", keras.metrics.MeanSquaredError(name="q"), offset]
    model.compile("sgd", "mse", metrics=metrics, weighted_metrics=["mae"])
    logs = model.test_on_batch(X, Y[0], return_dict=True)
    assert set(logs) == {"loss", "mae", "mean_absolute_error", "q", "offset", "weighted_mae"}
