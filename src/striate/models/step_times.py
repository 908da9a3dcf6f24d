"""How long each step of a model's program takes, and how much of what the machine could do that is."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from striate.backend import TracedFunction
from striate.backend.machine import threads
from striate.backend.peaks import Peaks
from striate.compiler.plan.work import Work, work_of
from striate.core import tree
from striate.models.example_batch import example_inputs, example_labels

LEAST_RUNS, MOST_RUNS = 7, 200


@dataclass(frozen=True)
class Limits:
    """Of the machine: multiplications and additions a second on registers, and bytes a second in a step's memory."""

    flops: float
    bandwidth: float


@dataclass(frozen=True)
class StepTime:
    """One step of a program: what it does, in how many seconds, on what machine."""

    work: Work
    #: first quartile, median, third
    seconds: tuple[float, float, float]
    limits: Limits

    @property
    def ran(self) -> bool:
        """Whether it ran at all: what follows from weights alone is kept until they change."""
        return self.seconds[1] > 0

    @property
    def bound(self) -> str:
        """What a perfect kernel of this algorithm would wait for: "arithmetic" or "bytes"."""
        by_arithmetic = self.work.done / self.limits.flops
        return "arithmetic" if by_arithmetic > self.work.row.bytes / self.limits.bandwidth else "bytes"

    @property
    def roofline(self) -> float:
        """The least time that arithmetic and operands (each moved once) allow, over the time taken."""
        least = max(self.work.done / self.limits.flops, self.work.row.bytes / self.limits.bandwidth)
        return least / self.seconds[1]


@dataclass(frozen=True)
class StepTimes:
    """All steps of a program, in order of execution, and the seconds of whole runs (quartiles)."""

    steps: tuple[StepTime, ...]
    whole: tuple[float, float, float]
    flops_peak: float
    runs: int


def quartiles(values: Any) -> tuple[float, float, float]:
    """First quartile, median and third, interpolated linearly."""
    first, middle, third = np.quantile(np.asarray(values, np.float64), (0.25, 0.5, 0.75))
    return float(first), float(middle), float(third)


def measure_steps(model: Any, batch_size: int, training: bool, seconds: float = 2.0, seed: int = 1) -> StepTimes:
    """Run a model's prediction or training step on random images until `seconds` have gone, timing each step.

    A training changes the model's weights, as any does.

    Args:
        model: a Sequential or functional model that is built; compiled, for training.
        batch_size: images a batch.
        training: the training step's program instead of the prediction's.
        seconds: how long; at least 7 runs are made.
        seed: of the images and labels.

    Raises:
        ValueError: a model without known input shapes, or one that is not compiled.
        EngineError: the native engine is missing.
    """
    random = np.random.default_rng(seed)
    x = example_inputs(model, batch_size, random)
    batch = (x, example_labels(model, batch_size, random)) if training else (x,)
    peaks = Peaks(threads(), seconds=0.01, repetitions=3)
    peaks.flops(0.05)  # the clock has gone up
    model._prepare(batch, training=training)
    trace = TracedFunction(model.train_step if training else model.predict_step).trace((batch,))
    executable, arrays = trace.executable, tree.flatten(batch)
    trace(arrays)  # what is kept until weights change is made now
    each: list[list[float]] = []
    whole: list[float] = []
    flops: list[float] = []
    until = time.perf_counter() + seconds
    while len(each) < LEAST_RUNS or (len(each) < MOST_RUNS and time.perf_counter() < until):
        flops.append(peaks.flops())
        executable.time_steps(True)
        begun = time.perf_counter()
        trace(arrays)
        whole.append(time.perf_counter() - begun)
        each.append(executable.step_seconds())
    executable.time_steps(False)
    peak = statistics.median(flops)
    steps = tuple(
        StepTime(work, quartiles(taken), Limits(peak, peaks.bandwidth(work.row.bytes)))
        for work, taken in zip(work_of(executable.plan), zip(*each, strict=True), strict=True)
    )
    return StepTimes(steps, quartiles(whole), peak, len(each))
