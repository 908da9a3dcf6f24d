"""A table drawn in characters, its columns shared out and its cells wrapped as Keras's summary has them.

Keras draws with rich; its rules are followed here so that the text is the same: what is too wide is taken off all
columns alike, cells wrap at spaces, and a word longer than its column ends in an ellipsis.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence

_WORD = re.compile(r"\s*\S+\s*")


def cells(text: str) -> int:
    """Columns of a terminal that a text takes; wide characters take two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def column_widths(wanted: Sequence[int], total: int) -> list[int]:
    """Widths with padding, borders left out, that add up to the table's width."""
    widths = [w + 2 for w in wanted]
    room = total - (len(widths) + 1)
    excess = sum(widths) - room
    left = len(widths)
    if excess > 0:
        for i, width in enumerate(widths):
            share = min(width, round(excess / left))
            widths[i] -= share
            excess -= share
            left -= 1
    elif excess < 0:
        spare, ratio = -excess, sum(widths)
        for i, width in enumerate(list(widths)):
            share = max(0, math.ceil(width * spare / ratio)) if ratio > 0 else spare
            widths[i] += share
            spare -= share
            ratio -= width
    return widths


def _truncate(line: str, width: int) -> str:
    if cells(line) <= width:
        return line
    while line and cells(line) > width - 1:
        line = line[:-1]
    return line + "…"


def wrap(text: str, width: int) -> list[str]:
    """The lines of a cell."""
    lines: list[str] = []
    current = ""
    for word in _WORD.findall(text):
        length = cells(word.rstrip())
        if width - cells(current) >= length:
            current += word
        elif current:
            lines.append(current)
            current = word
        else:
            current = word
    lines.append(current)
    return [_truncate(line.rstrip(), width) for line in lines]


def _justify(line: str, width: int, align: str) -> str:
    space = max(width - cells(line), 0)
    before = {"left": 0, "right": space, "center": space // 2}[align]
    return " " * before + line + " " * (space - before)


def _row(fields: Sequence[str], widths: Sequence[int], aligns: Sequence[str], edge: str, header: bool) -> list[str]:
    columns = [wrap(text, max(width - 2, 1)) for text, width in zip(fields, widths, strict=True)]
    height = max(len(lines) for lines in columns)
    drawn = []
    for i in range(height):
        parts = []
        for lines, width, align in zip(columns, widths, aligns, strict=True):
            at = i - (height - len(lines)) if header else i
            line = lines[at] if 0 <= at < len(lines) else ""
            parts.append(" " + _justify(line, width - 2, align) + " ")
        drawn.append(edge + edge.join(parts) + edge)
    return drawn


def draw(
    header: Sequence[str], rows: Sequence[Sequence[str]], wanted: Sequence[int], aligns: Sequence[str], total: int
) -> list[str]:
    """The lines of the table."""
    widths = column_widths(wanted, total)

    def rule(left: str, fill: str, cross: str, right: str) -> str:
        return left + cross.join(fill * w for w in widths) + right

    lines = [rule("┏", "━", "┳", "┓"), *_row(header, widths, aligns, "┃", True), rule("┡", "━", "╇", "┩")]
    for i, fields in enumerate(rows):
        if i:
            lines.append(rule("├", "─", "┼", "┤"))
        lines += _row(fields, widths, aligns, "│", False)
    lines.append(rule("└", "─", "┴", "┘"))
    return lines
