"""Nested structures (list, tuple, dict, None) of tensors: flatten, put together again, map.

Dictionaries are walked in the order of their sorted keys, as Keras's `tree` does, so that two dictionaries with the
same keys always flatten alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from striate.core.errors import ArgumentError, DTypeError
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


@export("tree.MAP_TO_NONE")
class MAP_TO_NONE:
    """What the function given to `traverse` returns where None is to stand in the result."""


@export("tree.traverse")
def traverse(func: Callable[[Any], Any], structure: Any, top_down: bool = True) -> Any:
    """`structure` with what `func` gives in the place of each part of it, where that is not None.

    Source: `keras.tree.traverse`.

    Args:
        func: gets the structure itself, every structure in it, and the leaves; None keeps a part as it is, and
            `MAP_TO_NONE` puts None there.
        top_down: whole before its parts, which are visited only if `func` gave None for it; else the parts first.

    Raises:
        TypeError: a `func` that cannot be called.

    Example:
        >>> traverse(lambda part: 0 if isinstance(part, list) else None, (1, [2, 3]))
        (1, 0)
    """
    if not callable(func):
        raise DTypeError(f"`func` must be callable. Received: func={func!r}.")

    def inside(part: Any) -> Any:
        if not is_nested(part):
            return part
        if isinstance(part, dict):
            done = {key: traverse(func, part[key], top_down) for key in sorted(part, key=str)}
            return {key: done[key] for key in part}
        items = [traverse(func, child, top_down) for child in part]
        if isinstance(part, list):
            return items
        return type(part)(*items) if hasattr(part, "_fields") else tuple(items)

    if not top_down:
        structure = inside(structure)
    got = func(structure)
    if got is None:
        return inside(structure) if top_down else structure
    return None if got is MAP_TO_NONE else got


def key_of(structure: Any) -> Any:
    """Something hashable that is equal for structures of the same shape (leaves left out)."""
    if isinstance(structure, dict):
        return ("dict", tuple((k, key_of(structure[k])) for k in sorted(structure, key=str)))
    if is_nested(structure):
        return (type(structure).__name__, tuple(key_of(c) for c in structure))
    return None
