"""Which nodes depend on Variables and constants alone, and so are computed once a change, not once a run.

Only in graphs that update nothing: there a folded batch norm or a packed weight stays right from run to run. The values
that the rest of the graph reads go to persistent buffers (`engine/derived.py`); what leads to them runs under a guard.
Nodes that depend on one another through such values share a guard, since what is between them lives in the arena and is
only there when all of them run.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from striate.compiler.aliases import ALIASES, root
from striate.compiler.structure import structure_of
from striate.engine.program import Derived
from striate.ir.graph import SOURCES, Graph, Node, SourceAttrs, Value

#: A derived buffer may not be larger than this many times the Variables it comes from (plus 64 KiB): what is broadcast
#: to the batch is cheaper to make again than to keep. Transforming a filter gives 4 times, and up to twice that where
#: few filters leave half a panel empty.
_GROWTH, _SPARE = 8, 64 * 1024


@dataclass
class DerivedNodes:
    """`guard` of each derived node, and the persistent buffer of each value that others read."""

    guard: dict[Node, int] = field(default_factory=dict)
    buffers: dict[Value, int] = field(default_factory=dict)
    derived: list[Derived] = field(default_factory=list)

    @property
    def n_guards(self) -> int:
        return max(self.guard.values(), default=-1) + 1


def weight_only(graph: Graph) -> dict[Node, frozenset[Node]]:
    """The nodes worth keeping, each with the Variables it is made from."""
    made_from: dict[Node, frozenset[Node]] = {}
    for node in graph.nodes:
        if node.op in ("variable", "constant"):
            made_from[node] = frozenset({node} if node.op == "variable" else ())
        elif node.op not in SOURCES and all(v.node in made_from for v in node.inputs):
            sources = frozenset().union(*(made_from[v.node] for v in node.inputs))
            budget = _GROWTH * sum(v.types[0].nbytes for v in sources) + _SPARE
            if sum(t.nbytes for t in node.types) <= budget:
                made_from[node] = sources
    return {n: s for n, s in made_from.items() if n.op not in SOURCES}


def _groups(nodes: Iterable[Node], members: dict[Node, frozenset[Node]]) -> dict[Node, int]:
    """Connected components, numbered in order of first appearance."""
    parent: dict[Node, Node] = {}

    def find(node: Node) -> Node:
        while parent[node] is not node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for node in nodes:
        parent[node] = node
        for value in node.inputs:
            if value.node in members:
                parent[find(value.node)] = find(node)
    numbers: dict[Node, int] = {}
    return {node: numbers.setdefault(find(node), len(numbers)) for node in parent}


def _ancestors(value: Value, order: Sequence[Node]) -> list[Node]:
    needed = {value.node}
    for node in reversed(order):
        if node in needed:
            needed.update(v.node for v in node.inputs)
    return [n for n in order if n in needed]


def find_derived(graph: Graph) -> DerivedNodes:
    """What to keep from run to run; nothing where the graph updates Variables."""
    found = DerivedNodes()
    if graph.updates:
        return found
    members = weight_only(graph)
    ordered = [n for n in graph.nodes if n in members]
    if not ordered:
        return found
    groups = _groups(ordered, members)
    found.guard = {n: g for n, g in groups.items() if n.op not in ALIASES}
    read_outside = [v for n in graph.nodes if n not in members and n.op not in ALIASES for v in n.inputs]
    for value in (*read_outside, *graph.outputs):
        base = root(value)
        if base.node not in found.guard or base in found.buffers:
            continue
        nodes = _ancestors(base, graph.nodes)
        variables = sorted(n.attrs.index for n in nodes if n.op == "variable" and isinstance(n.attrs, SourceAttrs))
        places = {index: place for place, index in enumerate(variables)}
        expression = structure_of(nodes, (base,), places)
        found.buffers[base] = len(found.derived)
        found.derived.append(Derived(base.type, tuple(variables), expression, found.guard[base.node]))
    return found
