"""Whole plans: the engine computes what the interpreter computes, in as little memory as is safe."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings

from striate.compiler.pipeline import compile_graph
from striate.compiler.plan import assign
from striate.compiler.plan.build import build
from striate.compiler.plan.select import Choice
from striate.engine.interpreter import interpret
from striate.ir.graph import Graph
from striate.ir.ops.attrs import AxesAttrs, AxisAttrs, DenseAttrs, MomentumAttrs, PermAttrs, ShapeAttrs
from striate.ir.types import TensorType
from tests.support.graphs import Builder, convolution_block, graphs
from tests.support.long import rounds

BOTH = ("kernels", "host")


@pytest.fixture(params=BOTH)
def steps(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Plans with kernels, and plans of host steps only."""
    if request.param == "host":
        _host_only(monkeypatch)
    yield request.param


def _host_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assign, "choose_kernel", lambda node, **_: Choice(None, "test"))
    monkeypatch.setattr(assign, "choose_copy", lambda type_: Choice(None, "test"))


def check_against_interpreter(b: Builder, graph: Graph, *, passes: bool, runs: int = 3) -> None:
    """Several runs after one another, so that what a run leaves behind counts too."""
    executable = compile_graph(graph, training=bool(graph.updates)) if passes else build(graph)
    states, expected = b.states(), b.state
    for count in range(1, runs + 1):
        wanted, expected = interpret(graph, b.arrays, expected)
        got = executable.run(b.arrays, states)
        for w, g in zip([*wanted, *expected], [*got, *(s.array for s in states)], strict=True):
            np.testing.assert_allclose(g, w, rtol=1e-4, atol=1e-4 * (1 + np.abs(w).max(initial=0)))
        if not all(np.isfinite(a).all() and np.abs(a).max(initial=0) < 1e6 for a in expected):
            return
        written = {i for i, _ in graph.updates}
        assert [s.version for s in states] == [count if i in written else 0 for i in range(len(states))]


@settings(max_examples=rounds(100, 1000))
@given(graphs(max_nodes=20))
def test_engine_equals_interpreter(drawn: tuple[Builder, Graph]) -> None:
    check_against_interpreter(*drawn, passes=False)
    check_against_interpreter(*drawn, passes=True)


@settings(max_examples=rounds(100, 1000))
@given(graphs(max_nodes=20))
def test_host_steps_equal_interpreter(drawn: tuple[Builder, Graph]) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        _host_only(monkeypatch)
        check_against_interpreter(*drawn, passes=False)


def test_swapped_variables(steps: str) -> None:
    b = Builder()
    u, v, w = b.variable(5), b.variable(5), b.variable(5)
    check_against_interpreter(b, b.graph(u, updates={u: v, v: u, w: u}), passes=False)


def test_an_old_value_read_after_its_update_is_kept(steps: str) -> None:
    b = Builder()
    x, w = b.input(4, 4), b.variable(4, 4)
    new = b.op("add", w, x)
    later = b.op("multiply", new, w)  # reads both
    check_against_interpreter(b, b.graph(later, w, new, updates={w: new}), passes=False)


def test_a_new_value_that_waits_for_the_end_is_not_written_over(steps: str) -> None:
    b = Builder()
    x, w = b.input(4, 4), b.variable(4, 4)
    new = b.op("tanh", b.op("add", w, x))
    last = b.op("abs", b.op("multiply", new, w))  # multiply reads `new` last, and `w`: `new` is stored after that
    check_against_interpreter(b, b.graph(last, b.op("neg", w), updates={w: new}), passes=False)


def test_two_results_do_not_take_the_same_input(steps: str) -> None:
    b = Builder()
    g, logits, targets = (b.op("exp", b.input(4, 4)) for _ in range(3))
    one, two = b.op("sigmoid_crossentropy_grad", g, logits, targets)
    rest = b.op("neg", logits), b.op("neg", targets)
    check_against_interpreter(b, b.graph(b.op("abs", one), b.op("abs", two), *rest), passes=False)
    check_against_interpreter(b, b.graph(b.op("abs", two), *rest), passes=False)  # nothing reads the first


def test_an_update_through_a_transpose_of_itself(steps: str) -> None:
    b = Builder()
    w = b.variable(4, 4)
    check_against_interpreter(b, b.graph(updates={w: b.op("transpose", w, attrs=PermAttrs((1, 0)))}), passes=False)


def test_one_new_value_for_two_variables_and_an_output(steps: str) -> None:
    b = Builder()
    u, v = b.variable(3), b.variable(3)
    new = b.op("add", u, b.input(3))
    check_against_interpreter(b, b.graph(new, new, updates={u: new, v: new}), passes=False)


def test_outputs_that_are_sources_or_twice_the_same(steps: str) -> None:
    b = Builder()
    x, w, c = b.input(2, 3), b.variable(3), b.constant([1.0, 2.0])
    y = b.op("add", x, w)
    again = b.op("reshape", y, attrs=ShapeAttrs((3, 2)))
    check_against_interpreter(b, b.graph(x, w, c, y, again, y), passes=False)


def test_outputs_are_never_the_callers_memory() -> None:
    b = Builder()
    x = b.input(2, 3)
    given_array = b.arrays[0].copy()
    (got,) = build(b.graph(b.op("reshape", x, attrs=ShapeAttrs((6,))))).run([given_array])
    assert not np.shares_memory(got, given_array)


def test_results_without_elements(steps: str) -> None:
    b = Builder()
    x = b.input(0, 3)
    y = b.op("relu", x)
    graph = b.graph(y, b.op("reduce_sum", y, attrs=AxesAttrs((0,), False)))
    got = build(graph).run(b.arrays)
    assert got[0].shape == (0, 3)
    np.testing.assert_array_equal(got[1], np.zeros(3))


def test_elementwise_results_lie_over_inputs_that_die() -> None:
    b = Builder()
    y = b.input(64, 64)
    for op in ("tanh", "sigmoid", "abs", "neg", "tanh", "sigmoid"):
        y = b.op(op, y)
    plan = build(b.graph(y)).plan
    assert plan.arena_bytes == 64 * 64 * 4
    x = b.op("tanh", b.input(64, 64))
    both = b.op("add", b.op("neg", x), x)  # x is read later: neg may not lie over it
    assert build(b.graph(both)).plan.arena_bytes == 2 * 64 * 64 * 4


def test_optimizer_updates_are_written_into_their_variables() -> None:
    b = Builder()
    w, m, g = b.variable(100), b.variable(100), b.input(100)
    new_w, new_m = b.op("momentum_update", w, m, g, b.constant(0.1), attrs=MomentumAttrs(0.9))
    graph = b.graph(updates={w: new_w, m: new_m})
    executable = build(graph)
    assert executable.plan.arena_bytes == 0
    assert len(executable.program.steps) == 1
    check_against_interpreter(b, graph, passes=False)


def test_a_host_step_cuts_the_program_and_keeps_the_arena() -> None:
    b = Builder()
    x = b.op("tanh", b.input(4, 6))
    y = b.op("cumsum", x, attrs=AxisAttrs(1))
    z = b.op("add", b.op("exp", y), x)
    graph = b.graph(z)
    plan = build(graph).plan
    assert plan.host_steps == ["cumsum"]
    check_against_interpreter(b, graph, passes=True)


def test_describe_gives_reasons() -> None:
    b = Builder()
    graph = b.graph(convolution_block(b, b.input(1, 8, 8, 8), 16))
    plan = compile_graph(graph, training=False).plan
    rows = plan.describe()
    conv = next(r for r in rows if r.op == "conv2d")
    assert conv.kernel is not None and conv.reason
    assert conv.flops == 2 * 8 * 8 * 16 * 3 * 3 * 8
    assert conv.result == str(TensorType((1, 8, 8, 16)))
    assert conv.bytes == 4 * (8 * 8 * 8 + 3 * 3 * 8 * 16 + 16 + 8 * 8 * 16)
    assert not conv.derived and any(r.derived for r in rows)
    assert all(why for _, why in conv.refused)
    assert conv.kernel in str(plan)


def test_large_batches_share_the_arena_of_a_chain() -> None:
    b = Builder()
    y = b.input(32, 64)
    for _ in range(6):
        y = b.op("dense", y, b.variable(64, 64), attrs=DenseAttrs("relu"))
    plan = compile_graph(b.graph(y), training=False).plan
    assert plan.arena_bytes == plan.peak_bytes == 2 * 32 * 64 * 4
