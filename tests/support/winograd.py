"""Winograd's F(4x4, 3x3) and F(4x4, 5x5) in NumPy: matrices, made of the points; an output's tile; the stated bound.

    |error| <= factor * eps * |A^T| ((|G||w||G^T|) . (|B^T||x||B|)) |A|  summed over channels, over the output's tile

and for the filters' gradient |G^T| (sum over tiles (|B^T||x||B|) . (|A||g||A^T|)) |G|. docs/numerics-winograd.md
argues the factor.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from striate.ir.ops.attrs import ConvAttrs

Array = np.ndarray[Any, Any]

#: roundings: at most about 20 in the transforms of one term, and a random walk over the channels' sum
FACTOR = 8
#: and infinity
POINTS = {3: (0.0, 1.0, -1.0, 2.0, -0.5), 5: (0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5)}
#: of a tile along an axis
OUTPUTS = 4


def matrices(window: int = 3) -> tuple[Array, Array, Array]:
    """A^T (4, n), G (n, window), B^T (n, n) for n = window + 3 points, by Lagrange interpolation, transposed."""
    points, n = POINTS[window], window + OUTPUTS - 1
    at, g, bt = np.zeros((OUTPUTS, n)), np.zeros((n, window)), np.zeros((n, n))
    for i, p in enumerate(points):
        others = [q for q in points if q != p]
        at[:, i] = [p**k for k in range(OUTPUTS)]
        g[i] = np.array([p**k for k in range(window)]) / np.prod([p - q for q in others])
        bt[i, : n - 1] = np.poly(others)[::-1]
    at[-1, -1] = g[-1, -1] = 1
    bt[-1] = np.poly(points)[::-1]
    return at, g, bt


class Axis(NamedTuple):
    """One tile along an axis: where its first output lies, which outputs (local) it gives."""

    start: int
    first: int
    count: int


def axis_tiles(out: int) -> list[Axis]:
    """Tiles of 4 outputs; a last one of three, or one that starts an output earlier and gives its second and third."""
    tiles = [Axis(OUTPUTS * i, 0, OUTPUTS) for i in range(out // OUTPUTS)]
    rest, at = out % OUTPUTS, out // OUTPUTS * OUTPUTS
    if rest == OUTPUTS - 1:
        tiles.append(Axis(at, 0, rest))
    elif rest:
        tiles.append(Axis(at - 1, 1, rest))
    return tiles


def _patch(x: Array, row: int, col: int, size: int) -> Array:
    """x[:, row : row + size, col : col + size] with zeros where there is no x."""
    patch = np.zeros((x.shape[0], size, size, x.shape[3]))
    r0, r1 = max(row, 0), min(row + size, x.shape[1])
    c0, c1 = max(col, 0), min(col + size, x.shape[2])
    if r0 < r1 and c0 < c1:
        patch[:, r0 - row : r1 - row, c0 - col : c1 - col] = x[:, r0:r1, c0:c1]
    return patch


def _both(left: Array, middle: Array, right: Array) -> Array:
    """left @ middle @ right over axes 1 and 2 of (n, ., ., channels)."""
    return np.einsum("ai,nijc,jb->nabc", left, middle, right, optimize=True)


def _forward(x: Array, w: Array, out: tuple[int, int], pad: tuple[int, int], absolute: bool) -> Array:
    window = w.shape[0]
    at, g, bt = (np.abs(m) if absolute else m for m in matrices(window))
    u = np.einsum("ai,ijck,bj->abck", g, w, g, optimize=True)
    y = np.zeros((x.shape[0], *out, w.shape[3]))
    for r in axis_tiles(out[0]):
        for c in axis_tiles(out[1]):
            v = _both(bt, _patch(x, r.start - pad[0], c.start - pad[1], len(bt)), bt.T)
            tile = _both(at, np.einsum("nabc,abck->nabk", v, u, optimize=True), at.T)
            rows, cols = (
                slice(r.start + r.first, r.start + r.first + r.count),
                slice(c.start + c.first, c.start + c.first + c.count),
            )
            y[:, rows, cols] = tile[:, r.first : r.first + r.count, c.first : c.first + c.count]
    return y


def _grad_w(x: Array, g: Array, window: int, pad: tuple[int, int], absolute: bool) -> Array:
    at, gm, bt = (np.abs(m) if absolute else m for m in matrices(window))
    u = np.zeros((len(bt), len(bt), x.shape[3], g.shape[3]))
    for r in axis_tiles(g.shape[1]):
        for c in axis_tiles(g.shape[2]):
            own = np.zeros((g.shape[0], OUTPUTS, OUTPUTS, g.shape[3]))
            rows, cols = (
                slice(r.start + r.first, r.start + r.first + r.count),
                slice(c.start + c.first, c.start + c.first + c.count),
            )
            own[:, r.first : r.first + r.count, c.first : c.first + c.count] = g[:, rows, cols]
            v = _both(bt, _patch(x, r.start - pad[0], c.start - pad[1], len(bt)), bt.T)
            u += np.einsum("nabc,nabk->abck", v, _both(at.T, own, at), optimize=True)
    return np.einsum("ai,abck,bj->ijck", gm, u, gm, optimize=True)


def pads_of(attrs: ConvAttrs, window: int) -> tuple[int, int]:
    """Padding before, at stride 1."""
    half = window // 2
    return {"valid": (0, 0), "same": (half, half), "explicit": (attrs.pads[0], attrs.pads[2])}[attrs.padding]


def winograd(op: str, inputs: list[Array], attrs: ConvAttrs, out: tuple[int, ...], *, absolute: bool) -> Array:
    """The op by the algorithm, in float64; with all numbers and matrices made positive: what the bound is made of."""
    a, b = (np.abs(t).astype(np.float64) if absolute else t.astype(np.float64) for t in inputs[:2])
    # Images' channels and filters are shared out alike.
    lefts, rights = np.split(a, attrs.groups, axis=3), np.split(b, attrs.groups, axis=3)
    parts = [_one_group(op, x, y, attrs, out, absolute) for x, y in zip(lefts, rights, strict=True)]
    return np.concatenate(parts, axis=3)


def _one_group(op: str, a: Array, b: Array, attrs: ConvAttrs, out: tuple[int, ...], absolute: bool) -> Array:
    window = out[0] if op == "conv2d_grad_w" else b.shape[0]
    top, left = pads_of(attrs, window)
    if op == "conv2d":
        return _forward(a, b, out[1:3], (top, left), absolute)
    if op == "conv2d_grad_x":
        turned = b[::-1, ::-1].swapaxes(2, 3)
        return _forward(a, turned, out[1:3], (window - 1 - top, window - 1 - left), absolute)
    return _grad_w(a, b, window, (top, left), absolute)
