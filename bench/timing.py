"""Many short repetitions and their quartiles, on a machine that others use too."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

LEAST_SECONDS = 5e-4  # a repetition shorter than this is run several times
LEAST_ALONE = 5


@dataclass(frozen=True)
class Times:
    """Seconds of one run of something, and with each repetition what `beside` gave right before it."""

    seconds: tuple[float, ...]
    beside: tuple[float, ...]
    #: what the seconds are: "cpu" of the one thread, "wall", or "share": the process's CPU seconds over its threads
    clock: str

    @property
    def quartiles(self) -> tuple[float, float, float]:
        """First quartile, median, third."""
        first, middle, third = np.quantile(self.seconds, (0.25, 0.5, 0.75))
        return float(first), float(middle), float(third)

    @property
    def median(self) -> float:
        return self.quartiles[1]


def measure(
    run: Callable[[], object],
    beside: Callable[[], float] = lambda: 0.0,
    *,
    threads: int = 1,
    budget: float = 0.5,
    least: int = 7,
    most: int = 60,
) -> Times:
    """Repetitions of `run` until `budget` seconds have gone, `least` at least.

    With one thread, its CPU seconds: what others take is left out. With more, wall seconds of the repetitions in
    which all our threads had a core nearly all the time. Where a busy machine leaves fewer than five of those, the
    process's CPU seconds divided by its threads: what it takes where nothing else runs, if the threads share the work
    evenly.
    """
    clock = time.thread_time if threads == 1 else time.perf_counter
    run()
    start = time.perf_counter()
    run()
    turns = max(1, int(LEAST_SECONDS / max(time.perf_counter() - start, 1e-7)))
    seconds, shares, others, alone = [], [], [], []
    end = time.perf_counter() + budget
    while len(seconds) < least or (time.perf_counter() < end and len(seconds) < most):
        others.append(beside())
        taken = resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw
        start, cpu = clock(), time.process_time()
        for _ in range(turns):
            run()
        seconds.append((clock() - start) / turns)
        shares.append((time.process_time() - cpu) / turns / threads)
        left_alone = resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw == taken
        alone.append(left_alone and shares[-1] > 0.9 * seconds[-1])
    if threads == 1:
        return Times(tuple(seconds), tuple(others), "cpu")
    if sum(alone) >= LEAST_ALONE:
        kept = [i for i, good in enumerate(alone) if good]
        return Times(tuple(seconds[i] for i in kept), tuple(others[i] for i in kept), "wall")
    return Times(tuple(shares), tuple(others), "share")


def milliseconds(seconds: float) -> str:
    """Three digits: "0.0123", "1.23", "123"."""
    value = 1e3 * seconds
    return f"{value:.0f}" if value >= 99.95 else f"{value:#.3g}"


def table(rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """Columns under the first row, in Markdown; the first `left` lie to the left."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]

    def line(cells: Sequence[str]) -> str:
        padded = [c.ljust(w) if i < left else c.rjust(w) for i, (c, w) in enumerate(zip(cells, widths))]
        return f"| {' | '.join(padded)} |"

    rule = [("-" * w if i < left else "-" * (w - 1) + ":") for i, w in enumerate(widths)]
    return "\n".join([line(rows[0]), line(rule), *(line(row) for row in rows[1:])])
