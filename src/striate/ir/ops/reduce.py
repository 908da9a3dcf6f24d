"""Reductions over axes: sum, mean, max, min, prod of numbers; any, all of truth values.

    reduce_sum    y = sum x                   dL/dx = g, repeated
    reduce_mean   y = sum x / n               dL/dx = g / n, repeated
    reduce_max    y = max x (min likewise)    equals share g evenly, as TensorFlow and JAX do
    reduce_prod   y = prod x                  dL/dx_i = g times the product of the others

Shapes: the reduced axes vanish, or stay with length 1 (keepdims). No axes: x itself. Float sums are made in float64.
Source: Keras 3 `keras.ops.sum` and the like.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from striate.core.errors import ShapeError
from striate.ir.opdef import define_op
from striate.ir.ops._arrays import Array, like, wide
from striate.ir.ops._checks import (
    keras_name,
    product,
    require_axis,
    require_bools,
    require_floats,
    require_numbers,
    show,
)
from striate.ir.ops._terms import Term, terms, where
from striate.ir.ops.attrs import AxesAttrs
from striate.ir.types import Shape, TensorType


def reduced_shape(x: TensorType, a: AxesAttrs) -> Shape:
    if a.keepdims:
        return tuple(1 if i in a.axes else n for i, n in enumerate(x.shape))
    return tuple(n for i, n in enumerate(x.shape) if i not in a.axes)


def _define(
    name: str, function: Callable[..., Any], check: Callable[..., None], rule: Any = None, *, empty: bool = True
) -> None:
    def infer(x: TensorType, a: AxesAttrs) -> TensorType:
        check(name, x)
        for axis in a.axes:
            require_axis(name, x, axis)
            if x.shape[axis] == 0 and not empty:
                raise ShapeError(
                    f"{keras_name(name)} of no elements has no value. Received x.shape={show(x.shape)}, axis={axis}. "
                    f"Give x at least one element along that axis."
                )
        return TensorType(reduced_shape(x, a), x.dtype)

    def reference(x: Array, a: AxesAttrs) -> Array:
        return like(function(wide(x), axis=a.axes, keepdims=a.keepdims), x)

    define_op(name, attrs=AxesAttrs, infer=infer, vjp=terms(rule) if rule else None, reference=reference)


def _kept(t: Term, x: Term, a: AxesAttrs) -> Term:
    """A result or gradient with the reduced axes put back as axes of length 1."""
    return t.reshape(*(1 if i in a.axes else n for i, n in enumerate(x.type.dims)))


def _sum(y: Term, g: Term, x: Term, a: AxesAttrs) -> Term:
    return _kept(g, x, a).broadcast_to(*x.type.dims)


def _mean(y: Term, g: Term, x: Term, a: AxesAttrs) -> Term:
    n = product([x.type.dims[i] for i in a.axes])
    return _kept(g * (1.0 / max(n, 1)), x, a).broadcast_to(*x.type.dims)


def _extreme(y: Term, g: Term, x: Term, a: AxesAttrs) -> Term:
    taken = x("equal", _kept(y, x, a)).cast(x.type.dtype)
    return taken * (_kept(g, x, a) / taken.sum(*a.axes))


def _prod(y: Term, g: Term, x: Term, a: AxesAttrs) -> Term:
    """prod of the others, also where there are zeros: the product of what is not 0, if no other one is 0."""
    is_zero = x("equal", 0.0)
    zeros = is_zero.cast(x.type.dtype)
    nonzero = where(is_zero, 1.0, x)
    whole = nonzero("reduce_prod", attrs=AxesAttrs(a.axes, True))
    others_are_nonzero = (zeros.sum(*a.axes) - zeros)("equal", 0.0)
    return _kept(g, x, a) * where(others_are_nonzero, whole / nonzero, 0.0)


def _keeping_type(function: Callable[..., Any]) -> Callable[..., Any]:
    """Integers are summed in their own type, wrapping around, rather than in NumPy's widest."""

    def call(x: Array, axis: tuple[int, ...], keepdims: bool) -> Any:
        return function(x, axis=axis, keepdims=keepdims, dtype=x.dtype)

    return call


_define("reduce_sum", _keeping_type(np.sum), require_numbers, _sum)
_define("reduce_mean", np.mean, require_floats, _mean)
_define("reduce_max", np.max, require_numbers, _extreme, empty=False)
_define("reduce_min", np.min, require_numbers, _extreme, empty=False)
_define("reduce_prod", _keeping_type(np.prod), require_numbers, _prod)
_define("reduce_any", np.any, require_bools)
_define("reduce_all", np.all, require_bools)
