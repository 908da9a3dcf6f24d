"""Classes of a user's own, data, and what is compared after a round trip."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import striate as keras
from striate import layers, ops

RNG = np.random.default_rng(7)
X = RNG.normal(size=(24, 6)).astype("float32")
Y = RNG.normal(size=(24, 2)).astype("float32")


def reloaded(model: Any, folder: Path, **arguments: Any) -> Any:
    model.save(folder / "model.keras")
    return keras.models.load_model(folder / "model.keras", **arguments)


def state(model: Any) -> list[Any]:
    return [np.asarray(v) for v in (*model.weights, *model.optimizer.variables)]


def same_bits(a: list[Any], b: list[Any]) -> None:
    assert len(a) == len(b) > 0
    for one, other in zip(a, b, strict=True):
        np.testing.assert_array_equal(one, other)


class Scale(layers.Layer):
    def __init__(self, factor: float = 2.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.factor = factor

    def build(self, input_shape: Any) -> None:
        self.shift = self.add_weight(shape=(input_shape[-1],), initializer=Fives(), name="shift")

    def call(self, x: Any) -> Any:
        return x * self.factor + self.shift

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "factor": self.factor}


class Fives(keras.initializers.Initializer):
    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        return np.full(shape, 5.0, "float32")


class Half(keras.losses.Loss):
    def call(self, y_true: Any, y_pred: Any) -> Any:
        return ops.mean(ops.square(y_true - y_pred), axis=-1) / 2


class Largest(keras.metrics.Metric):
    def __init__(self, name: str = "largest", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.value = self.add_weight(name="value", initializer="zeros")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        self.value.assign(ops.maximum(self.value, ops.max(y_pred)))

    def result(self) -> Any:
        return self.value


class Slow(keras.optimizers.SGD):
    def __init__(self, slowness: float = 3.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.slowness = slowness

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "slowness": self.slowness}


def swish_of_mine(x: Any) -> Any:
    return x * ops.sigmoid(x * 1.5)


def absolute_error(y_true: Any, y_pred: Any) -> Any:
    return ops.mean(ops.abs(y_true - y_pred), axis=-1)


OWN = {c.__name__: c for c in (Scale, Fives, Half, Largest, Slow, swish_of_mine, absolute_error)}


def trained(optimizer: Any) -> Any:
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [keras.Input((6,)), layers.Dense(8, activation="tanh"), layers.BatchNormalization(), layers.Dense(2)]
    )
    model.compile(optimizer, "mse", metrics=["mae"], weighted_metrics=[keras.metrics.MeanSquaredError(name="w")])
    model.fit(X, Y, batch_size=5, epochs=2, verbose=0)
    return model
