"""Small models and data that the tests of models share."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import striate as keras


@pytest.fixture(autouse=True)
def fresh() -> None:
    """Names and random numbers begin anew in each test."""
    keras.utils.clear_session()
    keras.utils.set_random_seed(3)


@pytest.fixture
def images() -> tuple[Any, Any]:
    """40 images of 6 x 6 in three classes that can be told apart."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 40)
    x = rng.random((40, 6, 6, 1)).astype(np.float32)
    x[np.arange(40), y, y] += 2
    return x, y


def small_cnn(**compiled: Any) -> Any:
    """Convolution, normalisation, pooling, dropout, softmax: every kind of state a model can have."""
    model = keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            keras.layers.Conv2D(4, 3, padding="same", activation="relu", kernel_regularizer="l2"),
            keras.layers.BatchNormalization(),
            keras.layers.MaxPooling2D(),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.25),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    options = {"optimizer": "adam", "loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"], **compiled}
    model.compile(**options)
    return model


def line(outputs: int = 1, **compiled: Any) -> Any:
    """Dense layers on 4 numbers."""
    inputs = keras.Input((4,), name="x")
    heads = [keras.layers.Dense(1, name=name)(inputs) for name in "abc"[:outputs]]
    model = keras.Model(inputs, heads[0] if outputs == 1 else heads)
    if compiled:
        model.compile(**compiled)
    return model
