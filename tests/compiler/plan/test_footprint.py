"""What a program is said to need is what the engine takes for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import assume, given

from striate.compiler.pipeline import compile_graph
from striate.compiler.plan.build import build
from striate.compiler.plan.footprint import footprint
from striate.engine import _native
from striate.ir.graph import Graph
from striate.ir.ops.attrs import AxisAttrs
from tests.support.graphs import Builder, convolution_block, graphs


@pytest.fixture(scope="module", autouse=True)
def two_threads() -> Iterator[None]:
    _native.set_threads(2)
    yield
    _native.set_threads(0)
    _native.trim()


@given(graphs(max_nodes=20))
def test_a_run_borrows_what_is_said(drawn: tuple[Builder, Graph]) -> None:
    b, graph = drawn
    executable = build(graph)
    assume(executable.program.steps and not executable.plan.host_steps)
    _native.trim()
    executable.run(b.arrays, b.states())
    assert _native.machine()["idle_arena_bytes"] == footprint(executable.program, _native.threads()).borrowed


def test_each_part_is_counted() -> None:
    b = Builder()
    graph = b.graph(convolution_block(b, b.input(2, 8, 8, 3), 16))
    executable = compile_graph(graph, training=False)
    told = footprint(executable.program, 2)
    assert told.inputs == 4 * 2 * 8 * 8 * 3
    assert told.variables == sum(s.array.nbytes for s in b.states())
    assert told.derived == executable.plan.derived_bytes > 0
    assert told.arena == executable.plan.arena_bytes
    assert told.outputs == sum(t.nbytes for t in executable.program.outputs)
    parts = told.as_dict()
    assert parts.pop("peak") == told.peak == sum(parts.values())


def test_threads_need_scratch_each() -> None:
    b = Builder()
    program = build(b.graph(convolution_block(b, b.input(2, 8, 8, 16), 16))).program
    one, three = footprint(program, 1), footprint(program, 3)
    assert three.threads == 3 * one.threads > 0
    assert three.borrowed - one.borrowed == 2 * one.threads


def test_a_host_step_needs_no_scratch() -> None:
    b = Builder()
    program = build(b.graph(b.op("cumsum", b.input(4, 6), attrs=AxisAttrs(1)))).program
    told = footprint(program, 2)
    assert (told.scratch, told.threads) == (0, 0)
    assert told.peak == 2 * 4 * 4 * 6
