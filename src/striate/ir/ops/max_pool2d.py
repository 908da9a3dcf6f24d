"""max_pool2d: the largest of each window and channel; max_pool2d_grad gives a window's gradient to its first maximum.

    y[n, i, j, c] = max_{u, v} x[n, i sh + u, j sw + v, c]

x is padded with -inf, so that padding is never the largest. Of equal maxima the first in row-major order of the window
takes the gradient, as TensorFlow's and PyTorch's.
Shapes: x (N, H, W, C), y (N, OH, OW, C). Source: Keras 3 `keras.ops.max_pool`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from striate.ir.opdef import define_op
from striate.ir.ops._arrays import FLOATS, Array, like, wide
from striate.ir.ops._checks import require_floats, require_numbers, require_rank
from striate.ir.ops._terms import Term, terms, where
from striate.ir.ops._windows import crop, out_hw, pad_image, pads, tap, windows
from striate.ir.ops.attrs import PadAttrs, PoolAttrs, SliceAttrs
from striate.ir.types import TensorType


def infer(x: TensorType, a: PoolAttrs) -> TensorType:
    require_numbers("max_pool2d", x)
    require_rank("max_pool2d", "x", x, 4, "(batch, height, width, channels)")
    return TensorType((x.shape[0], *out_hw("max_pool2d", a, x.shape[1:3], a.pool), x.shape[3]), x.dtype)


def _slope(y: Term, g: Term, x: Term, a: PoolAttrs) -> Term:
    return g("max_pool2d_grad", x, y, attrs=a.plain())


def _padded(x: Array, a: PoolAttrs) -> Array:
    lowest = -np.inf if x.dtype.name in FLOATS else float(np.iinfo(x.dtype).min)
    return pad_image(wide(x), pads(a, (x.shape[1], x.shape[2]), a.pool), lowest)


def reference(x: Array, a: PoolAttrs) -> Array:
    out: Any = out_hw("max_pool2d", a, x.shape[1:3], a.pool)
    return like(windows(_padded(x, a), a, a.pool, out).max(axis=(-2, -1)), x)


def infer_grad(g: TensorType, x: TensorType, y: TensorType, a: PoolAttrs) -> TensorType:
    require_floats("max_pool2d_grad", g, x, y)
    assert infer(x, a) == y == g, f"max_pool2d_grad: g is {g}, x {x}, y {y}, {a}"
    return x


def _grad_slopes(dx: Term, h: Term, g: Term, x: Term, y: Term, a: PoolAttrs) -> tuple[Term, None, None]:
    """dL/dg is h at each window's first maximum: taps are visited in order, and the first that equals y is taken.
    Which element is the largest does not change by a small step, so nothing flows to x and y."""
    (top, bottom), (left, right) = pads(a, (x.type.dims[1], x.type.dims[2]), a.pool)
    around = (0, 0, top, bottom, left, right, 0, 0)
    padded_x, padded_h = x("pad", attrs=PadAttrs(around, -np.inf)), h("pad", attrs=PadAttrs(around))
    n, rows, columns, channels = y.type.dims
    (sh, sw), free = a.strides, y("equal", y)
    dg = Term(y.emit, y.lift(0.0)).broadcast_to(*y.type.dims)
    for u in range(a.pool[0]):
        for v in range(a.pool[1]):
            end = (n, u + (rows - 1) * sh + 1, v + (columns - 1) * sw + 1, channels)
            seen = SliceAttrs((0, u, v, 0), end, (1, sh, sw, 1))
            first = padded_x("slice", attrs=seen)("equal", y)("logical_and", free)
            dg = where(first, padded_h("slice", attrs=seen), dg)
            free = free("logical_and", first("logical_not"))
    return dg, None, None


def reference_grad(g: Array, x: Array, y: Array, a: PoolAttrs) -> Array:
    around = pads(a, (x.shape[1], x.shape[2]), a.pool)
    out = (y.shape[1], y.shape[2])
    seen = windows(_padded(x, a), a, a.pool, out)
    first = seen.reshape(*seen.shape[:4], -1).argmax(axis=-1)
    dx = pad_image(np.zeros(x.shape), around)
    for u in range(a.pool[0]):
        for v in range(a.pool[1]):
            tap(dx, u, v, a, out)[...] += np.where(first == u * a.pool[1] + v, wide(g), 0)
    return like(crop(dx, around), g)


define_op("max_pool2d", attrs=PoolAttrs, infer=infer, vjp=terms(_slope), reference=reference)
define_op("max_pool2d_grad", attrs=PoolAttrs, infer=infer_grad, vjp=terms(_grad_slopes), reference=reference_grad)
