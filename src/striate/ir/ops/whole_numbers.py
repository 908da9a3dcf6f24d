"""Arithmetic of whole numbers, elementwise with NumPy broadcasting; no gradient.

    bitwise_and bitwise_or bitwise_xor bitwise_invert     bit by bit; of truth values too
    left_shift right_shift                                x times, or divided by, 2^y, the quotient rounded down
    gcd lcm                                               greatest common divisor, least common multiple; >= 0

Shapes: a and b broadcast to y; one element type. Source: Keras 3 `keras.ops`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from striate.ir.opdef import define_op
from striate.ir.ops._arrays import INTEGERS, Array, like
from striate.ir.ops._checks import broadcast, require_integers, require_same_dtype
from striate.ir.types import TensorType

HOST = "bits and divisors are for data, not for layers"


def _define(name: str, function: Callable[..., Any], *allowed: str) -> None:
    def infer(*types: TensorType) -> TensorType:
        for t in types:
            require_integers(name, "x", t, *INTEGERS, *allowed)
        return TensorType(broadcast(name, *types), require_same_dtype(name, *types))

    def reference(*arrays: Array) -> Array:
        return like(function(*arrays), arrays[0])

    define_op(name, infer=infer, reference=reference, host=HOST)


for _name in ("bitwise_and", "bitwise_or", "bitwise_xor"):
    _define(_name, getattr(np, _name), "bool")
_define("bitwise_invert", np.invert, "bool")
for _name in ("left_shift", "right_shift", "gcd", "lcm"):
    _define(_name, getattr(np, _name))
