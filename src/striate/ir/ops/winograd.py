"""winograd_filters, winograd_conv2d: a 3x3 convolution in two parts, so that filters are transformed once.

    u[6 a + b, p, c, j] = (G w[:, :, c, p panel + j] G^T)[a, b], 0 past the last filter       winograd_filters
    z = conv2d(x, w, b)  for the w that u was made of                                         winograd_conv2d

G is that of F(4x4, 3x3) at the points 0, 1, -1, 2, -1/2 and infinity (docs/numerics-winograd.md).

Shapes: w (3, 3, C, K), x (N, H, W, C), b (K,) or left out, z (N, OH, OW, K); u (36, S): each point's ceil(K / panel)
panels of C rows, then zeros up to an odd number of cache lines, so that the 36 do not share cache sets. No gradients:
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

G = np.array(
    [
        [1, 0, 0],
        [-1 / 3, -1 / 3, -1 / 3],
        [1 / 3, -1 / 3, 1 / 3],
        [1 / 15, 2 / 15, 4 / 15],
        [-16 / 15, 8 / 15, -4 / 15],
        [0, 0, 1],
    ]
)
_LINE = 16  # floats of a cache line


def stride(channels: int, filters: int, panel: int) -> int:
    """Floats from one point's filters to the next: an odd number of cache lines."""
    lines = -(-(-(-filters // panel) * channels * panel) // _LINE)
    return (lines | 1) * _LINE


def infer_filters(w: TensorType, a: WinogradFilterAttrs) -> TensorType:
    require_floats("winograd_filters", w)
    require_rank("winograd_filters", "w", w, 4, conv2d.KERNEL)
    if w.dims[:2] != (3, 3):
        raise ShapeError(f"winograd_filters: received w.shape={show(w.shape)}. Expected a kernel of 3x3 pixels.")
    return TensorType((36, stride(w.dims[2], w.dims[3], a.panel)), w.dtype)


def transformed(w: Array, matrix: Array, panel: int) -> Array:
    """`matrix` w `matrix`^T of each pair of channels, laid out as u."""
    channels, filters = w.shape[2:]
    panels = -(-filters // panel)
    padded = np.zeros((3, 3, channels, panels * panel))
    padded[..., :filters] = wide(w)
    u = np.einsum("ai,ijck,bj->abck", matrix, padded, matrix, optimize=True)
    held = np.zeros((36, stride(channels, filters, panel)))
    by_panel = u.reshape(36, channels, panels, panel).transpose(0, 2, 1, 3)
    held[:, : channels * panels * panel] = by_panel.reshape(36, -1)
    return held


def filters_reference(w: Array, a: WinogradFilterAttrs) -> Array:
    return like(transformed(w, G, a.panel), w)


def infer_conv2d(x: TensorType, u: TensorType, *rest: TensorType | WinogradConvAttrs) -> TensorType:
    *bias, a = rest
    assert isinstance(a, WinogradConvAttrs)
    require_rank("winograd_conv2d", "x", x, 4, conv2d.IMAGES)
    channels = x.shape[3]
    assert channels is not None
    wanted = (36, stride(channels, a.filters, a.panel))
    if u.dims != wanted:
        raise ShapeError(
            f"winograd_conv2d: received u.shape={show(u.shape)}. Expected {wanted}, what winograd_filters makes of a "
            f"kernel of shape (3, 3, {channels}, {a.filters}) in panels of {a.panel}. This is a fault of the planner."
        )
    return conv2d.infer(x, TensorType((3, 3, channels, a.filters), u.dtype), *bias, ConvAttrs.plain(a))


def kernel_of(u: Array, channels: int, a: WinogradConvAttrs) -> Array:
    """The w that `u` was made of: G has full rank."""
    panels, back = -(-a.filters // a.panel), np.linalg.pinv(G)
    by_panel = wide(u)[:, : panels * channels * a.panel].reshape(36, panels, channels, a.panel)
    points = by_panel.transpose(0, 2, 1, 3).reshape(6, 6, channels, -1)[..., : a.filters]
    w: Array = np.einsum("ia,abck,jb->ijck", back, points, back, optimize=True)
    return w


def conv2d_reference(x: Array, u: Array, *rest: Any) -> Array:
    *bias, a = rest
    plain = ConvAttrs(a.strides, a.padding, a.pads, a.dilation, a.groups, a.epilogue, a.alpha)
    return like(conv2d.reference(wide(x), kernel_of(u, x.shape[3], a), *map(wide, bias), plain), x)


define_op("winograd_filters", attrs=WinogradFilterAttrs, infer=infer_filters, reference=filters_reference)
define_op("winograd_conv2d", attrs=WinogradConvAttrs, infer=infer_conv2d, reference=conv2d_reference)
