"""Comparisons and logic of two tensors, elementwise with NumPy broadcasting; results are bool, no gradient.

    equal not_equal greater greater_equal less less_equal      of one element type, any
    logical_and logical_or logical_xor                         of bool

Source: Keras 3 `keras.ops`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from striate.ir.opdef import define_op
from striate.ir.ops._arrays import Array
from striate.ir.ops._checks import broadcast, require_bools, require_same_dtype
from striate.ir.types import TensorType


def _define(name: str, function: Callable[..., Any], *, bools: bool = False) -> None:
    def infer(a: TensorType, b: TensorType) -> TensorType:
        if bools:
            require_bools(name, a, b)
        require_same_dtype(name, a, b)
        return TensorType(broadcast(name, a, b), "bool")

    def reference(a: Array, b: Array) -> Array:
        return np.asarray(function(a, b)).astype(bool)

    define_op(name, infer=infer, reference=reference)


for _name in ("equal", "not_equal", "greater", "greater_equal", "less", "less_equal"):
    _define(_name, getattr(np, _name))
for _name in ("logical_and", "logical_or", "logical_xor"):
    _define(_name, getattr(np, _name), bools=True)
