"""Quartiles of ratios, who is fastest, who follows whom."""

from __future__ import annotations

import pytest
from bench.statistics import Quartiles, fastest, geometric_mean, order_of_turn, ratios


def test_quartiles_lie_between_the_values_in_order() -> None:
    assert Quartiles.of([5.0, 1.0, 2.0, 4.0, 3.0]) == Quartiles(2.0, 3.0, 4.0)
    assert Quartiles.of([1.0, 2.0]) == Quartiles(1.25, 1.5, 1.75)
    assert str(Quartiles(1.0, 2.5, 3.25)) == "2.50 (1.00-3.25)"
    with pytest.raises(ValueError, match="no values"):
        Quartiles.of([])


def test_ratios_are_of_the_same_turn() -> None:
    assert ratios({0: 1.0, 1: 2.0, 3: 4.0}, {0: 3.0, 1: 3.0, 2: 100.0}) == [3.0, 1.5]


def test_the_fastest_has_the_smallest_median() -> None:
    assert fastest({"a": {0: 1.0, 1: 9.0, 2: 9.0}, "b": {0: 2.0, 1: 2.0, 2: 50.0}, "c": {}}) == "b"
    assert fastest({}) is None


def test_in_turns_everyone_follows_everyone() -> None:
    names = ["a", "b", "c", "d", "e"]
    orders = [order_of_turn(names, turn) for turn in range(5)]
    assert all(sorted(order) == names for order in orders)
    assert len({order[0] for order in orders}) == 5
    assert orders[0] == ["a", "b", "c", "d", "e"] and orders[1] == ["b", "a", "e", "d", "c"]


def test_geometric_mean() -> None:
    assert geometric_mean([1.0, 4.0]) == pytest.approx(2.0, rel=1e-12)
