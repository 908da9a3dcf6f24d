"""Elementwise functions of two tensors that few networks use; NumPy computes them.

    atan2(a, b)        the angle of the point (b, a), in [-pi, pi]       dL/da = g b / (a^2 + b^2), dL/db = -g a / (...)
    nextafter(a, b)    the next number of a's type from a towards b      no gradient
    ldexp(a, b)        a * 2^b, without overflow on the way              dL/da = ldexp(g, b)

Shapes: a and b broadcast to y; float, of one element type, but ldexp's b, which is int32. Source: Keras 3 `keras.ops`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from striate.ir.opdef import define_op
from striate.ir.ops._arrays import Array, like, wide
from striate.ir.ops._checks import broadcast, require_floats, require_integers, require_same_dtype
from striate.ir.ops._terms import Term, terms
from striate.ir.ops._unary import HOST_RARE
from striate.ir.types import TensorType


def infer_atan2(a: TensorType, b: TensorType) -> TensorType:
    require_floats("atan2", a, b)
    return TensorType(broadcast("atan2", a, b), require_same_dtype("atan2", a, b))


def reference_atan2(a: Array, b: Array) -> Array:
    return like(np.arctan2(wide(a), wide(b)), a)


def _slopes(y: Term, g: Term, a: Term, b: Term) -> tuple[Term, Term]:
    over = g / (a * a + b * b)
    return (over * b).sum_to(a.type), (-(over * a)).sum_to(b.type)


def infer_nextafter(a: TensorType, b: TensorType) -> TensorType:
    require_floats("nextafter", a, b)
    return TensorType(broadcast("nextafter", a, b), require_same_dtype("nextafter", a, b))


def reference_nextafter(a: Array, b: Array) -> Array:
    return np.nextafter(a, b)


def infer_ldexp(a: TensorType, b: TensorType) -> TensorType:
    require_floats("ldexp", a)
    require_integers("ldexp", "x2", b, "int32")
    return TensorType(broadcast("ldexp", a, b), a.dtype)


def reference_ldexp(a: Array, b: Array) -> Array:
    return like(np.ldexp(wide(a), b), a)


def _ldexp_slope(y: Term, g: Term, a: Term, b: Term) -> Any:
    return g("ldexp", b).sum_to(a.type), None


define_op("atan2", infer=infer_atan2, vjp=terms(_slopes), reference=reference_atan2, host=HOST_RARE)
define_op("nextafter", infer=infer_nextafter, reference=reference_nextafter, host=HOST_RARE)
define_op("ldexp", infer=infer_ldexp, vjp=terms(_ldexp_slope), reference=reference_ldexp, host=HOST_RARE)
