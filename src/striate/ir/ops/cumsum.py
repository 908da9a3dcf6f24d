"""cumsum: running sums along an axis, y_i = x_0 + ... + x_i; dL/dx_i = g_i + ... + g_last.

Shapes: x and y alike. Source: Keras 3 `keras.ops.cumsum`.
"""

from __future__ import annotations

import numpy as np

from striate.ir.opdef import define_op
from striate.ir.ops._arrays import Array, like, wide
from striate.ir.ops._checks import require_axis, require_numbers
from striate.ir.ops._terms import Term, terms
from striate.ir.ops.attrs import AxisAttrs, SliceAttrs
from striate.ir.types import TensorType


def infer(x: TensorType, a: AxisAttrs) -> TensorType:
    require_numbers("cumsum", x)
    require_axis("cumsum", x, a.axis)
    return x


def _slope(y: Term, g: Term, x: Term, a: AxisAttrs) -> Term:
    dims = x.type.dims
    begin, end, step = [0] * len(dims), list(dims), [1] * len(dims)
    begin[a.axis], end[a.axis], step[a.axis] = max(dims[a.axis] - 1, 0), -dims[a.axis] - 1, -1
    flip = SliceAttrs(tuple(begin), tuple(end), tuple(step))
    return g("slice", attrs=flip)("cumsum", attrs=a)("slice", attrs=flip)


def reference(x: Array, a: AxisAttrs) -> Array:
    return like(np.cumsum(wide(x), axis=a.axis, dtype=wide(x).dtype), x)


define_op(
    "cumsum", attrs=AxisAttrs, infer=infer, vjp=terms(_slope), reference=reference, host="not used by layers or losses"
)
