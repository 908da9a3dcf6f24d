"""Line charts as SVG text, drawn by ourselves: small, sharp at any size, and in a page without any script."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from striate.explain.markup import Markup, element, joined

#: Colours that people with any colour vision tell apart (Okabe and Ito 2008).
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")

#: What a page says of charts once; colours of lines are lighter on a dark ground.
CHART_STYLE = """
.chart { max-width: 100%; height: auto; font-family: inherit }
.chart text { fill: currentColor; font-size: 11px }
.chart .title { font-size: 13px; font-weight: 600 }
.chart .rule { stroke: currentColor; stroke-opacity: .16 }
.chart .on-light, .chart .on-bright { fill: #000 } .chart .on-deep { fill: #fff }
@media (prefers-color-scheme: dark) {
  .chart .on-light { fill: #fff }
  .chart .series-0 .line { stroke: #56b4e9 } .chart .series-0 .dot { fill: #56b4e9 }
  .chart .series-1 .line { stroke: #ff9a57 } .chart .series-1 .dot { fill: #ff9a57 }
}
"""

_FONT = 6.8  # pixels that a character of 11 pixels takes, on the generous side
_LEFT, _RIGHT, _BOTTOM = 50, 14, 38  # margins in pixels: ticks, half a label, ticks and the axis's name
_ASIDE = 5  # pixels between the bars of two series, which are 1.5 wide


def nice_ticks(low: float, high: float, count: int = 6) -> list[float]:
    """At most `count` steps of a round number (1, 2 or 5 times a power of ten) from below `low` to above `high`.

    Example:
        >>> nice_ticks(0.03, 0.97)
        [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    if not (math.isfinite(low) and math.isfinite(high)):
        low, high = 0.0, 1.0
    # A range that is nothing beside its numbers (or nothing at all) is widened, so that ticks differ.
    if high - low <= 1e-9 * max(abs(low), abs(high)):
        middle, half = (low + high) / 2, max(abs(low), abs(high)) * 0.1 or 0.5
        low, high = middle - half, middle + half
    power = 10.0 ** math.floor(math.log10((high - low) / count))
    for multiple in (1, 2, 5, 10, 20):
        step = multiple * power
        first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
        if last - first <= count:
            break
    return [round(k * step, -math.floor(math.log10(step))) for k in range(first, last + 1)]


class _Axes:
    """From values to pixels."""

    def __init__(self, count: int, ticks: Sequence[float], width: int, height: int, top: int) -> None:
        self.count, self.ticks = count, ticks
        self.width, self.height, self.top = width, height, top
        #: pixels: where series with bars stand side by side, to the right, and what is left free at both ends for it.
        self.aside = self.inset = 0.0

    def x(self, i: float) -> float:
        share = i / (self.count - 1) if self.count > 1 else 0.5
        return _LEFT + self.inset + (self.width - _LEFT - _RIGHT - 2 * self.inset) * share + self.aside

    def y(self, value: float) -> float:
        low, high = self.ticks[0], self.ticks[-1]
        return self.top + (self.height - self.top - _BOTTOM) * (1 - (value - low) / (high - low))


def _runs(values: Sequence[float]) -> list[list[int]]:
    """Positions of finite values, in runs without a gap."""
    runs: list[list[int]] = [[]]
    for i, value in enumerate(values):
        if math.isfinite(value):
            runs[-1].append(i)
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


def _line(values: Sequence[float], axes: _Axes, number: int) -> Markup:
    parts = []
    colour = COLOURS[number % len(COLOURS)]
    # Dots show where the values are, as long as they do not run into each other.
    radius = 2.5 if axes.count <= 40 else 0.0
    for run in _runs(values):
        points = " ".join(f"{axes.x(i):.1f},{axes.y(values[i]):.1f}" for i in run)
        if len(run) > 1:
            parts.append(element("polyline", points=points, class_="line", fill="none", stroke=colour, stroke_width=2))
        if radius or len(run) == 1:
            parts += [
                element("circle", cx=axes.x(i), cy=axes.y(values[i]), r=radius or 2.5, class_="dot", fill=colour)
                for i in run
            ]
    return element("g", *parts, class_=f"series-{number}")


def _ends(low: float, high: float, axes: _Axes) -> dict[str, str]:
    return {"y1": f"{axes.y(low):.1f}", "y2": f"{axes.y(high):.1f}"}


def _spread(values: Sequence[float], widths: Sequence[float], axes: _Axes, number: int) -> Markup:
    """A bar through each value, as far up and down as its width."""
    colour = COLOURS[number % len(COLOURS)]
    bars = [
        element("line", x1=f"{axes.x(i):.1f}", x2=f"{axes.x(i):.1f}", **_ends(value - width, value + width, axes))
        for i, (value, width) in enumerate(zip(values, widths, strict=True))
        if math.isfinite(value) and math.isfinite(width)
    ]
    return element("g", *bars, class_=f"series-{number}", stroke=colour, stroke_width=1.5, stroke_opacity=0.6)


def _legend(names: Sequence[str], dashed: Sequence[str], width: int) -> tuple[list[Markup], int]:
    """Marks and names below the title, on as many rows as they need, and where these end."""
    parts: list[Markup] = []
    x, y = float(_LEFT), 34
    for i, name in enumerate([*names, *dashed]):
        needed = 24 + _FONT * len(name)
        if x + needed > width and x > _LEFT:
            x, y = float(_LEFT), y + 16
        if i < len(names):
            at = {"x1": x, "x2": x + 14, "y1": y - 4, "y2": y - 4}
            mark = element("line", **at, class_="line", stroke=COLOURS[i % len(COLOURS)], stroke_width=3)
            mark = element("g", mark, class_=f"series-{i}")
        else:
            mark = _dashes(x, x + 14, y - 4)
        parts.append(joined(mark, element("text", name, x=x + 18, y=y)))
        x += needed + 8
    return parts, y


def _dashes(x1: float, x2: float, y: float) -> Markup:
    return element("line", x1=x1, x2=x2, y1=y, y2=y, stroke="currentColor", stroke_width=1.5, stroke_dasharray="4 3")


def line_chart(
    series: Mapping[str, Sequence[float]],
    title: str,
    x_label: str = "epoch",
    levels: Mapping[str, float] | None = None,
    width: int = 480,
    height: int = 290,
    first_x: int = 1,
    x_names: Sequence[str] | None = None,
    spread: Mapping[str, Sequence[float]] | None = None,
) -> Markup:
    """Lines over x = first_x, first_x + 1, ...; values that are not finite leave a gap.

    Args:
        series: name -> values, one line each, named in the legend.
        title: what the y axis shows.
        levels: name -> value, drawn as a dashed line across.
        width, height: in pixels.
        x_names: what stands below the places along x instead of their numbers.
        spread: name -> how far each value goes up and down, drawn as a bar through it.
    """
    spread = spread or {}
    shown = {name: value for name, value in (levels or {}).items() if math.isfinite(value)}
    ends = [v + s * w for name, ws in spread.items() for v, w in zip(series[name], ws, strict=True) for s in (-1, 1)]
    every = [*(v for values in series.values() for v in values), *ends, *shown.values()]
    finite = [v for v in every if math.isfinite(v)]
    legend, below = _legend(list(series), list(shown), width)
    count = max((len(v) for v in series.values()), default=1)
    ticks = nice_ticks(min(finite, default=0.0), max(finite, default=1.0))
    axes = _Axes(count, ticks, width, height, top=below + 14)
    axes.inset = _ASIDE * len(series) if spread else 0.0
    parts = [element("text", title, x=_LEFT, y=16, class_="title"), *legend]
    for tick in ticks:
        y = axes.y(tick)
        parts.append(element("line", x1=_LEFT, x2=width - _RIGHT, y1=y, y2=y, class_="rule"))
        parts.append(element("text", f"{tick:g}", x=_LEFT - 7, y=y + 4, text_anchor="end"))
    last = first_x + count - 1
    for value in range(first_x, last + 1, max(1, math.ceil(count / 12))):
        x = axes.x(value - first_x)
        named = value if x_names is None else x_names[value - first_x]
        parts.append(element("text", named, x=x, y=height - _BOTTOM + 17, text_anchor="middle"))
    parts.append(element("text", x_label, x=(_LEFT + width - _RIGHT) / 2, y=height - 5, text_anchor="middle"))
    parts += [_dashes(_LEFT, width - _RIGHT, axes.y(value)) for value in shown.values()]
    for i, (name, values) in enumerate(series.items()):
        if spread:
            axes.aside = _ASIDE * (i - (len(series) - 1) / 2)
        if name in spread:
            parts.append(_spread(values, spread[name], axes, i))
        parts.append(_line(values, axes, i))
    return element(
        "svg",
        *parts,
        viewBox=f"0 0 {width} {height}",
        width=width,
        height=height,
        role="img",
        aria_label=_in_words(series, shown, title),
        class_="chart",
    )


def _in_words(series: Mapping[str, Sequence[float]], levels: Mapping[str, float], title: str) -> str:
    """What a chart shows, for those who do not see it: where each line begins and ends."""
    told = []
    for name, values in series.items():
        kept = [v for v in values if math.isfinite(v)]
        told.append(f"{name} from {kept[0]:.3g} to {kept[-1]:.3g}" if kept else f"{name} without values")
    told += [f"{name} {value:.3g}" for name, value in levels.items()]
    return f"{title}: {', '.join(told)}" if told else title
