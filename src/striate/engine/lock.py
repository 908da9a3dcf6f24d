"""Who may touch Variables' buffers: many readers at once, or one writer.

A program that writes state (a training step, the refresh of derived buffers) runs alone; predictions run side by side
and see the weights of a step's end. One lock serves the process: Variables can be shared between models, and the cost
for a reader is two uncontended mutex operations.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class ReadersWriterLock:
    """Writers wait for readers to leave; readers wait while a writer is in or waiting, so that writers do not starve.

    A thread that holds the write lock may take it, or the read lock, again.
    """

    def __init__(self) -> None:
        self._gate = threading.Condition(threading.Lock())
        self._readers = 0
        self._writer: int | None = None
        self._depth = 0
        self._waiting = 0

    def acquire_read(self) -> None:
        with self._gate:
            if self._writer == threading.get_ident():
                self._depth += 1
                return
            while self._writer is not None or self._waiting:
                self._gate.wait()
            self._readers += 1

    def release_read(self) -> None:
        with self._gate:
            if self._writer == threading.get_ident():
                self._depth -= 1
                return
            self._readers -= 1
            if not self._readers:
                self._gate.notify_all()

    def acquire_write(self) -> None:
        me = threading.get_ident()
        with self._gate:
            if self._writer == me:
                self._depth += 1
                return
            self._waiting += 1
            try:
                while self._writer is not None or self._readers:
                    self._gate.wait()
            finally:
                self._waiting -= 1
            self._writer = me
            self._depth = 1

    def release_write(self) -> None:
        with self._gate:
            self._depth -= 1
            if not self._depth:
                self._writer = None
                self._gate.notify_all()

    @contextmanager
    def reading(self) -> Iterator[None]:
        self.acquire_read()
        try:
            yield
        finally:
            self.release_read()

    @contextmanager
    def writing(self) -> Iterator[None]:
        self.acquire_write()
        try:
            yield
        finally:
            self.release_write()

    def after_fork(self) -> None:
        """In a forked child the other threads are gone, and with them whatever they held."""
        self.__init__()  # type: ignore[misc]


STATE_LOCK = ReadersWriterLock()

try:
    from os import register_at_fork
except ImportError:  # Windows has no fork
    pass
else:
    register_at_fork(after_in_child=STATE_LOCK.after_fork)
