"""Compute once what is computed twice.

    before:  y = exp(x)   z = exp(x)   w = add(y, z)
    after:   y = exp(x)                w = add(y, y)

Why: autodiff makes the same node wherever two gradient rules need the same thing, and users write formulas as they
come. Every op is a pure function of its inputs and attributes (random ones too: their state is an input), so equal
nodes have equal results. Changes no bit.
"""

from __future__ import annotations

from collections.abc import Hashable

from striate.ir.graph import Graph, Node


def eliminate_common_subexpressions(graph: Graph) -> Graph:
    seen: dict[Hashable, Node] = {}

    def rule(old: Node, new: Node) -> Node | None:
        if new.op in ("input", "variable"):
            return None
        return seen.setdefault((new.op, new.inputs, new.attrs, new.types), new)

    return graph.rewrite(rule)
