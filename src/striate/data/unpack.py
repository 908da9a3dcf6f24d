"""The three things a batch may hold: inputs, targets, sample weights."""

from __future__ import annotations

from typing import Any

from striate.core.errors import ArgumentError
from striate.core.registry import export


@export("utils.unpack_x_y_sample_weight")
def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """(x, y, sample_weight) of what a batch holds, None for what it lacks.

    A tuple or list of one, two or three parts is taken apart; anything else is x alone. Several inputs stand inside:
    ([x1, x2], y).

    Source: `keras.utils.unpack_x_y_sample_weight`.

    Raises:
        ValueError: a tuple of more than three parts.

    Example:
        >>> unpack_x_y_sample_weight((1, 2))
        (1, 2, None)
    """
    if not isinstance(data, tuple | list):
        return (data, None, None)
    if not 1 <= len(data) <= 3:
        raise ArgumentError(
            f"Data is expected to be in format `x`, `(x,)`, `(x, y)`, or `(x, y, sample_weight)`. Received a tuple of "
            f"{len(data)} parts. Several inputs go in a list or dict: ([x1, x2], y)."
        )
    x, y, sample_weight = (*data, None, None)[:3]
    return (x, y, sample_weight)


@export("utils.pack_x_y_sample_weight")
def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """The tuple that `unpack_x_y_sample_weight` takes apart: x, (x, y) or (x, y, sample_weight).

    x alone is given as it is, or as (x,) where it is a tuple itself.

    Source: `keras.utils.pack_x_y_sample_weight`.
    """
    if sample_weight is not None:
        return (x, y, sample_weight)
    if y is not None:
        return (x, y)
    return (x,) if isinstance(x, tuple | list) else x
