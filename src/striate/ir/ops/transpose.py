"""transpose: axis i of y is axis perm[i] of x.

Shapes: y.shape[i] = x.shape[perm[i]]. Source: Keras 3 `keras.ops.transpose`.
"""

from __future__ import annotations

import numpy as np

from striate.core.errors import ShapeError
from striate.ir.opdef import define_op
from striate.ir.ops._arrays import Array
from striate.ir.ops._checks import show
from striate.ir.ops._terms import Term, terms
from striate.ir.ops.attrs import PermAttrs
from striate.ir.types import TensorType


def infer(x: TensorType, a: PermAttrs) -> TensorType:
    if sorted(a.perm) != list(range(x.rank)):
        raise ShapeError(
            f"transpose: received axes={a.perm} for x.shape={show(x.shape)}. "
            f"Expected each of 0 to {x.rank - 1} once. Leave axes out to reverse them all."
        )
    return TensorType(tuple(x.shape[i] for i in a.perm), x.dtype)


def inverse(perm: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(perm.index(i) for i in range(len(perm)))


def _slope(y: Term, g: Term, x: Term, a: PermAttrs) -> Term:
    return g("transpose", attrs=PermAttrs(inverse(a.perm)))


def reference(x: Array, a: PermAttrs) -> Array:
    return np.array(x.transpose(a.perm), order="C")


define_op("transpose", attrs=PermAttrs, infer=infer, vjp=terms(_slope), reference=reference)
