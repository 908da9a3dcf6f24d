"""A trace: the graph in the making. Ops add nodes, Variables are read and written; at the end it is a Graph.

A concrete trace also runs each op as it comes, so that every value is known at once: that is how gradients of code
that runs on arrays are taken (`value_and_grad` outside a traced function), with real numbers to look at.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

import numpy as np

from striate.ir.attrs import NO_ATTRS, Attrs
from striate.ir.graph import Graph, Node, Value, constant_node, input_node, variable_node
from striate.ir.opdef import make_node
from striate.ir.types import TensorType

Array = np.ndarray[Any, Any]
T = TypeVar("T")


class VariableLike(Protocol):
    """What a trace needs to know of a Variable."""

    @property
    def array(self) -> Array: ...

    @property
    def path(self) -> str: ...

    def __hash__(self) -> int: ...


def _same_bits(held: Array, array: Array) -> bool:
    return held.shape == array.shape and held.dtype == array.dtype and held.tobytes() == array.tobytes()


class Trace:
    """Collects what one call of a function computes."""

    def __init__(self) -> None:
        self.inputs: list[Node] = []
        #: the Variables read or written, in order of first use; Graph.variables has a node for each.
        self.variables: list[Any] = []
        self._nodes: dict[int, Node] = {}
        self._current: dict[int, Value] = {}
        self._constants: dict[int, tuple[Array, Value]] = {}

    def input(self, type_: TensorType, name: str) -> Value:
        node = input_node(len(self.inputs), name, type_)
        self.inputs.append(node)
        return node.result()

    def constant(self, array: Array) -> Value:
        """A value known while tracing. One array used twice is one constant."""
        held = self._constants.get(id(array))
        # The array is kept so that its id stays its own; it may have been written since.
        if held is None or not _same_bits(held[1].attrs.value, array):
            held = self._constants[id(array)] = (array, constant_node(array).result())
        return held[1]

    def _first(self, variable: Any) -> Value:
        node = self._nodes.get(id(variable))
        if node is None:
            array = variable.array
            type_ = TensorType(array.shape, array.dtype.name)
            node = variable_node(len(self.variables), variable.path, type_)
            self._nodes[id(variable)] = node
            self.variables.append(variable)
        return node.result()

    def read(self, variable: Any) -> Value:
        """The Variable's value at this point of the trace."""
        return self._current.get(id(variable)) or self._first(variable)

    def write(self, variable: Any, value: Value) -> None:
        """From here on, and after the run, the Variable has this value."""
        first = self._first(variable)
        assert first.type == value.type, f"{variable.path}: {first.type} assigned {value.type}"
        self._current[id(variable)] = value

    def branch(self, run: Callable[[], T]) -> tuple[T, list[tuple[Any, Value]]]:
        """One side of a decision: what it gives, and what it assigned, which is taken back."""
        before = dict(self._current)
        result = run()
        after, self._current = self._current, before
        changed = [v for v in self.variables if id(v) in after and after[id(v)] != before.get(id(v))]
        return result, [(v, after[id(v)]) for v in changed]

    def emit(self, op: str, inputs: Sequence[Value], attrs: Attrs = NO_ATTRS) -> tuple[Value, ...]:
        return make_node(op, tuple(inputs), attrs).results

    def graph(self, outputs: Sequence[Value]) -> Graph:
        """What was traced, as a pure function."""
        nodes = tuple(self._nodes[id(v)] for v in self.variables)
        updates = tuple(
            (i, self._current[id(v)])
            for i, v in enumerate(self.variables)
            if id(v) in self._current and self._current[id(v)] != nodes[i].result()
        )
        return Graph(tuple(self.inputs), nodes, tuple(outputs), updates)
