"""max_pool2d_indices: a max pool that says where each maximum was; max_unpool2d gives gradients back to those cells.

    y[n, i, j, c] = max_{u, v} x[n, i sh + u, j sw + v, c]          max_pool2d_indices
    at[n, i, j, c] = u pw + v of the first cell inside the image that holds it, in row-major order of the window
    dx = sum over windows of g[n, i, j, c] at cell at[n, i, j, c]   max_unpool2d, max_pool2d_grad without x and y

A NaN is larger than all numbers. Shapes: x, dx (N, H, W, C); y, at, g (N, OH, OW, C); at is uint8, so that a window has
at most 256 cells. No gradients: made by passes, after gradients (`compiler/passes/keep_pool_indices.py`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from striate.ir.opdef import define_op
from striate.ir.ops import max_pool2d
from striate.ir.ops._arrays import Array, like, wide
from striate.ir.ops._checks import require_floats
from striate.ir.ops._windows import crop, out_hw, pad_image, pads, tap, windows
from striate.ir.ops.attrs import PoolAttrs, PoolGradAttrs
from striate.ir.types import TensorType

#: cells of a window whose indices are bytes
MOST_CELLS = 256


def infer(x: TensorType, a: PoolAttrs) -> tuple[TensorType, TensorType]:
    require_floats("max_pool2d_indices", x)
    assert a.pool[0] * a.pool[1] <= MOST_CELLS, f"max_pool2d_indices: {a} has more than {MOST_CELLS} cells"
    y = max_pool2d.infer(x, a)
    return y, TensorType(y.shape, "uint8")


def reference(x: Array, a: PoolAttrs) -> tuple[Array, Array]:
    hw = (x.shape[1], x.shape[2])
    out: Any = out_hw("max_pool2d", a, hw, a.pool)
    around = pads(a, hw, a.pool)
    cells = windows(pad_image(wide(x), around, -np.inf), a, a.pool, out)
    inside = windows(pad_image(np.ones((1, *hw, 1)), around), a, a.pool, out) > 0
    y = cells.max(axis=(-2, -1))
    held = inside & ((cells == y[..., None, None]) | np.isnan(cells))
    return like(y, x), held.reshape(*y.shape, -1).argmax(axis=-1).astype(np.uint8)


def infer_unpool(g: TensorType, at: TensorType, a: PoolGradAttrs) -> TensorType:
    require_floats("max_unpool2d", g)
    x = TensorType(a.shape, g.dtype)
    assert max_pool2d.infer(x, a) == g and at == TensorType(g.shape, "uint8"), f"max_unpool2d: g is {g}, at {at}, {a}"
    return x


def reference_unpool(g: Array, at: Array, a: PoolGradAttrs) -> Array:
    around = pads(a, (a.shape[1], a.shape[2]), a.pool)
    dx = pad_image(np.zeros(a.shape), around)
    for u in range(a.pool[0]):
        for v in range(a.pool[1]):
            tap(dx, u, v, a, (g.shape[1], g.shape[2]))[...] += np.where(at == u * a.pool[1] + v, wide(g), 0)
    return like(crop(dx, around), g)


define_op("max_pool2d_indices", attrs=PoolAttrs, infer=infer, reference=reference)
define_op("max_unpool2d", attrs=PoolGradAttrs, infer=infer_unpool, reference=reference_unpool)
