"""Pooling over one and three axes, and to fixed sizes: against NumPy, window by window."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import striate
from striate import layers, ops

RNG = np.random.default_rng(0)
REDUCE: dict[str, Any] = {"Max": np.max, "Average": np.mean}


def normal(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype("float32")


@pytest.mark.parametrize("kind", REDUCE)
def test_a_volume_is_pooled_window_by_window(kind: str) -> None:
    x = normal(2, 5, 4, 6, 3)
    y = getattr(layers, f"{kind}Pooling3D")((3, 2, 2), strides=(2, 1, 3), padding="same")(x)
    # depth: n=5, k=3, s=2: one plane on each side; height: n=4, k=2, s=1: one row below; width: n=6, k=2, s=3: none.
    assert y.shape == (2, 3, 4, 2, 3)
    for h, i, j in [(0, 0, 0), (1, 2, 1), (2, 3, 1)]:
        inside = x[:, max(2 * h - 1, 0) : 2 * h + 2, i : i + 2, 3 * j : 3 * j + 2]
        np.testing.assert_allclose(y[:, h, i, j], REDUCE[kind](inside, axis=(1, 2, 3)), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 9])
@pytest.mark.parametrize("kind", REDUCE)
def test_adaptive_windows_share_out_the_axis(kind: str, size: int) -> None:
    x = normal(2, 7, 3)
    y = getattr(layers, f"Adaptive{kind}Pooling1D")(size)(x)
    expected = [REDUCE[kind](x[:, i * 7 // size : -(-(i + 1) * 7 // size)], axis=1) for i in range(size)]
    np.testing.assert_allclose(y, np.stack(expected, axis=1), rtol=1e-5, atol=1e-6)


def test_the_first_of_equal_maxima_takes_the_gradient_in_a_volume() -> None:
    x = striate.Variable(np.ones((1, 2, 2, 2, 1), "float32"))
    _, (gradient,) = striate.value_and_grad(lambda: ops.sum(layers.MaxPooling3D()(x)), [x])()
    assert gradient.ravel().tolist() == [1, 0, 0, 0, 0, 0, 0, 0]


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("keepdims", [False, True])
def test_masked_steps_do_not_count_in_the_mean(data_format: str, keepdims: bool) -> None:
    x = normal(2, 5, 3)
    mask = np.array([[1, 1, 0, 1, 0], [0, 0, 0, 1, 1]], bool)
    layer = layers.GlobalAveragePooling1D(data_format, keepdims)
    given = x if data_format == "channels_last" else np.moveaxis(x, -1, 1)
    expected = np.stack([x[0, [0, 1, 3]].mean(axis=0), x[1, 3:].mean(axis=0)])
    y = layer(given, mask=mask)
    assert y.shape == layer.compute_output_shape(given.shape)
    np.testing.assert_allclose(y.reshape(2, 3), expected, rtol=1e-5, atol=1e-6)


def test_open_axes() -> None:
    signal, volume = layers.Input((None, 3)), layers.Input((None, None, None, 3))
    assert layers.MaxPooling1D()(signal).shape == (None, None, 3)
    assert layers.AveragePooling3D(2)(volume).shape == (None, None, None, None, 3)
    assert layers.AdaptiveMaxPooling3D((2, 3, 4))(volume).shape == (None, 2, 3, 4, 3)
    assert layers.GlobalMaxPooling3D()(volume).shape == (None, 3)
    model = striate.Model(volume, layers.AdaptiveAveragePooling3D(2)(layers.MaxPooling3D()(volume)))
    assert model.predict(normal(2, 6, 5, 7, 3), verbose=0).shape == (2, 2, 2, 2, 3)
