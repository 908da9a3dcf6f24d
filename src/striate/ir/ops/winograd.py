"""winograd_filters, winograd_conv2d: a 3x3 or 5x5 convolution in two parts, so that filters are transformed once.

    u[P^2 g + P a + b, p, c, j] = (G w[:, :, c, g K/groups + p panel + j] G^T)[a, b]          winograd_filters
    u[g, p, c, i, j, k] = w[i, j, c, g K/groups + p panel + k]                                ... not transformed
    z = conv2d(x, w, b)  for the w that u was made of                                         winograd_conv2d

with 0 past the last filter of a group g. G is that of F(4x4, 3x3), at the P = 6 points 0, 1, -1, 2, -1/2 and infinity,
or of F(4x4, 5x5), at the P = 8 points 0, 1, -1, 2, -2, 1/2, -1/2 and infinity (docs/numerics-winograd.md).

Shapes: w (3, 3, C/groups, K) or (5, 5, C/groups, K), x (N, H, W, C), b (K,) or left out, z (N, OH, OW, K); u (P^2
groups, S): each point's ceil(K/groups/panel) panels of C/groups rows, then zeros up to an odd number of cache lines, so
that the P^2 do not share cache sets; u not transformed (groups, ceil(K/groups/panel) C/groups 9 panel). No gradients:
both are made by the planner, after gradients.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from striate.core.errors import ShapeError
from striate.ir.opdef import define_op
from striate.ir.ops import conv2d
from striate.ir.ops._arrays import Array, like, wide
from striate.ir.ops._checks import require_floats, require_rank, show
from striate.ir.ops.attrs import ConvAttrs, WinogradConvAttrs, WinogradFilterAttrs
from striate.ir.types import TensorType

#: window -> the finite points
POINTS = {3: (0.0, 1.0, -1.0, 2.0, -0.5), 5: (0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5)}


def _filter_matrix(window: int) -> Array:
    """G: row p is (1, p, p^2, ...) over the product of p's differences from the others, the last that of infinity."""
    points = POINTS[window]
    scales = [np.prod([p - q for q in points if q != p]) for p in points]
    rows = [[p**k / scale for k in range(window)] for p, scale in zip(points, scales, strict=True)]
    return np.array([*rows, [0.0] * (window - 1) + [1.0]])


G = {window: _filter_matrix(window) for window in POINTS}
_LINE = 16  # floats of a cache line


def stride(channels: int, filters: int, panel: int) -> int:
    """Floats from one point's filters to the next: an odd number of cache lines."""
    lines = -(-(-(-filters // panel) * channels * panel) // _LINE)
    return (lines | 1) * _LINE


def infer_filters(w: TensorType, a: WinogradFilterAttrs) -> TensorType:
    require_floats("winograd_filters", w)
    require_rank("winograd_filters", "w", w, 4, conv2d.KERNEL)
    if w.dims[0] != w.dims[1] or w.dims[0] not in G:
        raise ShapeError(f"winograd_filters: received w.shape={show(w.shape)}. Expected a kernel of 3x3 or 5x5 pixels.")
    if a.groups < 1 or w.dims[3] % a.groups:
        raise ShapeError(
            f"winograd_filters: received {w.dims[3]} filters in {a.groups} groups, which do not divide them."
        )
    return TensorType(shape_of_u(w.dims, a), w.dtype)


def shape_of_u(kernel: tuple[int, ...], a: WinogradFilterAttrs | WinogradConvAttrs) -> tuple[int, int]:
    window, _, channels, filters = kernel
    if not a.transformed:
        return a.groups, -(-(filters // a.groups) // a.panel) * channels * window**2 * a.panel
    return len(G[window]) ** 2 * a.groups, stride(channels, filters // a.groups, a.panel)


def transformed(w: Array, matrix: Array, panel: int, groups: int = 1) -> Array:
    """`matrix` w `matrix`^T of each pair of channels, laid out as u."""
    parts = [_one_group(part, matrix, panel) for part in np.split(wide(w), groups, axis=3)]
    return np.concatenate(parts)


def _one_group(w: Array, matrix: Array, panel: int) -> Array:
    channels, filters = w.shape[2:]
    panels = -(-filters // panel)
    padded = np.zeros((*w.shape[:2], channels, panels * panel))
    padded[..., :filters] = w
    u = np.einsum("ai,ijck,bj->abck", matrix, padded, matrix, optimize=True)
    points = len(matrix) ** 2
    held = np.zeros((points, stride(channels, filters, panel)))
    by_panel = u.reshape(points, channels, panels, panel).transpose(0, 2, 1, 3)
    held[:, : channels * panels * panel] = by_panel.reshape(points, -1)
    return held


def packed(w: Array, panel: int, groups: int) -> Array:
    """w laid out as u that is not transformed."""
    rows, cols, channels, filters = w.shape
    each = filters // groups
    padded = np.zeros((rows, cols, channels, groups, -(-each // panel) * panel), w.dtype)
    padded[..., :each] = w.reshape(rows, cols, channels, groups, each)
    return padded.reshape(rows, cols, channels, groups, -1, panel).transpose(3, 4, 2, 0, 1, 5).reshape(groups, -1)


def filters_reference(w: Array, a: WinogradFilterAttrs) -> Array:
    if not a.transformed:
        return packed(w, a.panel, a.groups)
    return like(transformed(w, G[w.shape[0]], a.panel, a.groups), w)


def infer_conv2d(x: TensorType, u: TensorType, *rest: TensorType | WinogradConvAttrs) -> TensorType:
    *bias, a = rest
    assert isinstance(a, WinogradConvAttrs)
    require_rank("winograd_conv2d", "x", x, 4, conv2d.IMAGES)
    channels = x.shape[3]
    assert channels is not None
    kernel = (a.window, a.window, channels // a.groups, a.filters)
    wanted = shape_of_u(kernel, a)
    if u.dims != wanted:
        raise ShapeError(
            f"winograd_conv2d: received u.shape={show(u.shape)}. Expected {wanted}, what winograd_filters makes of a "
            f"kernel of shape {kernel} in {a.groups} groups and panels of {a.panel}. This is a fault of the planner."
        )
    return conv2d.infer(x, TensorType(kernel, u.dtype), *bias, ConvAttrs.plain(a))


def kernel_of(u: Array, channels: int, a: WinogradConvAttrs) -> Array:
    """The w that `u` was made of: G has full rank."""
    each, filters = channels // a.groups, a.filters // a.groups
    panels, back = -(-filters // a.panel), np.linalg.pinv(G[a.window])
    if not a.transformed:
        by_panel = wide(u).reshape(a.groups, panels, each, a.window, a.window, a.panel).transpose(3, 4, 2, 0, 1, 5)
        padded = by_panel.reshape(a.window, a.window, each, a.groups, panels * a.panel)
        return padded[..., :filters].reshape(a.window, a.window, each, a.filters)
    kernels = []
    for part in np.split(wide(u), a.groups):
        n = len(G[a.window])
        by_panel = part[:, : panels * each * a.panel].reshape(n * n, panels, each, a.panel)
        points = by_panel.transpose(0, 2, 1, 3).reshape(n, n, each, -1)[..., :filters]
        kernels.append(np.einsum("ia,abck,jb->ijck", back, points, back, optimize=True))
    return np.concatenate(kernels, axis=3)


def conv2d_reference(x: Array, u: Array, *rest: Any) -> Array:
    *bias, a = rest
    plain = ConvAttrs(a.strides, a.padding, a.pads, a.dilation, a.groups, a.epilogue, a.alpha)
    return like(conv2d.reference(wide(x), kernel_of(u, x.shape[3], a), *map(wide, bias), plain), x)


define_op("winograd_filters", attrs=WinogradFilterAttrs, infer=infer_filters, reference=filters_reference)
define_op("winograd_conv2d", attrs=WinogradConvAttrs, infer=infer_conv2d, reference=conv2d_reference)
