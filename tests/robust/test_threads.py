"""Many threads on one model: each gets what it would get alone, or what some step's end would give it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import striate as keras
from tests.robust.small import Array, data, digest, network, rounds, state_of, together


@pytest.fixture(autouse=True)
def default_threads() -> Iterator[None]:
    yield
    keras.config.set_threads(0)


@pytest.mark.parametrize("engine_threads", [1, 2, 4])
def test_predictions_of_eight_threads_are_those_of_one(engine_threads: int) -> None:
    keras.config.set_threads(engine_threads)
    model, (x, _) = network(), data(64)
    sizes = [1, 3, 8, 17, 32]
    wanted = {n: model.predict(x[:n], verbose=0).tobytes() for n in sizes}
    whole = model.predict(x, batch_size=24, verbose=0).tobytes()
    begin = threading.Barrier(8)

    def work() -> None:
        begin.wait()
        for i in range(rounds(8, 200)):
            n = sizes[i % len(sizes)]
            assert model.predict(x[:n], verbose=0).tobytes() == wanted[n]
        assert model.predict(x, batch_size=24, verbose=0).tobytes() == whole

    together(*[work] * 8)


def test_the_first_predictions_may_come_all_at_once() -> None:
    """Nobody has built, traced or compiled anything yet."""
    x, _ = data()
    wanted = network().predict(x, verbose=0).tobytes()
    for _ in range(rounds(3, 30)):
        model = network()
        begin = threading.Barrier(8)

        def work(model=model, begin=begin) -> None:  # type: ignore[no-untyped-def]
            begin.wait()
            assert model.predict(x, verbose=0).tobytes() == wanted

        together(*[work] * 8)


def test_a_prediction_during_training_is_that_of_some_steps_end() -> None:
    x, y = data(32)
    steps = rounds(60, 1000)
    model = network()
    step = model.make_train_function()
    model.train_on_batch(x[:16], y[:16])
    ends = [digest([model.predict(x, verbose=0)])]
    for i in range(steps):
        step((x[i % 16 : i % 16 + 16], y[i % 16 : i % 16 + 16]))
        ends.append(digest([model.predict(x, verbose=0)]))
    last = digest(state_of(model))

    model = network()
    step = model.make_train_function()
    model.train_on_batch(x[:16], y[:16])
    seen: list[str] = []
    done = threading.Event()

    def train() -> None:
        for i in range(steps):
            step((x[i % 16 : i % 16 + 16], y[i % 16 : i % 16 + 16]))
        done.set()

    def predict() -> None:
        while not done.is_set():
            seen.append(digest([model.predict(x, verbose=0)]))

    together(train, predict, predict, predict)
    assert len(seen) >= 3
    assert set(seen) <= set(ends), "a prediction saw the middle of a step"
    assert digest(state_of(model)) == last, "predictions changed what was learned"


def test_variables_are_read_whole_during_training() -> None:
    x, y = data(32)
    model = network()
    model.train_on_batch(x, y)
    kernel = model.layers[0].kernel
    step = model.make_train_function()
    steps = rounds(60, 1000)
    ends = {kernel.numpy().tobytes()}
    for _ in range(steps):
        step((x, y))
        ends.add(kernel.numpy().tobytes())
    model = network()
    model.train_on_batch(x, y)
    kernel, step, seen, done = model.layers[0].kernel, model.make_train_function(), set(), threading.Event()

    def train() -> None:
        for _ in range(steps):
            step((x, y))
        done.set()

    def read() -> None:
        while not done.is_set():
            seen.add(kernel.numpy().tobytes())

    together(train, read)
    assert seen <= ends


def test_two_models_train_at_once() -> None:
    x, y = data()

    def fitted(model: Any) -> str:
        model.fit(x, y, epochs=2, verbose=0, shuffle=False)
        return digest(state_of(model))

    wanted = [fitted(network(seed)) for seed in (1, 2)]
    models = [network(1), network(2)]
    got = ["", ""]

    def work(i: int) -> None:
        got[i] = fitted(models[i])

    together(lambda: work(0), lambda: work(1))
    assert got == wanted


def test_threads_change_while_others_run() -> None:
    """Every change comes through within moments, though the pool is never idle; and no result changes."""
    model, (x, _) = network(), data(64)
    wanted = model.predict(x, batch_size=64, verbose=0).tobytes()
    stop = threading.Event()
    waits: list[float] = []

    def work() -> None:
        while not stop.is_set():
            assert model.predict(x, batch_size=64, verbose=0).tobytes() == wanted

    def change() -> None:
        for n in (1, 3, 2, 8, 0) * rounds(2, 40):
            start = time.monotonic()
            keras.config.set_threads(n)
            waits.append(time.monotonic() - start)
            assert n in (0, keras.config.threads())
            time.sleep(0.005)
        stop.set()

    together(work, work, change)
    assert max(waits) < 5


def test_the_caches_hold_when_shapes_vary_in_many_threads() -> None:
    """More batch sizes than programs are kept, from all threads at once."""
    model, (x, _) = network(), data(64)
    whole = model.predict(x, batch_size=64, verbose=0)
    sizes: list[int] = list(range(1, 25))

    def work(seed: int) -> None:
        rng = np.random.default_rng(seed)
        for n in rng.permutation(sizes)[: rounds(8, 24)]:
            got: Array = model.predict(x[:n], verbose=0)
            assert got.tobytes() == whole[:n].tobytes()

    together(*[lambda seed=seed: work(seed) for seed in range(4)])  # type: ignore[misc]


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity") or len(os.sched_getaffinity(0)) < 2, reason="needs two CPUs")
def test_a_thread_keeps_to_its_own_mask() -> None:
    """Workers are moved with the thread that runs; one that may use a single CPU works alone."""
    model, (x, _) = network(), data(64)
    wanted = model.predict(x, batch_size=64, verbose=0).tobytes()
    everything = os.sched_getaffinity(0)
    one = {min(everything)}

    def masks() -> list[set[int]]:
        return [os.sched_getaffinity(int(t)) for t in os.listdir("/proc/self/task")]

    def work() -> None:
        os.sched_setaffinity(0, one)
        assert keras.config.threads() == 1
        assert model.predict(x, batch_size=64, verbose=0).tobytes() == wanted
        keras.config.set_threads(3)  # asked for: two workers, on this CPU
        before = sum(m == one for m in masks())
        assert model.predict(x, batch_size=64, verbose=0).tobytes() == wanted
        assert sum(m == one for m in masks()) == before + 2
        keras.config.set_threads(0)

    together(work)
    assert model.predict(x, batch_size=64, verbose=0).tobytes() == wanted
