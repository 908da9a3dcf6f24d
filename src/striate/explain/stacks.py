"""The shapes of an architecture's drawing: maps as stacked planes, layers without maps as bars, blocks as boxes.

Places are in pixels. A stack's first plane is in front, at its lower left; the others stand behind it, to the upper
right.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from striate.explain.markup import Markup, element, joined

#: side of the largest plane; the power keeps 7x7 maps visible beside 224x224 pixels.
LARGEST, POWER = 92.0, 0.6
_OFFSET = 2.6  # from one plane to the next
_UNKNOWN = 48.0  # a side that is not known


def planes(maps: int | None) -> int:
    """How many planes stand for so many maps: all up to 8, then ever fewer.

    Example:
        >>> [planes(n) for n in (1, 6, 16, 64, 512)]
        [1, 6, 10, 14, 20]
    """
    if maps is None or maps < 1:
        return 1
    return maps if maps <= 8 else round(8 + 2 * math.log2(maps / 8))


@dataclass(frozen=True)
class Stack:
    """Maps, or a row of units, as they are drawn.

    Args:
        width, height: of one plane.
        count: of planes.
        kind: what is drawn, as a class of the style sheet.
    """

    width: float
    height: float
    count: int
    kind: str

    @classmethod
    def of(cls, grid: tuple[int | None, ...], maps: int | None, largest: int, kind: str) -> Stack:
        """The stack of maps; `largest` is the largest side of any of the model's maps."""
        if not grid:
            units = math.log2(max(maps or 1, 1))
            return cls(9.0, 22 + 8.5 * min(units, 13), 1, kind)
        sides = [_UNKNOWN if n is None else max(4.0, LARGEST * (n / largest) ** POWER) for n in grid[-2:]]
        height, width = sides if len(sides) == 2 else (10.0, sides[0])
        return cls(width, height, planes(maps), kind)

    @property
    def whole_width(self) -> float:
        return self.width + _OFFSET * (self.count - 1)

    @property
    def whole_height(self) -> float:
        return self.height + _OFFSET * (self.count - 1)

    def front(self, x: float, middle: float) -> tuple[float, float]:
        """Left and top of the first plane, where the stack begins at x and is centred on `middle`."""
        return x, middle + self.whole_height / 2 - self.height

    def draw(self, x: float, middle: float) -> Markup:
        left, top = self.front(x, middle)
        back = [
            element(
                "rect", x=left + i * _OFFSET, y=top - i * _OFFSET, width=self.width, height=self.height, rx=0.8,
                class_=f"plane {self.kind}",
            )
            for i in reversed(range(self.count))
        ]  # fmt: skip
        return joined(*back)


def window(before: Stack, at: tuple[float, float], after: Stack, to: tuple[float, float], share: float) -> Markup:
    """A window on one stack's first plane, and the unit of the next stack that it leads to.

    Args:
        before, after: the stacks.
        at, to: left and top of their first planes.
        share: of the plane that the window takes, along a side.
    """
    side_x, side_y = max(3.5, min(1.0, share) * before.width), max(3.5, min(1.0, share) * before.height)
    side_x, side_y = min(side_x, before.width), min(side_y, before.height)
    x, y = at[0] + (before.width - side_x) * 0.62, at[1] + (before.height - side_y) * 0.5
    end_x, end_y = to[0] + after.width * 0.35, to[1] + after.height * 0.5
    corners = ((x + side_x, y), (x + side_x, y + side_y))
    rays = [element("line", x1=a, y1=b, x2=end_x, y2=end_y, class_="ray") for a, b in corners]
    mark = element("rect", x=x, y=y, width=side_x, height=side_y, class_="window")
    return joined(*rays, mark, element("circle", cx=end_x, cy=end_y, r=1.6, class_="unit"))


def fan(before: Stack, x1: float, after: Stack, x2: float, middle: float, crossed: bool) -> Markup:
    """From all of one stack to all of the next: `crossed` where every unit sees all, as in a dense layer."""
    y1, y2 = before.whole_height / 2, after.whole_height / 2
    front = x1 - (before.whole_width - before.width)  # the first plane ends there, the last one at x1
    back = x2 + after.whole_width - after.width  # where the last plane of the next one begins
    ends = [(x1, -y1, back, -y2), (front, y1, x2, y2)]
    if crossed:
        ends += [(x1, -y1, x2, y2), (front, y1, back, -y2)]
    rays = [element("line", x1=a, y1=middle + b, x2=c, y2=middle + d, class_="ray") for a, b, c, d in ends]
    return joined(*rays)


def arrow(x1: float, x2: float, y: float) -> Markup:
    """A short arrow to the right."""
    head = f"{x2:.1f},{y:.1f} {x2 - 5:.1f},{y - 3:.1f} {x2 - 5:.1f},{y + 3:.1f}"
    return joined(
        element("line", x1=x1, y1=y, x2=x2 - 4, y2=y, class_="way"), element("polygon", points=head, class_="head")
    )


BOX_WIDTH, BOX_HEIGHT = 40.0, 34.0


def box(kind: str, x: float, y: float) -> Markup:
    """A block between two stacks, with a sign of what its ways are; (x, y) is the middle of its left side."""
    top = y - BOX_HEIGHT / 2
    frame = element("rect", x=x, y=top, width=BOX_WIDTH, height=BOX_HEIGHT, rx=5, class_="box")
    return joined(frame, _sign(kind, x + 5, x + BOX_WIDTH - 5, y))


def _path(*moves: str) -> Markup:
    return element("path", d=" ".join(moves), class_="way", fill="none")


def _sign(kind: str, left: float, right: float, y: float) -> Markup:
    a, b, c = left + 6, right - 6, (left + right) / 2
    line = element("line", x1=left, y1=y, x2=right, y2=y, class_="way")
    if kind == "residual block":
        arc = _path(f"M{a:.1f} {y:.1f} C{a:.1f} {y - 16:.1f} {b:.1f} {y - 16:.1f} {b:.1f} {y:.1f}")
        return joined(line, arc, _dot(c - 6, y), _dot(c + 1, y), element("circle", cx=b, cy=y, r=2.6, class_="sum"))
    if kind == "dense block":
        arcs = [
            _path(f"M{start:.1f} {y:.1f} C{start:.1f} {y - h:.1f} {b:.1f} {y - h:.1f} {b:.1f} {y:.1f}")
            for start, h in ((left + 2, 19), (c - 5, 12), (c + 2, 7))
        ]
        return joined(line, *arcs)
    if kind in ("inception block", "parallel block", "fire block"):
        rows = (-10, -3.5, 3.5, 10) if kind == "inception block" else (-7, 7)
        ways = [
            _path(f"M{left:.1f} {y:.1f} C{a:.1f} {y:.1f} {left + 2:.1f} {y + r:.1f} {a + 4:.1f} {y + r:.1f}",
                  f"L{b - 4:.1f} {y + r:.1f}",
                  f"C{right - 2:.1f} {y + r:.1f} {b:.1f} {y:.1f} {right:.1f} {y:.1f}")
            for r in rows
        ]  # fmt: skip
        return joined(*ways, *(_dot(c, y + r) for r in rows))
    if kind in ("separable block", "bottleneck block"):
        dots = (c - 6, c + 6) if kind == "separable block" else (c - 9, c, c + 9)
        return joined(line, *(_dot(x, y) for x in dots))
    if kind == "squeeze and excitation":
        arc = _path(f"M{a:.1f} {y:.1f} L{a:.1f} {y - 10:.1f} L{b:.1f} {y - 10:.1f} L{b:.1f} {y:.1f}")
        return joined(line, arc, _dot(c, y - 10), element("circle", cx=b, cy=y, r=2.6, class_="sum"))
    return joined(line, *(_dot(x, y) for x in (c - 7, c, c + 7)))


def _dot(x: float, y: float) -> Markup:
    return element("rect", x=x - 2.6, y=y - 2.6, width=5.2, height=5.2, class_="dot")
