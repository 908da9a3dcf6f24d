"""Ctrl-C put off: for work that must be whole or not done at all."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any


class Uninterrupted:
    """While `with Uninterrupted():` runs, the first Ctrl-C waits for its end; KeyboardInterrupt is raised there.

    Python raises KeyboardInterrupt between any two instructions of the main thread, `finally` blocks and `__exit__`
    methods included, so code that changes several things can be left half done. Costs a few microseconds; does nothing
    in other threads, which are never interrupted, and where SIGINT is not handled by Python.

    Args:
        second: whether a second Ctrl-C interrupts at once. For stretches that run code of users, which may never end.

    Example:
        >>> with Uninterrupted():
        ...     pass
    """

    __slots__ = ("_pending", "_previous", "_second")

    def __init__(self, second: bool = True) -> None:
        self._second = second
        self._pending = False
        self._previous: Callable[[int, FrameType | None], Any] | None = None

    def __enter__(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        handler = signal.getsignal(signal.SIGINT)
        if callable(handler):
            self._previous = handler  # first: from the next line on Ctrl-C may come to `_note`
            signal.signal(signal.SIGINT, self._note)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self._pending and self._second and self._previous is not None:
            self._previous(number, frame)
        self._pending = True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._previous is None:
            return
        signal.signal(signal.SIGINT, self._previous)
        if self._pending:
            self._previous(signal.SIGINT, None)
