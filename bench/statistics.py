"""Ratios turn by turn, and their quartiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Quartiles:
    first: float
    median: float
    third: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Quartiles:
        """Linear interpolation between the values in order, as NumPy's `quantile`.

        Raises:
            ValueError: no values.
        """
        if not values:
            raise ValueError("quartiles of no values")
        first, median, third = np.quantile(np.asarray(values, np.float64), (0.25, 0.5, 0.75))
        return cls(float(first), float(median), float(third))

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.first:.2f}-{self.third:.2f})"


def ratios(ours: Mapping[int, float], theirs: Mapping[int, float]) -> list[float]:
    """How many times the seconds of ours a peer took, for each turn that both have."""
    return [theirs[turn] / ours[turn] for turn in sorted(ours.keys() & theirs.keys())]


def fastest(seconds: Mapping[str, Mapping[int, float]]) -> str | None:
    """The contender with the smallest median time."""
    medians = {name: Quartiles.of(list(turns.values())).median for name, turns in seconds.items() if turns}
    return min(medians, key=lambda name: medians[name]) if medians else None


def order_of_turn(names: Sequence[str], turn: int) -> list[str]:
    """Who follows whom in a turn: each is once the first, and every second turn goes backwards.

    So nobody always runs on the caches, and at the clock, that the same neighbour has left.
    """
    shift = turn % len(names)
    first, *rest = [*names[shift:], *names[:shift]]
    return [first, *(reversed(rest) if turn % 2 else rest)]


def geometric_mean(values: Sequence[float]) -> float:
    return float(np.exp(np.mean(np.log(np.asarray(values, np.float64)))))
