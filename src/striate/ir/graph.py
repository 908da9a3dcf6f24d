"""Graphs. Immutable, as their nodes are: a pass makes a new Graph and leaves the old one as it was.

A Graph is a pure function: inputs and Variables read -> outputs and a list of (Variable, new value). Variables are
named by their position in `Graph.variables`; which Variable objects stand there is the caller's business, so that a
graph can be printed, compared and cached without them.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from striate.ir.attrs import NO_ATTRS, Attrs
from striate.ir.node import (
    SOURCES,
    ConstantAttrs,
    Node,
    SourceAttrs,
    Value,
    constant_node,
    input_node,
    replace,
    variable_node,
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
