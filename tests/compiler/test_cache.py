"""Programs by structure, the least recently used dropped."""

from __future__ import annotations

import numpy as np

from striate.compiler.cache import ProgramCache
from striate.compiler.pipeline import Executable, compile_graph
from striate.compiler.structure import structure_of_graph
from striate.ir.graph import Graph
from striate.ir.ops.attrs import AlphaAttrs
from tests.support.graphs import Builder


def graph_of(size: int, alpha: float = 1.0, constant: float = 2.0) -> Graph:
    b = Builder()
    y = b.op("elu", b.op("add", b.input(size), b.variable(size)), attrs=AlphaAttrs(alpha))
    return b.graph(b.op("multiply", y, b.constant(constant)))


def test_equal_graphs_have_equal_keys() -> None:
    key = structure_of_graph(graph_of(3))
    assert key == structure_of_graph(graph_of(3)) and hash(key) == hash(structure_of_graph(graph_of(3)))
    for other in (graph_of(4), graph_of(3, alpha=0.5), graph_of(3, constant=3.0)):
        assert key != structure_of_graph(other)


def test_what_is_written_is_part_of_the_key() -> None:
    b = Builder()
    u, v = b.variable(3), b.variable(3)
    new = b.op("exp", u)
    graphs = [b.graph(new), b.graph(updates={u: new}), b.graph(updates={v: new}), b.graph(new, updates={u: new})]
    assert len({structure_of_graph(g) for g in graphs}) == 4


def test_swapped_inputs_are_another_graph() -> None:
    b = Builder()
    x, y = b.input(3), b.input(3)
    assert structure_of_graph(b.graph(b.op("subtract", x, y))) != structure_of_graph(b.graph(b.op("subtract", y, x)))


def test_the_least_recently_used_goes_first() -> None:
    cache, made = ProgramCache(2), []

    def get(size: int) -> Executable:
        graph = graph_of(size)

        def make() -> Executable:
            made.append(size)
            return compile_graph(graph, training=False)

        return cache.get(graph, training=False, make=make)

    first = get(1)
    get(2)
    assert get(1) is first
    get(3)  # 2 goes
    assert get(1) is first
    get(2)
    assert made == [1, 2, 3, 2] and len(cache) == 2
    cache.clear()
    assert len(cache) == 0


def test_models_of_one_structure_share_a_program() -> None:
    cache = ProgramCache(4)
    one, two = Builder(1), Builder(2)
    graphs = [b.graph(b.op("add", b.input(3), b.variable(3))) for b in (one, two)]
    programs = [cache.get(g, training=False, make=lambda g=g: compile_graph(g, training=False)) for g in graphs]
    assert programs[0] is programs[1]
    for b in (one, two):
        np.testing.assert_allclose(programs[0].run(b.arrays, b.states())[0], b.arrays[0] + b.state[0])
