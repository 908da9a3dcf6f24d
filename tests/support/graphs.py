"""Graphs for the compiler's tests: made by hand, or drawn at random."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

import striate.ir.ops  # noqa: F401 - fills the table of ops
from striate.ir.attrs import NO_ATTRS, Attrs
from striate.ir.graph import Graph, Node, Value, constant_node, input_node, variable_node
from striate.ir.opdef import make_node
from striate.ir.ops.attrs import (
    AxesAttrs,
    ConvAttrs,
    DenseAttrs,
    MatmulAttrs,
    NormAttrs,
    PermAttrs,
    PoolAttrs,
    ShapeAttrs,
)
from striate.ir.types import TensorType

Array = np.ndarray[Any, Any]


class State:
    """Stands in for a Variable: memory and a version."""

    def __init__(self, array: Any) -> None:
        self.array = np.array(array)
        self.version = 0


class Builder:
    """Makes a graph node by node, with the arrays to run it on."""

    def __init__(self, seed: int = 0) -> None:
        self.rng = np.random.default_rng(seed)
        self.inputs: list[Node] = []
        self.variables: list[Node] = []
        self.arrays: list[Array] = []
        self.state: list[Array] = []

    def _random(self, shape: Sequence[int], dtype: str) -> Array:
        if dtype == "float32":
            return self.rng.standard_normal(tuple(shape)).astype(np.float32)
        return self.rng.integers(0, 3, tuple(shape)).astype(dtype)

    def input(self, *shape: int, dtype: str = "float32") -> Value:
        node = input_node(len(self.inputs), f"x{len(self.inputs)}", TensorType(shape, dtype))
        self.inputs.append(node)
        self.arrays.append(self._random(shape, dtype))
        return node.result()

    def variable(self, *shape: int, value: Any = None, dtype: str = "float32") -> Value:
        node = variable_node(len(self.variables), f"w{len(self.variables)}", TensorType(shape, dtype))
        self.variables.append(node)
        self.state.append(self._random(shape, dtype) if value is None else np.full(shape, value, dtype))
        return node.result()

    @staticmethod
    def constant(value: Any, dtype: str = "float32") -> Value:
        return constant_node(np.asarray(value, dtype)).result()

    @staticmethod
    def op(op: str, *inputs: Value, attrs: Attrs = NO_ATTRS) -> Any:
        results = make_node(op, inputs, attrs).results
        return results[0] if len(results) == 1 else results

    def graph(self, *outputs: Value, updates: dict[Value, Value] | None = None) -> Graph:
        """`updates`: variable -> its new value."""
        pairs = tuple((v.attrs.index, new) for v, new in (updates or {}).items())
        return Graph(tuple(self.inputs), tuple(self.variables), tuple(outputs), pairs)

    def states(self) -> list[State]:
        return [State(a) for a in self.state]


def ops_of(graph: Graph) -> list[str]:
    """The ops of a graph in order, sources left out."""
    return [n.op for n in graph.nodes if n.op not in ("input", "variable", "constant")]


def convolution_block(b: Builder, x: Value, filters: int, activation: str = "relu") -> Value:
    """conv2d -> + bias -> batch_norm_infer -> activation, every weight a variable."""
    channels = x.type.shape[-1]
    w, bias = b.variable(3, 3, channels, filters), b.variable(filters)
    gamma, beta, mean = (b.variable(filters) for _ in range(3))
    variance = b.variable(filters, value=0.5)
    y = b.op("add", b.op("conv2d", x, w, attrs=ConvAttrs(padding="same")), bias)
    y = b.op("batch_norm_infer", y, gamma, beta, mean, variance, attrs=NormAttrs(1e-3))
    return b.op(activation, y)


_UNARY = ("relu", "tanh", "sigmoid", "neg", "abs", "silu", "relu6", "stop_gradient", "hard_sigmoid")
_BINARY = ("add", "subtract", "multiply", "maximum", "minimum")


def _shapes_that_fit(values: list[Value], x: Value) -> list[Value]:
    fitting = []
    for v in values:
        try:
            shape = np.broadcast_shapes(v.type.dims, x.type.dims)
        except ValueError:
            continue
        if np.prod(shape, dtype=int) <= max(512, x.type.size):
            fitting.append(v)
    return fitting


def _grow(draw: st.DrawFn, b: Builder, values: list[Value]) -> Value:
    """One more node over those there are."""
    x = draw(st.sampled_from(values))
    rank = x.type.rank
    kind = draw(st.sampled_from(("unary", "unary", "binary", "binary", "move", "reduce", "product", "neutral")))
    if kind == "unary":
        return b.op(draw(st.sampled_from(_UNARY)), x)
    if kind == "binary":
        other = draw(st.sampled_from(_shapes_that_fit(values, x)))
        return b.op(draw(st.sampled_from(_BINARY)), x, other)
    if kind == "neutral":
        op, number = draw(st.sampled_from((("add", 0.0), ("multiply", 1.0), ("subtract", 0.0), ("divide", 1.0))))
        return b.op(op, x, b.constant(np.full(x.type.dims if draw(st.booleans()) else (), number)))
    if kind == "move" and rank:
        if draw(st.booleans()):
            return b.op("transpose", x, attrs=PermAttrs(tuple(draw(st.permutations(range(rank))))))
        if draw(st.booleans()) and x.type.size <= 64:
            return b.op("broadcast_to", x, attrs=ShapeAttrs((2, *x.type.dims)))
        return b.op("reshape", x, attrs=ShapeAttrs(draw(st.sampled_from(((-1,), (1, -1), (-1, 1))))))
    if kind == "reduce" and rank:
        axes = tuple(sorted(draw(st.sets(st.sampled_from(range(rank)), min_size=1))))
        return b.op(draw(st.sampled_from(("reduce_sum", "reduce_mean", "reduce_max"))), x, attrs=AxesAttrs(axes, True))
    if kind == "product" and rank >= 1:
        w = b.variable(x.type.dims[-1], draw(st.integers(1, 5)))
        if rank >= 2 and draw(st.booleans()):
            return b.op("matmul", x, w, attrs=MatmulAttrs())
        y = b.op("dense", x, w, attrs=DenseAttrs())
        return b.op("add", y, b.variable(w.type.dims[-1])) if draw(st.booleans()) else y
    return b.op("tanh", x)


@st.composite
def graphs(draw: st.DrawFn, max_nodes: int = 14) -> tuple[Builder, Graph]:
    """A random graph with inputs, variables, constants, outputs and updates, and the arrays to run it on."""
    b = Builder(draw(st.integers(0, 2**16)))
    values = [
        b.input(2, 3),
        b.input(3),
        b.variable(2, 3),
        b.variable(3),
        b.variable(2, 3),
        b.constant([0.5, -1.0, 2.0]),
    ]
    for _ in range(draw(st.integers(1, max_nodes))):
        values.append(_grow(draw, b, values))
    outputs = draw(st.lists(st.sampled_from(values), min_size=1, max_size=3))
    updates: dict[Value, Value] = {}
    if draw(st.booleans()):
        for node in b.variables:
            fitting = [node.result(), *(v for v in values if v.type == node.types[0])]
            if draw(st.booleans()):
                updates[node.result()] = draw(st.sampled_from(fitting))
    return b, b.graph(*outputs, updates=updates)


def lecture_like(b: Builder, x: Value, labels: Value) -> tuple[Value, list[Value]]:
    """A small network of the lecture's kind, up to its mean loss; and its weights."""
    weights = [b.variable(3, 3, 1, 4), b.variable(4), b.variable(3 * 3 * 4, 5), b.variable(5)]
    y = b.op("conv2d", x, weights[0], attrs=ConvAttrs(padding="same"))
    y = b.op("relu", b.op("add", y, weights[1]))
    y = b.op("max_pool2d", y, attrs=PoolAttrs((2, 2), (2, 2)))
    y = b.op("reshape", y, attrs=ShapeAttrs((-1, 3 * 3 * 4)))
    y = b.op("dense", y, *weights[2:], attrs=DenseAttrs())
    losses = b.op("sparse_softmax_crossentropy", y, labels)
    return b.op("reduce_mean", losses, attrs=AxesAttrs((0,), False)), weights
