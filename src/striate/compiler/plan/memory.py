"""Where buffers lie in the arena: greedy by size, each into the tightest gap that is free while it lives.

Source: Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference" (2020), section 5.2 (greedy by
size, offset calculation). Largest first leaves the small ones to fill the gaps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from striate.engine.native import ALIGNMENT

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Interval:
    """A buffer of `nbytes` that must keep its bytes from step `first` to step `last`, both included."""

    first: int
    last: int
    nbytes: int


def align(nbytes: int) -> int:
    """Rounded up to a whole number of cache lines."""
    return -(-nbytes // ALIGNMENT) * ALIGNMENT


def peak_bytes(intervals: Sequence[Interval]) -> int:
    """The most bytes alive at one step, each buffer in whole cache lines: no arena can be smaller."""
    if not intervals:
        return 0
    change = np.zeros(max(i.last for i in intervals) + 2, np.int64)
    for interval in intervals:
        change[interval.first] += align(interval.nbytes)
        change[interval.last + 1] -= align(interval.nbytes)
    return int(np.cumsum(change).max())


def place(intervals: Sequence[Interval]) -> tuple[list[int], int]:
    """(offset of each buffer, bytes of the arena). Buffers alive at one step never share a byte."""
    count = len(intervals)
    order = sorted(range(count), key=lambda i: (-intervals[i].nbytes, intervals[i].first, i))
    first, last, start, end = (np.zeros(count, np.int64) for _ in range(4))
    offsets = [0] * count
    arena = 0
    for done, i in enumerate(order):
        interval = intervals[i]
        size = align(interval.nbytes)
        alive = np.flatnonzero((first[:done] <= interval.last) & (last[:done] >= interval.first))
        alive = alive[np.argsort(start[alive], kind="stable")]
        offset = _tightest_gap(start[alive], end[alive], size)
        first[done], last[done] = interval.first, interval.last
        start[done], end[done] = offset, offset + size
        offsets[i] = offset
        arena = max(arena, offset + size)
    return offsets, arena


def _tightest_gap(starts: Array, ends: Array, size: int) -> int:
    """The start of the smallest free gap of at least `size` bytes between taken ranges; else past the last one."""
    if not len(starts):
        return 0
    reached = np.maximum.accumulate(ends)
    gap_starts = np.concatenate(([0], reached[:-1]))
    gaps = starts - gap_starts
    fitting = np.flatnonzero(gaps >= size) if size else np.array([0])
    if not len(fitting):
        return int(reached[-1])
    return int(gap_starts[fitting[np.argmin(gaps[fitting])]])
