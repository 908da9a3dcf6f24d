"""The machine's limits: numbers of the right kind, kept by size. How large they are is the machine's business."""

from __future__ import annotations

import math

import pytest

from striate.backend import peaks
from striate.backend.peaks import Peaks
from striate.core.errors import EngineError


@pytest.mark.parametrize("threads", [1, 2])
def test_rates_are_finite_and_above_zero(threads: int) -> None:
    limit = Peaks(threads, seconds=1e-4, repetitions=1)
    for rate in (limit.flops(1e-4), limit.bandwidth(1 << 16)):
        assert math.isfinite(rate) and rate > 0


def test_a_bandwidth_is_measured_once_for_a_power_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    limit = Peaks()
    monkeypatch.setattr(limit, "_measure", lambda nbytes: float(sizes.append(nbytes) or len(sizes)))
    assert [limit.bandwidth(n) for n in (1, 70_000, 100_000, 131_072, 131_073, 1 << 40)] == [1, 2, 2, 2, 3, 4]
    assert sizes == [peaks.LEAST_BYTES, 131_072, 262_144, peaks.MOST_BYTES]


def test_without_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peaks.native, "HAVE_NATIVE", False)
    with pytest.raises(EngineError, match="native engine, which is missing"):
        Peaks()
