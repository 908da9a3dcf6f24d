"""The readers-writer lock: exclusion, sharing, no starving; whole after Ctrl-C, and in a forked child."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable

import pytest

from striate.engine._native import StateLock, Turn
from striate.engine.lock import EXCLUSIVE, SHARED


def together(*work: Callable[[], None]) -> None:
    """Run each in a thread of its own; all must end."""
    threads = [threading.Thread(target=w, daemon=True) for w in work]
    for t in threads:
        t.start()
    for t in threads:
        t.join(20)
    assert not any(t.is_alive() for t in threads)


def is_free(lock: StateLock) -> bool:
    def take() -> None:
        for turn in (lock.exclusive, lock.shared, lock.exclusive):
            with turn:
                taken.append(turn)

    taken: list[Turn] = []
    thread = threading.Thread(target=take, daemon=True)
    thread.start()
    thread.join(10)
    return len(taken) == 3


def test_a_writer_is_alone() -> None:
    lock, value = StateLock(), [0]

    def add() -> None:
        for _ in range(200):
            with lock.exclusive:
                seen = value[0]
                time.sleep(0)
                value[0] = seen + 1

    together(*[add] * 4)
    assert value == [800]


def test_readers_share() -> None:
    lock, inside = StateLock(), threading.Barrier(3, timeout=10)

    def read() -> None:
        with lock.shared:
            inside.wait()  # all three are inside at once, or this breaks

    together(*[read] * 3)
    assert not inside.broken


def test_a_loop_of_writers_does_not_starve_a_reader() -> None:
    lock, stop, read = StateLock(), threading.Event(), threading.Event()

    def write() -> None:
        while not stop.is_set():
            with lock.exclusive:
                time.sleep(0.002)

    def reader() -> None:
        time.sleep(0.01)
        with lock.shared:
            read.set()
        stop.set()

    together(write, reader)
    assert read.is_set()


def test_readers_and_writers_never_overlap() -> None:
    lock, inside, wrong = StateLock(), [0, 0], []

    def work(kind: int) -> Callable[[], None]:
        def loop() -> None:
            for _ in range(100):
                with lock.exclusive if kind else lock.shared:
                    inside[kind] += 1
                    if inside[1] and (inside[0] or inside[1] > 1):
                        wrong.append(tuple(inside))
                    time.sleep(0)
                    inside[kind] -= 1

        return loop

    together(work(1), work(1), work(0))
    assert not wrong and inside == [0, 0]


def test_an_error_inside_lets_go() -> None:
    lock = StateLock()
    for turn in (lock.shared, lock.exclusive):
        with pytest.raises(KeyError), turn:
            raise KeyError
    assert is_free(lock)


@pytest.mark.parametrize("kind", ["shared", "exclusive"])
def test_an_interrupted_wait_leaves_the_lock_whole(kind: str) -> None:
    lock, held, done = StateLock(), threading.Event(), threading.Event()

    def hold() -> None:
        with lock.exclusive:
            held.set()
            done.wait(20)

    def behind() -> None:  # waits behind the one that gives up, and gets its turn all the same
        with lock.shared:
            pass

    holder = threading.Thread(target=hold, daemon=True)
    holder.start()
    assert held.wait(10)
    late = threading.Thread(target=behind, daemon=True)
    previous = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with pytest.raises(KeyboardInterrupt), getattr(lock, kind):
            raise AssertionError("nothing was waited for")
    finally:
        signal.signal(signal.SIGALRM, previous)
    late.start()
    done.set()
    holder.join(10)
    late.join(10)
    assert not late.is_alive()
    assert is_free(lock)


def test_interrupts_at_any_moment_leave_the_lock_whole() -> None:
    """A signal that comes somewhere around taking and letting go, many times."""
    lock = StateLock()
    rounds = 0
    previous = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        for i in range(200):
            with contextlib.suppress(KeyboardInterrupt):
                signal.setitimer(signal.ITIMER_REAL, 1e-5 + i * 1e-6)
                while True:
                    with lock.shared:
                        rounds += 1
                    with lock.exclusive:
                        rounds += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    assert rounds
    assert is_free(lock)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_fork_waits_for_a_writer_and_frees_the_child() -> None:
    value, stop, started = [0, 0], threading.Event(), threading.Event()

    def write() -> None:
        while not stop.is_set():
            with EXCLUSIVE:
                value[0] += 1
                started.set()
                time.sleep(0.002)
                value[1] += 1

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    assert started.wait(10)
    for _ in range(5):
        child = os.fork()
        if child == 0:
            whole = value[0] == value[1]
            for turn in (EXCLUSIVE, SHARED):
                with turn:
                    pass
            os._exit(0 if whole else 3)
        assert os.waitpid(child, 0)[1] == 0
    stop.set()
    writer.join(10)
    assert not writer.is_alive()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_fork_by_the_holder() -> None:
    for turn, other in ((SHARED, EXCLUSIVE), (EXCLUSIVE, SHARED)):
        with turn:
            child = os.fork()
            if child == 0:
                turn.__exit__(None, None, None)
                with other:
                    os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        with other:
            pass
