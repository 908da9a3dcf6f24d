"""Structures side by side."""

from __future__ import annotations

from collections import namedtuple
from typing import Any

import pytest

from striate import tree

Pair = namedtuple("Pair", ["x", "y"])


@pytest.mark.parametrize(
    ("a", "b", "where"),
    [
        ([1, 2], (1, 2), "At the top, expected as in `a`: list. Received in `b`: tuple"),
        ([1, 2], [1, 2, 3], r"as in `a`: positions \[0, 1\]"),
        ({"a": 1}, {"b": 1}, r"as in `a`: keys \['a'\]. Received in `b`: \['b'\]"),
        ({"a": [1]}, {"a": 1}, "At 'a'.*as in `a`: list. Received in `b`: a leaf"),
        ([{"a": [1]}], [{"a": [[1]]}], "At 0 > 'a' > 0"),
        (Pair(1, 2), (1, 2), "as in `a`: Pair. Received in `b`: tuple"),
    ],
)
def test_where_structures_differ(a: Any, b: Any, where: str) -> None:
    with pytest.raises(ValueError, match=where):
        tree.assert_same_structure(a, b)


def test_leaves_may_differ() -> None:
    tree.assert_same_structure({"b": [1, None], "a": (2,)}, {"a": ("x",), "b": [object(), 3]})


def test_paths_pass_over_the_kind_of_sequence() -> None:
    tree.assert_same_paths([1, (2, 3)], (4, [5, 6]))
    with pytest.raises(ValueError, match=r"\('a',\).*only in `a`"):
        tree.assert_same_paths({"a": 1}, {"b": 1})


def test_paths_are_in_the_order_of_flatten() -> None:
    structure = {"b": [1, 2], "a": {"c": 3}}
    assert tree.flatten_with_path(structure) == [(("a", "c"), 3), (("b", 0), 1), (("b", 1), 2)]
    assert [leaf for _, leaf in tree.flatten_with_path(structure)] == tree.flatten(structure)


def test_mapping_stops_where_the_shallow_structure_ends() -> None:
    got = tree.map_structure_up_to({"b": None, "a": Pair(0, 0)}, max, {"a": ([1, 5], [2]), "b": [7, 9]})
    assert got == {"b": 9, "a": Pair(5, 2)} and list(got) == ["b", "a"] and isinstance(got["a"], Pair)
    assert tree.map_structure_up_to([0, 0], lambda x, y: (x, y), [1, [2]], ["a", "b"]) == [(1, "a"), ([2], "b")]
    with pytest.raises(ValueError, match=r"a leaf where it has list with \[0\]"):
        tree.map_structure_up_to([0], len, 3)


def test_lists_become_tuples() -> None:
    assert tree.lists_to_tuples([1, {"a": [2]}, Pair([3], 4)]) == (1, {"a": (2,)}, Pair((3,), 4))


def test_shapes_are_leaves() -> None:
    assert tree.map_shape_structure(len, [(1, None), [3]]) == [2, 1]
    with pytest.raises(ValueError, match="tuples of integers"):
        tree.map_shape_structure(len, ["ab"])
