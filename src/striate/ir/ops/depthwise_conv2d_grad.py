"""The two gradients of depthwise_conv2d, from g = dL/dz (before the activation).

    depthwise_conv2d_grad_x(g, w)   dx[n, i sh + u dh, j sw + v dw, c] += sum_m g[n, i, j, c M + m] w[u, v, c, m]
    depthwise_conv2d_grad_w(x, g)   dw[u, v, c, m] = sum_{n, i, j} x[n, i sh + u dh, j sw + v dw, c] g[n, i, j, c M + m]

Each is linear in both inputs, and its own gradients are the other two of the three.
Shapes: g (N, OH, OW, C M); the result has `attrs.shape`, x's (N, H, W, C) or w's (KH, KW, C, M).
"""

from __future__ import annotations

import numpy as np

from striate.ir.opdef import define_op
from striate.ir.ops._arrays import Array, like, wide
from striate.ir.ops._checks import require_floats, require_same_dtype
from striate.ir.ops._terms import Term, terms
from striate.ir.ops._windows import crop, pad_image, pads, tap
from striate.ir.ops.attrs import ConvGradAttrs
from striate.ir.ops.depthwise_conv2d import infer as infer_forward
from striate.ir.types import TensorType


def infer_x(g: TensorType, w: TensorType, a: ConvGradAttrs) -> TensorType:
    require_floats("depthwise_conv2d_grad_x", g, w)
    x = TensorType(a.shape, require_same_dtype("depthwise_conv2d_grad_x", g, w))
    assert infer_forward(x, w, a.plain()) == g, f"depthwise_conv2d_grad_x: g is {g}, x {x}, w {w}, {a}"
    return x


def infer_w(x: TensorType, g: TensorType, a: ConvGradAttrs) -> TensorType:
    require_floats("depthwise_conv2d_grad_w", x, g)
    w = TensorType(a.shape, require_same_dtype("depthwise_conv2d_grad_w", x, g))
    assert infer_forward(x, w, a.plain()) == g, f"depthwise_conv2d_grad_w: g is {g}, x {x}, w {w}, {a}"
    return w


def _slopes_x(dx: Term, h: Term, g: Term, w: Term, a: ConvGradAttrs) -> tuple[Term, Term]:
    dw = h("depthwise_conv2d_grad_w", g, attrs=a.producing(w.type.dims))
    return h("depthwise_conv2d", w, attrs=a.plain()), dw


def _slopes_w(dw: Term, h: Term, x: Term, g: Term, a: ConvGradAttrs) -> tuple[Term, Term]:
    dx = g("depthwise_conv2d_grad_x", h, attrs=a.producing(x.type.dims))
    return dx, x("depthwise_conv2d", h, attrs=a.plain())


def reference_x(g: Array, w: Array, a: ConvGradAttrs) -> Array:
    n, height, width, channels = a.shape
    kh, kw, _, multiplier = w.shape
    out = (g.shape[1], g.shape[2])
    around = pads(a, (height, width), (kh, kw))
    kernel = wide(w)
    grad = wide(g).reshape(n, *out, channels, multiplier)
    dx = pad_image(np.zeros((n, height, width, channels)), around)
    for u in range(kh):
        for v in range(kw):
            tap(dx, u, v, a, out)[...] += (grad * kernel[u, v]).sum(axis=-1)
    return like(crop(dx, around), g)


def reference_w(x: Array, g: Array, a: ConvGradAttrs) -> Array:
    kh, kw, channels, multiplier = a.shape
    out = (g.shape[1], g.shape[2])
    padded = pad_image(wide(x), pads(a, (x.shape[1], x.shape[2]), (kh, kw)))
    grad = wide(g).reshape(x.shape[0], *out, channels, multiplier)
    dw = np.zeros((kh, kw, channels, multiplier))
    for u in range(kh):
        for v in range(kw):
            dw[u, v] = (tap(padded, u, v, a, out)[..., None] * grad).sum(axis=(0, 1, 2))
    return like(dw, x)


define_op("depthwise_conv2d_grad_x", attrs=ConvGradAttrs, infer=infer_x, vjp=terms(_slopes_x), reference=reference_x)
define_op("depthwise_conv2d_grad_w", attrs=ConvGradAttrs, infer=infer_w, vjp=terms(_slopes_w), reference=reference_w)
