"""Gradient rules written as arithmetic: a Term is a graph value that + - * / make nodes of.

A number next to a Term becomes a constant of the Term's element type.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Union

from striate.ir.attrs import NO_ATTRS, Attrs
from striate.ir.graph import Value
from striate.ir.opdef import Emit
from striate.ir.ops.attrs import AxesAttrs, CastAttrs, ShapeAttrs
from striate.ir.types import TensorType

Operand = Union["Term", float]


@dataclass(frozen=True, eq=False)
class Term:
    emit: Emit
    value: Value

    @property
    def type(self) -> TensorType:
        return self.value.type

    def __call__(self, op: str, *others: Operand, attrs: Attrs = NO_ATTRS) -> Term:
        """The op with this value as its first input."""
        values = [self.lift(other) for other in others]
        return Term(self.emit, self.emit(op, self.value, *values, attrs=attrs))

    def lift(self, other: Operand) -> Value:
        return other.value if isinstance(other, Term) else self.emit.constant(other, self.type.dtype)

    def __add__(self, other: Operand) -> Term:
        return self("add", other)

    def __sub__(self, other: Operand) -> Term:
        return self("subtract", other)

    def __mul__(self, other: Operand) -> Term:
        return self("multiply", other)

    def __truediv__(self, other: Operand) -> Term:
        return self("divide", other)

    def __radd__(self, other: float) -> Term:
        return self("add", other)

    def __rmul__(self, other: float) -> Term:
        return self("multiply", other)

    def __rsub__(self, other: float) -> Term:
        return Term(self.emit, self.emit("subtract", self.lift(other), self.value))

    def __rtruediv__(self, other: float) -> Term:
        return Term(self.emit, self.emit("divide", self.lift(other), self.value))

    def __neg__(self) -> Term:
        return self("neg")

    def cast(self, dtype: Any) -> Term:
        return self if self.type.dtype == dtype else self("cast", attrs=CastAttrs(dtype))

    def reshape(self, *shape: int) -> Term:
        return self if self.type.shape == shape else self("reshape", attrs=ShapeAttrs(shape))

    def broadcast_to(self, *shape: int) -> Term:
        return self if self.type.shape == shape else self("broadcast_to", attrs=ShapeAttrs(shape))

    def sum(self, *axes: int, keepdims: bool = True) -> Term:
        """Over the given axes (negative ones count from the end); they stay as axes of length 1."""
        axes = tuple(sorted(a % self.type.rank for a in axes))
        return self("reduce_sum", attrs=AxesAttrs(axes, keepdims)) if axes else self

    def expand(self) -> Term:
        """With a new last axis of length 1."""
        return self.reshape(*self.type.dims, 1)

    def sum_to(self, target: TensorType) -> Term:
        """The gradient of broadcasting `target` to this shape: summed over every axis that was repeated."""
        own, wanted = self.type.dims, target.dims
        extra = len(own) - len(wanted)
        repeated = [i + extra for i, n in enumerate(wanted) if n == 1 and own[i + extra] != 1]
        return self.sum(*range(extra), *repeated, keepdims=False).reshape(*wanted)


def where(condition: Term, yes: Operand, no: Operand) -> Term:
    """yes where the condition holds, else no; at most one of them is a number."""
    like = yes if isinstance(yes, Term) else no
    assert isinstance(like, Term)
    emit = condition.emit
    return Term(emit, emit("where", condition.value, like.lift(yes), like.lift(no)))


def terms(rule: Callable[..., Any]) -> Callable[..., Any]:
    """Turn a rule over Terms, rule(y, g, *inputs[, attrs]), into a vjp over values; y is the node's own result.

    Where the node has several results, y and g are tuples. None may stand for a gradient, as in any vjp.
    """

    def wrap(emit: Emit, thing: Any) -> Any:
        if isinstance(thing, Value):
            return Term(emit, thing)
        return tuple(wrap(emit, t) for t in thing) if isinstance(thing, tuple) else thing

    def vjp(emit: Emit, g: Any, *rest: Any) -> tuple[Value | None, ...]:
        got = rule(wrap(emit, emit.y), wrap(emit, g), *(wrap(emit, r) for r in rest))
        got = got if isinstance(got, tuple) else (got,)
        return tuple(t.value if isinstance(t, Term) else None for t in got)

    vjp.__doc__ = rule.__doc__
    return vjp
