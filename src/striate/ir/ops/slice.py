"""slice: y = x[begin:end:step] along each axis; slice_grad puts g back there in zeros of x's shape.

begin and end are normalised: 0 <= begin <= n, and end likewise. With step > 0, end = -1 stands for "to the end" (an
open axis is whole: 0, -1, 1). With step < 0, any negative end means "down to element 0": flip is (n-1, -n-1, -1).

Shapes: an axis has as many elements as the Python slice. Source: Keras 3 `keras.ops.slice`, indexing of tensors.
"""

from __future__ import annotations

import numpy as np

from striate.core.errors import ShapeError
from striate.ir.opdef import define_op
from striate.ir.ops._arrays import Array
from striate.ir.ops._checks import require_shape, show
from striate.ir.ops._terms import Term, terms
from striate.ir.ops.attrs import SliceAttrs, SliceGradAttrs
from striate.ir.types import Shape, TensorType


def python_slices(a: SliceAttrs) -> tuple[slice, ...]:
    return tuple(slice(b, None if e < 0 else e, s) for b, e, s in zip(a.begin, a.end, a.step, strict=True))


def sliced_shape(x: Shape, a: SliceAttrs) -> Shape:
    if not len(a.begin) == len(a.end) == len(a.step) == len(x) or 0 in a.step:
        raise ShapeError(
            f"slice: received begin={a.begin}, end={a.end}, step={a.step} for x.shape={show(x)}. "
            f"Expected one entry an axis, and no step of 0."
        )
    result: list[int | None] = []
    for n, part in zip(x, python_slices(a), strict=True):
        if n is None:
            whole = part == slice(0, None, 1)
            if not whole and (part.stop is None or part.step < 0):
                raise ShapeError(
                    f"slice: received begin={part.start}, step={part.step} up to the end of an axis of open length, "
                    f"x.shape={show(x)}. Expected the whole axis. Give Input a full batch_shape to slice along it."
                )
            result.append(None if whole else len(range(part.start, part.stop, part.step)))
        else:
            result.append(len(range(*part.indices(n))))
    return tuple(result)


def infer(x: TensorType, a: SliceAttrs) -> TensorType:
    return TensorType(sliced_shape(x.shape, a), x.dtype)


def _slope(y: Term, g: Term, x: Term, a: SliceAttrs) -> Term:
    return g("slice_grad", attrs=SliceGradAttrs(a.begin, a.end, a.step, x.type.dims))


def reference(x: Array, a: SliceAttrs) -> Array:
    return np.array(x[python_slices(a)])


def infer_grad(g: TensorType, a: SliceGradAttrs) -> TensorType:
    require_shape("slice_grad", "g", g, sliced_shape(a.shape, a))
    return TensorType(a.shape, g.dtype)


def _grad_slope(y: Term, h: Term, g: Term, a: SliceGradAttrs) -> Term:
    return h("slice", attrs=SliceAttrs(a.begin, a.end, a.step))


def reference_grad(g: Array, a: SliceGradAttrs) -> Array:
    x = np.zeros(a.shape, g.dtype)
    x[python_slices(a)] = g
    return x


define_op("slice", attrs=SliceAttrs, infer=infer, vjp=terms(_slope), reference=reference)
define_op("slice_grad", attrs=SliceGradAttrs, infer=infer_grad, vjp=terms(_grad_slope), reference=reference_grad)
