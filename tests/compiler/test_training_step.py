"""A whole training step as one program: equal to the interpreter, the same bits on any number of threads."""

from __future__ import annotations

import numpy as np
import pytest

from striate.compiler.autodiff import gradients
from striate.compiler.pipeline import Executable, compile_graph
from striate.engine import native
from striate.engine.interpreter import interpret
from striate.ir.graph import Graph, Value
from striate.ir.ops.attrs import AdamAttrs, AxesAttrs, DenseAttrs, MomentumAttrs
from tests.support.graphs import Builder, State, lecture_like


def step_graph(optimizer: str, batch: int = 5) -> tuple[Builder, Graph]:
    b = Builder(3)
    x, labels = b.input(batch, 6, 6, 1), b.input(batch, dtype="int32")
    loss, weights = lecture_like(b, x, labels)
    updates: dict[Value, Value] = {}
    rate, count = b.variable(value=0.05), b.variable(value=1.0)
    for w, g in zip(weights, gradients(loss, weights), strict=True):
        assert g is not None
        if optimizer == "sgd":
            updates[w] = b.op("sgd_update", w, g, rate)
        elif optimizer == "momentum":
            m = b.variable(*w.type.dims, value=0.0)
            updates[w], updates[m] = b.op("momentum_update", w, m, g, rate, attrs=MomentumAttrs(0.9, True))
        else:
            m, v = (b.variable(*w.type.dims, value=0.0) for _ in range(2))
            attrs = AdamAttrs(0.9, 0.999, 1e-7)
            updates[w], updates[m], updates[v] = b.op("adam_update", w, m, v, g, rate, count, attrs=attrs)
    updates[count] = b.op("add", count, b.constant(1.0))
    return b, b.graph(loss, updates=updates)


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam"])
def test_training_equals_the_interpreter(optimizer: str) -> None:
    b, graph = step_graph(optimizer)
    executable = compile_graph(graph, training=True)
    assert executable.plan.host_steps == []
    states, expected = b.states(), b.state
    losses = []
    for _ in range(5):
        (loss,), expected = interpret(graph, b.arrays, expected)
        (got,) = executable.run(b.arrays, states)
        losses.append(float(got))
        np.testing.assert_allclose(got, loss, rtol=1e-4)
        for s, e in zip(states, expected, strict=True):
            np.testing.assert_allclose(s.array, e, rtol=1e-3, atol=1e-5)
    assert losses[-1] < losses[0]
    assert all(s.version == 5 for i, s in enumerate(states) if i in executable.program.writes)


def test_weights_are_updated_in_place_and_nothing_is_copied() -> None:
    _, graph = step_graph("adam")
    rows = compile_graph(graph, training=True).plan.describe()
    assert "stop_gradient" not in [r.op for r in rows]
    # Bias and activation went into the products.
    assert [r.op for r in rows].count("conv2d") == 1 and "relu" not in [r.op for r in rows]


def run_steps(executable: Executable, b: Builder, count: int) -> list[State]:
    states = b.states()
    for _ in range(count):
        executable.run(b.arrays, states)
    return states


def test_same_bits_on_one_and_two_threads() -> None:
    b, graph = step_graph("momentum", batch=32)
    executable = compile_graph(graph, training=True)
    before = native.threads()
    try:
        results = []
        for threads in (1, 2, 1):
            native.set_threads(threads)
            results.append(run_steps(executable, b, 10))
    finally:
        native.set_threads(before)
    for other in results[1:]:
        for one, two in zip(results[0], other, strict=True):
            assert one.array.tobytes() == two.array.tobytes()


def test_gradients_die_early() -> None:
    """The arena of a deep chain holds activations, not every gradient."""
    b = Builder()
    y = b.input(1, 128)
    weights = [b.variable(128, 128) for _ in range(8)]
    for w in weights:
        y = b.op("tanh", b.op("dense", y, w, attrs=DenseAttrs()))
    loss = b.op("reduce_sum", y, attrs=AxesAttrs((0, 1), False))
    updates = {
        w: b.op("sgd_update", w, g, b.constant(0.1)) for w, g in zip(weights, gradients(loss, weights), strict=True)
    }
    plan = compile_graph(b.graph(loss, updates=updates), training=True).plan
    assert plan.arena_bytes < 2 * 128 * 128 * 4
