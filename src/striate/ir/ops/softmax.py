"""softmax and log_softmax along an axis, and their gradients, told from the result.

    softmax       y_i = exp(x_i) / sum_j exp(x_j)        dL/dx = y (g - sum_j g_j y_j)
    log_softmax   y_i = x_i - log sum_j exp(x_j)         dL/dx = g - exp(y) sum_j g_j

The largest x is subtracted first, so that nothing overflows.
Shapes: x, y and g alike. Source: Keras 3 `keras.ops.softmax`, `keras.ops.log_softmax`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from striate.ir.opdef import define_op
from striate.ir.ops import _functions
from striate.ir.ops._arrays import Array, like, wide
from striate.ir.ops._checks import require_axis, require_floats
from striate.ir.ops._terms import Term, terms
from striate.ir.ops.attrs import AxisAttrs
from striate.ir.types import TensorType


def _softmax_grad(g: Array, y: Array, axis: int) -> Array:
    return np.asarray(y * (g - (g * y).sum(axis=axis, keepdims=True)))


def _log_softmax_grad(g: Array, y: Array, axis: int) -> Array:
    return np.asarray(g - np.exp(y) * g.sum(axis=axis, keepdims=True))


def _softmax_second(z: Term, h: Term, g: Term, y: Term, a: AxisAttrs) -> tuple[Term, Term]:
    dy = h * (g - (g * y).sum(a.axis)) - g * (h * y).sum(a.axis)
    return h("softmax_grad", y, attrs=a), dy


def _log_softmax_second(z: Term, h: Term, g: Term, y: Term, a: AxisAttrs) -> tuple[Term, Term]:
    weighted = h * y("exp")
    return h - weighted.sum(a.axis), -(weighted * g.sum(a.axis))


def _define(
    name: str, function: Callable[..., Array], gradient: Callable[..., Array], second: Callable[..., Any]
) -> None:
    def infer(x: TensorType, a: AxisAttrs) -> TensorType:
        require_floats(name, x)
        require_axis(name, x, a.axis)
        return x

    def slope(y: Term, g: Term, x: Term, a: AxisAttrs) -> Term:
        return g(f"{name}_grad", y, attrs=a)

    def reference(x: Array, a: AxisAttrs) -> Array:
        return like(function(wide(x), a.axis), x) if x.size else x.copy()

    def infer_grad(g: TensorType, y: TensorType, a: AxisAttrs) -> TensorType:
        assert g == y, f"{name}_grad: {g} against {y}"
        return infer(y, a)

    def reference_grad(g: Array, y: Array, a: AxisAttrs) -> Array:
        return like(gradient(wide(g), wide(y), a.axis), g)

    define_op(name, attrs=AxisAttrs, infer=infer, vjp=terms(slope), reference=reference)
    define_op(f"{name}_grad", attrs=AxisAttrs, infer=infer_grad, vjp=terms(second), reference=reference_grad)


_define("softmax", _functions.softmax, _softmax_grad, _softmax_second)
_define("log_softmax", _functions.log_softmax, _log_softmax_grad, _log_softmax_second)
