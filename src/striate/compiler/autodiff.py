"""Reverse-mode differentiation: gradients as new nodes of the same graph, made by each op's vjp.

For y = f(x), the gradient of a scalar L with respect to x is dL/dx = sum over the uses of x of the vjp of each use
(Griewank & Walther, Evaluating Derivatives, 2nd ed. 2008, chapter 3).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from striate.core.errors import ShapeError
from striate.ir.graph import SOURCES, Node, Value, constant_node
from striate.ir.opdef import call_vjp, make_node

FLOATS = frozenset({"float16", "bfloat16", "float32", "float64"})


def _between(value: Value, targets: frozenset[Value]) -> list[Node]:
    """The nodes on a path from a target to `value`, last traced first."""
    seen: dict[Node, None] = {}
    stack = [value.node]
    while stack:
        node = stack.pop()
        if node not in seen:
            seen[node] = None
            stack.extend(v.node for v in node.inputs)
    order = sorted(seen, key=lambda n: n.serial)
    depends: set[Node] = {v.node for v in targets}
    for node in order:
        if any(v.node in depends for v in node.inputs):
            depends.add(node)
    return [n for n in reversed(order) if n in depends]


def gradients(value: Value, targets: Sequence[Value]) -> list[Value | None]:
    """dvalue/dtarget for each target; None where value does not depend on it.

    Raises:
        ShapeError: `value` is not a scalar.
    """
    if value.type.size != 1:
        raise ShapeError(
            f"Gradients are taken of one number. Received a value of shape {value.type.shape}. "
            "Reduce it first, for example with ops.mean(loss)."
        )
    wanted = frozenset(targets)
    grads: dict[Value, Value] = {
        value: constant_node(np.ones(value.type.dims, value.type.dtype)).result(),
    }
    for node in _between(value, wanted):
        if node.op in SOURCES:
            continue
        given = tuple(grads.get(r) for r in node.results)
        if all(g is None for g in given):
            continue
        for source, grad in zip(node.inputs, call_vjp(node, given), strict=True):
            if grad is None or source.type.dtype not in FLOATS:
                continue
            assert grad.type.shape == source.type.shape, (
                f"vjp of {node.op}: gradient {grad.type} for an input {source.type}"
            )
            before = grads.get(source)
            grads[source] = grad if before is None else make_node("add", (before, grad)).result()
    return [grads.get(t) for t in targets]
