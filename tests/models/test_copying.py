"""copy, deepcopy, pickle, clone_model: what comes along and what is made anew."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import striate as keras
from striate import layers, ops
from tests.models.conftest import line, small_cnn
from tests.models.test_functional import branched

Data = tuple[Any, Any]


class Scale(layers.Layer):
    """A layer of the user's, never registered."""

    def __init__(self, by: float = 2.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.by = by

    def call(self, x: Any) -> Any:
        return x * self.by


class Squared(keras.losses.Loss):
    def call(self, y_true: Any, y_pred: Any) -> Any:
        return ops.mean(ops.square(y_true - y_pred), axis=-1)


class Subclassed(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.scale = Scale(3.0)
        self.heads = [layers.Dense(2), layers.Dense(2)]
        self.note = {"kept": [1, 2]}

    def call(self, x: Any) -> Any:
        return self.heads[0](self.scale(x)) + self.heads[1](x)


def _pickled(model: Any) -> Any:
    return pickle.loads(pickle.dumps(model))


WAYS = [
    pytest.param(copy.copy, id="copy"),
    pytest.param(copy.deepcopy, id="deepcopy"),
    pytest.param(_pickled, id="pickle"),
]


def _equal(a: Any, b: Any) -> bool:
    return all((v == w).all() for v, w in zip(a.get_weights(), b.get_weights(), strict=True))


@pytest.mark.parametrize("way", WAYS)
def test_a_copy_trains_on_as_the_original_would(way: Callable[[Any], Any], images: Data) -> None:
    model = small_cnn()
    model.fit(*images, verbose=0)
    twin = way(model)
    assert _equal(model, twin) and twin.name == model.name
    assert [float(v) for v in twin.optimizer.variables[:2]] == [float(v) for v in model.optimizer.variables[:2]]
    model.fit(*images, verbose=0)
    assert not _equal(model, twin)
    twin.fit(*images, verbose=0)
    assert _equal(model, twin)  # dropout, shuffling and Adam's moments went along


@pytest.mark.parametrize("way", WAYS)
def test_functional_with_a_layer_and_a_loss_of_the_users(way: Callable[[Any], Any]) -> None:
    inputs = keras.Input((4,))
    model = keras.Model(inputs, layers.Dense(1)(Scale(0.5)(inputs)))
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9), Squared(), metrics=["mae"])
    x, y = np.ones((4, 4)), np.ones((4, 1))
    model.fit(x, y, verbose=0)
    twin = way(model)
    assert twin.layers[1].by == 0.5 and isinstance(twin._compiled.arguments["loss"], Squared)
    model.fit(x, y, verbose=0)
    twin.fit(x, y, verbose=0)
    assert _equal(model, twin)


@pytest.mark.parametrize("way", WAYS)
def test_subclassed(way: Callable[[Any], Any]) -> None:
    model = Subclassed()
    model.compile("adam", "mse")
    x, y = np.ones((4, 3), np.float32), np.ones((4, 2))
    model.fit(x, y, verbose=0)
    twin = way(model)
    np.testing.assert_array_equal(twin(x), model(x))
    assert twin.note == {"kept": [1, 2]} and twin.heads[0] is not model.heads[0]
    model.fit(x, y, verbose=0)
    twin.fit(x, y, verbose=0)
    assert _equal(model, twin)


@pytest.mark.parametrize("way", WAYS)
def test_frozen_layers_stay_frozen(way: Callable[[Any], Any]) -> None:
    model = branched()
    model.get_layer("stem").trainable = False
    assert not way(model).get_layer("stem").trainable
    assert len(way(model).trainable_weights) == len(model.trainable_weights)


def test_a_copy_shares_nothing() -> None:
    model = line()
    twin = copy.copy(model)
    twin.set_weights([w + 1 for w in twin.get_weights()])
    assert not _equal(model, twin)


def test_unbuilt_and_uncompiled() -> None:
    twin = _pickled(keras.Sequential([layers.Dense(2)]))
    assert not twin.built and not twin.compiled
    assert twin(np.ones((1, 3))).shape == (1, 2)


def test_pickle_holds_no_code() -> None:
    inputs = keras.Input((4,))
    model = keras.Model(inputs, Scale()(inputs))
    model.compile("sgd", loss=lambda a, b: ops.mean(a - b))
    with pytest.raises((pickle.PicklingError, AttributeError)):
        pickle.dumps(model)
    assert copy.deepcopy(model).compiled


# clone_model


def test_clone_has_the_architecture_and_fresh_weights() -> None:
    model = branched()
    model.set_weights([np.full(w.shape, 7, w.dtype) for w in model.get_weights()])
    twin = keras.models.clone_model(model)
    assert [w.shape for w in twin.get_weights()] == [w.shape for w in model.get_weights()]
    assert not any((w == 7).all() for w in twin.get_weights())
    assert twin.get_layer("stem") is not model.get_layer("stem")
    assert [layer.name for layer in twin.layers] == [layer.name for layer in model.layers]


def test_clone_of_a_shared_layer_is_shared() -> None:
    inputs = keras.Input((3,))
    dense = layers.Dense(3)
    assert len(keras.models.clone_model(keras.Model(inputs, dense(dense(inputs)))).weights) == 2


@pytest.mark.parametrize("model", ["sequential", "functional"])
def test_clone_function(model: str) -> None:
    inputs = keras.Input((3,))
    made: Any = (
        keras.Sequential([inputs, layers.Dense(2), layers.ReLU()])
        if model == "sequential"
        else keras.Model(inputs, layers.ReLU()(layers.Dense(2)(inputs)))
    )

    def swap(layer: Any) -> Any:
        return layers.LeakyReLU() if isinstance(layer, layers.ReLU) else type(layer).from_config(layer.get_config())

    twin = keras.models.clone_model(made, clone_function=swap)
    assert type(twin.layers[-1]).__name__ == "LeakyReLU"


def test_clone_on_another_input() -> None:
    model = keras.Sequential([keras.Input((8, 8, 1)), layers.Conv2D(2, 3), layers.GlobalAveragePooling2D()])
    twin = keras.models.clone_model(model, input_tensors=keras.Input((5, 5, 1)))
    assert twin.input_shape == (None, 5, 5, 1)


def test_clone_of_a_subclass_takes_no_functions() -> None:
    assert isinstance(keras.models.clone_model(Subclassed()), Subclassed)
    with pytest.raises(ValueError, match="only supported for Sequential and functional"):
        keras.models.clone_model(Subclassed(), clone_function=lambda layer: layer)
