"""avg_pool2d: the mean of each window and channel, over the cells inside the image; avg_pool2d_grad spreads g evenly.

    y[n, i, j, c] = (sum_{u, v} x[n, i sh + u, j sw + v, c]) / (cells of window (i, j) inside the image)

A 4x4 image of 1..16 with pool 3, strides 2, "same" gives [[6, 7.5], [12, 13.5]].
Shapes: x (N, H, W, C), y (N, OH, OW, C). Source: Keras 3 `keras.ops.average_pool`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from striate.ir.opdef import define_op
from striate.ir.ops._arrays import Array, like, wide
from striate.ir.ops._checks import require_floats, require_rank
from striate.ir.ops._terms import Term, terms
from striate.ir.ops._windows import crop, out_hw, pad_image, pads, tap, windows
from striate.ir.ops.attrs import PoolAttrs, PoolGradAttrs
from striate.ir.types import TensorType


def infer(x: TensorType, a: PoolAttrs) -> TensorType:
    require_floats("avg_pool2d", x)
    require_rank("avg_pool2d", "x", x, 4, "(batch, height, width, channels)")
    return TensorType((x.shape[0], *out_hw("avg_pool2d", a, x.shape[1:3], a.pool), x.shape[3]), x.dtype)


def _slope(y: Term, g: Term, x: Term, a: PoolAttrs) -> Term:
    return g("avg_pool2d_grad", attrs=a.producing(x.type.dims))


def cells(a: PoolAttrs, hw: tuple[int, int]) -> Array:
    """(1, OH, OW, 1): how many cells of each window lie inside the image."""
    inside = pad_image(np.ones((1, *hw, 1)), pads(a, hw, a.pool))
    out: Any = out_hw("avg_pool2d", a, hw, a.pool)
    return np.asarray(windows(inside, a, a.pool, out).sum(axis=(-2, -1)))


def reference(x: Array, a: PoolAttrs) -> Array:
    hw = (x.shape[1], x.shape[2])
    out: Any = out_hw("avg_pool2d", a, hw, a.pool)
    padded = pad_image(wide(x), pads(a, hw, a.pool))
    return like(windows(padded, a, a.pool, out).sum(axis=(-2, -1)) / cells(a, hw), x)


def infer_grad(g: TensorType, a: PoolGradAttrs) -> TensorType:
    x = TensorType(a.shape, g.dtype)
    assert infer(x, a) == g, f"avg_pool2d_grad: g is {g}, {a}"
    return x


def _grad_slope(dx: Term, h: Term, g: Term, a: PoolGradAttrs) -> Term:
    return h("avg_pool2d", attrs=a.plain())


def reference_grad(g: Array, a: PoolGradAttrs) -> Array:
    hw = (a.shape[1], a.shape[2])
    around = pads(a, hw, a.pool)
    share = wide(g) / cells(a, hw)
    dx = pad_image(np.zeros(a.shape), around)
    for u in range(a.pool[0]):
        for v in range(a.pool[1]):
            tap(dx, u, v, a, (g.shape[1], g.shape[2]))[...] += share
    return like(crop(dx, around), g)


define_op("avg_pool2d", attrs=PoolAttrs, infer=infer, vjp=terms(_slope), reference=reference)
define_op("avg_pool2d_grad", attrs=PoolGradAttrs, infer=infer_grad, vjp=terms(_grad_slope), reference=reference_grad)
