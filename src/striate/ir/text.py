"""A Graph as text: one line a node, the same for the same graph, whenever it was made.

    %0 = input 0 "images"                                         float32[?, 28, 28, 1]
    %1 = variable 0 "conv2d/kernel"                               float32[7, 7, 1, 64]
    %2 = conv2d(%0, %1; padding='same', epilogue='relu')          float32[?, 28, 28, 64]
    %3 = top_k(%2; k=5)                                           float32[...], int32[...]
    return %3.1
    variable 0 <- %2

Results are numbered by place; %3.1 is the second of several. Attributes at their defaults are left out.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from striate.ir.attrs import Attrs
from striate.ir.graph import ConstantAttrs, Graph, Node, SourceAttrs, Value

#: constants of at most so many elements are written out
SHOWN = 4
_COLUMN = 64


def attrs_text(attrs: Attrs) -> str:
    """The fields that are not at their defaults."""
    if isinstance(attrs, ConstantAttrs):
        return ", ".join(map(str, attrs.value.reshape(-1).tolist())) if attrs.value.size <= SHOWN else "..."
    fields = [(f, getattr(attrs, f.name)) for f in dataclasses.fields(attrs)]
    return ", ".join(f"{f.name}={value!r}" for f, value in fields if value != f.default)


def _value(v: Value, places: Mapping[Node, int]) -> str:
    name = f"%{places[v.node]}" if v.node in places else f"#{v.node.serial}"
    return name if len(v.node.types) == 1 else f"{name}.{v.index}"


def node_text(node: Node, places: Mapping[Node, int] | None = None) -> str:
    """What a node computes, "conv2d(%0, %1; padding='same')"; without places, inputs go by their serial, "#17"."""
    if isinstance(node.attrs, SourceAttrs):
        return f'{node.op} {node.attrs.index} "{node.attrs.name}"'
    attrs = attrs_text(node.attrs)
    if node.op == "constant":
        return f"constant {attrs}"
    inputs = ", ".join(_value(v, places or {}) for v in node.inputs)
    return f"{node.op}({inputs}{'; ' if attrs else ''}{attrs})"


def graph_text(graph: Graph) -> str:
    """The whole graph. Inputs and Variables that nothing reads are listed as unused."""
    places = {node: i for i, node in enumerate(graph.nodes)}
    lines = []
    for node, i in places.items():
        said = f"%{i} = {node_text(node, places)}"
        lines.append(f"{said:<{_COLUMN}} {', '.join(map(str, node.types))}")
    unused = [node for node in (*graph.inputs, *graph.variables) if node not in places]
    lines.extend(f"{'unused ' + node_text(node):<{_COLUMN}} {node.types[0]}" for node in unused)
    lines.append(f"return {', '.join(_value(v, places) for v in graph.outputs)}".rstrip())
    lines.extend(f"variable {i} <- {_value(v, places)}" for i, v in graph.updates)
    return "\n".join(lines) + "\n"
