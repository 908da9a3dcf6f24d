"""Weights in the dtype a layer computes in."""

from __future__ import annotations

from typing import Any

from striate import backend


def in_dtype(weight: Any, dtype: str) -> Any:
    """`weight` cast to `dtype`; itself, without a copy, where it has that dtype (float32 layers always)."""
    return weight if backend.dtype_of(weight) == dtype else backend.cast(weight, dtype)
