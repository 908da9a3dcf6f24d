"""Drop what does nothing, join what does one thing in two steps.

    reshape(reshape(x))           -> reshape(x)          transpose(transpose(x))     -> transpose(x), or x
    cast(x, its own dtype)        -> x                   stop_gradient(x)            -> x
    x + 0, x - 0, x * 1, x / 1    -> x                   slice of all, pad by 0      -> x
    add(x, broadcast_to(b))       -> add(x, b)           reduce over axes of 1       -> reshape(x)
    power(x, 2)                   -> square(x)           power(x, 1)                 -> x

Why: a step less, and a pass over memory less. Gradients of broadcasting are full of such nodes. Changes no bit, but for
the sign of a zero (-0.0 + 0 is +0.0 where it is computed), and x * x is rounded better than the power.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from striate.compiler.passes._nodes import is_filled_with, node_at, value_at
from striate.ir.graph import Graph, Node, Value, replace
from striate.ir.ops.attrs import AxesAttrs, PadAttrs, PermAttrs, ShapeAttrs

#: op -> the second operand that leaves the first as it is, and whether the operands may be swapped.
_NEUTRAL = {"add": (0.0, True), "subtract": (0.0, False), "multiply": (1.0, True), "divide": (1.0, False)}

_BROADCASTING_OPS = """
add subtract multiply divide power maximum minimum mod floor_divide equal not_equal greater greater_equal less
less_equal logical_and logical_or logical_xor where
"""
_SAME_OVER_ONE = frozenset({"reduce_sum", "reduce_mean", "reduce_max", "reduce_min", "reduce_prod"})


def _reshaped(place: Node, x: Value) -> Value:
    """x in the shape of the node's result."""
    if x.type == place.types[0]:
        return x
    return value_at(place, "reshape", x, attrs=ShapeAttrs(place.types[0].dims))


def _identity(node: Node) -> Value | None:
    """Ops that hand their input on when it has the result's type already."""
    return node.inputs[0] if node.inputs[0].type == node.types[0] else None


def _reshape(node: Node) -> Value | None:
    x = node.inputs[0]
    if x.op == "reshape":
        return _reshaped(node, x.inputs[0])
    return _identity(node)


def _transpose(node: Node) -> Value | None:
    x = node.inputs[0]
    assert isinstance(node.attrs, PermAttrs)
    perm = node.attrs.perm
    if x.op == "transpose":
        joined = tuple(x.attrs.perm[p] for p in perm)
        joined_node = node_at(node, "transpose", x.inputs[0], attrs=PermAttrs(joined))
        return _transpose(joined_node) or joined_node.result()
    moved = [p for p in perm if x.type.shape[p] != 1]
    return _reshaped(node, x) if moved == sorted(moved) else None


def _broadcast_to(node: Node) -> Value | None:
    return _reshaped(node, node.inputs[0]) if node.inputs[0].type.size == node.types[0].size else None


def _reduce(node: Node) -> Value | None:
    x = node.inputs[0]
    assert isinstance(node.attrs, AxesAttrs)
    same = x.type.dtype == node.types[0].dtype and all(x.type.shape[a] == 1 for a in node.attrs.axes)
    return _reshaped(node, x) if same else None


def _pad(node: Node) -> Value | None:
    assert isinstance(node.attrs, PadAttrs)
    return None if any(node.attrs.pads) else node.inputs[0]


def _slice(node: Node) -> Value | None:
    x = node.inputs[0]
    # The step matters where an axis is longer than 1: [::-1] keeps the shape too.
    steps = [s for s, n in zip(node.attrs.step, x.type.dims, strict=True) if n > 1]  # type: ignore[attr-defined]
    return _identity(node) if all(s > 0 for s in steps) else None


def _concat(node: Node) -> Value | None:
    return node.inputs[0] if len(node.inputs) == 1 else None


def _binary(node: Node) -> Value | None:
    """Neutral operands; then operands that need no broadcasting of their own."""
    if node.op in _NEUTRAL:
        number, swaps = _NEUTRAL[node.op]
        for x, other in (node.inputs, node.inputs[::-1])[: 1 + swaps]:
            if x.type == node.types[0] and is_filled_with(other, number):
                return x
    inputs = list(node.inputs)
    for i, value in enumerate(inputs):
        if value.op == "broadcast_to":
            shapes = [v.type.dims for v in (*inputs[:i], value.inputs[0], *inputs[i + 1 :])]
            if np.broadcast_shapes(*shapes) == node.types[0].shape:
                inputs[i] = value.inputs[0]
    return None if inputs == list(node.inputs) else replace(node, inputs=inputs).result()


def _power(node: Node) -> Value | None:
    x, exponent = node.inputs
    if x.type == node.types[0] and x.type.dtype == "float32":
        if is_filled_with(exponent, 1.0):
            return x
        if is_filled_with(exponent, 2.0):
            return value_at(node, "square", x)
    return _binary(node)


_RULES: dict[str, Callable[[Node], Value | None]] = {
    "reshape": _reshape,
    "transpose": _transpose,
    "broadcast_to": _broadcast_to,
    "cast": _identity,
    "stop_gradient": _identity,
    "pad": _pad,
    "slice": _slice,
    "concat": _concat,
    **dict.fromkeys(_SAME_OVER_ONE, _reduce),
    **dict.fromkeys(_BROADCASTING_OPS.split(), _binary),
    "power": _power,
}


def simplify(graph: Graph) -> Graph:
    def rule(old: Node, new: Node) -> Value | None:
        simpler = _RULES.get(new.op)
        return simpler(new) if simpler is not None else None

    return graph.rewrite(rule)
