"""The steps of a model's program, timed: every step once, with what it did. How long they take is nobody's promise."""

from __future__ import annotations

import numpy as np
import pytest

import striate
from striate.core.errors import StateError
from striate.models.example_batch import example_inputs, example_labels
from striate.models.step_times import Limits, StepTime, measure_steps


def small(compiled: bool = True):
    model = striate.Sequential(
        [
            striate.Input((10, 10, 16)),
            striate.layers.Conv2D(16, 3, activation="relu"),
            striate.layers.Flatten(),
            striate.layers.Dense(3, activation="softmax"),
        ]
    )
    if compiled:
        model.compile("sgd", "sparse_categorical_crossentropy")
    return model


@pytest.mark.parametrize("training", [False, True])
def test_every_step_of_the_plan_is_timed(training):
    model = small()
    times = measure_steps(model, 4, training, seconds=0.0)
    plan = striate.explain.plan(model, 4, training=training)
    assert [s.work.row.op for s in times.steps] == [r.op for r in plan.rows]
    assert times.runs == 7 and times.flops_peak > 0
    for step in times.steps:
        first, middle, third = step.seconds
        assert 0 <= first <= middle <= third <= times.whole[2]
        # Filters are transformed once, when the weights change: in the timed runs never.
        assert step.ran == (not step.work.row.derived)
        if step.ran:
            assert step.roofline > 0 and step.bound in ("arithmetic", "bytes")
    assert any(not s.ran for s in times.steps) == (not training)
    winograd = [s for s in times.steps if s.work.done < s.work.flops]
    assert winograd and all("winograd" in s.work.row.kernel for s in winograd)


def test_the_roofline_is_the_slower_of_both_limits():
    step = measure_steps(small(), 2, False, seconds=0.0).steps[-1]
    work = step.work
    by_bytes = StepTime(work, (1.0, 2.0, 3.0), Limits(1e30, float(work.row.bytes)))
    assert (by_bytes.roofline, by_bytes.bound) == (0.5, "bytes")
    done = next(s.work for s in measure_steps(small(), 2, False, seconds=0.0).steps if s.work.done)
    by_products = StepTime(done, (1.0, 4.0, 5.0), Limits(done.done, 1e30))
    assert (by_products.roofline, by_products.bound) == (0.25, "arithmetic")


def test_host_steps_are_timed_too():
    inputs = striate.Input((4, 4, 2))
    outputs = striate.layers.Lambda(lambda x: striate.ops.cumsum(x, axis=1) * 2.0)(striate.layers.ReLU()(inputs))
    times = measure_steps(striate.Model(inputs, outputs), 2, False, seconds=0.0)
    (host,) = (s for s in times.steps if s.work.row.kernel is None)
    assert host.work.row.op == "cumsum" and host.ran


def test_examples_are_like_what_the_model_takes():
    model, random = small(), np.random.default_rng(3)
    x, y = example_inputs(model, 40, random), example_labels(model, 40, random)
    assert x.shape == (40, 10, 10, 16) and x.dtype == np.float32 and 0 <= x.min() < x.max() < 1
    assert y.shape == (40,) and set(y) == {0, 1, 2}
    assert not example_inputs(model, 2).any() and not example_labels(model, 2).any()
    model.compile("sgd", "categorical_crossentropy")
    np.testing.assert_array_equal(example_labels(model, 5, random).sum(axis=-1), np.ones(5))
    numbers = striate.Model(ids := striate.Input((3,), dtype="int32"), striate.layers.Flatten()(ids))
    assert example_inputs(numbers, 2, random).dtype == np.int32


def test_models_that_cannot_be_timed():
    with pytest.raises(StateError, match="not compiled"):
        measure_steps(small(compiled=False), 2, True)
    with pytest.raises(StateError, match="has no Input"):
        measure_steps(striate.Sequential([striate.layers.Dense(2)]), 2, False)
