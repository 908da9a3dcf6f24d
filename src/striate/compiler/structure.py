"""The structure of a graph as something hashable: equal for graphs that compute the same in the same way."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from striate.ir.graph import Node, SourceAttrs, Value


class Structure:
    """A tuple that hashes once; graphs hold hundreds of nodes, and constants hash by content."""

    __slots__ = ("_hash", "rows")

    def __init__(self, rows: tuple[Hashable, ...]) -> None:
        self.rows = rows
        self._hash = hash(rows)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Structure) and self._hash == other._hash and self.rows == other.rows

    def __repr__(self) -> str:
        return f"<structure of {len(self.rows)} rows, {self._hash:x}>"


def structure_of(
    nodes: Sequence[Node], roots: Sequence[Value], variable_places: dict[int, int] | None = None
) -> Structure:
    """Rows of (op, attributes, types, wiring) and the places of the roots.

    Args:
        nodes: all nodes that `roots` depend on, each after its inputs.
        roots: the values asked for.
        variable_places: what number stands for the Variable at each position; None: its position.
    """
    place: dict[Node, int] = {}
    rows: list[Hashable] = []
    for node in nodes:
        attrs: Hashable = node.attrs
        if isinstance(node.attrs, SourceAttrs):  # a name is for people
            index = node.attrs.index
            attrs = variable_places[index] if variable_places is not None and node.op == "variable" else index
        place[node] = len(rows)
        rows.append((node.op, attrs, node.types, tuple((place[v.node], v.index) for v in node.inputs)))
    rows.append(tuple((place[v.node], v.index) for v in roots))
    return Structure(tuple(rows))
