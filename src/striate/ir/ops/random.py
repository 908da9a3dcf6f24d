"""Random fields from a state (seed, counter), int64 (2,): the same state always gives the same field. No gradient.

    seed_next(state)       (seed, counter + 1)
    random_uniform(state)  (word >> 8) 2^-24, in [0, 1)
    random_normal(state)   sqrt(-2 ln u1) cos(2 pi u2) and sqrt(-2 ln u1) sin(2 pi u2),
                           u1 = ((word0 >> 8) + 1) 2^-24 in (0, 1], u2 = (word1 >> 8) 2^-24
    random_bits(state)     the words, 0 to 2^32 - 1, as int64

where the words are Philox4x32-10's (`philox.py`). Shapes: the field has `attrs.shape`; uniform and normal are float32.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from striate.core.errors import DTypeError, ShapeError
from striate.ir.opdef import define_op
from striate.ir.ops import philox
from striate.ir.ops._arrays import Array
from striate.ir.ops._checks import show
from striate.ir.ops.attrs import ShapeAttrs
from striate.ir.types import TensorType


def require_state(op: str, state: TensorType) -> None:
    if state.dtype != "int64":
        raise DTypeError(
            f"{op}: a random state is int64 (seed, counter). Received dtype={state.dtype}. "
            f"Pass a SeedGenerator or an int as seed."
        )
    if state.shape != (2,):
        raise ShapeError(
            f"{op}: a random state has the shape (2,), seed and counter. Received shape={show(state.shape)}. "
            f"Pass a SeedGenerator or an int as seed."
        )


def _define(name: str, draw: Callable[[Array, int, int], Array], dtype: str, host: str = "") -> None:
    def infer(state: TensorType, a: ShapeAttrs) -> TensorType:
        require_state(name, state)
        if any(n < 0 for n in a.shape):
            raise ShapeError(
                f"{name}: received shape={show(a.shape)}. Expected lengths of 0 or more. "
                f"Use ops.shape(x) for the shape of another tensor."
            )
        return TensorType(a.shape, dtype)

    def reference(state: Array, a: ShapeAttrs) -> Array:
        return philox.field(draw, state, math.prod(a.shape), dtype).reshape(a.shape)

    define_op(name, attrs=ShapeAttrs, infer=infer, reference=reference, host=host)


def infer_next(state: TensorType) -> TensorType:
    require_state("seed_next", state)
    return state


def next_state(state: Array) -> Array:
    return state + np.array([0, 1], np.int64)


define_op("seed_next", infer=infer_next, reference=next_state)
_define("random_uniform", philox.uniform, "float32")
_define("random_normal", philox.normal, "float32")
_define("random_bits", philox.words, "int64", host="used where models are made, not where they run")
