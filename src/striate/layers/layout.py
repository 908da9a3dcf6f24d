"""The edge where channels_first turns into the engine's channels_last, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from striate import ops


def shape_to_last(shape: Sequence[Any], data_format: str) -> tuple[Any, ...]:
    """A shape with the channels at the end."""
    if data_format == "channels_last" or len(shape) < 2:
        return tuple(shape)
    return (shape[0], *shape[2:], shape[1])


def shape_from_last(shape: Sequence[Any], data_format: str) -> tuple[Any, ...]:
    """A channels_last shape in the layer's own format."""
    if data_format == "channels_last" or len(shape) < 2:
        return tuple(shape)
    return (shape[0], shape[-1], *shape[1:-1])


def to_last(x: Any, data_format: str) -> Any:
    """A tensor with the channels moved to the end."""
    rank = len(x.shape)
    if data_format == "channels_last" or rank < 3:
        return x
    return ops.transpose(x, (0, *range(2, rank), 1))


def from_last(x: Any, data_format: str) -> Any:
    """A channels_last tensor in the layer's own format."""
    rank = len(x.shape)
    if data_format == "channels_last" or rank < 3:
        return x
    return ops.transpose(x, (0, rank - 1, *range(1, rank - 1)))
