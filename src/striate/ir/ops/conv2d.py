"""conv2d: Equation 14-1 (Geron), bias and activation fused.

    z[n, i, j, k] = act(b[k] + sum_{u, v, k'} x[n, i sh + u dh, j sw + v dw, k'] w[u, v, k', k])

x is the padded input; k' runs over the f_n' maps of the layer below; a cross-correlation: the kernel is not flipped.
With groups, map k of group q sees the C/groups maps k' of group q only (maps are numbered group by group).

Shapes: x (N, H, W, C), w (KH, KW, C/groups, K), b (K,) or left out, z (N, OH, OW, K). Strides and dilation in pixels.
Source: Géron, Hands-On Machine Learning, Equation 14-1; Keras 3 `keras.ops.conv` (layouts, groups, "same").
"""

from __future__ import annotations

from typing import Any

import numpy as np

from striate.core.errors import ShapeError
from striate.ir.opdef import define_op
from striate.ir.ops import _functions
from striate.ir.ops._arrays import Array, like, wide
from striate.ir.ops._checks import require_floats, require_rank, require_same_dtype, show
from striate.ir.ops._epilogue import require_bias, through_epilogue
from striate.ir.ops._terms import Term, terms
from striate.ir.ops._windows import out_hw, pad_image, pads, tap
from striate.ir.ops.attrs import ConvAttrs
from striate.ir.types import TensorType

IMAGES, KERNEL = "(batch, height, width, channels)", "(kernel height, kernel width, channels / groups, filters)"


def infer(x: TensorType, w: TensorType, *rest: TensorType | ConvAttrs) -> TensorType:
    *given, a = rest
    assert isinstance(a, ConvAttrs)
    bias = [t for t in given if isinstance(t, TensorType)]
    require_floats("conv2d", x, w, *bias)
    dtype = require_same_dtype("conv2d", x, w, *bias)
    require_rank("conv2d", "x", x, 4, IMAGES)
    require_rank("conv2d", "kernel", w, 4, KERNEL)
    kh, kw, inner, filters = w.dims
    channels = x.shape[3]
    if channels is not None and channels != inner * a.groups:
        raise ShapeError(
            f"conv: x has {channels} channels, the kernel expects {inner * a.groups}"
            f"{f' ({a.groups} groups of {inner})' if a.groups > 1 else ''}. Received x.shape={show(x.shape)}, "
            f"kernel.shape={show(w.shape)}, groups={a.groups}. "
            f"Give the kernel the shape ({kh}, {kw}, channels / groups, {filters})."
        )
    if filters % a.groups:
        raise ShapeError(
            f"conv: {filters} filters cannot be shared out among {a.groups} groups. "
            f"Received kernel.shape={show(w.shape)}, groups={a.groups}. Expected a multiple of {a.groups} filters."
        )
    require_bias("conv2d", bias[0] if bias else None, filters)
    return TensorType((x.shape[0], *out_hw("conv2d", a, x.shape[1:3], (kh, kw)), filters), dtype)


def _slopes(z: Term, g: Term, x: Term, w: Term, *rest: Any) -> tuple[Term, ...]:
    *bias, a = rest
    g = through_epilogue("conv2d", z, g, (x, w, *bias), a)
    dx = g("conv2d_grad_x", w, attrs=a.producing(x.type.dims))
    dw = x("conv2d_grad_w", g, attrs=a.producing(w.type.dims))
    return (dx, dw, *(g.sum(0, 1, 2, keepdims=False) for _ in bias))


def split_groups(t: Array, groups: int) -> Array:
    """The last axis as (group, map within the group)."""
    return t.reshape(*t.shape[:-1], groups, t.shape[-1] // groups)


def reference(x: Array, w: Array, *rest: Array | ConvAttrs) -> Array:
    """Equation 14-1 with loops over u and v only; the sum over k' is the einsum. x is the padded input; k' runs over
    the f_n' maps of the layer below; a cross-correlation, the kernel is not flipped."""
    *bias, a = rest
    assert isinstance(a, ConvAttrs)
    kh, kw, inner, filters = w.shape
    around = pads(a, (x.shape[1], x.shape[2]), (kh, kw))
    oh, ow = out_hw("conv2d", a, x.shape[1:3], (kh, kw))
    assert oh is not None and ow is not None
    padded = pad_image(wide(x), around)
    kernel = wide(w).reshape(kh, kw, inner, a.groups, filters // a.groups)
    z = np.zeros((x.shape[0], oh, ow, a.groups, filters // a.groups))
    for u in range(kh):
        for v in range(kw):
            seen = split_groups(tap(padded, u, v, a, (oh, ow)), a.groups)
            z += np.einsum("nijqc,cqk->nijqk", seen, kernel[u, v], optimize=True)
    z = z.reshape(x.shape[0], oh, ow, filters)
    for b in bias:
        assert isinstance(b, np.ndarray)
        z = z + wide(b)
    return like(_functions.epilogue(z, a.epilogue, a.alpha), x)


define_op("conv2d", attrs=ConvAttrs, infer=infer, vjp=terms(_slopes), reference=reference)
