"""Confusion matrices: which classes a model takes for which others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from striate.core.errors import ShapeError
from striate.explain.markup import Markup, element

Array = np.ndarray[Any, Any]

_LEFT, _TOP, _RIGHT = 118, 84, 62  # pixels: names of rows, of columns, and what the last of these leans over
_LONGEST = 16  # characters of a name
#: Right and wrong; the blue is dark enough for white numbers.
_RIGHT_COLOUR, _WRONG_COLOUR = (0, 86, 148), (213, 94, 0)

_HALF = 0.179  # luminance at which black and white have the same contrast, 4.58


def confusion_matrix(labels: Array, predicted: Array, classes: int) -> Array:
    """counts[i, j]: how many of true class i were given class j; shape (classes, classes).

    Raises:
        ValueError: a class outside 0 to classes - 1, or labels that do not fit the predictions.
    """
    true, said = np.asarray(labels, np.int64).ravel(), np.asarray(predicted, np.int64).ravel()
    if true.shape != said.shape:
        raise ShapeError(f"confusion_matrix() got {len(true)} labels and {len(said)} predictions.")
    both = np.concatenate([true, said])
    if len(both) and not 0 <= both.min() <= both.max() < classes:
        raise ShapeError(
            f"confusion_matrix() takes classes 0 to {classes - 1}. Received classes {both.min()} to {both.max()}."
        )
    return np.bincount(true * classes + said, minlength=classes * classes).reshape(classes, classes)


def _luminance(colour: Sequence[float]) -> float:
    """Relative luminance of an sRGB colour 0..255 (WCAG 2.1)."""
    linear = [c / 3294.6 if c <= 10.31 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _ink(colour: Sequence[float], opacity: float) -> str:
    """The class of a number on a cell: black or white on a light page, whichever has a contrast of 4.5 or more.

    On a dark page cells are dark, and numbers white; only the strongest orange takes black on both.
    """
    on_white = [255 + (c - 255) * opacity for c in colour]
    if _luminance(on_white) < _HALF:
        return "on-deep"
    on_black = [22 + (c - 22) * opacity for c in colour]
    return "on-bright" if _luminance(on_black) > _HALF else "on-light"


def _cell(count: int, share: float, right: bool, x: float, y: float, size: int, told: str) -> Markup:
    opacity = 0.05 + 0.95 * share if count else 0.04
    colour = _RIGHT_COLOUR if right else _WRONG_COLOUR
    side, fill = size - 1, f"rgb{colour}".replace(" ", "")
    number = element(
        "text", count, class_=_ink(colour, opacity), x=x + side / 2, y=y + size / 2 + 4, text_anchor="middle"
    )
    return element(
        "g",
        element("title", told),
        element("rect", x=x, y=y, width=side, height=side, fill=fill, fill_opacity=f"{opacity:.3f}"),
        number if count else None,
    )


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…"


def confusion_chart(counts: Array, names: Sequence[str], cell: int = 42) -> Markup:
    """A confusion matrix: rows are true classes, columns what the model said, shaded by the share of the row.

    Args:
        counts: (classes, classes), as `confusion_matrix` gives them.
        names: a name a class.
        cell: width and height of a cell, in pixels.
    """
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    parts = []
    for i, name in enumerate(names):
        y, x = _TOP + i * cell, _LEFT + (i + 0.5) * cell
        parts.append(element("text", _short(name), x=_LEFT - 8, y=y + cell / 2 + 4, text_anchor="end"))
        parts.append(element("text", _short(name), x=x, y=_TOP - 8, transform=f"rotate(-38 {x:.0f} {_TOP - 8})"))
        for j, other in enumerate(names):
            told = f"{name}, called {other}: {counts[i, j]} ({shares[i, j]:.1%})"
            x_cell = float(_LEFT + j * cell)
            parts.append(_cell(int(counts[i, j]), float(shares[i, j]), i == j, x_cell, float(y), cell, told))
    width, height = _LEFT + len(names) * cell + _RIGHT, _TOP + len(names) * cell + 4
    right = int(np.trace(counts))
    return element(
        "svg",
        *parts,
        viewBox=f"0 0 {width} {height}",
        width=width,
        height=height,
        role="img",
        aria_label=f"Confusion matrix: {right} of {int(counts.sum())} are on the diagonal",
        class_="chart",
    )
