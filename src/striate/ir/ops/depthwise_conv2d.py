"""depthwise_conv2d: filter each channel on its own; channels never mix. Bias and activation fused.

    z[n, i, j, c M + m] = act(b[c M + m] + sum_{u, v} x[n, i sh + u dh, j sw + v dw, c] w[u, v, c, m])

x is the padded input; a cross-correlation: the kernel is not flipped. `groups` is not used.
Shapes: x (N, H, W, C), w (KH, KW, C, M), b (C M,) or left out, z (N, OH, OW, C M).
Source: Keras 3 `keras.ops.depthwise_conv` (weight layout and order of the output channels).
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
from striate.ir.ops.conv2d import IMAGES
from striate.ir.types import TensorType

KERNEL = "(kernel height, kernel width, channels, depth_multiplier)"


def infer(x: TensorType, w: TensorType, *rest: TensorType | ConvAttrs) -> TensorType:
    *given, a = rest
    assert isinstance(a, ConvAttrs)
    bias = [t for t in given if isinstance(t, TensorType)]
    require_floats("depthwise_conv2d", x, w, *bias)
    dtype = require_same_dtype("depthwise_conv2d", x, w, *bias)
    require_rank("depthwise_conv2d", "x", x, 4, IMAGES)
    require_rank("depthwise_conv2d", "kernel", w, 4, KERNEL)
    kh, kw, channels, multiplier = w.dims
    if x.shape[3] is not None and x.shape[3] != channels:
        raise ShapeError(
            f"depthwise_conv: x has {x.shape[3]} channels, the kernel expects {channels}. "
            f"Received x.shape={show(x.shape)}, kernel.shape={show(w.shape)}. "
            f"Give the kernel the shape ({kh}, {kw}, {x.shape[3]}, depth_multiplier)."
        )
    require_bias("depthwise_conv2d", bias[0] if bias else None, channels * multiplier)
    out = out_hw("depthwise_conv2d", a, x.shape[1:3], (kh, kw))
    return TensorType((x.shape[0], *out, channels * multiplier), dtype)


def _slopes(z: Term, g: Term, x: Term, w: Term, *rest: Any) -> tuple[Term, ...]:
    *bias, a = rest
    g = through_epilogue("depthwise_conv2d", z, g, (x, w, *bias), a)
    dx = g("depthwise_conv2d_grad_x", w, attrs=a.producing(x.type.dims))
    dw = x("depthwise_conv2d_grad_w", g, attrs=a.producing(w.type.dims))
    return (dx, dw, *(g.sum(0, 1, 2, keepdims=False) for _ in bias))


def reference(x: Array, w: Array, *rest: Array | ConvAttrs) -> Array:
    *bias, a = rest
    assert isinstance(a, ConvAttrs)
    kh, kw, channels, multiplier = w.shape
    oh, ow = out_hw("depthwise_conv2d", a, x.shape[1:3], (kh, kw))
    assert oh is not None and ow is not None
    padded = pad_image(wide(x), pads(a, (x.shape[1], x.shape[2]), (kh, kw)))
    kernel = wide(w)
    z = np.zeros((x.shape[0], oh, ow, channels, multiplier))
    for u in range(kh):
        for v in range(kw):
            z += tap(padded, u, v, a, (oh, ow))[..., None] * kernel[u, v]
    z = z.reshape(x.shape[0], oh, ow, channels * multiplier)
    for b in bias:
        assert isinstance(b, np.ndarray)
        z = z + wide(b)
    return like(_functions.epilogue(z, a.epilogue, a.alpha), x)


define_op("depthwise_conv2d", attrs=ConvAttrs, infer=infer, vjp=terms(_slopes), reference=reference)
