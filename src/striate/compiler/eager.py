"""One op, now, on arrays: how everything runs that is not traced.

An op with a native kernel runs by it, as a program of one step, kept for the next call with the same types; the others
run by their reference.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import Any

import numpy as np

from striate.compiler.pipeline import compile_graph
from striate.compiler.settings import Settings, in_force
from striate.compiler.trace import Trace
from striate.engine.native import arithmetic
from striate.ir.attrs import NO_ATTRS, Attrs
from striate.ir.graph import SOURCES, ConstantAttrs, Graph, Node, Value, input_node
from striate.ir.opdef import OPS, infer_types, make_node, run_reference
from striate.ir.types import TensorType, dtype_name

Array = np.ndarray[Any, Any]
Runner = Callable[[Sequence[Array]], Sequence[Array]]

#: Ops that only relabel a buffer: NumPy does it without a program.
_RELABEL = frozenset({"reshape", "stop_gradient"})


@lru_cache(maxsize=1024)
def _runner(op: str, types: tuple[TensorType, ...], attrs: Attrs, settings: Settings) -> Runner:
    if OPS[op].host or op in _RELABEL or any(t.size == 0 for t in types):
        infer_types(op, types, attrs)  # a misfit is told in our words
        return partial(_refer, op, attrs)
    sources = tuple(input_node(i, f"x{i}", t) for i, t in enumerate(types))
    node = make_node(op, tuple(s.result() for s in sources), attrs)
    executable = compile_graph(Graph(sources, (), node.results), training=False)
    return lambda arrays: executable.run(list(arrays), [])


def _refer(op: str, attrs: Attrs, arrays: Sequence[Array]) -> Sequence[Array]:
    with arithmetic():
        results = run_reference(op, tuple(arrays), attrs)
    return [r.copy() if any(np.may_share_memory(r, a) for a in arrays) else r for r in results]


def run_op(op: str, arrays: Sequence[Array], attrs: Attrs = NO_ATTRS) -> tuple[Array, ...]:
    """The results of one op on arrays; new arrays, never views of the inputs' memory that a caller could write."""
    held = [np.ascontiguousarray(a).reshape(np.shape(a)) for a in arrays]
    types = tuple(TensorType(a.shape, dtype_name(a.dtype)) for a in held)
    return tuple(_runner(op, types, attrs, in_force())(held))


class ConcreteTrace(Trace):
    """A trace over arrays: every node is run as it is made, and its values can be asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[Value, Array] = {}

    def read(self, variable: Any) -> Value:
        value = super().read(variable)
        if value not in self.values:
            # A copy: the Variable is written in place when the function assigns it.
            self.values[value] = np.array(variable.array)
        return value

    def write(self, variable: Any, value: Value) -> None:
        super().read(variable)
        super().write(variable, value)
        variable.write(self.value_of(value))

    def emit(self, op: str, inputs: Sequence[Value], attrs: Attrs = NO_ATTRS) -> tuple[Value, ...]:
        results = super().emit(op, inputs, attrs)
        self._run(results[0].node)
        return results

    def _run(self, node: Node) -> None:
        if node.op == "constant":
            assert isinstance(node.attrs, ConstantAttrs)
            self.values[node.result()] = node.attrs.value
        elif node.op not in SOURCES:
            arrays = run_op(node.op, [self.value_of(v) for v in node.inputs], node.attrs)
            self.values.update(zip(node.results, arrays, strict=True))

    def value_of(self, value: Value) -> Array:
        """The array a value stands for; nodes made outside `emit` (gradients) are run when first asked for."""
        stack = [value.node]
        while stack:
            node = stack[-1]
            if node.result() in self.values:
                stack.pop()
                continue
            waiting = [v.node for v in node.inputs if v not in self.values]
            if waiting:
                stack.extend(waiting)
            else:
                self._run(node)
                stack.pop()
        return self.values[value]
