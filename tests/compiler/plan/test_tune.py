"""Kernels chosen by measuring them: by a clock that says what the test wants, never by a real one."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import striate as keras
from striate.backend import TracedFunction
from striate.compiler import settings
from striate.compiler.plan import select, tune
from striate.compiler.plan.choice import Contender
from striate.compiler.plan.measured import Choices
from striate.compiler.plan.select import MEASURED, choose_kernel
from striate.compiler.plan.stopwatch import Clock
from striate.core.errors import ArgumentError
from striate.engine import native
from striate.ir.graph import constant_node
from striate.ir.opdef import make_node
from striate.models.plan import describe_plan
from tests.compiler.plan.test_select import conv
from tests.support.cases import Case, all_cases

MACHINE = {"cpu": "a test's"}


class Bench:
    """A clock: a kernel whose name holds one of `slow` takes ten times the others' millisecond."""

    def __init__(self, *slow: str) -> None:
        self.slow = slow
        self.asked: list[list[Contender]] = []

    def __call__(self, contenders: Sequence[Contender]) -> Clock:
        self.asked.append(list(contenders))
        return lambda number: 1e-2 if any(s in contenders[number].kernel for s in self.slow) else 1e-3


@pytest.fixture
def tuning(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """Measure, with a clock and a file of the test's own."""

    def use(watch: Any) -> None:
        monkeypatch.setattr(tune, "_current", tune.Tuner(Choices(tmp_path, MACHINE), watch))

    keras.config.set_tuning(True)
    yield use
    keras.config.set_tuning(False)
    keras.config.set_threads(0)


@pytest.mark.parametrize(
    ("times", "taken"),
    [
        ([[1.0, 1.0, 1.0, 1.0], [0.9, 0.9, 0.9, 0.9]], 1),
        ([[1.0, 1.0, 1.0, 1.0], [0.96, 0.96, 0.96, 0.96]], 0),  # not worth it
        ([[1.0, 1.0, 1.0, 1.0], [0.9, 0.9, 1.1, 1.1]], 0),  # noise: two turns of four
        ([[9.0, 9.0, 9.0, 1.0], [1.0, 1.0, 1.0, 1.0]], 0),  # the first was interrupted, at its best it is as fast
        ([[1.0, 5.0, 1.0, 1.0], [0.9, 4.5, 0.9, 0.9], [0.8, 4.0, 0.8, 0.8]], 2),  # what slows all, slows nobody
    ],
)
def test_the_first_stays_unless_another_is_faster_by_more_than_noise(times: list[list[float]], taken: int) -> None:
    assert tune.fastest(times) == taken


def test_turns_go_both_ways_and_end_when_enough_is_spent() -> None:
    asked: list[int] = []

    def clock(number: int) -> float:
        asked.append(number)
        return 0.3

    times = tune.run_in_turns(clock, 2)
    assert asked[:6] == [0, 1, 0, 1, 1, 0]
    assert [len(t) for t in times] == [tune.LEAST] * 2
    assert [len(t) for t in tune.run_in_turns(lambda _: 1e-6, 2)] == [tune.TURNS] * 2


def test_the_faster_kernel_is_taken_and_the_plan_says_why(tuning: Any) -> None:
    bench = Bench("winograd")
    tuning(bench)
    node = conv(2, 28, 64, 64)
    choice = choose_kernel(node)
    assert "direct" in (choice.kernel or "")
    assert choice.reason == "measured: 1,000 us against 10,000 us"
    assert [(k.rpartition("_")[0], why) for k, why in choice.refused][-1] == ("conv2d_winograd", "measured: 10,000 us")
    assert choose_kernel(node) == choice
    assert len(bench.asked) == 1
    assert "winograd" in bench.asked[0][0].kernel, "the cost model's choice is the first"


def test_what_is_as_fast_leaves_the_cost_model_s_choice(tuning: Any) -> None:
    tuning(lambda contenders: lambda number: 1e-3 if number == 0 else 0.98e-3)
    choice = choose_kernel(conv(2, 28, 64, 64))
    assert "winograd" in (choice.kernel or "")
    assert choice.reason == "measured: 1,000 us against 980 us, too close to tell"


def test_a_busy_machine_is_told(tuning: Any) -> None:
    turns = iter(range(1000))
    tuning(lambda contenders: lambda number: 1e-3 if next(turns) % 5 == 0 else 7e-3)
    assert "on a busy machine" in choose_kernel(conv(2, 28, 64, 64)).reason


def test_an_image_s_kernel_is_that_of_every_batch(tuning: Any) -> None:
    bench = Bench("winograd")
    tuning(bench)
    alone = choose_kernel(conv(1, 28, 64, 64))
    bench.slow = ("direct",)  # what a larger batch would say is not asked
    many = choose_kernel(conv(32, 28, 64, 64))
    assert alone.kernel == many.kernel
    assert many.reason == "measured: 1,000 us against 10,000 us with batch 1"
    assert len(bench.asked) == 1


def test_every_op_that_has_several_kernels_says_what_a_batch_is_in_it() -> None:
    rows = Counter((row.op, row.isa) for row in native.kernels())
    assert {op for (op, _), count in rows.items() if count > 1} == set(MEASURED)


@pytest.mark.parametrize("case", [c for c in all_cases() if MEASURED.get(c.op)], ids=str)
def test_what_was_measured_of_an_image_does_not_say_how_many_there_are(case: Case) -> None:
    """In attributes neither, where they say a shape."""

    def key(times: int) -> str:
        inputs = [constant_node(np.concatenate([x] * times if i in MEASURED[case.op] else [x])).result()
                  for i, x in enumerate(case.inputs)]  # fmt: skip
        attrs, shape = case.attrs, getattr(case.attrs, "shape", None)
        if shape is not None:
            attrs = dataclasses.replace(attrs, shape=(times * shape[0], *shape[1:]))  # type: ignore[call-arg]
        return select._key(make_node(case.op, inputs, attrs), training=False)

    assert key(1) == key(3)


def test_training_counts_the_batch(tuning: Any) -> None:
    bench = Bench("winograd")
    tuning(bench)
    assert "direct" in (choose_kernel(conv(16, 28, 64, 64), training=True).kernel or "")
    bench.slow = ("direct",)
    assert "winograd" in (choose_kernel(conv(32, 28, 64, 64), training=True).kernel or "")
    names = [[c.kernel.rpartition("_")[0] for c in asked] for asked in bench.asked]
    assert names == [["conv2d_winograd", "conv2d_direct"]] * 2, "the kernel of two names is measured once"


def test_the_thread_count_has_no_say_in_what_was_measured(tuning: Any) -> None:
    bench = Bench("winograd")
    tuning(bench)
    keras.config.set_threads(1)
    choice = choose_kernel(conv(4, 28, 64, 64))
    keras.config.set_threads(2)
    assert choose_kernel(conv(4, 28, 64, 64)) == choice
    assert len(bench.asked) == 1


def test_the_next_process_measures_nothing(tuning: Any) -> None:
    tuning(Bench("winograd"))
    choice = choose_kernel(conv(2, 28, 64, 64))
    again = Bench("direct")
    tuning(again)  # another tuner, the same file
    assert choose_kernel(conv(2, 28, 64, 64)) == choice
    assert again.asked == []


def test_nothing_is_measured_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def never() -> None:
        raise AssertionError("measured")

    monkeypatch.setattr(tune, "tuner", never)
    assert choose_kernel(conv(2, 28, 64, 64)).reason.startswith("fastest of its op")


def test_one_kernel_is_nothing_to_measure(tuning: Any) -> None:
    bench = Bench()
    tuning(bench)
    keras.config.set_convolution("direct")
    try:
        assert choose_kernel(conv(2, 28, 64, 64)).reason.startswith("first that takes it")
    finally:
        keras.config.set_convolution("auto")
    assert bench.asked == []


def test_too_little_memory_leaves_the_cost_model_s_choice(tuning: Any) -> None:
    def none_left(_: Any) -> Clock:
        raise MemoryError

    tuning(none_left)
    choice = choose_kernel(conv(8, 28, 64, 64))
    assert "winograd" in (choice.kernel or "")
    assert choice.reason == "cost model's: memory did not suffice to measure batch 8"
    tuning(Bench("winograd"))  # a smaller batch must not choose otherwise
    assert choose_kernel(conv(1, 28, 64, 64)).kernel == choice.kernel


def network() -> Any:
    keras.utils.set_random_seed(0)
    layers = keras.layers
    return keras.Sequential([layers.Input((7, 7, 64)), layers.Conv2D(64, 3, padding="same", activation="relu")])


def train(batch: int) -> None:
    """A step of a network in which forward and both gradients have several kernels."""
    layers = keras.layers
    model = keras.Sequential([layers.Input((20, 20, 64)), layers.Conv2D(64, 3), layers.Conv2D(32, 3)])
    model.compile("sgd", "mse")
    model.train_on_batch(np.ones((batch, 20, 20, 64), "float32"), np.zeros((batch, 16, 16, 32), "float32"))


def kernels(model: Any, batch: int) -> list[str]:
    return [row.kernel.rpartition("_")[0] for row in describe_plan(model, batch).rows]


def test_filters_are_transformed_before_only_where_that_is_measured_faster(tuning: Any) -> None:
    model = network()
    x = np.random.default_rng(0).standard_normal((5, 7, 7, 64), "float32")
    tuning(Bench("winograd"))
    assert kernels(model, 1) == ["conv2d_direct"]
    (row,) = describe_plan(model, 1).rows
    assert row.reason == "measured: 1,000 us against 10,000 us"
    assert "winograd_conv2d" in {kernel.rpartition("_")[0] for kernel, _ in row.refused}
    tuned = model.predict(x, verbose=0)
    alone = model.predict(x[:1], verbose=0)
    assert alone.tobytes() == tuned[:1].tobytes()

    keras.config.set_tuning(False)
    auto = model.predict(x, verbose=0)
    assert kernels(model, 3) == ["winograd_filters", "winograd_conv2d"]
    keras.config.set_convolution("direct")
    try:
        direct = model.predict(x, verbose=0)
    finally:
        keras.config.set_convolution("auto")
    assert tuned.tobytes() == direct.tobytes() != auto.tobytes()


def test_filters_stay_transformed_where_direct_kernels_are_slower(tuning: Any) -> None:
    tuning(Bench("direct"))
    rows = describe_plan(network(), 3).rows
    assert [r.op for r in rows] == ["winograd_filters", "winograd_conv2d"]
    assert rows[1].reason.startswith("measured: 1,000 us against")


@pytest.mark.parametrize("first", [1, 3])
def test_a_choice_stands_for_filters_that_are_transformed_on_the_fly_and_before(tuning: Any, first: int) -> None:
    """One image takes them as they are, three take them transformed: the same bits, so one choice."""
    bench = Bench("direct")
    tuning(bench)
    model = network()
    x = np.random.default_rng(0).standard_normal((3, 7, 7, 64), "float32")
    told = {n: describe_plan(model, n).rows for n in (first, 4 - first)}
    assert len(bench.asked) == 1
    assert all(row.op == "winograd_conv2d" for _, row in told.values())
    assert all(rows[1].reason.startswith("measured: 1,000 us against") for rows in told.values())
    assert model.predict(x[:1], verbose=0).tobytes() == model.predict(x, verbose=0)[:1].tobytes()


def test_gradients_are_measured_too(tuning: Any) -> None:
    bench = Bench("winograd")
    tuning(bench)
    train(4)
    assert {asked[0].op for asked in bench.asked} == {"conv2d", "conv2d_grad_x", "conv2d_grad_w"}


def test_programs_are_made_anew_for_the_setting(tuning: Any) -> None:
    random = np.random.default_rng(0)
    x, w = random.standard_normal((2, 20, 20, 64), "float32"), random.standard_normal((3, 3, 64, 32), "float32")
    tuning(Bench("winograd"))
    run = TracedFunction(keras.ops.conv)
    tuned = np.asarray(run(x, w))
    keras.config.set_tuning(False)
    assert np.asarray(run(x, w)).tobytes() != tuned.tobytes()
    keras.config.set_tuning(True)
    assert np.asarray(run(x, w)).tobytes() == tuned.tobytes()


def test_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    assert keras.config.tuning() is False
    with pytest.raises(ArgumentError, match=r"True or False\. Received: 1"):
        keras.config.set_tuning(1)  # type: ignore[arg-type]
    for text, on in (("1", True), ("0", False), ("", False)):
        monkeypatch.setenv("STRIATE_TUNE", text)
        assert settings._from_environment() is on


def test_a_process_measures_what_the_environment_asks_for_once(tmp_path: Path) -> None:
    words = {**os.environ, "STRIATE_TUNE": "1", "STRIATE_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "striate", "summary", "lenet5", "--plan", "--batch-size", "1"]

    def told() -> str:
        return subprocess.run(command, env=words, stdout=subprocess.PIPE, text=True, check=True).stdout

    first = told()
    assert " us against " in first
    (file,) = (tmp_path / "tune").glob("*.json")
    written = file.read_bytes()
    assert told() == first, "times included: they are those of the file"
    assert file.read_bytes() == written


def test_the_clock_runs_the_steps_of_every_kernel(tuning: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real one: every contender of every kind is run by the engine, whatever it says."""
    took: list[float] = []

    def real(contenders: Sequence[Contender]) -> Clock:
        clock = tune.stopwatch(contenders)
        took.extend(clock(i) for i in range(len(contenders)))
        return clock

    monkeypatch.setattr(tune, "TURNS", 1)
    tuning(real)
    describe_plan(network(), 2)
    train(2)
    assert len(took) >= 2 + 3 * 2
    assert min(took) > 0


@pytest.mark.parametrize("op", MEASURED)
def test_the_clock_takes_every_op_that_is_measured(op: str) -> None:
    """Results of bytes, too."""
    case = next(c for c in all_cases() if c.op == op)
    node = make_node(op, [constant_node(x).result() for x in case.inputs], case.attrs)
    contenders = select._contenders(node, training=True)
    clock = tune.stopwatch(contenders)
    assert contenders
    assert all(clock(i) > 0 for i in range(len(contenders)))
