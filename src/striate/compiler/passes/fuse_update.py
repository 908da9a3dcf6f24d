"""Update a large dense weight while its gradient is formed, so that the gradient is never there as a whole.

    before:  g = matmul(x, dy, transpose_a=True)      w1 = w - w * decay      w2, m2 = momentum_update(w1, m, g, lr)
    after:   w2, m2 = momentum_update_dense(w, m, x, dy, lr, decay)

Why: with few images such a weight's step is all memory. The gradient, as large as the weight, would be written and read
once more (AlexNet's are 234 MB), and decay would read and write the weight once more. Fires for weights that do not fit
a second-level cache, where nothing but the update reads the product: not with clipping by norm, accumulated gradients,
or a gradient that a step of one's own looks at. The decay is left out where there is none, and taken in where it is a
scalar. Changes no bit: sums, product and update are rounded as before.
"""

from __future__ import annotations

from striate.compiler.passes._nodes import node_at
from striate.ir.graph import Graph, Node, Value
from striate.ir.ops.attrs import MatmulAttrs

#: bytes of a weight from which on it pays
LARGE = 4 * 1024 * 1024

UPDATES = frozenset({"sgd_update", "momentum_update", "adam_update", "rmsprop_update"})


def fuse_update(graph: Graph) -> Graph:
    def rule(old: Node, new: Node) -> Node | None:
        if new.op not in UPDATES or new.types[0].nbytes < LARGE or new.types[0].dtype != "float32":
            return None
        slots = len(new.types) - 1
        factors = _product(graph, old.inputs[slots + 1], new.inputs[slots + 1])
        if factors is None:
            return None
        w, decay = _decay(graph, old.inputs[0], new.inputs[0])
        held, scalars = new.inputs[1 : slots + 1], new.inputs[slots + 2 :]
        return node_at(new, f"{new.op}_dense", w, *held, *factors, *scalars, *decay, attrs=new.attrs)

    return graph.rewrite(rule)


def _product(graph: Graph, old: Value, new: Value) -> tuple[Value, ...] | None:
    """(x, dy) of a gradient x^T dy that nothing else reads, seen through reshapes that keep its rows whole."""
    columns = new.type.dims[-1:]
    while True:
        if graph.uses(old) > 1:
            return None
        if new.op != "reshape":
            break
        old, new = old.inputs[0], new.inputs[0]
    if new.op != "matmul" or new.attrs != MatmulAttrs(True, False) or new.type.rank != 2:
        return None
    if any(v.type.rank != 2 for v in new.inputs) or new.type.dims[1:] != columns:
        return None
    return new.inputs


def _decay(graph: Graph, old: Value, new: Value) -> tuple[Value, tuple[Value, ...]]:
    """(w, (decay,)) of w - w * decay that nothing else reads; else the value as it is."""
    if new.op == "subtract" and new.inputs[1].op == "multiply" and graph.uses(old) == graph.uses(old.inputs[1]) == 1:
        w, taken = new.inputs
        for held, decay in (taken.inputs, taken.inputs[::-1]):
            if held == w and decay.type.shape == () and w.type == new.type:
                return w, (decay,)
    return new, ()
