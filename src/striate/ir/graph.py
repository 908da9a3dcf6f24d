"""Nodes, values and graphs. All immutable: a pass makes a new Graph and leaves the old one as it was.

A Graph is a pure function: inputs and Variables read -> outputs and a list of (Variable, new value). Variables are
named by their position in `Graph.variables`; which Variable objects stand there is the caller's business, so that a
graph can be printed, compared and cached without them.

Three ops have no definition in `ir/ops`, since they compute nothing: "input", "variable" and "constant".
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from striate.ir.attrs import NO_ATTRS, Attrs
from striate.ir.types import TensorType

_serial = itertools.count()

SOURCES = frozenset({"input", "variable", "constant"})


@dataclass(frozen=True)
class SourceAttrs(Attrs):
    """Of "input" and "variable": the position in Graph.inputs or Graph.variables, and a name for people."""

    index: int
    name: str


@dataclass(frozen=True, eq=False)
class ConstantAttrs(Attrs):
    """Of "constant": its value. Compared by content, so that equal constants fold into one."""

    value: np.ndarray[Any, Any]

    def _key(self) -> tuple[str, tuple[int, ...], bytes]:
        return str(self.value.dtype), self.value.shape, self.value.tobytes()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ConstantAttrs) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __str__(self) -> str:
        return f"{self.value.dtype}{list(self.value.shape)}"


class Node:
    """One application of an op. Equal only to itself; `serial` is its place in the order of tracing."""

    __slots__ = ("attrs", "inputs", "op", "serial", "types")

    def __init__(
        self,
        op: str,
        inputs: tuple[Value, ...],
        attrs: Attrs,
        types: tuple[TensorType, ...],
        serial: int | None = None,
    ) -> None:
        self.op = op
        self.inputs = inputs
        self.attrs = attrs
        self.types = types
        self.serial = next(_serial) if serial is None else serial

    def result(self, index: int = 0) -> Value:
        return Value(self, index)

    @property
    def results(self) -> tuple[Value, ...]:
        return tuple(Value(self, i) for i in range(len(self.types)))

    def __repr__(self) -> str:
        return f"<{self.op} #{self.serial}: {', '.join(map(str, self.types))}>"


@dataclass(frozen=True, slots=True)
class Value:
    """One result of a node."""

    node: Node
    index: int = 0

    @property
    def type(self) -> TensorType:
        return self.node.types[self.index]

    @property
    def op(self) -> str:
        return self.node.op

    @property
    def attrs(self) -> Any:
        return self.node.attrs

    @property
    def inputs(self) -> tuple[Value, ...]:
        return self.node.inputs

    def __repr__(self) -> str:
        return f"%{self.node.serial}.{self.index}:{self.type}"


def replace(
    what: Node | Value,
    *,
    op: str | None = None,
    inputs: Sequence[Value] | None = None,
    attrs: Attrs | None = None,
    types: tuple[TensorType, ...] | None = None,
) -> Node:
    """A copy of a node with some parts changed, at the same place in the order."""
    node = what.node if isinstance(what, Value) else what
    return Node(
        op or node.op,
        node.inputs if inputs is None else tuple(inputs),
        node.attrs if attrs is None else attrs,
        types or node.types,
        node.serial,
    )


@dataclass(frozen=True)
class Graph:
    """A pure function from inputs and Variables to outputs and new values of Variables."""

    inputs: tuple[Node, ...]
    variables: tuple[Node, ...]
    outputs: tuple[Value, ...]
    updates: tuple[tuple[int, Value], ...] = ()
    _uses: dict[Value, int] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """Every node that is needed, inputs before users, otherwise in the order of tracing."""
        roots = [v.node for v in self.roots]
        users: dict[Node, list[Node]] = {}
        waiting: dict[Node, int] = {}
        stack = list(roots)
        while stack:
            node = stack.pop()
            if node in waiting:
                continue
            parents = dict.fromkeys(v.node for v in node.inputs)  # in order: ties must not depend on addresses
            waiting[node] = len(parents)
            for parent in parents:
                users.setdefault(parent, []).append(node)
                stack.append(parent)
        tie = itertools.count()
        ready = [(n.serial, next(tie), n) for n, w in waiting.items() if w == 0]
        heapq.heapify(ready)
        ordered: list[Node] = []
        while ready:
            _, _, node = heapq.heappop(ready)
            ordered.append(node)
            for user in users.get(node, ()):
                waiting[user] -= 1
                if waiting[user] == 0:
                    heapq.heappush(ready, (user.serial, next(tie), user))
        assert len(ordered) == len(waiting), "the graph has a cycle"
        return tuple(ordered)

    @property
    def roots(self) -> tuple[Value, ...]:
        """Outputs, then new values of Variables."""
        return (*self.outputs, *(v for _, v in self.updates))

    def uses(self, value: Value) -> int:
        """How often a value is read: by nodes, as an output, as an update."""
        if not self._uses:
            for v in itertools.chain(self.roots, *(n.inputs for n in self.nodes)):
                self._uses[v] = self._uses.get(v, 0) + 1
        return self._uses.get(value, 0)

    def rewrite(self, rule: Callable[[Node, Node], Node | Value | Sequence[Value] | None]) -> Graph:
        """Map every node in order. `rule(old, new)` gets the old node and its copy over already mapped inputs.

        It returns None to keep `new`, or what takes its place: a node with as many results, a Value (for a node with
        one result) or one Value a result. Sources keep their positions: a rule may not replace inputs or variables.
        """
        mapping: dict[Value, Value] = {}
        for old in self.nodes:
            inputs = tuple(mapping[v] for v in old.inputs)
            new = old if inputs == old.inputs else replace(old, inputs=inputs)
            got = rule(old, new)
            if got is None:
                got = new
            if isinstance(got, Node):
                results: Sequence[Value] = got.results
            elif isinstance(got, Value):
                results = (got,)
            else:
                results = got
            assert len(results) == len(old.types), f"{old!r} was replaced by {len(results)} results"
            mapping.update(zip(old.results, results, strict=True))
        return Graph(
            self.inputs,
            self.variables,
            tuple(mapping[v] for v in self.outputs),
            tuple((i, mapping[v]) for i, v in self.updates),
        )

    def with_roots(self, outputs: Iterable[Value], updates: Iterable[tuple[int, Value]]) -> Graph:
        return Graph(self.inputs, self.variables, tuple(outputs), tuple(updates))


def input_node(index: int, name: str, type_: TensorType) -> Node:
    return Node("input", (), SourceAttrs(index, name), (type_,))


def variable_node(index: int, name: str, type_: TensorType) -> Node:
    return Node("variable", (), SourceAttrs(index, name), (type_,))


def constant_node(value: np.ndarray[Any, Any]) -> Node:
    held = np.array(value, copy=True)
    held.setflags(write=False)
    return Node("constant", (), ConstantAttrs(held), (TensorType(held.shape, held.dtype.name),))


__all__ = [
    "NO_ATTRS",
    "SOURCES",
    "Attrs",
    "ConstantAttrs",
    "Graph",
    "Node",
    "SourceAttrs",
    "Value",
    "constant_node",
    "input_node",
    "replace",
    "variable_node",
]
