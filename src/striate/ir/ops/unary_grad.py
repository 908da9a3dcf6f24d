"""Gradients of the activation functions: name(g, t) = g times the derivative, told from t = y (relu, relu6, tanh,
sigmoid: y is kept anyway, and then x need not be) or from t = x (the others).

Each is linear in g, so its own gradient for g is the same op on h = dL/dresult; for t it is by the second derivative.
Shapes: g, t and result alike.
"""

from __future__ import annotations

import numpy as np

from striate.ir.ops import _functions as f
from striate.ir.ops._arrays import Array
from striate.ir.ops._terms import Term, where
from striate.ir.ops._unary import define_unary_grad
from striate.ir.ops.attrs import AlphaAttrs, GeluAttrs

Pair = tuple[Term, Term]


def _hard_silu_slope(x: Array) -> Array:
    return np.where(x <= -3, 0.0, np.where(x >= 3, 1.0, (2 * x + 3) / 6))


def _elu_slope(x: Array, alpha: float) -> Array:
    return np.where(x > 0, 1.0, alpha * np.exp(np.minimum(x, 0)))


def _silu2(y: Term, h: Term, g: Term, x: Term) -> Pair:
    s = x("sigmoid")
    return h("silu_grad", x), h * g * s * (1.0 - s) * (x * (1.0 - s * 2.0) + 2.0)


def _elu2(y: Term, h: Term, g: Term, x: Term, a: AlphaAttrs) -> Pair:
    return h("elu_grad", x, attrs=a), where(x("greater", 0.0), 0.0, h * y)


def _gelu2(y: Term, h: Term, g: Term, x: Term, a: GeluAttrs) -> Pair:
    """With u = C(x + A x^3), t = tanh(u): gelu'' = (1 - t^2)(u' - x t u'^2 + x u''/2); exact: phi(x)(2 - x^2)."""
    x2 = x * x
    if a.approximate:
        t = ((x2 * f.GELU_A + 1.0) * x * f.GELU_C)("tanh")
        du = (x2 * (3 * f.GELU_A) + 1.0) * f.GELU_C
        half_ddu = x * (3 * f.GELU_A * f.GELU_C)
        second = (1.0 - t * t) * (du - x * t * du * du + x * half_ddu)
    else:
        second = (x2 * -0.5)("exp") * (2.0 - x2) * (1 / np.sqrt(2 * np.pi))
    return h("gelu_grad", x, attrs=a), h * g * second


define_unary_grad("relu_grad", lambda g, y: np.where(y > 0, g, 0), lambda z, h, g, y: (h("relu_grad", y), None))
define_unary_grad(
    "relu6_grad", lambda g, y: np.where((y > 0) & (y < 6), g, 0), lambda z, h, g, y: (h("relu6_grad", y), None)
)
define_unary_grad("tanh_grad", lambda g, y: g * (1 - y * y), lambda z, h, g, y: (h("tanh_grad", y), h * g * y * -2.0))
define_unary_grad(
    "sigmoid_grad", lambda g, y: g * y * (1 - y), lambda z, h, g, y: (h("sigmoid_grad", y), h * g * (1.0 - y * 2.0))
)
define_unary_grad(
    "softplus_grad",
    lambda g, x: g * f.sigmoid(x),
    lambda y, h, g, x: (h("softplus_grad", x), (h * g)("sigmoid_grad", x("sigmoid"))),
)
define_unary_grad("silu_grad", lambda g, x: g * f.silu_slope(x), _silu2)
define_unary_grad(
    "hard_sigmoid_grad",
    lambda g, x: np.where((x > -3) & (x < 3), g / 6, 0),
    lambda y, h, g, x: (h("hard_sigmoid_grad", x), None),
)
define_unary_grad(
    "hard_silu_grad",
    lambda g, x: g * _hard_silu_slope(x),
    lambda y, h, g, x: (h("hard_silu_grad", x), (h * g)("hard_sigmoid_grad", x) * 2.0),
)
define_unary_grad("elu_grad", lambda g, x, a: g * _elu_slope(x, a.alpha), _elu2, attrs=AlphaAttrs)
define_unary_grad(
    "leaky_relu_grad",
    lambda g, x, a: np.where(x > 0, g, a.alpha * g),
    lambda y, h, g, x, a: (h("leaky_relu_grad", x, attrs=a), None),
    attrs=AlphaAttrs,
)
define_unary_grad("gelu_grad", lambda g, x, a: g * f.gelu_slope(x, a.approximate), _gelu2, attrs=GeluAttrs)
