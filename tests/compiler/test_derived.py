"""What depends on Variables alone is made once a change."""

from __future__ import annotations

import gc

import numpy as np

from striate.compiler.derived import find_derived
from striate.compiler.pipeline import compile_graph, run_passes
from striate.engine.derived import stored_bytes
from striate.engine.interpreter import interpret
from striate.ir.graph import Graph
from striate.ir.ops.attrs import ShapeAttrs
from tests.support.graphs import Builder, State, convolution_block


def block(batch: int) -> tuple[Builder, Graph]:
    b = Builder(7)
    return b, b.graph(convolution_block(b, b.input(batch, 4, 4, 2), 3))


def check(b: Builder, graph: Graph, executable: object, states: list[State]) -> None:
    wanted, _ = interpret(graph, b.arrays, [s.array for s in states])
    (got,) = executable.run(b.arrays, states)  # type: ignore[attr-defined]
    np.testing.assert_allclose(got, wanted[0], rtol=1e-4, atol=1e-5)


def test_folded_weights_follow_their_variables() -> None:
    b, graph = block(2)
    executable, states = compile_graph(graph, training=False), b.states()
    assert [d.type.shape for d in executable.program.derived] == [(3, 3, 2, 3), (3,)]
    for i in (0, 1, 2, 3, 4, 5):
        check(b, graph, executable, states)
        states[i].array *= 1.5
        states[i].version += 1
    check(b, graph, executable, states)


def test_derived_values_are_not_made_again_while_nothing_moves() -> None:
    b, graph = block(2)
    executable, states = compile_graph(graph, training=False), b.states()
    (before,) = executable.run(b.arrays, states)
    states[0].array *= 2  # without a new version nobody may notice
    (after,) = executable.run(b.arrays, states)
    np.testing.assert_array_equal(before, after)


def test_programs_of_other_batch_sizes_share_them() -> None:
    gc.collect()
    empty = stored_bytes()
    (small, small_graph), (large, large_graph) = block(1), block(8)
    states = small.states()
    first, second = compile_graph(small_graph, training=False), compile_graph(large_graph, training=False)
    first.run(small.arrays, states)
    held = stored_bytes() - empty
    assert held == 4 * (3 * 3 * 2 * 3 + 3)
    states[0].array *= 3  # unnoticed by the second program, if it takes what the first has made
    (got,) = second.run(large.arrays, states)
    assert stored_bytes() - empty == held
    wanted, _ = interpret(large_graph, large.arrays, [states[0].array / 3, *(s.array for s in states[1:])])
    np.testing.assert_allclose(got, wanted[0], rtol=1e-4, atol=1e-5)
    states[0].version += 1
    check(large, large_graph, second, states)
    check(small, small_graph, first, states)
    del first, second
    gc.collect()
    assert stored_bytes() == empty


def test_other_variables_have_their_own() -> None:
    b, graph = block(2)
    executable = compile_graph(graph, training=False)
    one, two = b.states(), b.states()
    two[0].array *= -1
    for states in (one, two, one, two):
        check(b, graph, executable, states)


def test_training_graphs_have_none() -> None:
    b = Builder()
    w, x = b.variable(3), b.input(3)
    graph = b.graph(b.op("add", x, b.op("exp", w)), updates={w: b.op("tanh", w)})
    assert not find_derived(graph).derived


def test_an_output_made_from_variables_alone() -> None:
    b = Builder()
    w = b.variable(3)
    y = b.op("exp", w)
    graph = b.graph(y, b.op("neg", y), b.input(2))
    executable, states = compile_graph(graph, training=False), b.states()
    for _ in range(3):
        got = executable.run(b.arrays, states)
        np.testing.assert_allclose(got[0], np.exp(states[0].array), rtol=1e-6)
        np.testing.assert_allclose(got[1], -np.exp(states[0].array), rtol=1e-6)
        states[0].array += 1
        states[0].version += 1


def test_what_is_spread_to_the_batch_is_not_kept() -> None:
    b = Builder()
    spread = b.op("broadcast_to", b.op("exp", b.variable(16)), attrs=ShapeAttrs((4096, 16)))
    graph = b.graph(b.op("maximum", b.input(4096, 1), b.op("tanh", spread)))
    found = find_derived(graph)
    assert [d.type.shape for d in found.derived] == [(16,)]


def test_large_constants_are_worked_on_once() -> None:
    b = Builder()
    table = b.op("exp", b.op("broadcast_to", b.constant([1.0, 2.0]), attrs=ShapeAttrs((2048, 2))))
    graph = b.graph(b.op("add", b.input(2048, 2), table))
    assert len(find_derived(run_passes(graph, training=False)).derived) == 1
    check(b, graph, compile_graph(graph, training=False), [])


def test_versions_of_unrelated_variables_do_not_matter() -> None:
    b = Builder()
    w, v = b.variable(3), b.variable(3)
    graph = b.graph(b.op("add", b.op("exp", w), b.op("multiply", b.input(3), v)))
    executable, states = compile_graph(graph, training=False), b.states()
    executable.run(b.arrays, states)
    states[0].array *= 2
    states[1].version += 1
    (got,) = executable.run(b.arrays, states)
    np.testing.assert_allclose(got, np.exp(b.state[0]) + b.arrays[0] * states[1].array, rtol=1e-5)
