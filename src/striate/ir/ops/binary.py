"""Arithmetic on two tensors, elementwise with NumPy broadcasting: y[i] = a[i] op b[i].

    add subtract multiply divide power maximum minimum mod floor_divide

The gradient for an input is summed over the axes along which it was repeated. Where maximum and minimum find equals,
the gradient goes to `a`, as TensorFlow's. power's gradient counts 0 log 0 as 0.

Shapes: a and b broadcast to y; one element type, numbers. mod and floor_divide round towards minus infinity.
Source: Keras 3 `keras.ops`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from striate.ir.opdef import define_op
from striate.ir.ops._arrays import Array, like, wide
from striate.ir.ops._checks import broadcast, require_floats, require_numbers, require_same_dtype
from striate.ir.ops._terms import Term, terms, where
from striate.ir.types import TensorType


def _define(
    name: str, function: Callable[..., Any], slopes: Callable[..., Any] | None = None, *, floats: bool = False
) -> None:
    def infer(a: TensorType, b: TensorType) -> TensorType:
        require_numbers(name, a, b)
        if floats:
            require_floats(name, a, b)
        return TensorType(broadcast(name, a, b), require_same_dtype(name, a, b))

    def reference(a: Array, b: Array) -> Array:
        return like(function(wide(a), wide(b)), a)

    def rule(y: Term, g: Term, a: Term, b: Term) -> Any:
        assert slopes is not None
        da, db = slopes(y, g, a, b)
        return da.sum_to(a.type), db.sum_to(b.type)

    define_op(name, infer=infer, vjp=terms(rule) if slopes else None, reference=reference)


def _power(y: Term, g: Term, a: Term, b: Term) -> tuple[Term, Term]:
    lower = where(b("equal", 0.0), 1.0, b - 1.0)  # a^(b-1) is infinite at a = 0, b = 0, but b times it is 0
    return g * b * a("power", lower), g * y * where(a("equal", 0.0), 1.0, a)("log")


def _choose(op: str) -> Callable[[Term, Term, Term, Term], tuple[Term, Term]]:
    def slopes(y: Term, g: Term, a: Term, b: Term) -> tuple[Term, Term]:
        takes_a = a(op, b)
        return where(takes_a, g, 0.0), where(takes_a, 0.0, g)

    return slopes


def _mod(y: Term, g: Term, a: Term, b: Term) -> tuple[Term, Term]:
    return g, -(g * a("floor_divide", b))


_define("add", np.add, lambda y, g, a, b: (g, g))
_define("subtract", np.subtract, lambda y, g, a, b: (g, -g))
_define("multiply", np.multiply, lambda y, g, a, b: (g * b, g * a))
_define("divide", np.divide, lambda y, g, a, b: (g / b, -(g * y / b)), floats=True)
_define("power", np.power, _power)
_define("maximum", np.maximum, _choose("greater_equal"))
_define("minimum", np.minimum, _choose("less_equal"))
_define("mod", np.mod, _mod)
_define("floor_divide", np.floor_divide)
