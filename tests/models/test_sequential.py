"""Sequential: built at once or later, added to and taken from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import striate as keras
from striate import layers


def test_the_lecture_model() -> None:
    model = keras.Sequential(
        [
            layers.Conv2D(64, 7, activation="relu", padding="same", input_shape=[28, 28, 1]),
            layers.MaxPooling2D(2),
            layers.Conv2D(128, 3, activation="relu", padding="same"),
            layers.Conv2D(128, 3, activation="relu", padding="same"),
            layers.MaxPooling2D(2),
            layers.Conv2D(256, 3, activation="relu", padding="same"),
            layers.Conv2D(256, 3, activation="relu", padding="same"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(64, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ]
    )
    assert model.count_params() == 1_413_834
    assert model.output_shape == (None, 10)


def test_paths_and_names_are_keras() -> None:
    model = keras.Sequential([keras.Input((4,)), layers.Dense(2), layers.Dense(2)])
    assert model.name == "sequential"
    assert [v.path for v in model.weights] == [
        "sequential/dense/kernel",
        "sequential/dense/bias",
        "sequential/dense_1/kernel",
        "sequential/dense_1/bias",
    ]


def test_the_input_is_no_layer() -> None:
    model = keras.Sequential([layers.InputLayer((4,)), layers.Dense(2)])
    assert [type(layer).__name__ for layer in model.layers] == ["Dense"]
    assert model.input_shape == (None, 4) and model.built


def test_built_when_first_called_with_an_open_batch() -> None:
    model = keras.Sequential([layers.Flatten(), layers.Dense(2)])
    assert not model.built and model.weights == []
    with pytest.raises(AttributeError, match="no defined input shape yet"):
        model.input_shape  # noqa: B018
    assert model(np.ones((5, 2, 2))).shape == (5, 2)
    assert model.input_shape == (None, 2, 2)
    assert model.predict(np.ones((7, 2, 2)), verbose=0).shape == (7, 2)


def test_what_it_is_first_called_on_is_no_promise() -> None:
    model = keras.Sequential([layers.Reshape((-1, 8)), layers.Dense(2)])
    assert model(np.ones((1, 12, 2), "float32")).shape == (1, 3, 2)
    assert model(np.ones((1, 20, 2), "float32")).shape == (1, 5, 2)
    assert [y.shape for y in (model.predict(np.ones((3, n, 2), "float32"), verbose=0) for n in (8, 24))] == [
        (3, 2, 2), (3, 6, 2),
    ]  # fmt: skip
    # A layer says itself what it cannot take, and an Input is a promise.
    with pytest.raises(ValueError, match="dense"):
        keras.Sequential([layers.Flatten(), layers.Dense(2, name="dense")]).predict(
            iter([np.ones((1, 3, 2), "float32"), np.ones((1, 4, 2), "float32")]), verbose=0
        )
    with pytest.raises(ValueError, match=r"expected shape=\(None, 12, 2\)"):
        keras.Sequential([layers.Input((12, 2)), layers.Reshape((-1, 8))])(np.ones((1, 20, 2), "float32"))


def test_build() -> None:
    model = keras.Sequential([layers.Dense(2)])
    model.build((None, 3))
    assert model.count_params() == 8
    with pytest.raises(ValueError, match=r"already been configured to use input shape \(None, 3\)"):
        model.build((None, 4))


def test_a_shape_that_does_not_fit_can_be_followed_by_one_that_does() -> None:
    model = keras.Sequential([layers.MaxPooling2D(), layers.Flatten()])
    with pytest.raises(ValueError):
        model.build((None, 3))
    model.build((None, 4, 4, 1))
    assert model.output_shape == (None, 4)


def test_add_and_pop() -> None:
    model = keras.Sequential()
    model.add(keras.Input((4,)))
    model.add(layers.Dense(3))
    x = np.ones((1, 4), np.float32)
    before = model(x)
    model.add(layers.Dense(2))
    assert model.predict(x, verbose=0).shape == (1, 2)
    assert model.pop().units == 2
    np.testing.assert_array_equal(model.predict(x, verbose=0), before)
    assert model.output_shape == (None, 3)
    model.pop()
    with pytest.raises(ValueError, match="no layers"):
        model.pop()


def test_a_layer_that_does_not_fit_is_not_added() -> None:
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3)])
    with pytest.raises(ValueError):
        model.add(layers.Conv2D(2, 3))
    assert len(model.layers) == 1 and model(np.ones((1, 4))).shape == (1, 3)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: keras.Sequential([3]), r"Only instances of `keras.Layer` can be added.*Received: 3"),
        (lambda: keras.Sequential([layers.ReLU(name="a"), layers.ReLU(name="a")]), "unique names. Name 'a'"),
        (lambda: keras.Sequential([layers.ReLU(), keras.Input((2,))]), "an Input comes first"),
        (lambda: keras.Sequential().predict(np.zeros((1, 2))), "has no layers"),
        (lambda: keras.Sequential([layers.Dense(2)]).count_params(), "isn't built"),
        (lambda: keras.Sequential.from_config({"name": "x"}), "'layers'"),
    ],
)
def test_errors(make: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        make()


def test_config_comes_back() -> None:
    for model in (
        keras.Sequential([keras.Input((4,)), layers.Dense(2, activation="relu")], name="mine"),
        keras.Sequential([layers.Dense(2)]),
    ):
        again = keras.Sequential.from_config(model.get_config())
        assert again.name == model.name and again.get_config() == model.get_config()
        assert len(again.weights) == len(model.weights)


def test_config_has_keras_keys() -> None:
    config = keras.Sequential([keras.Input((4,)), layers.Dense(2)]).get_config()
    assert list(config) == ["name", "trainable", "dtype", "layers", "build_input_shape"]
    assert [c["class_name"] for c in config["layers"]] == ["InputLayer", "Dense"]


def test_models_inside_models() -> None:
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(3)])
    model = keras.Sequential([inner, layers.Dense(2)])
    assert model.built and model.input_shape == (None, 4)
    assert [layer.name for layer in model.layers] == [inner.name, "dense_1"]


def test_as_part_of_a_functional_model() -> None:
    inputs = keras.Input((4,))
    part = keras.Sequential([layers.Dense(3), layers.Dense(2)])
    model = keras.Model(inputs, part(inputs))
    assert len(model.weights) == 4
    again = keras.Model.from_config(model.get_config())
    again.set_weights(model.get_weights())
    x = np.ones((2, 4), np.float32)
    np.testing.assert_array_equal(again(x), model(x))


def test_freezing() -> None:
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.Dense(2)])
    model.layers[0].trainable = False
    assert (len(model.trainable_weights), len(model.non_trainable_weights)) == (2, 2)
    model.trainable = False
    assert model.trainable_weights == []


def test_a_layer_that_does_not_say_what_it_gives() -> None:
    class Dynamic(layers.Layer):
        def call(self, inputs: Any) -> Any:
            return inputs + 1.0

        def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
            raise NotImplementedError

    model = keras.Sequential([Dynamic(), layers.Dense(2)])
    assert model(np.ones((3, 2))).shape == (3, 2) and model.built
    lines: list[str] = []
    model.summary(print_fn=lines.append)
    assert "dynamic (Dynamic)" in "".join(lines) and "6" in "".join(lines)
    assert not hasattr(model, "output_shape")
