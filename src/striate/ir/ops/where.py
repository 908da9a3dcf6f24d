"""where: y = a where the condition holds, else b; elementwise with NumPy broadcasting of all three.

Shapes: condition (bool), a and b broadcast to y; a and b of one element type. Source: Keras 3 `keras.ops.where`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from striate.ir.opdef import define_op
from striate.ir.ops._arrays import FLOATS, Array
from striate.ir.ops._checks import broadcast, require_bools, require_same_dtype
from striate.ir.ops._terms import Term, terms, where
from striate.ir.types import TensorType


def infer(condition: TensorType, a: TensorType, b: TensorType) -> TensorType:
    require_bools("where", condition)
    return TensorType(broadcast("where", condition, a, b), require_same_dtype("where", a, b))


def _slopes(y: Term, g: Term, condition: Term, a: Term, b: Term) -> Any:
    if a.type.dtype not in FLOATS:
        return None, None, None
    return None, where(condition, g, 0.0).sum_to(a.type), where(condition, 0.0, g).sum_to(b.type)


def reference(condition: Array, a: Array, b: Array) -> Array:
    return np.where(condition, a, b)


define_op("where", infer=infer, vjp=terms(_slopes), reference=reference)
