"""What the ops of linear algebra share: checks, matrices in gradient rules, NaN where NumPy gives up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from striate.core.errors import ShapeError
from striate.ir.ops._arrays import Array
from striate.ir.ops._checks import keras_name, require_floats, show
from striate.ir.ops._terms import Term
from striate.ir.ops.attrs import MatmulAttrs, PermAttrs
from striate.ir.types import TensorType

HOST = "linear algebra is NumPy's: matrices of layers are small beside their images"


def require_matrices(op: str, x: TensorType, *, square: bool = False) -> tuple[int, int]:
    """(rows, columns), both known."""
    require_floats(op, x)
    rows, columns = x.shape[-2:] if x.rank >= 2 else (None, None)
    if rows is None or columns is None or (square and rows != columns):
        raise ShapeError(
            f"{keras_name(op)} takes {'square ' * square}matrices along the last two axes, whose lengths are known. "
            f"Received x.shape={show(x.shape)}. Reshape or expand it first."
        )
    return rows, columns


def each(function: Callable[[Array], Any], x: Array, failed: Callable[[Array], Any]) -> Any:
    """function(x) of all matrices at once; where NumPy gives up on one of them, that one alone is `failed`.

    Results are arrays, or tuples of them.
    """
    try:
        return function(x)
    except np.linalg.LinAlgError:
        rows = x.reshape(-1, *x.shape[-2:])
        got = [_one(function, row, failed) for row in rows]

    def joined(parts: Any) -> Array:
        stacked = np.stack(parts)
        return stacked.reshape(*x.shape[:-2], *stacked.shape[1:])

    return tuple(joined(p) for p in zip(*got)) if isinstance(got[0], tuple) else joined(got)


def _one(function: Callable[[Array], Any], x: Array, failed: Callable[[Array], Any]) -> Any:
    try:
        return function(x)
    except np.linalg.LinAlgError:
        return failed(x)


def transposed(x: Term) -> Term:
    rank = x.type.rank
    return x("transpose", attrs=PermAttrs((*range(rank - 2), rank - 1, rank - 2)))


def product(a: Term, b: Term, *, ta: bool = False, tb: bool = False) -> Term:
    """A B, where A is a or a's transpose, and B likewise."""
    return a("matmul", b, attrs=MatmulAttrs(ta, tb))


def masked(x: Term, mask: Array) -> Term:
    """x times a constant that broadcasts."""
    return x * Term(x.emit, x.emit.constant(mask, x.type.dtype))


def half_symmetric(x: Term) -> Term:
    """(x + x^T) / 2: the gradient of a function of the symmetric part."""
    return (x + transposed(x)) * 0.5


def symmetric(x: Array) -> Array:
    return (x + np.swapaxes(x, -1, -2)) / 2


def less_projection(x: Term, u: Term) -> Term:
    """x - U U^T x: what of x lies outside the columns of U."""
    return x - product(u, product(u, x, ta=True))
