"""Activation functions, elementwise; each has its gradient as one op (`unary_grad.py`), since training runs on them.

    relu        max(x, 0)                    relu6         min(max(x, 0), 6)
    sigmoid     1 / (1 + exp(-x))            log_sigmoid   log(sigmoid(x))
    tanh        tanh(x)                      softplus      log(1 + exp(x))
    softsign    x / (1 + |x|)                silu          x sigmoid(x)
    elu         x > 0: x, else alpha (exp(x) - 1)
    leaky_relu  x > 0: x, else negative_slope x
    gelu        x Phi(x), or its tanh form (approximate)
    hard_sigmoid  relu6(x + 3) / 6           hard_silu     x hard_sigmoid(x)

At a kink the derivative is that of the left side (relu'(0) = 0, leaky_relu'(0) = negative_slope), as TensorFlow's.
Shapes: x and y alike, any. Source: Keras 3 `keras.activations`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from striate.ir.ops import _functions as f
from striate.ir.ops._arrays import Array
from striate.ir.ops._terms import Term
from striate.ir.ops._unary import define_unary
from striate.ir.ops.attrs import AlphaAttrs, GeluAttrs

define_unary("relu", f.relu, lambda y, g, x: g("relu_grad", y), integers=True)
define_unary("relu6", f.relu6, lambda y, g, x: g("relu6_grad", y), integers=True)
define_unary("tanh", np.tanh, lambda y, g, x: g("tanh_grad", y))
define_unary("sigmoid", f.sigmoid, lambda y, g, x: g("sigmoid_grad", y))
define_unary("log_sigmoid", f.log_sigmoid, lambda y, g, x: g * (-x)("sigmoid"))
define_unary("softplus", f.softplus, lambda y, g, x: g("softplus_grad", x))
define_unary("softsign", f.softsign, lambda y, g, x: g / (x("abs") + 1.0)("square"))
define_unary("silu", f.silu, lambda y, g, x: g("silu_grad", x))
define_unary("hard_sigmoid", f.hard_sigmoid, lambda y, g, x: g("hard_sigmoid_grad", x))
define_unary("hard_silu", f.hard_silu, lambda y, g, x: g("hard_silu_grad", x))


def _elu(x: Array, a: AlphaAttrs) -> Array:
    return f.elu(x, a.alpha)


def _leaky_relu(x: Array, a: AlphaAttrs) -> Array:
    return f.leaky_relu(x, a.alpha)


def _gelu(x: Array, a: GeluAttrs) -> Array:
    return f.gelu(x, a.approximate)


def _by_x(op: str) -> Any:
    def slope(y: Term, g: Term, x: Term, a: Any) -> Term:
        return g(op, x, attrs=a)

    return slope


define_unary("elu", _elu, _by_x("elu_grad"), attrs=AlphaAttrs)
define_unary("leaky_relu", _leaky_relu, _by_x("leaky_relu_grad"), attrs=AlphaAttrs)
define_unary("gelu", _gelu, _by_x("gelu_grad"), attrs=GeluAttrs)
