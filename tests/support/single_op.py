"""One op at a time for tests: a node over inputs, and its gradients by its own rule."""

from __future__ import annotations

from typing import Any

import numpy as np

from striate.engine.interpreter import interpret
from striate.ir.attrs import Attrs
from striate.ir.graph import Graph, Node, Value, input_node
from striate.ir.opdef import call_vjp, make_node
from striate.ir.types import TensorType

Array = np.ndarray[Any, Any]


def type_of(x: Array) -> TensorType:
    return TensorType(x.shape, x.dtype.name)


def inputs_for(*arrays: Array) -> tuple[Node, ...]:
    return tuple(input_node(i, f"x{i}", type_of(x)) for i, x in enumerate(arrays))


def run(nodes: tuple[Node, ...], outputs: list[Value], arrays: tuple[Array, ...]) -> list[Array]:
    """The values of the outputs, by the references."""
    return interpret(Graph(nodes, (), tuple(outputs)), arrays, [])[0]


def gradients(
    op: str, arrays: tuple[Array, ...], attrs: Attrs, weights: tuple[Array | None, ...]
) -> list[Array | None]:
    """dL/dinput for each input, where L = sum over the results of weight * result (None: the result is not in L)."""
    nodes = inputs_for(*arrays, *(w for w in weights if w is not None))
    values = [n.result() for n in nodes]
    node = make_node(op, tuple(values[: len(arrays)]), attrs)
    rest = iter(values[len(arrays) :])
    grads = call_vjp(node, tuple(None if w is None else next(rest) for w in weights))
    for x, g in zip(arrays, grads):
        assert g is None or g.type == type_of(x), f"the gradient of {op} has type {g.type}, its input {type_of(x)}"
    given = (*arrays, *(w for w in weights if w is not None))
    got = iter(run(nodes, [g for g in grads if g is not None], given))
    return [None if g is None else next(got) for g in grads]
