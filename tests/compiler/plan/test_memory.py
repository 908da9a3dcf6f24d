"""The arena's layout by its invariant, on drawn lifetimes."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.compiler.plan.memory import Interval, align, peak_bytes, place


def _interval(first: int, length: int, nbytes: int) -> Interval:
    return Interval(first, first + length, nbytes)


intervals = st.lists(st.builds(_interval, st.integers(0, 20), st.integers(0, 12), st.integers(0, 3000)), max_size=40)


@given(intervals)
def test_live_buffers_never_share_a_byte(drawn: list[Interval]) -> None:
    offsets, arena = place(drawn)
    for (a, at), (b, bt) in itertools.combinations(list(zip(drawn, offsets, strict=True)), 2):
        together = a.first <= b.last and b.first <= a.last
        apart = at + a.nbytes <= bt or bt + b.nbytes <= at
        assert apart or not together or 0 in (a.nbytes, b.nbytes), (a, at, b, bt)
    assert all(at % 64 == 0 and at + i.nbytes <= arena for i, at in zip(drawn, offsets, strict=True))


@given(intervals)
def test_arena_holds_the_peak_and_no_more_than_everything(drawn: list[Interval]) -> None:
    _, arena = place(drawn)
    assert peak_bytes(drawn) <= arena <= sum(align(i.nbytes) for i in drawn)


def test_peak_is_what_is_alive_at_one_step() -> None:
    assert peak_bytes([Interval(0, 1, 64), Interval(1, 2, 64), Interval(2, 3, 1)]) == 128
    assert peak_bytes([]) == 0


def test_the_tightest_gap_is_taken() -> None:
    # Two long-lived walls leave gaps of 256 and 128 bytes between them while step 1 runs.
    walls = [Interval(0, 1, 1024), Interval(0, 0, 512), Interval(0, 1, 448), Interval(0, 0, 384), Interval(0, 1, 320)]
    offsets, arena = place([*walls, Interval(1, 1, 300)])
    assert offsets[:5] == [0, 1024, 1536, 1984, 2368]
    assert offsets[5] == 1984
    assert arena == 2368 + 320


@pytest.mark.parametrize("depth", [1, 5, 40])
def test_a_chain_needs_two_buffers(depth: int) -> None:
    chain = [Interval(i, i + 1, 640) for i in range(depth)]
    assert place(chain)[1] == 640 * min(depth, 2)
