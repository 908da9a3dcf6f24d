"""What the unary ops share: the result has the shape and element type of x."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from striate.ir.attrs import Attrs
from striate.ir.opdef import define_op
from striate.ir.ops._arrays import Array, like, wide
from striate.ir.ops._checks import require_floats, require_numbers
from striate.ir.ops._terms import terms
from striate.ir.types import TensorType

HOST_RARE = "rare in networks"


def define_unary(
    name: str,
    function: Callable[..., Any],
    slope: Callable[..., Any] | None = None,
    *,
    integers: bool = False,
    attrs: type[Attrs] | None = None,
    host: str = "",
) -> None:
    """`function(x[, attrs])` on float64; `slope(y, g, x[, attrs])` gives dL/dx as Terms, None where it is 0 nearly
    everywhere. Ops with `integers` take whole numbers too, and give them back."""
    check = require_numbers if integers else require_floats

    def infer(x: TensorType, *a: Any) -> TensorType:
        check(name, x)
        return x

    def reference(x: Array, *a: Any) -> Array:
        return like(function(wide(x), *a), x)

    vjp = terms(slope) if slope is not None else None
    define_op(name, attrs=attrs, infer=infer, vjp=vjp, reference=reference, host=host)


def define_unary_grad(
    name: str,
    function: Callable[..., Any],
    slope: Callable[..., Any],
    *,
    attrs: type[Attrs] | None = None,
) -> None:
    """`name`(g, t): g times the derivative of an activation, where t is its x or its y; all of one shape.

    `function(g, t[, attrs])` on float64; `slope(y, h, g, t[, attrs])` gives (dL/dg, dL/dt or None).
    """

    def infer(g: TensorType, t: TensorType, *a: Any) -> TensorType:
        require_floats(name, g, t)
        assert g.dtype == t.dtype and g.rank == t.rank, f"{name}: {g} against {t}"
        return g

    def reference(g: Array, t: Array, *a: Any) -> Array:
        return like(function(wide(g), wide(t), *a), g)

    define_op(name, attrs=attrs, infer=infer, vjp=terms(slope), reference=reference)
