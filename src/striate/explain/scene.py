"""A drawing of boxes, texts and lines, as SVG or, by Pillow, as pixels."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from striate.core.errors import ArgumentError
from striate.explain.markup import Markup, element, joined

Point = tuple[float, float]
#: pixels that a character takes at most, on average, for each of the text's size.
CHARACTER = 0.62
_BOLD = 1.07
_INK = "#1f2328"
#: more would take more than a gigabyte.
_MOST_PIXELS = 250_000_000
#: suffix -> what Pillow calls the format.
PIXELS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP", ".pdf": "PDF"}


@dataclass(frozen=True)
class Rect:
    """A rectangle; `dashed` ones have no ground."""

    x: float
    y: float
    width: float
    height: float
    fill: str | None
    stroke: str
    dashed: bool = False


@dataclass(frozen=True)
class Text:
    """One line of text; (x, y) is the middle of it."""

    x: float
    y: float
    text: str
    size: float = 12.0
    bold: bool = False
    color: str = _INK


@dataclass(frozen=True)
class Line:
    """Straight pieces or, `curved`, Bezier curves of the third degree; to an arrow's head, if it has one."""

    points: Sequence[Point]
    curved: bool = False
    head: bool = True


def width_of(text: str, size: float, bold: bool = False) -> float:
    """What a line of text takes at most."""
    return CHARACTER * size * len(text) * (_BOLD if bold else 1)


@dataclass
class Scene:
    """Shapes in points of 1/72 inch, in the order in which they are drawn."""

    width: float = 0.0
    height: float = 0.0
    shapes: list[Rect | Text | Line] = field(default_factory=list)

    def svg(self, title: str) -> Markup:
        """The whole drawing as one element."""
        return element(
            "svg",
            element("title", title),
            element("rect", x=0, y=0, width=self.width, height=self.height, fill="#ffffff"),
            *(_svg(shape) for shape in self.shapes),
            xmlns="http://www.w3.org/2000/svg",
            viewBox=f"0 0 {self.width:.0f} {self.height:.0f}",
            width=round(self.width),
            height=round(self.height),
            font_family="Helvetica, Arial, sans-serif",
            role="img",
        )

    def encoded(self, suffix: str, dpi: float) -> bytes:
        """The drawing in pixels, in one of the formats of `PIXELS`.

        Raises:
            ValueError: more pixels than fit.
        """
        from PIL import Image, ImageDraw

        scale = dpi / 72
        width, height = round(self.width * scale), round(self.height * scale)
        longest = {"JPEG": 65_500, "WEBP": 16_383}.get(PIXELS[suffix], 10**9)
        if width * height > _MOST_PIXELS or max(width, height) > longest:
            fits = min((_MOST_PIXELS / (self.width * self.height)) ** 0.5, longest / max(self.width, self.height))
            raise ArgumentError(
                f"The plot would have {width} x {height} pixels, more than a {suffix} file can hold here. "
                f"Received: dpi={dpi:g}. Pass a dpi of {int(72 * fits)} or less, or a `to_file` that ends in .svg."
            )
        image = Image.new("RGB", (max(width, 1), max(height, 1)), "#ffffff")
        _Painter(ImageDraw.Draw(image), scale).paint(self.shapes)
        written = io.BytesIO()
        options: dict[str, dict[str, Any]] = {".pdf": {"resolution": dpi}, ".webp": {"lossless": True}}
        image.save(written, PIXELS[suffix], **options.get(suffix, {"dpi": (dpi, dpi)}))
        return written.getvalue()


def _svg(shape: Rect | Text | Line) -> Markup:
    if isinstance(shape, Rect):
        return element(
            "rect", x=shape.x, y=shape.y, width=shape.width, height=shape.height, fill=shape.fill or "none",
            stroke=shape.stroke, stroke_dasharray="5 4" if shape.dashed else None,
        )  # fmt: skip
    if isinstance(shape, Text):
        return element(
            "text", shape.text, x=shape.x, y=shape.y + 0.36 * shape.size, fill=shape.color, font_size=shape.size,
            font_weight="bold" if shape.bold else None, text_anchor="middle",
        )  # fmt: skip
    written = [f"{x:.1f} {y:.1f}" for x, y in shape.points]
    way = f"M{written[0]} " + (f"C{' '.join(written[1:])}" if shape.curved else f"L{' '.join(written[1:])}")
    path = element("path", d=way, fill="none", stroke=_INK, stroke_width=1.5)
    if not shape.head:
        return path
    head = " ".join(f"{x:.1f},{y:.1f}" for x, y in _head(shape.points))
    return joined(path, element("polygon", points=head, fill=_INK))


def _head(points: Sequence[Point]) -> list[Point]:
    """The triangle at the end of a line."""
    (x, y), end = next(((p for p in reversed(points[:-1]) if p != points[-1])), points[0]), points[-1]
    length = max(((end[0] - x) ** 2 + (end[1] - y) ** 2) ** 0.5, 1e-9)
    along = ((end[0] - x) / length, (end[1] - y) / length)
    back = (end[0] - 7 * along[0], end[1] - 7 * along[1])
    return [
        end,
        (back[0] - 3.5 * along[1], back[1] + 3.5 * along[0]),
        (back[0] + 3.5 * along[1], back[1] - 3.5 * along[0]),
    ]


class _Painter:
    def __init__(self, draw: Any, scale: float) -> None:
        self._draw, self._scale = draw, scale
        self._fonts: dict[int, Any] = {}

    def paint(self, shapes: Sequence[Rect | Text | Line]) -> None:
        for shape in shapes:
            if isinstance(shape, Rect):
                self._rect(shape)
            elif isinstance(shape, Text):
                self._text(shape)
            else:
                self._line(shape)

    def _at(self, points: Sequence[Point]) -> list[Point]:
        return [(x * self._scale, y * self._scale) for x, y in points]

    def _rect(self, shape: Rect) -> None:
        corners = self._at([(shape.x, shape.y), (shape.x + shape.width, shape.y + shape.height)])
        thick = max(1, round(self._scale))
        if not shape.dashed:
            self._draw.rectangle(corners, fill=shape.fill, outline=shape.stroke, width=thick)
            return
        (left, top), (right, bottom) = corners
        step, dash = 9 * self._scale, 5 * self._scale
        for start, end, across in ((left, right, False), (top, bottom, True)):
            for i in range(int((end - start) / step) + 1):
                a, b = start + i * step, min(start + i * step + dash, end)
                for side in (left, right) if across else (top, bottom):
                    self._draw.line([(side, a), (side, b)] if across else [(a, side), (b, side)], shape.stroke, thick)

    def _text(self, shape: Text) -> None:
        size = round(shape.size * self._scale)
        place = self._at([(shape.x, shape.y)])[0]
        stroke = max(1, round(size / 28)) if shape.bold and size > 16 else 0
        font = self._font(size)
        anchor = "mm" if hasattr(font, "path") else None  # Pillow without FreeType has one small font, and no anchors
        if anchor is None:
            place = (place[0] - 3 * len(shape.text), place[1] - 5)
        self._draw.text(place, shape.text, fill=shape.color, font=font, anchor=anchor, stroke_width=stroke)

    def _font(self, size: int) -> Any:
        from PIL import ImageFont

        if size not in self._fonts:
            try:
                self._fonts[size] = ImageFont.load_default(max(size, 1))
            except TypeError:  # before Pillow 10.1
                self._fonts[size] = ImageFont.load_default()
        return self._fonts[size]

    def _line(self, shape: Line) -> None:
        points = list(shape.points)
        if shape.curved:
            points = [p for i in range(0, len(points) - 1, 3) for p in _bezier(points[i : i + 4])]
        self._draw.line(self._at(points), _INK, max(1, round(1.5 * self._scale)), joint="curve")
        if shape.head:
            self._draw.polygon(self._at(_head(shape.points)), fill=_INK)


def _bezier(points: Sequence[Point]) -> list[Point]:
    (a, b), (c, d), (e, f), (g, h) = points
    found = []
    for i in range(17):
        t = i / 16
        one, two, three, four = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
        found.append((one * a + two * c + three * e + four * g, one * b + two * d + three * f + four * h))
    return found
