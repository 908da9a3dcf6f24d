"""How references treat element types: floats are computed in float64 and cast back, integers stay as they are."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[Any, Any]

FLOATS = ("float32", "float64", "float16", "bfloat16")
INTEGERS = ("int32", "int64", "uint8", "int8", "int16", "uint16", "uint32", "uint64")


def wide(x: Array) -> Array:
    """Floats as float64; anything else unchanged."""
    return x.astype(np.float64) if x.dtype.name in FLOATS else x


def like(result: Any, x: Array) -> Array:
    """A result in the element type of x."""
    return np.asarray(result).astype(x.dtype, copy=False)
