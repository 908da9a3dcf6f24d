"""Which of several kernels runs a step, by measuring them once on this machine: STRIATE_TUNE=1.

Kernels run in turn, so that what slows the machine for a while slows all of them, and are compared turn by turn with
the cost model's choice, the first. Another takes its place where the median of the ratios is below 0.95, three turns
of four say the same, and so do the fastest turns: what noise alone could turn round is left as it is.

A choice stands for the step's key, whatever the thread count, and in prediction whatever the batch: an image's bits
may depend on neither. The batch and the threads of who asks first are those that are measured.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Sequence
from statistics import median

from striate.compiler.plan.choice import Choice, Contender
from striate.compiler.plan.measured import Choices, Measured
from striate.compiler.plan.stopwatch import Clock, stopwatch
from striate.core.cache import cache_home
from striate.engine import native
from striate.engine.lock import renew_after_fork

#: Turns; fewer, but LEAST, once BUDGET seconds have been measured.
TURNS, LEAST, BUDGET = 15, 4, 0.4
#: The share of the first's time that another has to stay below.
WORTH = 0.95
#: Medians so many times the fastest turn come from a machine that others use.
BUSY = 1.5


def run_in_turns(clock: Clock, count: int) -> list[list[float]]:
    """Seconds of each contender in each turn; every second turn goes backwards."""
    for number in range(count):
        clock(number)  # memory is touched, threads wake
    times: list[list[float]] = [[] for _ in range(count)]
    spent = 0.0
    for turn in range(TURNS):
        for number in range(count) if turn % 2 == 0 else reversed(range(count)):
            seconds = max(clock(number), 1e-9)
            times[number].append(seconds)
            spent += seconds
        if turn + 1 >= LEAST and spent > BUDGET:
            break
    return times


def fastest(times: Sequence[Sequence[float]]) -> int:
    """The contender to take: the first, unless another is faster by more than noise."""
    best, least = 0, WORTH
    for number in range(1, len(times)):
        ratios = sorted(mine / first for mine, first in zip(times[number], times[0]))
        at_best = min(times[number]) < WORTH * min(times[0])  # runs that nothing interrupted
        if at_best and median(ratios) < least and ratios[(3 * len(ratios) - 1) // 4] < 1:
            best, least = number, median(ratios)
    return best


class Tuner:
    """Measures what has not been measured on this machine.

    Args:
        choices: what has.
        watch: gives a clock for contenders.
    """

    def __init__(self, choices: Choices, watch: Callable[[Sequence[Contender]], Clock] = stopwatch) -> None:
        self.choices = choices
        self._watch = watch
        self._alone = threading.Lock()  # two measurements at once would time each other
        renew_after_fork(self, "_alone")

    def choose(self, step: str, contenders: Sequence[Contender], batch: int) -> Choice:
        """The kernel for a step.

        Args:
            step: what the choice may depend on, as text: the key of what is kept.
            contenders: the cost model's choice first; two at least.
            batch: images, for people.
        """
        with self._alone:
            held = self.choices.get(step)
            if held is None:
                held = self.choices.keep(step, self._measure(contenders, batch))
        return _told(held, contenders, batch)

    def _measure(self, contenders: Sequence[Contender], batch: int) -> Measured:
        threads = native.threads()
        names = [c.kernel for c in contenders]
        try:
            times = run_in_turns(self._watch(contenders), len(contenders))
        except MemoryError:
            return Measured(names[0], {}, batch, threads, busy=False)
        busy = any(median(turns) > BUSY * min(turns) for turns in times)
        return Measured(names[fastest(times)], dict(zip(names, map(median, times))), batch, threads, busy)


def _told(held: Measured, contenders: Sequence[Contender], batch: int) -> Choice:
    """The choice, in words."""
    names = [c.kernel for c in contenders]
    if held.taken not in names:
        return Choice(names[0], f"cost model's: {held.taken}, measured for other sizes, does not take it")
    if not held.seconds:
        return Choice(held.taken, f"cost model's: memory did not suffice to measure batch {held.batch}")
    mine, others = held.seconds[held.taken], {k: s for k, s in held.seconds.items() if k != held.taken}
    reason = f"measured: {microseconds(mine)} against {microseconds(min(others.values()))}"
    if held.batch != batch:
        reason += f" with batch {held.batch}"
    if held.busy:
        reason += ", on a busy machine"
    if min(others.values()) < mine:
        reason += ", too close to tell"
    return Choice(held.taken, reason, tuple((k, f"measured: {microseconds(s)}") for k, s in others.items()))


def microseconds(seconds: float) -> str:
    """ "812 us", "5.31 us"."""
    us = seconds * 1e6
    return f"{us:,.0f} us" if us >= 100 else f"{us:.3g} us"


_current: Tuner | None = None
_making = threading.Lock()
renew_after_fork(sys.modules[__name__], "_making")


def tuner() -> Tuner:
    """This machine's."""
    global _current
    with _making:
        if _current is None:
            _current = Tuner(Choices(cache_home() / "tune", native.identity()))
        return _current
