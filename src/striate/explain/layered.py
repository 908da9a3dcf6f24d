"""Boxes of a graph without cycles placed in layers from top to bottom, with few crossings and right-angled lines.

In four steps, as Sugiyama, Tagawa and Toda (1981) divide it: layers by the longest way, order within a layer by
barycentres, places so that ways run straight, lines in channels between the layers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from striate.explain.layered_places import straight_places

Point = tuple[float, float]
APART = 24.0  # between two boxes of a layer
_WAY = 12.0  # what a line that passes a layer takes
_GAP = 26.0  # between two layers
_TRACK = 7.0  # between two lines that run side by side
_SWEEPS = 12


@dataclass(frozen=True)
class Arrangement:
    """Where everything lies.

    Args:
        corners: of each box, upper left.
        paths: of each edge, from the lower side of one box to the upper side of another, by right angles.
        width, height: of all.
    """

    corners: list[Point]
    paths: list[list[Point]]
    width: float
    height: float


def arrange(
    sizes: Sequence[tuple[float, float]],
    edges: Sequence[tuple[int, int]],
    first: Sequence[int] = (),
    last: Sequence[int] = (),
    offsets: Sequence[tuple[float, float]] | None = None,
) -> Arrangement:
    """Place boxes in layers so that every edge leads downwards.

    Args:
        sizes: (width, height) of each box.
        edges: (from, to), places in `sizes`; no way leads back.
        first, last: boxes that stand at the top and at the bottom.
        offsets: how far to the right of the boxes' middles each edge leaves and enters them.
    """
    ranks = _ranks(len(sizes), edges, set(first), set(last))
    layers: list[list[int]] = [[] for _ in range(max(ranks, default=-1) + 1)]
    widths = [width for width, _ in sizes]
    for box in _in_order(len(sizes), edges):
        layers[ranks[box]].append(box)
    chains = []  # what each edge passes: its ends, and a place in every layer between
    for start, end in edges:
        chain = [start]
        for rank in range(ranks[start] + 1, ranks[end]):
            chain.append(len(widths))
            layers[rank].append(len(widths))
            widths.append(_WAY)
        chains.append([*chain, end])
    below: dict[int, list[int]] = defaultdict(list)
    above: dict[int, list[int]] = defaultdict(list)
    for chain in chains:
        for upper, lower in pairwise(chain):
            below[upper].append(lower)
            above[lower].append(upper)
    layers = _with_few_crossings(layers, above, below)
    middles = straight_places(layers, widths, above, below, len(sizes), APART)
    return _drawn(sizes, layers, middles, widths, chains, offsets or [(0.0, 0.0)] * len(chains))


def _in_order(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """The boxes, each after those that lead to it, near to them."""
    after: dict[int, list[int]] = defaultdict(list)
    waiting = [0] * count
    for start, end in edges:
        after[start].append(end)
        waiting[end] += 1
    stack = [box for box in reversed(range(count)) if not waiting[box]]
    order = []
    while stack:
        box = stack.pop()
        order.append(box)
        for follower in reversed(after[box]):
            waiting[follower] -= 1
            if not waiting[follower]:
                stack.append(follower)
    if len(order) < count:
        raise AssertionError("a way leads back")
    return order


def _ranks(count: int, edges: Sequence[tuple[int, int]], first: set[int], last: set[int]) -> list[int]:
    ranks = [0] * count
    after: dict[int, list[int]] = defaultdict(list)
    has_before = {end for _, end in edges}
    for start, end in edges:
        after[start].append(end)
    order = _in_order(count, edges)
    for box in order:
        for follower in after[box]:
            ranks[follower] = max(ranks[follower], ranks[box] + 1)
    if first:
        ranks = [rank if box in first or box in has_before else max(rank, 1) for box, rank in enumerate(ranks)]
        for box in order:
            for follower in after[box]:
                ranks[follower] = max(ranks[follower], ranks[box] + 1)
    for box in order:  # what nothing leads to stands just above what it leads to
        if box not in has_before and box not in first and after[box]:
            ranks[box] = min(ranks[follower] for follower in after[box]) - 1
    if last:
        bottom = 1 + max((rank for box, rank in enumerate(ranks) if box not in last), default=-1)
        ranks = [max(rank, bottom) if box in last else rank for box, rank in enumerate(ranks)]
    return ranks


def _with_few_crossings(
    layers: list[list[int]], above: dict[int, list[int]], below: dict[int, list[int]]
) -> list[list[int]]:
    best, fewest = [list(layer) for layer in layers], _crossings(layers, below)
    for sweep in range(_SWEEPS):
        if not fewest:
            break
        downwards = sweep % 2 == 0
        fixed, beside = (layers, above) if downwards else (layers[::-1], below)
        for known, layer in pairwise(fixed):
            at = {thing: float(i) for i, thing in enumerate(known)}
            place = {thing: float(i) for i, thing in enumerate(layer)}
            for thing in layer:
                near = [at[other] for other in beside[thing] if other in at]
                if near:
                    place[thing] = sum(near) / len(near)
            layer.sort(key=place.__getitem__)
        crossings = _crossings(layers, below)
        if crossings < fewest:
            best, fewest = [list(layer) for layer in layers], crossings
    return best


def _crossings(layers: list[list[int]], below: dict[int, list[int]]) -> int:
    """Pairs of edges between neighbouring layers that cross: inversions of where they end."""
    count = 0
    for upper, lower in pairwise(layers):
        at = {thing: i for i, thing in enumerate(lower)}
        ends = [end for thing in upper for end in sorted(at[other] for other in below[thing])]
        count += sum(one > other for i, one in enumerate(ends) for other in ends[i + 1 :])
    return count


def _drawn(
    sizes: Sequence[tuple[float, float]],
    layers: list[list[int]],
    middles: dict[int, float],
    widths: list[float],
    chains: list[list[int]],
    offsets: Sequence[tuple[float, float]],
) -> Arrangement:
    rank = {thing: i for i, layer in enumerate(layers) for thing in layer}
    heights = [max((sizes[thing][1] for thing in layer if thing < len(sizes)), default=0.0) for layer in layers]
    columns = []  # where each edge passes the layers
    spans: dict[int, dict[float, list[float]]] = defaultdict(dict)  # layer -> where a line comes from -> where it goes
    for chain, (leave, enter) in zip(chains, offsets, strict=True):
        xs = [middles[thing] for thing in chain]
        xs[0], xs[-1] = xs[0] + leave, xs[-1] + enter
        columns.append(xs)
        for thing, (start, end) in zip(chain, pairwise(xs), strict=False):
            if abs(start - end) >= 0.5:
                spans[rank[thing]].setdefault(start, [start]).append(end)
    tracks = {at: _tracks(of_layer) for at, of_layer in spans.items()}
    tops, y = [], 0.0
    for at, height in enumerate(heights):
        tops.append(y)
        y += height + _GAP + _TRACK * max(tracks.get(at, {0: 0}).values())
    corners = []
    for box, (width, height) in enumerate(sizes):
        slack = heights[rank[box]] - height
        corners.append((middles[box] - width / 2, tops[rank[box]] + slack / 2))
    paths = []
    for chain, xs in zip(chains, columns, strict=True):
        points: list[Point] = [(xs[0], corners[chain[0]][1] + sizes[chain[0]][1])]
        for thing, (start, end) in zip(chain, pairwise(xs), strict=False):
            if abs(start - end) >= 0.5:
                at = rank[thing]
                channel = tops[at] + heights[at] + _GAP * 0.4 + _TRACK * tracks[at][start]
                points += [(start, channel), (end, channel)]
        points.append((points[-1][0], corners[chain[-1]][1]))
        paths.append(points)
    right = max((middles[thing] + widths[thing] / 2 for thing in middles), default=0.0)
    bottom = max((corner[1] + size[1] for corner, size in zip(corners, sizes, strict=True)), default=0.0)
    return Arrangement(corners, paths, right, bottom)


def _tracks(spans: dict[float, list[float]]) -> dict[float, int]:
    """Lines that run over each other's stretch lie side by side; those that come from one place are one line."""
    taken: list[list[tuple[float, float]]] = []
    found = {}
    for start, ends in sorted(spans.items(), key=lambda item: (max(item[1]) - min(item[1]), item[0])):
        low, high = min(ends) - 4, max(ends) + 4
        free = [i for i, lines in enumerate(taken) if all(high < a or low > b for a, b in lines)]
        if not free:
            taken.append([])
        found[start] = free[0] if free else len(taken) - 1
        taken[found[start]].append((low, high))
    return found
