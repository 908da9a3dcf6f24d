"""dropout: zero a share `rate` of the elements at random, and scale the others so that the mean stays.

    y_e = x_e / (1 - rate) where u_e >= rate, else 0        u = random_uniform(state) over the flat x

u_e >= rate is decided exactly: (word >> 8) >= ceil(rate 2^24). A rate of 1 or more gives zeros.
The gradient is dropout(g) with the same state, so that no mask is kept.
Shapes: x and y alike, state int64 (2,). Source: Keras 3 `keras.layers.Dropout`.
"""

from __future__ import annotations

import numpy as np

from striate.ir.opdef import define_op
from striate.ir.ops import philox
from striate.ir.ops._arrays import Array, like, wide
from striate.ir.ops._checks import require_floats
from striate.ir.ops._terms import Term, terms
from striate.ir.ops.attrs import DropoutAttrs
from striate.ir.ops.random import require_state
from striate.ir.types import TensorType


def infer(x: TensorType, state: TensorType, a: DropoutAttrs) -> TensorType:
    require_floats("dropout", x)
    require_state("dropout", state)
    return x


def _slopes(y: Term, g: Term, x: Term, state: Term, a: DropoutAttrs) -> tuple[Term, None]:
    return g("dropout", state, attrs=a), None


def reference(x: Array, state: Array, a: DropoutAttrs) -> Array:
    if a.rate >= 1:
        return np.zeros_like(x)
    kept = philox.uniform(state, x.size).reshape(x.shape) >= a.rate
    return like(np.where(kept, wide(x) / (1 - a.rate), 0), x)


define_op("dropout", attrs=DropoutAttrs, infer=infer, vjp=terms(_slopes), reference=reference)
