"""The two gradients of conv2d, from g = dL/dz (before the activation).

    conv2d_grad_x(g, w)   dx[n, i sh + u dh, j sw + v dw, k'] += sum_k g[n, i, j, k] w[u, v, k', k]   (cropped to x)
    conv2d_grad_w(x, g)   dw[u, v, k', k] = sum_{n, i, j} x[n, i sh + u dh, j sw + v dw, k'] g[n, i, j, k]

Each is linear in both inputs, and its own gradients are the other two of the three.
Shapes: g (N, OH, OW, K); the result has `attrs.shape`, x's (N, H, W, C) or w's (KH, KW, C/groups, K).
"""

from __future__ import annotations

import numpy as np

from striate.ir.opdef import define_op
from striate.ir.ops._arrays import Array, like, wide
from striate.ir.ops._checks import require_floats, require_same_dtype
from striate.ir.ops._terms import Term, terms
from striate.ir.ops._windows import crop, pad_image, pads, tap
from striate.ir.ops.attrs import ConvGradAttrs
from striate.ir.ops.conv2d import infer as infer_conv2d
from striate.ir.ops.conv2d import split_groups
from striate.ir.types import TensorType


def infer_x(g: TensorType, w: TensorType, a: ConvGradAttrs) -> TensorType:
    require_floats("conv2d_grad_x", g, w)
    x = TensorType(a.shape, require_same_dtype("conv2d_grad_x", g, w))
    assert infer_conv2d(x, w, a.plain()) == g, f"conv2d_grad_x: g is {g}, x {x}, w {w}, {a}"
    return x


def infer_w(x: TensorType, g: TensorType, a: ConvGradAttrs) -> TensorType:
    require_floats("conv2d_grad_w", x, g)
    w = TensorType(a.shape, require_same_dtype("conv2d_grad_w", x, g))
    assert infer_conv2d(x, w, a.plain()) == g, f"conv2d_grad_w: g is {g}, x {x}, w {w}, {a}"
    return w


def _slopes_x(dx: Term, h: Term, g: Term, w: Term, a: ConvGradAttrs) -> tuple[Term, Term]:
    return h("conv2d", w, attrs=a.plain()), h("conv2d_grad_w", g, attrs=a.producing(w.type.dims))


def _slopes_w(dw: Term, h: Term, x: Term, g: Term, a: ConvGradAttrs) -> tuple[Term, Term]:
    return g("conv2d_grad_x", h, attrs=a.producing(x.type.dims)), x("conv2d", h, attrs=a.plain())


def reference_x(g: Array, w: Array, a: ConvGradAttrs) -> Array:
    n, height, width, channels = a.shape
    kh, kw, inner, filters = w.shape
    out = (g.shape[1], g.shape[2])
    around = pads(a, (height, width), (kh, kw))
    kernel = wide(w).reshape(kh, kw, inner, a.groups, filters // a.groups)
    grad = split_groups(wide(g), a.groups)
    dx = pad_image(np.zeros((n, height, width, channels)), around)
    for u in range(kh):
        for v in range(kw):
            part = np.einsum("nijqk,cqk->nijqc", grad, kernel[u, v], optimize=True)
            tap(dx, u, v, a, out)[...] += part.reshape(n, *out, channels)
    return like(crop(dx, around), g)


def reference_w(x: Array, g: Array, a: ConvGradAttrs) -> Array:
    kh, kw, inner, filters = a.shape
    out = (g.shape[1], g.shape[2])
    padded = pad_image(wide(x), pads(a, (x.shape[1], x.shape[2]), (kh, kw)))
    grad = split_groups(wide(g), a.groups)
    dw = np.zeros((kh, kw, inner, filters))
    for u in range(kh):
        for v in range(kw):
            seen = split_groups(tap(padded, u, v, a, out), a.groups)
            dw[u, v] = np.einsum("nijqc,nijqk->cqk", seen, grad, optimize=True).reshape(inner, filters)
    return like(dw, x)


define_op("conv2d_grad_x", attrs=ConvGradAttrs, infer=infer_x, vjp=terms(_slopes_x), reference=reference_x)
define_op("conv2d_grad_w", attrs=ConvGradAttrs, infer=infer_w, vjp=terms(_slopes_w), reference=reference_w)
