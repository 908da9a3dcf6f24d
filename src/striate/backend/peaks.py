"""What this machine can do at most, measured by small native loops: the limits that a step's time is held against."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from striate.core.errors import EngineError
from striate.engine import native

#: bytes whose bandwidth is measured: smaller and larger steps are held against these
LEAST_BYTES, MOST_BYTES = 1 << 16, 1 << 28


class Peaks:
    """The limits of `threads` threads: each thread's rate by its own CPU seconds, added up.

    Counting CPU seconds leaves out what other processes take; that they slow the caches and the clock stays in.

    Args:
        threads: that work at once.
        isa: the instruction set whose vectors are used; the one that kernels run by where None.
        seconds: spent on one repetition of a bandwidth, all threads together.
        repetitions: of each bandwidth; their median counts.

    Raises:
        EngineError: the native engine is missing.
    """

    def __init__(
        self, threads: int = 1, isa: str | None = None, *, seconds: float = 0.02, repetitions: int = 5
    ) -> None:
        if not native.HAVE_NATIVE:
            raise EngineError(
                f"The machine's limits are measured by the native engine, which is missing: {native.MISSING}"
            )
        self.threads = threads
        self._isa = isa or native.kernels()[0].isa
        self._seconds, self._repetitions = seconds, repetitions
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None
        self._bandwidths: dict[int, float] = {}

    def _rates(self, one: Callable[[int], float]) -> float:
        """one(thread) gives an amount."""

        def rate(thread: int) -> float:
            begun = time.thread_time()
            amount = one(thread)
            return amount / max(time.thread_time() - begun, 1e-9)

        return sum([rate(0)] if self._pool is None else self._pool.map(rate, range(self.threads)))

    def flops(self, seconds: float = 3e-4) -> float:
        """Multiplications and additions a second, in fused operations on registers."""
        turns = max(1000, int(seconds * 2e9))  # ten vectors of sums take five cycles a turn, or so
        return self._rates(lambda thread: native.fma_loop(self._isa, turns))

    def bandwidth(self, nbytes: int) -> float:
        """Bytes a second that can be read, or read and written in a copy (the larger), in this many bytes.

        The size counts: a step that fits a cache is fed from there. Kept for each power of two.
        """
        size = min(max(1 << max(nbytes - 1, 1).bit_length(), LEAST_BYTES), MOST_BYTES)
        if size not in self._bandwidths:
            self._bandwidths[size] = self._measure(size)
        return self._bandwidths[size]

    def _measure(self, nbytes: int) -> float:
        each = nbytes // self.threads // 4 * 4
        buffers = [native.stream_buffer(each) for _ in range(self.threads)]
        turns = max(1, int(self._seconds * 1e10 / self.threads / each))
        return max(
            statistics.median(self._rates(one) for _ in range(self._repetitions))
            for one in (
                lambda thread: native.read_loop(self._isa, buffers[thread], turns),
                lambda thread: native.copy_loop(self._isa, buffers[thread], turns),
            )
        )
