"""A layer as a box: its class and name, and what a plot is to show of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from striate.backend import FunctionalNode, KerasTensor
from striate.core import tree
from striate.explain import words
from striate.explain.scene import Rect, Text, width_of
from striate.layers.input import InputLayer

_TITLE, SIZE = 13.0, 11.0  # of texts
_ROW = 26.0
_PADDING = 9.0
_YES, _NO = "#228b22", "#b22222"


@dataclass(frozen=True)
class Shown:
    """What a plot shows: the arguments of `plot_model`."""

    shapes: bool
    dtype: bool
    names: bool
    activations: bool
    trainable: bool
    expand: bool
    direction: str
    splines: str


@dataclass(frozen=True)
class _Cell:
    text: str
    ground: str = "#ffffff"
    color: str = "#1f2328"
    size: float = SIZE
    bold: bool = False

    @property
    def width(self) -> float:
        return width_of(self.text, self.size, self.bold) + 2 * _PADDING


class Box:
    """Rows of cells, all rows as wide as the widest."""

    def __init__(self, rows: Sequence[Sequence[_Cell]]) -> None:
        self._rows = [row for row in rows if row]
        self.width = max(sum(cell.width for cell in row) for row in self._rows)
        self.height = _ROW * len(self._rows)

    def draw(self, x: float, y: float) -> list[Rect | Text]:
        shapes: list[Rect | Text] = []
        for row in self._rows:
            more = (self.width - sum(cell.width for cell in row)) / len(row)
            left = x
            for cell in row:
                width = cell.width + more
                shapes.append(Rect(left, y, width, _ROW, cell.ground, "#1f2328"))
                shapes.append(Text(left + width / 2, y + _ROW / 2, cell.text, cell.size, cell.bold, cell.color))
                left += width
            y += _ROW
        return shapes


def box_of(operation: Any, node: FunctionalNode | None, shown: Shown) -> Box:
    """The box of a layer or function; `node` is the call whose shapes it shows."""
    kind = words.class_name(operation)
    title = f"{operation.name} ({kind})" if shown.names else kind
    activation = getattr(operation, "activation", None) if shown.activations else None
    facts = []
    if shown.shapes:
        if not isinstance(operation, InputLayer):
            facts.append(_Cell(f"Input shape: {_said(node and _given(node), 'shape')}"))
        facts.append(_Cell(f"Output shape: {_said(node and _made(node), 'shape')}"))
    if shown.dtype:
        facts.append(_Cell(f"Output dtype: {_said(node and _made(node), 'dtype')}"))
    if shown.trainable and getattr(operation, "weights", None):
        trains = operation.trainable
        facts.append(_Cell("Trainable" if trains else "Non-trainable", _YES if trains else _NO, "#ffffff", bold=True))
    return Box(
        [
            [_Cell(title, "#000000", "#ffffff", _TITLE, bold=True)],
            [_Cell(f"Activation: {_name_of(activation)}")] if activation is not None else [],
            facts,
        ]
    )


def _name_of(activation: Any) -> str:
    return str(getattr(activation, "name", None) or getattr(activation, "__name__", None) or activation)


def _given(node: FunctionalNode) -> Any:
    tensors = node.input_tensors
    if len(tree.flatten(node.args[:1])) == len(tensors):
        return node.args[0]
    return tensors if len(tensors) != 1 else tensors[0]


def _made(node: FunctionalNode) -> Any:
    return node.outputs if len(node.outputs) != 1 else node.outputs[0]


def _said(tensors: Any, what: str) -> str:
    if isinstance(tensors, KerasTensor):
        return str(getattr(tensors, what))
    if isinstance(tensors, dict):
        return ", ".join(f"{key}: {_said(value, what)}" for key, value in tensors.items())
    if isinstance(tensors, (list, tuple)) and tensors:
        return "[" + ", ".join(_said(value, what) for value in tensors) + "]"
    return "?"
