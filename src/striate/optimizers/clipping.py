"""Gradients kept from growing: by value, by the norm of each, by the norm of all together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from striate import ops


def by_value(gradient: Any, limit: float) -> Any:
    """Elements not beyond -limit and limit."""
    return ops.clip(gradient, -limit, limit)


def by_norm(gradient: Any, limit: float) -> Any:
    """g * limit / max(|g|, limit), |g| the root of the sum of squares."""
    total = ops.sum(ops.square(gradient))
    return gradient * (limit / ops.maximum(ops.sqrt(total), limit))


def by_global_norm(gradients: Sequence[Any], limit: float) -> list[Any]:
    """Each g * limit / max(norm, limit), norm being that of all gradients as one vector; NaN where it is not finite."""
    total: Any = 0.0
    for gradient in gradients:
        if gradient is not None:
            total = total + ops.cast(ops.sum(ops.square(gradient)), "float32")
    norm = ops.sqrt(total)
    # norm - norm is 0, but NaN for an infinite norm: one overflowing gradient must not pass as a small step.
    scale = limit * ops.minimum(1.0 / norm, 1.0 / limit) + (norm - norm)
    return [None if g is None else g * ops.cast(scale, g.dtype) for g in gradients]
