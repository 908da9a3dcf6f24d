"""summary(): the layers of a model, their output shapes and numbers of weights, as Keras prints them."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from striate.backend import Variable, say
from striate.core.errors import ArgumentError
from striate.layers.base import Layer
from striate.models.graph import LayerGraph
from striate.models.table import draw


def readable_size(nbytes: float) -> str:
    """Bytes in the unit that fits: "3.47 KB"."""
    for unit in ("B", "KB", "MB", "GB", "TB"):
        if nbytes < 1024:
            return f"{nbytes:.2f} {unit}"
        nbytes /= 1024
    return f"{nbytes:.2f} PB"


def _count(variables: Iterable[Variable]) -> tuple[int, int]:
    """(numbers, bytes), each Variable once."""
    found = {id(v): v for v in variables}
    return sum(v.size for v in found.values()), sum(v.array.nbytes for v in found.values())


def _shape_text(shape: Any) -> str:
    return "(" + ", ".join(str(d) for d in shape) + ")"


def _output_shape(layer: Any) -> str:
    nodes = layer._inbound_nodes
    if nodes:
        shapes = [_shape_text(t.shape) for t in nodes[-1].outputs]
        return shapes[0] if len(shapes) == 1 else "[" + ", ".join(shapes) + "]"
    built_with = getattr(layer, "_build_shapes", None)
    if not built_with or None in built_with.values():
        return "?"
    try:
        shapes_found = layer.compute_output_shape(*built_with.values())
    except Exception:
        # A call that needs more than shapes; the summary shows what it can.
        return "?"
    return _nested_shapes(shapes_found)


def _nested_shapes(shapes: Any) -> str:
    if isinstance(shapes, dict):
        return "{" + ", ".join(f"{k}: {_nested_shapes(v)}" for k, v in shapes.items()) + "}"
    if isinstance(shapes, list | tuple) and any(isinstance(s, list | tuple | dict) for s in shapes):
        return "[" + ", ".join(_nested_shapes(s) for s in shapes) + "]"
    return _shape_text(shapes)


def _is_chain(graph: LayerGraph) -> bool:
    """Whether every layer follows the one before: then the summary needs no column of connections."""
    depths = list(graph.depth_of.values())
    if len(set(depths)) != len(depths):
        return False
    if any(len(node.input_tensors) > 1 for node in graph.nodes):
        return False
    operations = [id(node.operation) for node in graph.nodes]
    return len(set(operations)) == len(operations)


def _connections(layer: Any, graph: LayerGraph) -> str:
    places = [
        "{}[{}][{}]".format(t._keras_history.operation.name, *t._keras_history[1:])
        for node in layer._inbound_nodes
        if node in graph.depth_of
        for t in node.input_tensors
    ]
    return ", ".join(places) or "-"


class _Rows:
    """The table's rows."""

    def __init__(self, graph: LayerGraph | None, expand_nested: bool, show_trainable: bool) -> None:
        self.graph = graph
        self.expand_nested = expand_nested
        self.show_trainable = show_trainable

    def of(self, layer: Any, level: int = 0) -> list[list[str]]:
        """The row of a layer, and those of the layers in it where they are wanted."""
        prefix = "   " * level + "└ " if level else ""
        kind = getattr(layer, "class_name", type(layer).__name__)
        fields = [f"{prefix}{layer.name} ({kind})", _output_shape(layer), self._params(layer)]
        if self.graph is not None:
            fields.append(_connections(layer, self.graph))
        if self.show_trainable:
            has_weights = isinstance(layer, Layer) and bool(layer.weights)
            fields.append(("Y" if layer.trainable else "N") if has_weights else "-")
        rows = [fields]
        if self.expand_nested:
            for inner in getattr(layer, "layers", None) or ():
                rows += self.of(inner, level + 1)
        return rows

    @staticmethod
    def _params(layer: Any) -> str:
        if not isinstance(layer, Layer):
            return "0"
        return f"{layer.count_params():,}" if layer.built else "0 (unbuilt)"


def _in_range(layers: Sequence[Any], layer_range: Any) -> Sequence[Any]:
    """The layers from the first that matches one pattern to the last that matches the other."""
    if layer_range is None:
        return layers
    if len(layer_range) != 2 or not all(isinstance(p, str) for p in layer_range):
        raise ArgumentError(
            f"layer_range must be two strings, names or patterns of the first and last layer. Received: {layer_range}"
        )
    first = [i for i, layer in enumerate(layers) if re.match(layer_range[0], layer.name)]
    last = [i for i, layer in enumerate(layers) if re.match(layer_range[1], layer.name)]
    if not first or not last:
        raise ArgumentError(f"Passed layer_names do not match the layer names in the model. Received: {layer_range}")
    begin, end = min(first), max(last)
    if begin > end:
        begin, end = min(last), max(first)
    return layers[begin : end + 1]


def summary_lines(
    model: Any,
    line_length: int | None = None,
    positions: Sequence[float] | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: Any = None,
) -> list[str]:
    """The lines that `summary` prints."""
    graph = None
    layers = model.layers
    if hasattr(model, "operations"):  # functional: functions of striate.ops are listed too
        layers = model.operations
        graph = None if _is_chain(model._graph) else model._graph
    if graph is None:
        default_length, default_positions = 88, [0.45, 0.80, 1.0]
        header, aligns = ["Layer (type)", "Output Shape", "Param #"], ["left", "left", "right"]
    else:
        default_length, default_positions = 108, [0.3, 0.56, 0.74, 1.0]
        header = ["Layer (type)", "Output Shape", "Param #", "Connected to"]
        aligns = ["left", "left", "right", "left"]
    ends = list(positions or default_positions)
    if show_trainable:
        default_length += 12
        ends = [p * 0.90 for p in ends] + [1.0]
        header.append("Trainable")
        aligns.append("center")
    length = line_length or min(default_length, shutil.get_terminal_size().columns - 4)
    wanted: list[int] = []
    for end in ends:
        wanted.append((int(end * length) if end <= 1 else int(end)) - sum(wanted))
        if wanted[-1] < 4:
            raise ArgumentError(
                f"Insufficient console width to print summary: line_length={length}, positions={ends}. "
                "Give a larger `line_length`."
            )
    rows = _Rows(graph, expand_nested, show_trainable)
    drawn = [row for layer in _in_range(layers, layer_range) for row in rows.of(layer)]
    return [f'Model: "{model.name}"', *draw(header, drawn, wanted, aligns, length), *_totals(model)]


def _totals(model: Any) -> list[str]:
    trainable, non_trainable = _count(model.trainable_weights), _count(model.non_trainable_weights)
    optimizer = getattr(model, "optimizer", None)
    of_optimizer = _count(optimizer.variables) if optimizer is not None and optimizer.built else None
    parts = [trainable, non_trainable, *([of_optimizer] if of_optimizer else [])]

    def line(name: str, count: tuple[int, int]) -> str:
        return f" {name} params: {count[0]:,} ({readable_size(count[1])})"

    lines = [
        line("Total", (sum(p[0] for p in parts), sum(p[1] for p in parts))),
        line("Trainable", trainable),
        line("Non-trainable", non_trainable),
    ]
    return lines + ([line("Optimizer", of_optimizer)] if of_optimizer else [])


def print_summary(
    model: Any,
    line_length: int | None = None,
    positions: Sequence[float] | None = None,
    print_fn: Callable[[str], Any] | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: Any = None,
) -> None:
    """Print a model's summary; `print_fn` gets the whole text at once, as in Keras."""
    lines = summary_lines(model, line_length, positions, expand_nested, show_trainable, layer_range)
    if print_fn is None:
        say("\n".join(lines))
    else:
        print_fn("\n".join(lines) + "\n")
