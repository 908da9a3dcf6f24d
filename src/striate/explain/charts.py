"""Charts as SVG text, drawn by ourselves: small, sharp at any size, and in a page without any script."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

#: Colours that people with any colour vision tell apart (Okabe and Ito 2008).
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")


def nice_ticks(low: float, high: float, count: int = 5) -> list[float]:
    """About `count` round numbers (1, 2 or 5 times a power of ten apart) from below `low` to above `high`.

    Example:
        >>> nice_ticks(0.03, 0.97, count=6)
        [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    if not (math.isfinite(low) and math.isfinite(high)):
        low, high = 0.0, 1.0
    if high <= low:
        low, high = low - 0.5, high + 0.5
    raw = (high - low) / max(count - 1, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(m * power for m in (1, 2, 5, 10) if raw <= m * power * 1.0000001)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(k * step, 12) for k in range(first, last + 1)]


def line_chart(
    series: Mapping[str, Sequence[float]],
    title: str,
    x_label: str = "epoch",
    width: int = 460,
    height: int = 280,
    first_x: int = 1,
) -> str:
    """Lines over x = first_x, first_x + 1, ...; values that are not finite leave a gap.

    Args:
        series: name -> values, one line each, named in the legend.
        title: what the y axis shows.
        width, height: in pixels.
    """
    left, right, top, bottom = 52, 12, 44, 40
    finite = [v for values in series.values() for v in values if math.isfinite(v)]
    ticks = nice_ticks(min(finite, default=0.0), max(finite, default=1.0))
    low, high = ticks[0], ticks[-1]
    longest = max((len(v) for v in series.values()), default=1)

    def px(i: float) -> float:
        return left + (width - left - right) * (i / max(longest - 1, 1) if longest > 1 else 0.5)

    def py(v: float) -> float:
        return top + (height - top - bottom) * (1 - (v - low) / (high - low))

    parts = [
        f'<svg viewBox="0 0 {width} {height}" width="{width}" role="img" aria-label="{escape(title)}" class="chart">',
        f'<text x="{left}" y="16" class="title">{escape(title)}</text>',
    ]
    for tick in ticks:
        parts.append(
            f'<line x1="{left}" x2="{width - right}" y1="{py(tick):.1f}" y2="{py(tick):.1f}" class="rule"/>'
            f'<text x="{left - 6}" y="{py(tick) + 4:.1f}" class="tick" text-anchor="end">{tick:g}</text>'
        )
    step = max(1, math.ceil(longest / 10))
    for i in range(0, longest, step):
        parts.append(
            f'<text x="{px(i):.1f}" y="{height - bottom + 16}" class="tick" text-anchor="middle">{i + first_x}</text>'
        )
    parts.append(f'<text x="{(left + width - right) / 2:.0f}" y="{height - 6}" class="tick" text-anchor="middle">{escape(x_label)}</text>')
    at = float(left)
    for (name, values), colour in zip(series.items(), COLOURS * (1 + len(series) // len(COLOURS))):
        runs: list[list[str]] = [[]]
        for i, v in enumerate(values):
            if math.isfinite(v):
                runs[-1].append(f"{px(i):.1f},{py(v):.1f}")
            else:
                runs.append([])
        for run in runs:
            if len(run) > 1:
                parts.append(f'<polyline points="{" ".join(run)}" fill="none" stroke="{colour}" stroke-width="2"/>')
            for point in run:
                x, _, y = point.partition(",")
                parts.append(f'<circle cx="{x}" cy="{y}" r="2.5" fill="{colour}"/>')
        parts.append(
            f'<rect x="{at:.0f}" y="25" width="10" height="10" fill="{colour}"/>'
            f'<text x="{at + 14:.0f}" y="34" class="tick">{escape(name)}</text>'
        )
        at += 26 + 6.4 * len(name)
    return "".join(parts) + "</svg>"


def confusion_matrix(labels: Array, predicted: Array, classes: int) -> Array:
    """counts[i, j]: how many of true class i were given class j; shape (classes, classes)."""
    flat = np.asarray(labels, np.int64).ravel() * classes + np.asarray(predicted, np.int64).ravel()
    return np.bincount(flat, minlength=classes * classes).reshape(classes, classes)


def confusion_chart(counts: Array, names: Sequence[str], cell: int = 40) -> str:
    """A confusion matrix: rows are true classes, columns what the model said, shaded by the share of the row."""
    n = len(names)
    left, top = 96, 92
    width, height = left + n * cell + 8, top + n * cell + 24
    parts = [
        f'<svg viewBox="0 0 {width} {height}" width="{width}" role="img" aria-label="Confusion matrix" class="chart">',
        f'<text x="{left}" y="16" class="title">What the model said (columns) of each class (rows)</text>',
    ]
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    for i, name in enumerate(names):
        y = top + i * cell
        parts.append(f'<text x="{left - 8}" y="{y + cell / 2 + 4:.0f}" class="tick" text-anchor="end">{escape(name)}</text>')
        x = left + i * cell + cell / 2
        parts.append(
            f'<text x="{x:.0f}" y="{top - 8}" class="tick" transform="rotate(-40 {x:.0f} {top - 8})">{escape(name)}</text>'
        )
        for j in range(n):
            share = float(shares[i, j])
            colour = COLOURS[0] if i == j else COLOURS[1]
            parts.append(
                f'<rect x="{left + j * cell}" y="{y}" width="{cell - 1}" height="{cell - 1}" fill="{colour}" '
                f'fill-opacity="{0.06 + 0.94 * share:.3f}"><title>{escape(name)} called {escape(names[j])}: '
                f"{int(counts[i, j])} ({share:.1%})</title></rect>"
            )
            if counts[i, j]:
                ink = "#fff" if share > 0.5 else "currentColor"
                parts.append(
                    f'<text x="{left + j * cell + cell / 2:.0f}" y="{y + cell / 2 + 4:.0f}" class="tick" '
                    f'text-anchor="middle" style="fill:{ink}">{int(counts[i, j])}</text>'
                )
    return "".join(parts) + "</svg>"
