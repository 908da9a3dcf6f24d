"""The readers-writer lock: exclusion, sharing, and no starving."""

from __future__ import annotations

import threading
import time

from striate.engine.lock import ReadersWriterLock


def test_a_writer_is_alone() -> None:
    lock, value = ReadersWriterLock(), [0]

    def add() -> None:
        for _ in range(200):
            lock.acquire_exclusive()
            seen = value[0]
            time.sleep(0)
            value[0] = seen + 1
            lock.release_exclusive()

    threads = [threading.Thread(target=add) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert value == [800]


def test_readers_share() -> None:
    lock, together = ReadersWriterLock(), threading.Barrier(3, timeout=10)

    def read() -> None:
        lock.acquire_shared()
        together.wait()  # all three are inside at once, or this breaks
        lock.release_shared()

    threads = [threading.Thread(target=read) for _ in range(3)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(10)
    assert not together.broken


def test_a_loop_of_writers_does_not_starve_a_reader() -> None:
    lock, stop, read = ReadersWriterLock(), threading.Event(), threading.Event()

    def write() -> None:
        while not stop.is_set():
            lock.acquire_exclusive()
            time.sleep(0.002)
            lock.release_exclusive()

    def reader() -> None:
        lock.acquire_shared()
        read.set()
        lock.release_shared()

    writer = threading.Thread(target=write)
    writer.start()
    time.sleep(0.01)
    waiting = threading.Thread(target=reader)
    waiting.start()
    assert read.wait(5)
    stop.set()
    writer.join()
    waiting.join()


def test_readers_and_writers_never_overlap() -> None:
    lock, inside, wrong = ReadersWriterLock(), [0, 0], []

    def work(kind: int) -> None:
        for _ in range(100):
            lock.acquire_exclusive() if kind else lock.acquire_shared()
            inside[kind] += 1
            if inside[1] and (inside[0] or inside[1] > 1):
                wrong.append(tuple(inside))
            time.sleep(0)
            if kind:
                inside[1] -= 1
                lock.release_exclusive()
            else:
                inside[0] -= 1
                lock.release_shared()

    threads = [threading.Thread(target=work, args=(k,)) for k in (1, 1, 0)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong and inside == [0, 0]


def test_an_interrupted_wait_leaves_the_lock_whole() -> None:
    lock = ReadersWriterLock()

    class Interrupted:
        """A lock whose wait is broken off as by Ctrl-C."""

        def acquire(self) -> None:
            if self.held:
                raise KeyboardInterrupt
            self.held = True

        held = False

        def release(self) -> None:
            self.held = False

    original = threading.Lock
    lock.acquire_exclusive()
    for acquire in (lock.acquire_shared, lock.acquire_exclusive):
        threading.Lock = Interrupted  # type: ignore[assignment, misc]
        try:
            acquire()
        except KeyboardInterrupt:
            pass
        else:
            raise AssertionError("nothing was waited for")
        finally:
            threading.Lock = original  # type: ignore[misc]
    lock.release_exclusive()
    lock.acquire_exclusive()
    lock.release_exclusive()
    lock.acquire_shared()
    lock.release_shared()
