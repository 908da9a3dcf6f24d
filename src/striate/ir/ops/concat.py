"""concat: tensors one after the other along an axis.

Shapes: alike but for that axis, whose lengths add up; one element type. Source: Keras 3 `keras.ops.concatenate`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from striate.core.errors import ShapeError
from striate.ir.opdef import define_op
from striate.ir.ops._arrays import Array
from striate.ir.ops._checks import fits, merge, require_axis, require_same_dtype, show
from striate.ir.ops._terms import Term, terms
from striate.ir.ops.attrs import AxisAttrs, SliceAttrs
from striate.ir.types import Shape, TensorType


def infer(*args: Any) -> TensorType:
    types: tuple[TensorType, ...] = args[:-1]
    axis: int = args[-1].axis
    if not types:
        raise ShapeError("concatenate: received no tensors. Expected one or more in a list.")
    dtype = require_same_dtype("concat", *types)
    require_axis("concat", types[0], axis)
    whole: Shape = _without(types[0], axis)
    for t in types[1:]:
        if not fits(whole, _without(t, axis)) or t.rank != types[0].rank:
            raise ShapeError(
                f"concatenate: shapes must agree but for axis {axis}. "
                f"Received shapes {', '.join(show(t.shape) for t in types)}. Reshape, crop or pad what differs."
            )
        whole = merge(whole, _without(t, axis))
    lengths = [t.shape[axis] for t in types]
    total = None if None in lengths else sum(n for n in lengths if n is not None)
    return TensorType((*whole[:axis], total, *whole[axis:]), dtype)


def _without(t: TensorType, axis: int) -> Shape:
    return (*t.shape[:axis], *t.shape[axis + 1 :])


def _slopes(y: Term, g: Term, *args: Any) -> tuple[Term, ...]:
    axis: int = args[-1].axis
    grads: list[Term] = []
    start = 0
    for x in args[:-1]:
        begin, end = [0] * g.type.rank, list(g.type.dims)
        begin[axis], end[axis] = start, start + x.type.dims[axis]
        start = end[axis]
        grads.append(g("slice", attrs=SliceAttrs(tuple(begin), tuple(end), (1,) * g.type.rank)))
    return tuple(grads)


def reference(*args: Any) -> Array:
    return np.concatenate(args[:-1], axis=args[-1].axis)


define_op("concat", attrs=AxisAttrs, infer=infer, vjp=terms(_slopes), reference=reference)
