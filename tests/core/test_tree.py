"""Nested structures: flattened in one order, put together again, mapped."""

from __future__ import annotations

from collections import namedtuple

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
