"""Keep where a pool's maxima were instead of what it pooled.

    before:  y = max_pool2d(x)               dx = max_pool2d_grad(g, x, y)
    after:   y, at = max_pool2d_indices(x)   dx = max_unpool2d(g, at)

Why: x is then no longer held until the gradient comes, nor read again, if nothing else reads it; `at` has a byte where
2x2 cells of x have sixteen. Fires where the windows' cells can be counted in a byte, in float32: what has kernels.
Changes no bit: both give the gradient to the first cell that holds the maximum. Comes after `shrink_pool_gradients`,
which asks for x.
"""

from __future__ import annotations

from collections.abc import Sequence

from striate.compiler.passes._nodes import node_at, value_at
from striate.ir.graph import Graph, Node, Value
from striate.ir.ops.attrs import PoolAttrs
from striate.ir.ops.max_pool2d_indices import MOST_CELLS


def keep_pool_indices(graph: Graph) -> Graph:
    pools = {(n.inputs[0], n.attrs): n for n in graph.nodes if n.op == "max_pool2d" and _counted(n)}
    wanted = set()
    for node in graph.nodes:
        if node.op == "max_pool2d_grad":
            pool = pools.get((node.inputs[1], node.attrs))
            if pool is not None and node.inputs[2] == pool.result():
                wanted.add(pool)

    def rule(old: Node, new: Node) -> Value | Sequence[Value] | None:
        if old in wanted:
            return node_at(new, "max_pool2d_indices", *new.inputs, attrs=new.attrs).results[0]
        if old.op == "max_pool2d_grad" and old.inputs[2].node in wanted:
            g, x, y = new.inputs
            assert isinstance(new.attrs, PoolAttrs)
            return value_at(new, "max_unpool2d", g, y.node.results[1], attrs=new.attrs.producing(x.type.dims))
        return None

    return graph.rewrite(rule)


def _counted(pool: Node) -> bool:
    assert isinstance(pool.attrs, PoolAttrs)
    return pool.types[0].dtype == "float32" and pool.attrs.pool[0] * pool.attrs.pool[1] <= MOST_CELLS
