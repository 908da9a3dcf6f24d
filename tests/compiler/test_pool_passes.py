"""Passes around pools: indices instead of images, and no outputs that no window reaches."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from striate.compiler.passes.crop_to_windows import crop_to_windows
from striate.compiler.passes.keep_pool_indices import keep_pool_indices
from striate.engine.interpreter import interpret
from striate.ir.graph import Graph, Value
from striate.ir.ops.attrs import ConvAttrs, PoolAttrs
from tests.support.graphs import Builder, ops_of

TWO = PoolAttrs((2, 2), (2, 2))


def same_meaning(b: Builder, before: Graph, after: Graph) -> None:
    for want, got in zip(interpret(before, b.arrays, b.state)[0], interpret(after, b.arrays, b.state)[0], strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)


# ---- indices
@pytest.mark.parametrize("pool", [TWO, PoolAttrs((3, 3), (2, 2), "same"), PoolAttrs((2, 3), (1, 1))])
def test_indices_are_kept(pool: PoolAttrs) -> None:
    b = Builder()
    x = b.op("relu", b.input(2, 5, 6, 3))  # equal maxima: zeros
    y = b.op("max_pool2d", x, attrs=pool)
    dx = b.op("max_pool2d_grad", b.input(*y.type.dims), x, y, attrs=pool)
    before = b.graph(y, dx)
    after = keep_pool_indices(before)
    assert ops_of(after) == ["relu", "max_pool2d_indices", "max_unpool2d"]
    for want, got in zip(interpret(before, b.arrays, b.state)[0], interpret(after, b.arrays, b.state)[0], strict=True):
        assert got.tobytes() == want.tobytes()


@pytest.mark.parametrize("pool", [PoolAttrs((17, 16), (1, 1)), TWO])
def test_what_has_no_indices_stays(pool: PoolAttrs) -> None:
    """Windows of more cells than a byte counts; a gradient of somebody else's maxima."""
    b = Builder()
    x = b.input(1, 18, 18, 1)
    y = b.op("max_pool2d", x, attrs=pool)
    given = b.input(*y.type.dims) if pool == TWO else y
    graph = b.graph(y, b.op("max_pool2d_grad", b.input(*y.type.dims), x, given, attrs=pool))
    assert keep_pool_indices(graph).outputs == graph.outputs


def test_a_pool_without_gradient_keeps_no_indices() -> None:
    b = Builder()
    graph = b.graph(b.op("max_pool2d", b.input(1, 4, 4, 2), attrs=TWO))
    assert ops_of(keep_pool_indices(graph)) == ["max_pool2d"]


# ---- crops
def step(b: Builder, conv: ConvAttrs, pool: PoolAttrs, op: str = "max_pool2d") -> list[Value]:
    """[pooled, dx, dw] of a convolution with a pool behind it."""
    x, w = b.input(2, 7, 9, 3), b.variable(3, 3, 3, 4)
    z = b.op("conv2d", x, w, attrs=conv)
    g: Any = b.input(*b.op(op, z, attrs=pool).type.dims)
    if op == "avg_pool2d":
        y = b.op(op, z, attrs=pool)
        dz = b.op("avg_pool2d_grad", g, attrs=pool.producing(z.type.dims))
    else:
        y, at = b.op("max_pool2d_indices", z, attrs=pool)
        dz = b.op("max_unpool2d", g, at, attrs=pool.producing(z.type.dims))
    dx = b.op("conv2d_grad_x", dz, w, attrs=conv.producing(x.type.dims))
    return [y, dx, b.op("conv2d_grad_w", x, dz, attrs=conv.producing(w.type.dims))]


@pytest.mark.parametrize("op", ["max_pool2d", "avg_pool2d"])
@pytest.mark.parametrize(
    ("conv", "pool", "rows", "columns"),
    [
        (ConvAttrs(padding="same"), TWO, 6, 8),
        (ConvAttrs(padding="same"), PoolAttrs((3, 2), (3, 3)), 6, 8),
        (ConvAttrs(padding="explicit", pads=(0, 2, 1, 3)), TWO, 6, 10),
        (ConvAttrs((2, 1), "explicit", (1, 1, 2, 1)), PoolAttrs((2, 2), (3, 2)), 4, 10),
        (ConvAttrs(padding="explicit", pads=(2, 2, 1, 1)), PoolAttrs((5, 3), (4, 4)), 9, 8),  # as far as it is padded
    ],
)
def test_outputs_that_no_window_reaches_are_not_made(
    conv: ConvAttrs, pool: PoolAttrs, rows: int, columns: int, op: str
) -> None:
    b = Builder()
    before = b.graph(*step(b, conv, pool, op))
    after = crop_to_windows(before)
    pooled, dx, dw = after.outputs
    assert pooled.inputs[0].type.dims[1:3] == (rows, columns) == dx.inputs[0].type.dims[1:3]
    assert dx.inputs[0] == dw.inputs[1]  # one crop of the gradient for both
    same_meaning(b, before, after)


@pytest.mark.parametrize(
    ("conv", "pool"),
    [
        (ConvAttrs(), TWO),  # 5 x 7 outputs, but nothing is padded that could be cut
        (ConvAttrs(padding="same"), PoolAttrs((2, 2), (2, 2), "same")),
        (ConvAttrs(padding="same"), PoolAttrs((3, 3), (1, 1))),
    ],
)
def test_what_is_needed_or_not_padded_stays(conv: ConvAttrs, pool: PoolAttrs) -> None:
    b = Builder()
    graph = b.graph(*step(b, conv, pool))
    assert crop_to_windows(graph).outputs == graph.outputs


def test_what_others_read_stays_whole() -> None:
    b = Builder()
    y, dx, dw = step(b, ConvAttrs(padding="same"), TWO)
    z, dz = y.inputs[0], dx.inputs[0]
    graph = b.graph(y, dx, dw, b.op("neg", z), b.op("neg", dz))
    assert crop_to_windows(graph).outputs == graph.outputs


@pytest.mark.parametrize(
    ("kernels", "pool", "sizes"),
    [
        (((3, 1), (1, 3)), TWO, ((6, 9), (7, 8))),  # one pads rows, one columns
        (((3, 3), (5, 5)), PoolAttrs((2, 2), (4, 3)), ((6, 8), (6, 8))),
        (((3, 3), (5, 5)), PoolAttrs((3, 3), (5, 4)), ((6, 8), (5, 7))),  # as far as each is padded
        (((3, 3), (1, 1)), TWO, ((6, 8), (7, 9))),
    ],
)
def test_convolutions_whose_sum_is_pooled_cut_what_each_pads(
    kernels: tuple[tuple[int, int], ...], pool: PoolAttrs, sizes: tuple[tuple[int, int], ...]
) -> None:
    b = Builder()
    x, conv = b.input(2, 7, 9, 3), ConvAttrs(padding="same")
    w = [b.variable(*kernel, 3, 4) for kernel in kernels]
    z = b.op("add", *(b.op("conv2d", x, each, attrs=conv) for each in w))
    y, at = b.op("max_pool2d_indices", z, attrs=pool)
    dz = b.op("max_unpool2d", b.input(*y.type.dims), at, attrs=pool.producing(z.type.dims))
    dx = [b.op("conv2d_grad_x", dz, each, attrs=conv.producing(x.type.dims)) for each in w]
    dw = [b.op("conv2d_grad_w", x, dz, attrs=conv.producing(each.type.dims)) for each in w]
    before = b.graph(y, *dx, *dw)
    after = crop_to_windows(before)
    _, *gradients = after.outputs
    assert tuple(v.inputs[0].type.dims[1:3] for v in gradients[:2]) == sizes
    assert tuple(v.inputs[1].type.dims[1:3] for v in gradients[2:]) == sizes
    same_meaning(b, before, after)
