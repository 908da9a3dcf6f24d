"""Two nested structures side by side, and where their leaves are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from striate.core.errors import ArgumentError
from striate.core.registry import export
from striate.core.tree import is_nested


def _named(structure: Any) -> Iterator[tuple[Any, Any]]:
    """(key or index, child), dictionaries in the order of their sorted keys."""
    if isinstance(structure, dict):
        for key in sorted(structure, key=str):
            yield key, structure[key]
    else:
        yield from enumerate(structure)


@export("tree.flatten_with_path")
def flatten_with_path(structure: Any) -> list[tuple[tuple[Any, ...], Any]]:
    """(path, leaf) in the order of `flatten`; a path holds keys and indices. Source: `keras.tree.flatten_with_path`.

    Example:
        >>> flatten_with_path({"a": [1, 2]})
        [(('a', 0), 1), (('a', 1), 2)]
    """
    if not is_nested(structure):
        return [((), structure)]
    return [((key, *path), leaf) for key, child in _named(structure) for path, leaf in flatten_with_path(child)]


def _kind(structure: Any) -> str:
    return type(structure).__name__ if is_nested(structure) else "a leaf"


@export("tree.assert_same_structure")
def assert_same_structure(a: Any, b: Any, check_types: Any = None) -> None:
    """Refuse two structures that differ in anything but their leaves. Source: `keras.tree.assert_same_structure`.

    Args:
        a, b: the structures.
        check_types: accepted as in Keras, which ignores it.

    Raises:
        ValueError: they differ; the message says where.

    Example:
        >>> assert_same_structure([1, {"a": 2}], [3, {"a": 4}])
    """
    del check_types
    _compare(a, b, "the top")


def _compare(a: Any, b: Any, place: str) -> None:
    if is_nested(a) != is_nested(b) or (is_nested(a) and type(a) is not type(b)):
        raise ArgumentError(
            f"`a` and `b` don't have the same structure. At {place}, expected as in `a`: {_kind(a)}. "
            f"Received in `b`: {_kind(b)}."
        )
    if not is_nested(a):
        return
    names = [[name for name, _ in _named(s)] for s in (a, b)]
    if names[0] != names[1]:
        what = "keys" if isinstance(a, dict) else "positions"
        raise ArgumentError(
            f"`a` and `b` don't have the same structure. At {place}, expected as in `a`: {what} {names[0]}. "
            f"Received in `b`: {names[1]}."
        )
    for (name, x), (_, y) in zip(_named(a), _named(b), strict=True):
        _compare(x, y, f"{name!r}" if place == "the top" else f"{place} > {name!r}")


@export("tree.assert_same_paths")
def assert_same_paths(a: Any, b: Any) -> None:
    """Refuse two structures whose leaves are in different places; lists and tuples count as the same.

    Source: `keras.tree.assert_same_paths`.

    Raises:
        ValueError: the paths differ.

    Example:
        >>> assert_same_paths([1, 2], (3, 4))
    """
    paths = [{path for path, _ in flatten_with_path(s)} for s in (a, b)]
    if paths[0] != paths[1]:
        only = [sorted(map(str, paths[0] - paths[1])), sorted(map(str, paths[1] - paths[0]))]
        raise ArgumentError(
            f"`a` and `b` don't have the same paths. Received: {only[0]} only in `a`, {only[1]} in `b`."
        )


@export("tree.map_structure_up_to")
def map_structure_up_to(shallow_structure: Any, func: Callable[..., Any], *structures: Any) -> Any:
    """`func` on what the structures have where `shallow_structure` has its leaves.

    Source: `keras.tree.map_structure_up_to`.

    Raises:
        ValueError: a structure that does not begin as `shallow_structure` does.

    Example:
        >>> map_structure_up_to([None, None], len, [(1, 2), (3,)])
        [2, 1]
    """
    if not is_nested(shallow_structure):
        return func(*structures)
    names = [name for name, _ in _named(shallow_structure)]
    for other in structures:
        if not is_nested(other) or [name for name, _ in _named(other)] != names:
            raise ArgumentError(
                f"The structures must begin as `shallow_structure` does. Received: {_kind(other)} where it has "
                f"{_kind(shallow_structure)} with {names}."
            )
    made = {
        name: map_structure_up_to(child, func, *(other[name] for other in structures))
        for name, child in _named(shallow_structure)
    }
    if isinstance(shallow_structure, dict):
        return {key: made[key] for key in shallow_structure}
    items = list(made.values())
    if isinstance(shallow_structure, list):
        return items
    return type(shallow_structure)(*items) if hasattr(shallow_structure, "_fields") else tuple(items)


@export("tree.lists_to_tuples")
def lists_to_tuples(structure: Any) -> Any:
    """The structure with tuples in the place of lists. Source: `keras.tree.lists_to_tuples`.

    Example:
        >>> lists_to_tuples({"a": [1, [2]]})
        {'a': (1, (2,))}
    """
    if isinstance(structure, dict):
        return {key: lists_to_tuples(value) for key, value in structure.items()}
    if isinstance(structure, list):
        return tuple(lists_to_tuples(value) for value in structure)
    if isinstance(structure, tuple):
        items = [lists_to_tuples(value) for value in structure]
        return type(structure)(*items) if hasattr(structure, "_fields") else tuple(items)
    return structure


@export("tree.map_shape_structure")
def map_shape_structure(func: Callable[..., Any], structure: Any) -> Any:
    """`func` on each shape: a tuple or list of integers and None is a leaf. Source: `keras.tree.map_shape_structure`.

    Example:
        >>> map_shape_structure(len, {"a": (None, 3), "b": [(2,), (1, 2, 3)]})
        {'a': 2, 'b': [1, 3]}
    """
    if isinstance(structure, list | tuple) and all(d is None or isinstance(d, int) for d in structure):
        return func(tuple(structure))
    if isinstance(structure, dict):
        return {key: map_shape_structure(func, value) for key, value in structure.items()}
    if not is_nested(structure):
        raise ArgumentError(f"A structure of shapes holds tuples of integers. Received: {structure!r}.")
    return type(structure)(map_shape_structure(func, value) for value in structure)
