"""pad: x with `value` around it, pads[2 i] elements before and pads[2 i + 1] after along axis i.

Shapes: y.shape[i] = pads[2 i] + x.shape[i] + pads[2 i + 1]. Source: Keras 3 `keras.ops.pad`, mode "constant".
"""

from __future__ import annotations

import numpy as np

from striate.core.errors import ShapeError
from striate.ir.opdef import define_op
from striate.ir.ops._arrays import Array
from striate.ir.ops._checks import show
from striate.ir.ops._terms import Term, terms
from striate.ir.ops.attrs import PadAttrs, SliceAttrs
from striate.ir.types import TensorType


def infer(x: TensorType, a: PadAttrs) -> TensorType:
    if len(a.pads) != 2 * x.rank or any(p < 0 for p in a.pads):
        raise ShapeError(
            f"pad: received pads={a.pads} for x.shape={show(x.shape)}. "
            f"Expected (before, after) for each of the {x.rank} axes, none negative. Slice x to crop it."
        )
    sums = [a.pads[2 * i] + a.pads[2 * i + 1] for i in range(x.rank)]
    return TensorType(tuple(None if n is None else n + p for n, p in zip(x.shape, sums, strict=True)), x.dtype)


def _slope(y: Term, g: Term, x: Term, a: PadAttrs) -> Term:
    begin = a.pads[::2]
    end = tuple(b + n for b, n in zip(begin, x.type.dims, strict=True))
    return g("slice", attrs=SliceAttrs(begin, end, (1,) * x.type.rank))


def reference(x: Array, a: PadAttrs) -> Array:
    pairs = [(a.pads[2 * i], a.pads[2 * i + 1]) for i in range(x.ndim)]
    return np.pad(x, pairs, constant_values=np.asarray(a.value).astype(x.dtype)) if pairs else x.copy()


define_op("pad", attrs=PadAttrs, infer=infer, vjp=terms(_slope), reference=reference)
