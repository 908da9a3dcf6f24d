"""Convolutions' gradients take the mask of the ReLU before the convolution along."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import striate as keras
from striate.compiler.plan import build
from striate.explain import plan

LAYERS = keras.layers


def model_of(activation: str = "relu", twice: bool = False, groups: int = 1) -> Any:
    keras.utils.set_random_seed(5)
    x = keras.Input((14, 15, 16))
    first = LAYERS.Conv2D(32, 3, activation=activation, padding="same")(x)
    y = LAYERS.Conv2D(32, 3, activation=activation, padding="same", groups=groups)(first)
    y = LAYERS.Add()([y, first]) if twice else y
    model = keras.Model(x, LAYERS.Dense(3, activation="softmax")(LAYERS.GlobalAveragePooling2D()(y)))
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


def ops_of(model: Any) -> list[str]:
    return [row.op for row in plan(model, 4, training=True).rows if "conv2d_grad" in row.op or row.op == "relu_grad"]


@pytest.mark.parametrize("groups", [1, 2])
def test_in_training(groups: int) -> None:
    """The other mask is that of what the mean reads."""
    ops = ops_of(model_of(groups=groups))
    assert sorted(ops) == ["conv2d_grad_w", "conv2d_grad_w", "conv2d_grad_x_masked", "relu_grad"]


@pytest.mark.parametrize("form", [{"activation": "tanh"}, {"twice": True}])
def test_where_it_does_not_fit(form: dict[str, Any]) -> None:
    """Another slope; a gradient that is a sum of two before it is masked."""
    assert "conv2d_grad_x_masked" not in ops_of(model_of(**form))


def trained(activation: str) -> list[bytes]:
    model, rng = model_of(activation), np.random.default_rng(0)
    x, y = rng.standard_normal((24, 14, 15, 16)).astype("float32"), rng.integers(0, 3, 24)
    model.fit(x, y, batch_size=8, epochs=1, verbose=0)
    return [w.tobytes() for w in model.get_weights()]


@pytest.mark.parametrize("activation", ["relu", "relu6"])
def test_changes_no_bit(activation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fused = trained(activation)
    assert "conv2d_grad_x_masked" in ops_of(model_of(activation))
    monkeypatch.setattr(build, "fuse_mask", lambda graph, training: graph)
    assert "conv2d_grad_x_masked" not in ops_of(model_of(activation))
    assert trained(activation) == fused
