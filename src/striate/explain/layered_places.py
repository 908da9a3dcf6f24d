"""How far to the right each thing of a layered drawing stands, so that most ways run straight down.

After Brandes and Köpf, "Fast and simple horizontal coordinate assignment" (2001): each thing is put below the median of
what leads to it, which makes columns, and the columns are pushed together; that is done downwards and upwards, from the
left and from the right, and each thing stands in the middle of its four places.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise

_Beside = Mapping[int, Sequence[int]]


def straight_places(
    layers: Sequence[Sequence[int]], widths: Sequence[float], above: _Beside, below: _Beside, boxes: int, apart: float
) -> dict[int, float]:
    """The middle of each thing, from the left side of all.

    Args:
        layers: things from left to right, layer by layer.
        widths: of the things.
        above, below: what each is joined to in the layers beside its own.
        boxes: things from this number on are parts of a way that passes a layer.
        apart: between the sides of two things.
    """
    crossed = _crossed(layers, above, boxes)
    found = []
    for mirrored in (False, True):
        rows = [list(layer)[::-1] if mirrored else list(layer) for layer in layers]
        for downwards in (True, False):
            ordered = rows if downwards else rows[::-1]
            columns = _columns(ordered, above if downwards else below, crossed)
            places = _pushed(rows, columns, widths, apart)
            found.append({thing: -x for thing, x in places.items()} if mirrored else places)
    return _balanced(found, widths)


def _crossed(layers: Sequence[Sequence[int]], above: _Beside, boxes: int) -> set[tuple[int, int]]:
    """Pieces of ways that cross a piece between two layers that are only passed: those should be straight."""
    marked = set()
    for upper, lower in pairwise(layers):
        at = {thing: i for i, thing in enumerate(upper)}
        pieces = [(at[u], i, u, v) for i, v in enumerate(lower) for u in above[v] if u in at]
        inner = [(a, b) for a, b, u, v in pieces if u >= boxes and v >= boxes]
        for a, b, u, v in pieces:
            if (u < boxes or v < boxes) and any((a - c) * (b - d) < 0 for c, d in inner):
                marked.add((u, v))
    return marked


def _columns(rows: Sequence[Sequence[int]], before: _Beside, crossed: set[tuple[int, int]]) -> dict[int, int]:
    """Thing -> the first thing of its column."""
    root = {thing: thing for row in rows for thing in row}
    for known, row in pairwise(rows):
        at = {thing: i for i, thing in enumerate(known)}
        free = -1  # columns to the left of this place are taken
        for thing in row:
            near = sorted((other for other in before[thing] if other in at), key=at.__getitem__)
            for other in near[(len(near) - 1) // 2 : len(near) // 2 + 1]:
                across = (other, thing) in crossed or (thing, other) in crossed
                if root[thing] == thing and not across and at[other] > free:
                    root[thing] = root[other]
                    free = at[other]
    return root


def _pushed(
    rows: Sequence[Sequence[int]], root: Mapping[int, int], widths: Sequence[float], apart: float
) -> dict[int, float]:
    """Columns as far to the left as they can be, and then those with room as near to their right neighbours."""
    gaps: dict[int, dict[int, float]] = defaultdict(
        dict
    )  # column -> column to the right of it -> between their middles
    waiting = dict.fromkeys(root.values(), 0)
    for row in rows:
        for left, right in pairwise(row):
            gap = (widths[left] + widths[right]) / 2 + apart
            one, other = root[left], root[right]
            if other not in gaps[one]:
                waiting[other] += 1
            gaps[one][other] = max(gap, gaps[one].get(other, 0.0))
    order, stack = [], [column for column, count in waiting.items() if not count]
    while stack:
        column = stack.pop()
        order.append(column)
        for other in gaps[column]:
            waiting[other] -= 1
            if not waiting[other]:
                stack.append(other)
    places = dict.fromkeys(order, 0.0)
    for column in order:
        for other, gap in gaps[column].items():
            places[other] = max(places[other], places[column] + gap)
    for column in reversed(order):
        if gaps[column]:
            places[column] = max(places[column], min(places[other] - gap for other, gap in gaps[column].items()))
    return {thing: places[column] for thing, column in root.items()}


def _balanced(found: Sequence[Mapping[int, float]], widths: Sequence[float]) -> dict[int, float]:
    """The four drawings laid over the narrowest, by their left and right sides; of four places the middle."""
    sides = []
    for places in found:
        left = min((x - widths[thing] / 2 for thing, x in places.items()), default=0.0)
        right = max((x + widths[thing] / 2 for thing, x in places.items()), default=0.0)
        sides.append((left, right))
    low, high = min(sides, key=lambda side: side[1] - side[0])
    shifts = [low - left if i < 2 else high - right for i, (left, right) in enumerate(sides)]
    middles = {}
    for thing in found[0]:
        four = sorted(places[thing] + shift for places, shift in zip(found, shifts, strict=True))
        middles[thing] = (four[1] + four[2]) / 2
    left = min((x - widths[thing] / 2 for thing, x in middles.items()), default=0.0)
    return {thing: x - left for thing, x in middles.items()}
