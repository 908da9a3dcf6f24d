"""Inverses, determinants, linear equations and Cholesky's factor of square matrices.

    inv                A^-1                                  dA = -Y^T g Y^T
    det                |A|                                   dA = g |A| A^-T
    slogdet            (sign, log of the size) of |A|        dA = g A^-T, from the second
    solve              the X with A X = B                    dB = A^-T g, dA = -dB X^T
    solve_triangular   the same of A's lower or upper triangle
    cholesky           the lower L with L L^T = the symmetric part of A
                       dA = S, the symmetric part of L^-T (triangle of L^T g, its diagonal halved) L^-1
    pinv               Moore's and Penrose's inverse P, singular values up to rcond times the largest counting as 0
                       dA = -P^T g P^T + (I - A P) g^T P P^T + P^T P g^T (I - P A)

Shapes: a (..., N, N), b (..., N, K); pinv's P (..., N, M) of A (..., M, N); leading axes are alike. Float, computed in
float64. NaN where a matrix is singular (cholesky: not positive definite); det of such a one is 0.
Source: Keras 3 `keras.ops.linalg`; rules: Giles 2008; cholesky: Murray 2016; pinv: Golub and Pereyra 1973.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from striate.core.errors import ShapeError
from striate.ir.attrs import Attrs
from striate.ir.opdef import define_op
from striate.ir.ops._arrays import Array, like, wide
from striate.ir.ops._checks import fits, keras_name, require_same_dtype, show
from striate.ir.ops._matrices import (
    HOST,
    each,
    half_symmetric,
    masked,
    product,
    require_matrices,
    symmetric,
    transposed,
)
from striate.ir.ops._terms import Term, terms
from striate.ir.types import TensorType


@dataclass(frozen=True)
class TriangleAttrs(Attrs):
    lower: bool


@dataclass(frozen=True)
class CutoffAttrs(Attrs):
    rcond: float


def _nan(x: Array) -> Array:
    return np.full(x.shape, np.nan)


def _square(op: str) -> Any:
    def infer(x: TensorType) -> TensorType:
        require_matrices(op, x, square=True)
        return x

    return infer


def reference_inv(x: Array) -> Array:
    return like(each(np.linalg.inv, wide(x), _nan), x)


def _inv_slope(y: Term, g: Term, x: Term) -> Term:
    return -product(product(y, g, ta=True), y, tb=True)


def infer_det(x: TensorType) -> TensorType:
    require_matrices("det", x, square=True)
    return TensorType(x.shape[:-2], x.dtype)


def reference_det(x: Array) -> Array:
    return like(np.linalg.det(wide(x)), x)


def _det_slope(y: Term, g: Term, x: Term) -> Term:
    return (g * y).expand().expand() * transposed(x("inv"))


def infer_slogdet(x: TensorType) -> tuple[TensorType, TensorType]:
    require_matrices("slogdet", x, square=True)
    return (TensorType(x.shape[:-2], x.dtype),) * 2


def reference_slogdet(x: Array) -> tuple[Array, Array]:
    sign, size = np.linalg.slogdet(wide(x))
    return like(sign, x), like(size, x)


def _slogdet_slope(y: Any, g: tuple[Term | None, Term | None], x: Term) -> Any:
    return None if g[1] is None else g[1].expand().expand() * transposed(x("inv"))


def _infer_solve(op: str, a: TensorType, b: TensorType) -> TensorType:
    rows, _ = require_matrices(op, a, square=True)
    require_same_dtype(op, a, b)
    if b.rank != a.rank or b.shape[-2] != rows or not fits(a.shape[:-2], b.shape[:-2]):
        raise ShapeError(
            f"{keras_name(op)}: the right side must have as many rows as the matrix, and its leading axes. "
            f"Received a.shape={show(a.shape)}, b.shape={show(b.shape)}."
        )
    return b


def infer_solve(a: TensorType, b: TensorType) -> TensorType:
    return _infer_solve("solve", a, b)


def reference_solve(a: Array, b: Array) -> Array:
    a, wanted = wide(a), wide(b)
    columns = a.shape[-1]

    def solved(both: Array) -> Array:
        return np.asarray(np.linalg.solve(both[..., :columns], both[..., columns:]))

    together = np.concatenate([a, wanted], axis=-1)
    return like(each(solved, together, lambda both: _nan(both[..., columns:])), b)


def _solve_slopes(y: Term, g: Term, a: Term, b: Term) -> tuple[Term, Term]:
    db = transposed(a)("solve", g)
    return -product(db, y, tb=True), db


def _triangle(lower: bool, n: int) -> Array:
    return np.tri(n) if lower else np.tri(n).T


def infer_triangular(a: TensorType, b: TensorType, t: TriangleAttrs) -> TensorType:
    return _infer_solve("solve_triangular", a, b)


def reference_triangular(a: Array, b: Array, t: TriangleAttrs) -> Array:
    return reference_solve(np.where(_triangle(t.lower, a.shape[-1]) > 0, a, np.zeros((), a.dtype)), b)


def _triangular_slopes(y: Term, g: Term, a: Term, b: Term, t: TriangleAttrs) -> tuple[Term, Term]:
    db = transposed(a)("solve_triangular", g, attrs=TriangleAttrs(not t.lower))
    return masked(-product(db, y, tb=True), _triangle(t.lower, a.type.dims[-1])), db


def reference_cholesky(x: Array) -> Array:
    return like(each(np.linalg.cholesky, symmetric(wide(x)), _nan), x)


def _cholesky_slope(y: Term, g: Term, x: Term) -> Term:
    n = x.type.dims[-1]
    inner = masked(product(y, g, ta=True), np.tri(n) - np.eye(n) / 2)
    upper = TriangleAttrs(False)
    left = transposed(y)("solve_triangular", inner, attrs=upper)
    both = transposed(y)("solve_triangular", transposed(left), attrs=upper)
    return half_symmetric(both)


def infer_pinv(x: TensorType, a: CutoffAttrs) -> TensorType:
    rows, columns = require_matrices("pinv", x)
    return TensorType((*x.shape[:-2], columns, rows), x.dtype)


def reference_pinv(x: Array, a: CutoffAttrs) -> Array:
    def failed(m: Array) -> Array:
        return _nan(np.swapaxes(m, -1, -2))

    return like(each(lambda m: np.linalg.pinv(m, rcond=a.rcond), wide(x), failed), x)


def _pinv_slope(p: Term, g: Term, x: Term, a: CutoffAttrs) -> Term:
    rows, columns = x.type.dims[-2:]
    outside_rows = Term(x.emit, x.emit.constant(np.eye(rows), x.type.dtype)) - product(x, p)
    outside_columns = Term(x.emit, x.emit.constant(np.eye(columns), x.type.dtype)) - product(p, x)
    first = product(product(p, g, ta=True), p, tb=True)
    second = product(product(outside_rows, g, tb=True), product(p, p, tb=True))
    third = product(product(product(p, p, ta=True), g, tb=True), outside_columns)
    return second + third - first


define_op("inv", infer=_square("inv"), vjp=terms(_inv_slope), reference=reference_inv, host=HOST)
define_op("det", infer=infer_det, vjp=terms(_det_slope), reference=reference_det, host=HOST)
define_op("slogdet", infer=infer_slogdet, vjp=terms(_slogdet_slope), reference=reference_slogdet, host=HOST)
define_op("solve", infer=infer_solve, vjp=terms(_solve_slopes), reference=reference_solve, host=HOST)
define_op(
    "solve_triangular",
    attrs=TriangleAttrs,
    infer=infer_triangular,
    vjp=terms(_triangular_slopes),
    reference=reference_triangular,
    host=HOST,
)
define_op("cholesky", infer=_square("cholesky"), vjp=terms(_cholesky_slope), reference=reference_cholesky, host=HOST)
define_op("pinv", attrs=CutoffAttrs, infer=infer_pinv, vjp=terms(_pinv_slope), reference=reference_pinv, host=HOST)
