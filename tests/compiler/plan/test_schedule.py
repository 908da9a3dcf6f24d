"""The order of execution."""

from __future__ import annotations

from hypothesis import given

from striate.compiler.plan.schedule import schedule
from striate.ir.graph import SOURCES, Graph
from striate.ir.ops.attrs import AxesAttrs, MatmulAttrs
from tests.support.graphs import Builder, graphs


@given(graphs())
def test_inputs_come_first_and_nothing_is_left_out(drawn: tuple[Builder, Graph]) -> None:
    _, graph = drawn
    order = schedule(graph)
    assert set(order) == {n for n in graph.nodes if n.op not in SOURCES}
    done = {n for n in graph.nodes if n.op in SOURCES}
    for node in order:
        assert all(v.node in done for v in node.inputs)
        done.add(node)


def test_updates_run_as_soon_as_their_gradient_is_there() -> None:
    b = Builder()
    x, rate = b.input(4, 3), b.constant(0.1)
    w = [b.variable(3, 3) for _ in range(3)]
    g, gradients = x, []
    for weight in w:
        gradients.append(b.op("matmul", x, g, attrs=MatmulAttrs(True, False)))
        g = b.op("matmul", g, weight, attrs=MatmulAttrs(False, True))
    bias = b.variable(3)
    db = b.op("reduce_sum", g, attrs=AxesAttrs((0,), False))
    last = b.op("exp", g)
    updates = {v: b.op("sgd_update", v, dw, rate) for v, dw in zip((*w, bias), (*gradients, db), strict=True)}
    order = schedule(b.graph(last, updates=updates))
    ops = [n.op for n in order]
    # Each update follows what it needs, but waits for the product that still reads the old weight.
    assert ops[:6] == ["matmul", "matmul", "sgd_update", "matmul", "matmul", "sgd_update"]
    assert ops[6:] == ["matmul", "matmul", "reduce_sum", "sgd_update", "sgd_update", "exp"]


def test_variables_that_swap_do_not_stop_the_order() -> None:
    b = Builder()
    u, v = b.variable(2), b.variable(2)
    graph = b.graph(updates={u: b.op("exp", v), v: b.op("tanh", u)})
    assert [n.op for n in schedule(graph)] == ["exp", "tanh"]
