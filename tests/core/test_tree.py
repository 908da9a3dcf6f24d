"""Nested structures: flattened in one order, put together again, mapped."""

from __future__ import annotations

from collections import namedtuple
from typing import Any

import pytest

from striate.core import tree

Pair = namedtuple("Pair", "a b")


@pytest.mark.parametrize("structure", [1, [], [1, (2, 3)], {"b": 1, "a": [2, None]}, Pair(1, {"x": 2})])
def test_what_is_flattened_can_be_packed_again(structure: object) -> None:
    assert tree.pack_sequence_as(structure, tree.flatten(structure)) == structure


def test_dictionaries_are_walked_by_their_sorted_keys() -> None:
    assert tree.flatten({"b": 1, "a": 2}) == [2, 1]
    assert list(tree.map_structure(lambda x: x, {"b": 1, "a": 2})) == ["b", "a"]


def test_none_is_a_leaf_unless_told_otherwise() -> None:
    assert tree.map_structure(lambda x: x is None, [1, None]) == [False, True]
    assert tree.map_structure(lambda x: -x, [1, None], none_is_leaf=False) == [-1, None]


def test_structures_that_differ_are_refused() -> None:
    with pytest.raises(ValueError, match="2 leaves and 1"):
        tree.map_structure(lambda a, b: a, [1, 2], [1])
    with pytest.raises(ValueError, match="3 leaves"):
        tree.pack_sequence_as([1, (2, 3)], [1, 2])


def test_traverse() -> None:
    nested = [(1, 2), [3], {"b": 5, "a": 4}]
    seen: list[Any] = []
    assert tree.traverse(seen.append, nested) == nested
    assert seen == [nested, (1, 2), 1, 2, [3], 3, {"a": 4, "b": 5}, 4, 5]
    seen.clear()
    assert tree.traverse(seen.append, nested, top_down=False) == nested
    assert seen == [1, 2, (1, 2), 3, [3], 4, 5, {"a": 4, "b": 5}, nested]
    assert tree.traverse(lambda part: tree.MAP_TO_NONE if part == [3] else None, nested) == [(1, 2), None, nested[2]]
    # Of what was replaced, the parts are not visited; from below, they have been.
    assert tree.traverse(lambda part: 7 if isinstance(part, tuple) else None, nested)[0] == 7
    assert tree.traverse(lambda part: part + 1 if isinstance(part, int) else None, nested, False)[0] == (2, 3)
    with pytest.raises(TypeError, match=r"`func` must be callable\. Received: func=3"):
        tree.traverse(3, nested)
