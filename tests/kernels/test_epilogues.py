"""An activation has the same bits wherever it is computed: as an op of its own, and on the sums of every product.

The products here have one factor, 1, so their sums are x itself; then each kernel's epilogue must give what the
activation's own kernel gives of x, NaN, infinities, and numbers whose exponentials overflow or are flushed among them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from striate.ir.ops._epilogue import activation
from striate.ir.ops.attrs import ConvAttrs, DenseAttrs
from tests.support.kernel_runs import TINY, Array, name_of, rows
from tests.support.native import kernels_of, run_kernel

ACTIVATIONS = (
    "relu", "relu6", "tanh", "sigmoid", "elu", "leaky_relu", "gelu", "gelu_tanh", "silu", "hard_sigmoid", "hard_silu",
)  # fmt: skip
ALPHA = 0.3
COUNT = 7 * 9 * 53  # of 53 channels, whose last vector is not full at any width
EDGES = (87.0, 88.0, 88.7, 89.0, 103.0, 104.0, 105.0, 120.0, 1e4, 1e19, 1e38, 3.4e38, np.inf, TINY, 1e-30, 0.625, 10.0)


def values() -> Array:
    random = np.random.default_rng(5)
    x = np.concatenate([EDGES, random.standard_normal(1500) * 4, random.uniform(-110, 110, 100), [np.nan, 0.0]])
    x = np.concatenate([x, -x]).astype(np.float32)
    return np.resize(x, COUNT) + np.float32(0)  # -0 as +0, as every sum from zero


def step(kernel: str, op: str, x: Array, act: str) -> tuple[tuple[Array, ...], Any]:
    """Inputs and attributes of a step that gives act(x), each element of x once or, in a row, as every filter."""
    attrs = ConvAttrs(epilogue=act, alpha=ALPHA)
    if op == "dense":
        return (x.reshape(-1, 1), np.ones((1, 53), np.float32)), DenseAttrs(act, ALPHA)
    if op == "depthwise_conv2d":
        return (x.reshape(1, 7, 9, 53), np.ones((1, 1, 53, 1), np.float32)), attrs
    if "_narrow_" in kernel:  # takes few filters and no 1x1 kernel: one whose outer taps lie above and below the image
        w = np.array([0, 0, 1, 1, 0, 0], np.float32).reshape(3, 1, 1, 2)
        return (x.reshape(1, 1, -1, 1), w), replace(attrs, padding="same")
    return (x.reshape(1, -1, 53, 1), np.ones((1, 1, 1, 53), np.float32)), attrs


def as_bits(x: Array) -> Array:
    return np.where(np.isnan(x), np.float32(np.nan), x + np.float32(0)).view(np.uint32)


#: a Winograd kernel's sums are not exact; its epilogue is the same function
PRODUCTS = [row for row in rows("dense", "conv2d", "depthwise_conv2d") if "_winograd" not in row.name]


@pytest.mark.parametrize("act", ACTIVATIONS)
@pytest.mark.parametrize("row", PRODUCTS, ids=name_of)
def test_an_epilogue_has_the_bits_of_the_op(row: Any, act: str) -> None:
    x = values()
    inputs, attrs = step(row.name, row.op, x, act)
    op, alone = activation(act, ALPHA)
    (kernel,) = [name for _, name in kernels_of(op) if name.endswith(f"_{row.isa}")]
    (want,) = run_kernel(kernel, op, (x,), alone)
    (got,) = run_kernel(row.name, row.op, inputs, attrs)
    np.testing.assert_array_equal(as_bits(got.ravel()), as_bits(np.repeat(want, got.size // COUNT)))


def test_zeros_and_ones_at_the_ends() -> None:
    """Where the exact value is no normal number, 0; at infinity, the limit."""
    x = np.array([-np.inf, -3e38, -1e5, -120, -100, np.inf, 3e38, np.nan], np.float32)
    for op, far in (("silu", x), ("gelu", x), ("sigmoid", np.ones_like(x)), ("tanh", np.ones_like(x))):
        attrs = activation(op, 0.0)[1]
        for _, name in kernels_of(op):
            (got,) = run_kernel(name, op, (x,), attrs)
            low = -1 if op == "tanh" else 0
            np.testing.assert_array_equal(got[:5], np.full(5, low), err_msg=name)
            np.testing.assert_array_equal(got[5:7], far[5:7], err_msg=name)
            assert np.isnan(got[7]), name
