"""The order in which nodes run: that of tracing, but updates as early as they can.

A weight's update that waited for the end of the step would keep every gradient alive until then. So a node whose
results are only new values of Variables, and the cheap nodes that only feed such (a bias gradient, weight decay), run
as soon as their inputs are there and the other readers of the old value are done, so that the new value can be
written over the old one.
"""

from __future__ import annotations

import heapq

from striate.compiler.aliases import ALIASES, root
from striate.ir.graph import SOURCES, Graph, Node, Value

#: Products and what else is worth keeping at its place: running one early would keep its result alive for long.
_COSTLY = ("conv2d", "depthwise", "dense", "matmul", "max_pool", "avg_pool", "batch_norm", "softmax", "gather")


def _early(graph: Graph, nodes: tuple[Node, ...]) -> set[Node]:
    """Nodes that lead to updates alone, by cheap ops."""
    outputs = {v.node for v in graph.outputs}
    updates = {v.node for _, v in graph.updates}
    users: dict[Node, list[Node]] = {}
    for node in nodes:
        for value in node.inputs:
            users.setdefault(value.node, []).append(node)
    early: set[Node] = set()
    for node in reversed(nodes):
        if node.op in SOURCES or node in outputs or node.op.startswith(_COSTLY):
            continue
        readers = users.get(node, [])
        if (node in updates or readers) and all(r in early for r in readers):
            early.add(node)
    return early


def _before_updates(graph: Graph, nodes: tuple[Node, ...]) -> dict[Node, set[Node]]:
    """For each node that makes an update: the other nodes that read the Variable's old value."""
    readers: dict[Value, set[Node]] = {}
    for node in nodes:
        if node.op not in ALIASES:
            for value in node.inputs:
                readers.setdefault(root(value), set()).add(node)
    wanted: dict[Node, set[Node]] = {}
    for index, value in graph.updates:
        maker = root(value).node
        if maker.op not in SOURCES:
            others = readers.get(graph.variables[index].result(), set()) - {maker}
            wanted.setdefault(maker, set()).update(others)
    return wanted


def schedule(graph: Graph) -> list[Node]:
    """Every node that computes something, each after what it reads."""
    early = _early(graph, graph.nodes)
    # Sources are there from the start, wherever in the trace they were first asked for.
    everything = [n for n in graph.nodes if n.op not in SOURCES]
    # Wishes, not needs: dropped where they would go round in a circle (a new value that the old one's reader reads).
    wishes = _before_updates(graph, graph.nodes)
    waiting: dict[Node, int] = {}
    users: dict[Node, list[Node]] = {}
    wished_by: dict[Node, list[Node]] = {}
    for node in everything:
        parents = {v.node for v in node.inputs if v.op not in SOURCES}
        waiting[node] = len(parents)
        for parent in parents:
            users.setdefault(parent, []).append(node)
        for other in wishes.get(node, ()):
            wished_by.setdefault(other, []).append(node)
    open_wishes = {node: len(others) for node, others in wishes.items()}
    place = {node: (0 if node in early else 1, node.serial, i) for i, node in enumerate(everything)}
    at = {place[n]: n for n in everything}
    ready = [place[n] for n in everything if not waiting[n] and not open_wishes.get(n)]
    heapq.heapify(ready)
    held = {n for n in everything if not waiting[n] and open_wishes.get(n)}
    order: list[Node] = []
    while ready or held:
        if not ready:  # a circle of wishes: the first traced goes without
            first = min(held, key=place.__getitem__)
            held.remove(first)
            heapq.heappush(ready, place[first])
            open_wishes[first] = 0
        node = at[heapq.heappop(ready)]
        order.append(node)
        for user in users.get(node, ()):
            waiting[user] -= 1
            if not waiting[user]:
                if open_wishes.get(user):
                    held.add(user)
                else:
                    heapq.heappush(ready, place[user])
        for user in wished_by.get(node, ()):
            if open_wishes[user]:
                open_wishes[user] -= 1
                if not open_wishes[user] and user in held:
                    held.remove(user)
                    heapq.heappush(ready, place[user])
    assert len(order) == len(everything), "the graph has a cycle"
    return order
