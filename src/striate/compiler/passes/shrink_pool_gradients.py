"""Do on a pool's result what its gradient would do on its input, which is larger.

    before:  dx = max_pool2d_grad(g, x, y)           dz = relu_grad(dx, x)       db = reduce_sum(dz, batch and image)
    after:   h = relu_grad(g, y)                     db = reduce_sum(h, batch and image)
             dz = max_pool2d_grad(h, x, y)

Why: with windows of 2x2 the mask and the sum read a quarter of the numbers, and dx is not read and written once more.
A cell that takes gradient holds the window's maximum, so x > 0 there just where y > 0, also where windows overlap: dz
keeps its bits. Every window gives its gradient to one cell (or, averaging, in equal shares to all of its cells), so a
sum over the image is the sum of g: fewer terms, rounded less. The mask moves only if it is the sole reader of dx.
"""

from __future__ import annotations

from striate.compiler.passes._nodes import node_at, value_at
from striate.ir.graph import Graph, Node
from striate.ir.ops.attrs import AxesAttrs

#: Told by comparing with x, so that a cell's slope is the window's, NaN included.
_MASKS = frozenset({"relu_grad", "relu6_grad"})
_POOLS = frozenset({"max_pool2d_grad", "avg_pool2d_grad"})
#: of (batch, height, width, channels): a window lies within them
_IMAGE = {1, 2}


def shrink_pool_gradients(graph: Graph) -> Graph:
    def rule(old: Node, new: Node) -> Node | None:
        if new.op in _MASKS:
            dx, x = new.inputs
            if dx.op != "max_pool2d_grad" or dx.inputs[1] != x or graph.uses(old.inputs[0]) > 1:
                return None
            g, _, y = dx.inputs
            return node_at(new, dx.op, value_at(new, new.op, g, y, attrs=new.attrs), x, y, attrs=dx.attrs)
        if new.op == "reduce_sum" and isinstance(new.attrs, AxesAttrs):
            dx = new.inputs[0]
            if dx.op in _POOLS and _IMAGE.issubset(new.attrs.axes):
                return node_at(new, new.op, dx.inputs[0], attrs=new.attrs)
        return None

    return graph.rewrite(rule)
