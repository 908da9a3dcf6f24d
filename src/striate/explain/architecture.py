"""A model drawn as papers draw it: maps as stacked planes with their sizes, from left to right, in rows.

Sizes and texts are read off the model (`explain/anatomy.py`). Text is set by widths that are on the generous side, so
that nothing overlaps whatever the font; a drawing brings its own ground, light or dark as its reader has it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from striate.core.errors import ArgumentError
from striate.core.files import write_atomically
from striate.core.registry import export
from striate.explain import stacks, words
from striate.explain.anatomy import Part, anatomy, counted, data_format_of
from striate.explain.markup import Markup, element, joined
from striate.explain.stacks import Stack

_FONT = 6.6  # pixels that a character of 11 pixels takes at most, on average
_LINE = 14  # from one line of text to the next
_GAP = 12  # between the texts of two columns
_MARGIN = 14
_LONGEST = 22  # characters of a line
_LEAST = 280  # of a row
#: kinds that see all of what is before them, or all of a map.
_FANNED = ("dense", "RBF", "mean", "maximum")
_STYLE = """
.ground { fill: #fff } text { fill: #1f2328; font: 11px sans-serif; text-anchor: middle }
.name { font-weight: 600 } .title { font-size: 13px; font-weight: 600; text-anchor: start }
.plane { stroke-width: .8 } .box { fill: #f6f8fa; stroke: #59636e }
.input { fill: #eceff2; stroke: #59636e } .conv { fill: #dcecf9; stroke: #0072b2 }
.pool { fill: #fdebd3; stroke: #b35900 } .dense { fill: #d8f0e6; stroke: #00795a }
.joined { fill: #eee3f3; stroke: #7b4a91 } .other { fill: #f6f8fa; stroke: #59636e }
.ray, .way, .window { stroke: #59636e; fill: none } .ray { stroke-width: .7 } .way { stroke-width: 1.2 }
.unit, .head, .dot { fill: #59636e } .sum { fill: #fff; stroke: #59636e }
@media (prefers-color-scheme: dark) {
  .ground { fill: #0d1117 } text { fill: #e6edf3 } .box, .other { fill: #21262d; stroke: #9198a1 }
  .input { fill: #2d333b; stroke: #9198a1 } .conv { fill: #123450; stroke: #56b4e9 }
  .pool { fill: #4a2f10; stroke: #e69f00 } .dense { fill: #0f3d30; stroke: #3fc59b }
  .joined { fill: #3a2546; stroke: #cc9ade }
  .ray, .way, .window { stroke: #9198a1 } .unit, .head, .dot { fill: #9198a1 } .sum { fill: #0d1117; stroke: #9198a1 }
}
"""
_CLASSES = {
    "input": "input", "convolution": "conv", "depthwise": "conv", "separable": "conv", "transposed": "conv",
    "max pool": "pool", "mean pool": "pool", "subsampling": "pool", "mean": "pool", "maximum": "pool",
    "dense": "dense", "RBF": "dense",
}  # fmt: skip


class Drawing(Markup):
    """An SVG picture; a notebook shows it."""

    __slots__ = ()

    def _repr_svg_(self) -> str:
        return str(self)


@export("explain.plot_architecture")
def plot_architecture(
    model: Any, to_file: str | os.PathLike[str] | None = None, title: str | None = None, width: int = 940
) -> Drawing:
    """Draw a model: its maps as stacked planes with their sizes, what leads from one to the next, blocks as boxes.

    Layers with branches between them (residual connections, Inception) are one box with a sign of its kind; blocks
    that are alike and follow one another are drawn once, and counted. Planes stand for maps: all of them up to 8, then
    ever fewer; their sides are in proportion to the power 0.6 of the maps' sides, so that small ones are seen.

    Not in Keras; needs neither Graphviz nor anything else. The picture is light or dark as its reader's screen is.

    Args:
        model: a Sequential or functional model that is built.
        to_file: path of an SVG file to write, or None.
        title: above the drawing; the model's name unless given.
        width: of the picture in pixels; what does not fit goes on in the next row.

    Returns:
        The SVG as text; a notebook shows it.

    Raises:
        ValueError: a model without a graph of layers (not built, or subclassed); a width below 300; a file that is not
            called .svg.

    Example:
        >>> drawing = plot_architecture(striate.applications.LeNet5())
        >>> "6@28×28" in drawing, "16@10×10" in drawing
        (True, True)
    """
    if to_file is not None and Path(to_file).suffix.lower() != ".svg":
        raise ArgumentError(
            f"`to_file` is an SVG file. Received: to_file={os.fspath(to_file)!r}. Call it e.g. model.svg."
        )
    if width < 300:
        raise ArgumentError(f"`width` is at least 300 pixels. Received: width={width}.")
    drawing = _Layout(model, width).drawing(title or model.name)
    if to_file is not None:
        write_atomically(Path(to_file), (drawing + "\n").encode())
    return drawing


@dataclass(frozen=True)
class _Column:
    """A part as it is drawn: what leads to it, its stack, texts above and below."""

    part: Part
    stack: Stack
    lead: float  # pixels between the stack before and this one
    above: tuple[str, ...]
    below: tuple[str, ...]

    @property
    def drawn(self) -> float:
        return self.lead + self.stack.whole_width

    @property
    def width(self) -> float:
        return max(self.drawn, *(_FONT * len(line) + _GAP for line in (*self.above, *self.below)))


class _Layout:
    """Columns into rows, rows one below the other."""

    def __init__(self, model: Any, width: int) -> None:
        self._width, self._name = width, model.name
        self._format = data_format_of(model)
        self._parts = anatomy(model)
        sides = [n for p in self._parts for n in words.grid_of(p.shape, self._format) if n is not None]
        self._largest = max(sides, default=1)
        self._columns = [self._column(p) for p in self._parts]

    def _column(self, part: Part) -> _Column:
        grid, maps = words.grid_of(part.shape, self._format), words.maps_of(part.shape, self._format)
        kind = "joined" if part.is_block else _CLASSES.get(part.kind, "other")
        lead = 0.0 if part.kind == "input" else stacks.BOX_WIDTH + 26 if part.is_block else 40.0
        size = f"{'?' if maps is None else maps}@{words.size_words(grid)}" if grid else str(maps)
        above = tuple(filter(None, (_label(part, self._name), size)))
        return _Column(part, Stack.of(grid, maps, self._largest, kind), lead, above, _lines_below(part))

    def _packed(self, room: float) -> list[list[_Column]]:
        rows: list[list[_Column]] = [[]]
        used = 0.0
        for column in self._columns:
            if rows[-1] and used + column.width > room:
                used = rows[-1][-1].stack.whole_width  # drawn once more where the next row begins
                rows.append([])
            rows[-1].append(column)
            used += column.width
        return rows

    def _rows(self) -> list[list[_Column]]:
        """As few rows as there can be, and these as even as can be."""
        room = self._width - 2 * _MARGIN
        rows = self._packed(room)
        while room > _LEAST and len(narrower := self._packed(room - 10)) == len(rows):
            room, rows = room - 10, narrower
        return rows

    def drawing(self, title: str) -> Drawing:
        shapes: list[Markup] = [element("text", title, x=_MARGIN, y=20, class_="title")]
        y = 30.0
        rows = self._rows()
        repeated = [0.0, *(row[-1].stack.whole_width for row in rows)]
        used = max(first + sum(c.width for c in row) for first, row in zip(repeated, rows, strict=False))
        width = min(self._width, max(round(used), _LEAST) + 2 * _MARGIN)
        before: _Column | None = None
        for row in rows:
            above = _LINE * max(len(c.above) for c in row)
            below = _LINE * max(len(c.below) for c in row)
            tallest = max(c.stack.whole_height for c in row)
            tallest = max(tallest, before.stack.whole_height if before else 0, stacks.BOX_HEIGHT)
            middle = y + 6 + above + 4 + tallest / 2
            shapes += self._row(row, before, middle, middle + tallest / 2 + _LINE + 2)
            y = middle + tallest / 2 + 6 + below + 10
            before = row[-1]
        height = round(y + 4)
        return Drawing(
            element(
                "svg",
                element("title", f"{title}: its architecture"),
                element("desc", self.in_words()),
                element("style", Markup(_STYLE)),
                element("rect", x=0, y=0, width=width, height=height, rx=6, class_="ground"),
                *shapes,
                xmlns="http://www.w3.org/2000/svg",
                viewBox=f"0 0 {width} {height}",
                width=width,
                height=height,
                role="img",
            )
        )

    def _row(self, row: list[_Column], before: _Column | None, middle: float, low: float) -> list[Markup]:
        shapes: list[Markup] = []
        lines: list[Markup] = []  # over the stacks, so that windows are seen
        x = float(_MARGIN)
        last: tuple[_Column, float] | None = None
        if before is not None:  # the row begins with what the one before ended with
            shapes.append(before.stack.draw(x, middle))
            last = before, x
            x += before.stack.whole_width
        for column, after in zip(row, [*row[1:], None], strict=True):
            start = x + (column.width - column.drawn) / 2 + column.lead
            shapes.append(column.stack.draw(start, middle))
            if last is not None:
                lines.append(self._lead(*last, column, start, middle))
            fanned = after is not None and after.part.kind in _FANNED
            tall = column.stack.whole_height
            if last is not None and column.part.kind in _FANNED:
                tall = max(tall, last[0].stack.whole_height)  # lines come down from there
            shapes += self._texts_above(column, x, start, middle - tall / 2, fanned)
            for i, line in enumerate(column.below):
                shapes.append(element("text", line, x=x + column.width / 2, y=low + i * _LINE))
            last = column, start
            x += column.width
        return shapes + lines

    def _lead(self, before: _Column, at: float, column: _Column, start: float, middle: float) -> Markup:
        """What leads from one stack to the next."""
        part, end = column.part, at + before.stack.whole_width
        grid = words.grid_of(before.part.shape, self._format)
        if part.is_block:
            left = (end + start - stacks.BOX_WIDTH) / 2
            box = stacks.box(part.kind, left, middle)
            right = left + stacks.BOX_WIDTH
            return joined(stacks.arrow(end + 2, left, middle), box, stacks.arrow(right, start - 2, middle))
        if part.kind in _FANNED:
            return stacks.fan(before.stack, end, column.stack, start, middle, part.kind in ("dense", "RBF"))
        known = [n for n in grid[-2:] if n]
        if part.window and known and len(grid) == len(part.window):
            share = part.window[-1] / known[-1]
            at_front, to_front = before.stack.front(at, middle), column.stack.front(start, middle)
            return stacks.window(before.stack, at_front, column.stack, to_front, share)
        return stacks.arrow(end + 4, start - 4, middle)

    @staticmethod
    def _texts_above(column: _Column, x: float, start: float, top: float, fanned: bool) -> list[Markup]:
        """Above the stack; where lines fan out from it, not beyond its right end."""
        half = _FONT * max(map(len, column.above)) / 2
        end = start + column.stack.whole_width
        at = min(end - half, (start + end) / 2) if fanned else (start + end) / 2
        at = min(max(at, x + half), x + column.width - half)  # inside the column, which is as wide as its texts
        top -= 6 + _LINE * (len(column.above) - 1)
        bold = ["name"] * (len(column.above) - 1) + [None]
        return [
            element("text", line, x=at, y=top + i * _LINE, class_=kind)
            for i, (line, kind) in enumerate(zip(column.above, bold, strict=True))
        ]

    def in_words(self) -> str:
        """What the drawing shows, for those who do not see it."""
        told = []
        for part, column in zip(self._parts, self._columns, strict=True):
            size = column.above[-1]
            told.append(f"{counted(part, part.what)}, giving {size}" if column.below else f"{part.what} {size}")
        return "; ".join(told) + "."


def _label(part: Part, of: str) -> str:
    """The name above a stack, the model's own name before it left out; "" where it has none but its class's."""
    if part.kind == "input":
        return part.what
    if part.node is not None and not words.has_own_name(part.node):
        return ""
    first, last = (name.removeprefix(f"{of}_") for name in (part.name, part.last))
    if first == last:
        return _cut(first)
    begin = words.common_start(first, last).rstrip("0123456789")
    end = words.common_start(first[::-1], last[::-1])[::-1].lstrip("0123456789")
    end = end if len(begin) + len(end) < min(len(first), len(last)) else ""
    return _cut(f"{first.removesuffix(end)}…{last.removeprefix(begin)}")


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _lines_below(part: Part) -> tuple[str, ...]:
    first, *rest = part.lines or ("",)
    if not first:
        return ()
    first = counted(part, first)
    return tuple(_cut(line.replace("squeeze and excitation", "SE")) for line in (first, *rest))
