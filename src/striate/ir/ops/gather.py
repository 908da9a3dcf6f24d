"""gather: y = x taken at `indices` along an axis; gather_grad adds g back there in zeros of x's shape.

    y[..., i..., ...] = x[..., indices[i...], ...]

A negative index counts from the end. One outside -n <= index < n reads NaN (0 in an integer tensor), and takes no
gradient: kernel and reference alike, so that nothing is ever read out of bounds.

Shapes: x's axis is replaced by the axes of indices (int32). Source: Keras 3 `keras.ops.take`, `Embedding`.
"""

from __future__ import annotations

import numpy as np

from striate.ir.opdef import define_op
from striate.ir.ops._arrays import FLOATS, Array, like, wide
from striate.ir.ops._checks import require_axis, require_floats, require_integers, require_shape
from striate.ir.ops._terms import Term, terms
from striate.ir.ops.attrs import AxisAttrs, GatherGradAttrs
from striate.ir.types import Shape, TensorType


def _taken(x: Shape, indices: Shape, axis: int) -> Shape:
    return (*x[:axis], *indices, *x[axis + 1 :])


def infer(x: TensorType, indices: TensorType, a: AxisAttrs) -> TensorType:
    require_axis("gather", x, a.axis)
    require_integers("gather", "indices", indices, "int32")
    return TensorType(_taken(x.shape, indices.shape, a.axis), x.dtype)


def _slopes(y: Term, g: Term, x: Term, indices: Term, a: AxisAttrs) -> tuple[Term | None, None]:
    if x.type.dtype not in FLOATS:
        return None, None
    return g("gather_grad", indices, attrs=GatherGradAttrs(a.axis, x.type.dims)), None


def reference(x: Array, indices: Array, a: AxisAttrs) -> Array:
    n = x.shape[a.axis]
    inside = (indices >= -n) & (indices < n)
    if n == 0:
        y = np.zeros(_filled(x, indices, a.axis), x.dtype)
    else:
        y = np.take(x, np.where(inside, indices % n, 0), axis=a.axis)
    outside = ~inside.reshape(inside.shape + (1,) * (x.ndim - a.axis - 1))
    lost = np.nan if x.dtype.name in FLOATS else 0
    return np.where(outside, np.asarray(lost).astype(x.dtype), y).astype(x.dtype)


def _filled(x: Array, indices: Array, axis: int) -> tuple[int, ...]:
    return (*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :])


def infer_grad(g: TensorType, indices: TensorType, a: GatherGradAttrs) -> TensorType:
    require_floats("gather_grad", g)
    require_shape("gather_grad", "g", g, _taken(a.shape, indices.shape, a.axis))
    return TensorType(a.shape, g.dtype)


def _grad_slopes(y: Term, h: Term, g: Term, indices: Term, a: GatherGradAttrs) -> tuple[Term, None]:
    return h("gather", indices, attrs=AxisAttrs(a.axis)), None


def reference_grad(g: Array, indices: Array, a: GatherGradAttrs) -> Array:
    n = a.shape[a.axis]
    flat = indices.reshape(-1)
    rows = np.moveaxis(wide(g).reshape(*a.shape[: a.axis], flat.size, *a.shape[a.axis + 1 :]), a.axis, 0)
    inside = (flat >= -n) & (flat < n)
    x = np.zeros((n, *a.shape[: a.axis], *a.shape[a.axis + 1 :]))
    np.add.at(x, flat[inside] % max(n, 1), rows[inside])
    return like(np.moveaxis(x, 0, a.axis), g)


define_op("gather", attrs=AxisAttrs, infer=infer, vjp=terms(_slopes), reference=reference)
define_op("gather_grad", attrs=GatherGradAttrs, infer=infer_grad, vjp=terms(_grad_slopes), reference=reference_grad)
