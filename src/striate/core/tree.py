"""Nested structures (list, tuple, dict, None) of tensors: flatten, put together again, map.

Dictionaries are walked in the order of their sorted keys, as Keras's `tree` does, so that two dictionaries with the
same keys always flatten alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from striate.core.errors import ArgumentError
from striate.core.registry import export


@export("tree.is_nested")
def is_nested(structure: Any) -> bool:
    """Whether `structure` is a list, tuple or dict."""
    return isinstance(structure, list | tuple | dict)


def _children(structure: Any) -> Iterator[Any]:
    if isinstance(structure, dict):
        for key in sorted(structure, key=str):
            yield structure[key]
    else:
        yield from structure


@export("tree.flatten")
def flatten(structure: Any) -> list[Any]:
    """The leaves, in order. None is a leaf."""
    if not is_nested(structure):
        return [structure]
    leaves: list[Any] = []
    for child in _children(structure):
        leaves.extend(flatten(child))
    return leaves


def _rebuild(structure: Any, leaves: Iterator[Any]) -> Any:
    if not is_nested(structure):
        return next(leaves)
    if isinstance(structure, dict):
        made = {key: _rebuild(structure[key], leaves) for key in sorted(structure, key=str)}
        return {key: made[key] for key in structure}
    items = [_rebuild(child, leaves) for child in structure]
    if isinstance(structure, list):
        return items
    return type(structure)(*items) if hasattr(structure, "_fields") else tuple(items)


@export("tree.pack_sequence_as")
def pack_sequence_as(structure: Any, flat_sequence: Sequence[Any]) -> Any:
    """The leaves `flat_sequence` in the shape of `structure`."""
    count = len(flatten(structure))
    if count != len(flat_sequence):
        raise ArgumentError(f"The structure has {count} leaves. Received {len(flat_sequence)} values; give one a leaf.")
    return _rebuild(structure, iter(flat_sequence))


@export("tree.map_structure")
def map_structure(func: Callable[..., Any], *structures: Any, none_is_leaf: bool = True) -> Any:
    """`func` on the leaves of one or more structures of the same shape; None is passed to it unless told otherwise."""
    columns = [flatten(s) for s in structures]
    for other in columns[1:]:
        if len(other) != len(columns[0]):
            raise ArgumentError(
                f"The structures differ: {len(columns[0])} leaves and {len(other)}. Received {structures}."
            )
    rows = zip(*columns, strict=True)
    mapped = [None if row[0] is None and not none_is_leaf else func(*row) for row in rows]
    return pack_sequence_as(structures[0], mapped)


def key_of(structure: Any) -> Any:
    """Something hashable that is equal for structures of the same shape (leaves left out)."""
    if isinstance(structure, dict):
        return ("dict", tuple((k, key_of(structure[k])) for k in sorted(structure, key=str)))
    if is_nested(structure):
        return (type(structure).__name__, tuple(key_of(c) for c in structure))
    return None
