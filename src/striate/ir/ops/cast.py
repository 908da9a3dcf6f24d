"""cast: the same values in another element type; stop_gradient: the same values, through which no gradient flows.

Floats to integers cut towards zero, anything to bool is x != 0. What does not fit the new type is as NumPy leaves it.
Shapes: x and y alike, any. Source: Keras 3 `keras.ops.cast`, `keras.ops.stop_gradient`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from striate.core.errors import DTypeError
from striate.ir.opdef import define_op
from striate.ir.ops._arrays import FLOATS, Array
from striate.ir.ops._terms import Term, terms
from striate.ir.ops.attrs import CastAttrs
from striate.ir.types import DTYPES, TensorType, numpy_dtype


def infer(x: TensorType, a: CastAttrs) -> TensorType:
    if a.dtype not in DTYPES:
        raise DTypeError(f"cast: received dtype={a.dtype!r}. Expected one of {', '.join(DTYPES)}.")
    return TensorType(x.shape, a.dtype)


def _slope(y: Term, g: Term, x: Term, a: CastAttrs) -> Any:
    return g.cast(x.type.dtype) if x.type.dtype in FLOATS and a.dtype in FLOATS else None


def reference(x: Array, a: CastAttrs) -> Array:
    return x.astype(numpy_dtype(a.dtype))


def infer_same(x: TensorType) -> TensorType:
    return x


def identity(x: Array) -> Array:
    return np.array(x)


define_op("cast", attrs=CastAttrs, infer=infer, vjp=terms(_slope), reference=reference)
define_op("stop_gradient", infer=infer_same, reference=identity)
