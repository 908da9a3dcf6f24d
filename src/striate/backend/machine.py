"""Threads, convolution algorithms and what the engine knows of the machine: Striate's own settings."""

from __future__ import annotations

from typing import Any

from striate.core.errors import ArgumentError
from striate.core.registry import export
from striate.engine import native


@export("config.set_threads")
def set_threads(count: int) -> None:
    """Run programs on `count` threads; 0 goes back to the default (physical cores, capped by the cgroup's quota).

    Results do not depend on it: the same bits come out of 1, 2 or 16 threads.

    Raises:
        ValueError: not an integer from 0 to 1024.
    """
    if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= 1024:
        raise ArgumentError(f"set_threads() takes 1 to 1024, or 0 for the default. Received: {count!r}.")
    native.set_threads(count)


@export("config.threads")
def threads() -> int:
    """How many threads programs run on."""
    return native.threads()


def engine_report() -> dict[str, Any]:
    """CPU, instruction set and why, cores, quota, threads: for `striate doctor`."""
    return native.report()
