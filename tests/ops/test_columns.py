"""Windows as columns against loops; convolutions that stride and spread at once; half precision."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import striate as keras
from striate import ops

RNG = np.random.default_rng(0)


def _patches(x: Any, size: Any, steps: Any, spread: Any, padding: str) -> Any:
    """The formula at the head of ops/patches.py, place by place."""
    around, counts = [(0, 0)], []
    for n, k, s, d in zip(x.shape[1:-1], size, steps, spread):
        reach = (k - 1) * d + 1
        count = -(-n // s) if padding == "same" else (n - reach) // s + 1
        total = max((count - 1) * s + reach - n, 0) if padding == "same" else 0
        around.append((total // 2, total - total // 2))
        counts.append(count)
    x = np.pad(x, [*around, (0, 0)])
    out = np.empty((x.shape[0], *counts, int(np.prod(size)) * x.shape[-1]), x.dtype)
    for place in itertools.product(*(range(c) for c in counts)):
        window = tuple(slice(i * s, i * s + (k - 1) * d + 1, d) for i, s, k, d in zip(place, steps, size, spread))
        out[(slice(None), *place)] = x[(slice(None), *window)].reshape(x.shape[0], -1)
    return out


def test_columns_against_loops_and_back() -> None:
    x = RNG.normal(size=(2, 3, 6, 5)).astype("float32")
    arguments = {"kernel_size": (3, 2), "dilation": (1, 2), "padding": (1, 0), "stride": (2, 1)}
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (0, 0)))
    columns = [
        padded[:, :, i : i + 3, j : j + 3 : 2].reshape(2, -1) for i in range(0, 6, 2) for j in range(3)
    ]  # fmt: skip
    got = ops.unfold(x, **arguments)
    np.testing.assert_array_equal(got, np.stack(columns, axis=-1))
    times = ops.fold(ops.unfold(np.ones_like(x), **arguments), (6, 5), **arguments)
    np.testing.assert_allclose(ops.fold(got, (6, 5), **arguments), x * times, rtol=1e-6)
    assert times.min() >= 1
    assert ops.unfold(keras.Input((3, 6, 5)), **arguments).shape == (None, 18, 9)
    assert ops.fold(keras.Input((18, 9)), (6, 5), **arguments).shape == (None, 3, 6, 5)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: ops.unfold(np.ones((4, 4, 1)), 2), "must be a 4D tensor"),
        (lambda: ops.fold(np.ones((3, 4)), (2, 2), (2, 1)), "must be a 3D tensor"),
        (lambda: ops.fold(np.ones((1, 3, 4)), (2, 2), (2, 1)), "a multiple of the window's 2 pixels"),
        (lambda: ops.fold(np.ones((1, 2, 4)), (2, 2), (2, 1)), "1x2 windows. Received 4 columns"),
    ],
)
def test_refusals(call: Any, text: str) -> None:
    with pytest.raises(ValueError) as caught:
        call()
    assert text in str(caught.value)


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_a_convolution_may_stride_and_spread_at_once(padding: str) -> None:
    x, kernel = RNG.normal(size=(2, 9, 11, 3)), RNG.normal(size=(3, 2, 3, 4))
    taken = _patches(x, (3, 2), (2, 3), (2, 2), padding)
    got = ops.conv(x.astype("float32"), kernel.astype("float32"), (2, 3), padding, dilation_rate=2)
    bound = 32 * np.finfo("float32").eps * (np.abs(taken) @ np.abs(kernel).reshape(18, 4))
    assert (np.abs(got - taken @ kernel.reshape(18, 4)) <= bound).all()


def test_a_variance_beyond_half_precision_is_the_largest_number() -> None:
    mean, variance = ops.moments(np.array([-600.0, 600.0], "float16"), axes=[0])
    assert mean == 0 and variance == np.finfo("float16").max
