"""Elementwise tests: isnan, isinf, isfinite of numbers, logical_not of truth values; results are bool, no gradient.

Shapes: x and y alike, any. Source: Keras 3 `keras.ops`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from striate.ir.opdef import define_op
from striate.ir.ops._arrays import Array, wide
from striate.ir.ops._checks import require_bools, require_numbers
from striate.ir.types import TensorType


def _define(name: str, function: Callable[..., Any], check: Callable[..., None]) -> None:
    def infer(x: TensorType) -> TensorType:
        check(name, x)
        return TensorType(x.shape, "bool")

    def reference(x: Array) -> Array:
        return np.asarray(function(wide(x)))

    define_op(name, infer=infer, reference=reference)


_define("isnan", np.isnan, require_numbers)
_define("isinf", np.isinf, require_numbers)
_define("isfinite", np.isfinite, require_numbers)
_define("logical_not", np.logical_not, require_bools)
