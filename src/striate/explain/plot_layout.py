"""A model's layers placed below one another, or beside, with the lines between them, nested models in frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from striate.backend import FunctionalNode, KerasTensor
from striate.explain.layer_boxes import SIZE, Box, Shown, box_of
from striate.explain.layered import Arrangement, Point, arrange
from striate.explain.scene import Line, Rect, Scene, Text, width_of
from striate.models.standardize import flat_inputs

_MARGIN = 14.0
_BAND = 24.0  # of a nested model's frame, above what it holds, for its name


@dataclass
class _Block:
    """Boxes placed from layer to layer downwards, whatever way the plot runs; (0, 0) is the upper left corner."""

    width: float
    height: float
    entries: list[float]  # from the left, of lines that come from above
    exits: list[float]
    boxes: list[tuple[Box, Point]]
    lines: list[Line]
    frames: list[tuple[str, float, float, float, float]]


class Layout:
    """A model's plot.

    Args:
        model: built.
        shown: what to show.
    """

    def __init__(self, model: Any, shown: Shown) -> None:
        self._shown = shown
        self._lying = shown.direction in ("LR", "RL")
        graph = getattr(model, "_graph", None)
        if graph is None:  # a subclassed model: nothing is known of its inside
            box = box_of(model, None, shown)
            self._block = self._placed(arrange([self._size(box)], []), [box])
        else:
            self._block = self._laid(model, framed=False)

    def scene(self) -> Scene:
        """All of it where it is drawn."""
        block, margin = self._block, _MARGIN
        whole = (block.height, block.width) if self._lying else (block.width, block.height)
        scene = Scene(whole[0] + 2 * margin, whole[1] + 2 * margin)
        for title, x, y, width, height in block.frames:
            left, top, wide, high = self._turned(x, y, width, height)
            scene.shapes.append(Rect(left + margin, top + margin, wide, high, None, "#59636e", dashed=True))
            middle = left + margin + 8 + width_of(title, SIZE, bold=True) / 2
            scene.shapes.append(Text(middle, top + margin + _BAND / 2, title, SIZE, bold=True))
        for line in block.lines:
            points = [self._turned(x, y, 0.0, 0.0)[:2] for x, y in line.points]
            scene.shapes.append(Line([(x + margin, y + margin) for x, y in points], line.curved, line.head))
        for box, (x, y) in block.boxes:
            left, top, _, _ = self._turned(x, y, *self._size(box))
            scene.shapes += box.draw(left + margin, top + margin)
        return scene

    def _size(self, box: Box) -> tuple[float, float]:
        return (box.height, box.width) if self._lying else (box.width, box.height)

    def _turned(self, x: float, y: float, width: float, height: float) -> tuple[float, float, float, float]:
        """A rectangle of the block, on the page."""
        if self._shown.direction in ("BT", "RL"):
            y = self._block.height - y - height
        return (y, x, height, width) if self._lying else (x, y, width, height)

    def _placed(self, arranged: Arrangement, boxes: Sequence[Box]) -> _Block:
        placed = list(zip(boxes, arranged.corners, strict=True))
        return _Block(arranged.width, arranged.height, [], [], placed, [], [])

    def _laid(self, model: Any, framed: bool) -> _Block:
        """A model's layers; `framed`: inside another, with a frame, its inputs and outputs on the frame."""
        units, edges = _units(model)
        parts: list[Box | _Block] = []
        for operation, node in units:
            inner = getattr(operation, "_graph", None) is not None and self._shown.expand
            parts.append(self._laid(operation, framed=True) if inner else box_of(operation, node, self._shown))
        sizes = [(p.width, p.height) if isinstance(p, _Block) else self._size(p) for p in parts]
        inputs, outputs = len(model._graph.inputs), len(model._graph.outputs)
        first = list(range(len(parts), len(parts) + inputs)) if framed else []
        last = list(range(len(parts) + inputs, len(parts) + inputs + outputs)) if framed else []
        sizes += [(0.0, 0.0)] * (len(first) + len(last))
        joined, offsets = [], []
        for start, out, end, into in edges:
            if not framed and (start is None or end is None):
                continue
            joined.append((first[out] if start is None else start, last[into] if end is None else end))
            offsets.append((_offset(parts, start, out, "exits"), _offset(parts, end, into, "entries")))
        arranged = arrange(sizes, joined, first, last, offsets)
        return self._block_of(model.name, parts, joined, arranged, first, last)

    def _block_of(
        self,
        name: str,
        parts: list[Box | _Block],
        joined: list[tuple[int, int]],
        arranged: Arrangement,
        first: list[int],
        last: list[int],
    ) -> _Block:
        # The frame's name stands above on the page: that is before the first layer, beside them or after the last.
        pads = {"TB": (12, _BAND, 12), "BT": (12, 12, _BAND), "LR": (_BAND, 12, 12), "RL": (_BAND, 12, 12)}
        left, top, bottom = pads[self._shown.direction] if first or last else (0, 0, 0)
        block = _Block(arranged.width + left + (12 if left else 0), arranged.height + top + bottom, [], [], [], [], [])
        if first or last:
            block.width = max(block.width, 0 if self._lying else width_of(name, SIZE, True) + 20)
            block.height = max(block.height, width_of(name, SIZE, True) + 20 if self._lying else 0)
            block.frames.append((name, 0.0, 0.0, block.width, block.height))
            left = max(left, (block.width - arranged.width) / 2) if not self._lying else left
        block.entries = [arranged.corners[port][0] + left for port in first]
        block.exits = [arranged.corners[port][0] + left for port in last]
        for part, (x, y) in zip(parts, arranged.corners, strict=False):
            if isinstance(part, Box):
                block.boxes.append((part, (x + left, y + top)))
                continue
            block.boxes += [(box, (x + left + a, y + top + b)) for box, (a, b) in part.boxes]
            block.lines += [_moved(line, x + left, y + top) for line in part.lines]
            block.frames += [(said, x + left + a, y + top + b, w, h) for said, a, b, w, h in part.frames]
        for (start, end), path in zip(joined, arranged.paths, strict=True):
            points = [(x + left, y + top) for x, y in path]
            if start in first:
                points[0] = (points[0][0], 0.0)
            if end in last:
                points[-1] = (points[-1][0], block.height)
            head = end not in last and isinstance(parts[end], Box)
            block.lines.append(_bent(points, self._shown.splines, head))
        return block


#: (place of what leads, which of its outputs, place of what it leads to, which of its inputs); None: the model's own.
_Edge = tuple[int | None, int, int | None, int]


def _units(model: Any) -> tuple[list[tuple[Any, FunctionalNode]], list[_Edge]]:
    """What gets a box, and what leads where.

    A layer that is called several times has one box, as in Keras; where a way would lead back to it, one for each call.
    """
    graph = model._graph
    shown = {id(layer) for layer in model.layers}  # a Sequential's own input is none of them
    calls = [node for node in graph.nodes if id(node.operation) in shown or not node.is_input]
    first_met = {key: i for i, key in enumerate(dict.fromkeys(id(node.operation) for node in calls))}
    place = {id(node): first_met[id(node.operation)] for node in calls}
    if _leads_back(calls, place):
        place = {id(node): i for i, node in enumerate(calls)}
    units: dict[int, tuple[Any, FunctionalNode]] = {}
    for node in calls:
        units.setdefault(place[id(node)], (node.operation, node))
    starts = {id(tensor): i for i, tensor in enumerate(graph.inputs)}
    edges: dict[_Edge, None] = {}
    for node in calls:
        if node.is_input or all(id(tensor) in starts for tensor in node.outputs):
            edges[(None, starts[id(node.outputs[0])], place[id(node)], 0)] = None
            continue
        for into, tensor in _inputs_of(node):
            edges[(*_from(tensor, place, starts), place[id(node)], into)] = None
    for into, tensor in enumerate(graph.outputs):
        edges[(*_from(tensor, place, starts), None, into)] = None
    return [units[i] for i in range(len(units))], list(edges)


def _inputs_of(node: FunctionalNode) -> list[tuple[int, KerasTensor]]:
    """(which of its inputs, what is given to it). A model takes some of what a dict holds, by names."""
    graph = getattr(node.operation, "_graph", None)
    if graph is None:
        return list(enumerate(node.input_tensors))
    given = node.args[0] if node.args else node.kwargs["inputs"]
    flat = flat_inputs(graph, given, node.operation.name)
    return [(into, tensor) for into, tensor in enumerate(flat) if isinstance(tensor, KerasTensor)]


def _from(tensor: KerasTensor, place: dict[int, int], starts: dict[int, int]) -> tuple[int | None, int]:
    history = tensor._keras_history
    assert history is not None
    node = history.operation._inbound_nodes[history.node_index]
    if id(node) not in place:
        return None, starts[id(tensor)]
    return place[id(node)], history.tensor_index


def _leads_back(calls: list[FunctionalNode], place: dict[int, int]) -> bool:
    before: dict[int, set[int]] = {at: set() for at in place.values()}
    for node in calls:
        before[place[id(node)]] |= {place[id(p)] for p in node.parent_nodes if id(p) in place}
    while free := [at for at, needed in before.items() if not needed]:
        for at in free:
            del before[at]
        for needed in before.values():
            needed.difference_update(free)
    return bool(before)


def _offset(parts: list[Box | _Block], at: int | None, which: int, side: str) -> float:
    part = None if at is None else parts[at]
    return getattr(part, side)[which] - part.width / 2 if isinstance(part, _Block) else 0.0


def _moved(line: Line, x: float, y: float) -> Line:
    return Line([(a + x, b + y) for a, b in line.points], line.curved, line.head)


def _bent(points: list[Point], splines: str, head: bool) -> Line:
    """A line by right angles, as `splines` wants it."""
    if splines == "ortho":
        return Line(points, False, head)
    if splines == "line":
        return Line([points[0], points[-1]], False, head)
    # The middles of what runs across are where a line passes the layers' gaps.
    across = [((a[0] + b[0]) / 2, a[1]) for a, b in pairwise(points) if a[1] == b[1] and a != b]
    ways = [points[0], *across, points[-1]]
    if splines == "polyline":
        return Line(ways, False, head)
    curve: list[Point] = [ways[0]]
    for (x, y), (u, v) in pairwise(ways):
        curve += [(x, (y + v) / 2), (u, (y + v) / 2), (u, v)]
    return Line(curve, True, head)
