"""Matrices as products: eigh, svd, qr (differentiable), lu_factor (not).

    eigh        (w, V), w ascending, with V diag(w) V^T = the symmetric part of A
                dA = symmetric part of V (diag(dw) + F * (V^T dV)) V^T, F_ij = 1 / (w_j - w_i), 0 where they are equal
    svd         (U, s, V^T), s descending, with U diag(s) V^T = A; `full`: U and V square
    qr          (Q, R) with Q R = A, Q's columns at right angles, R upper triangular; `full`: Q square
    lu_factor   (L below the diagonal, where it is 1, and U; p: row i was exchanged with row p_i), P L U = A

Where eigenvalues (singular values) are equal, their vectors are not determined, and no gradient flows through what does
not determine them. Of `full` ones whose matrix is not square, the added columns are not determined either: a gradient
through them is refused.

Shapes: A (..., M, N), K = min(M, N); w and s (..., K), p int32 (..., K). Float, computed in float64.
Source: Keras 3 `keras.ops.linalg`; Giles 2008, Townsend 2016 (svd), Walter and Lehmann 2018 (qr).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from striate.core.errors import ShapeError
from striate.ir.attrs import Attrs
from striate.ir.opdef import define_op
from striate.ir.ops._arrays import Array, like, wide
from striate.ir.ops._matrices import (
    HOST,
    each,
    half_symmetric,
    less_projection,
    masked,
    product,
    require_matrices,
    symmetric,
    transposed,
)
from striate.ir.ops._terms import Term, terms, where
from striate.ir.ops.attrs import AxisAttrs, SliceAttrs
from striate.ir.ops.matrices import TriangleAttrs
from striate.ir.types import TensorType

Gradients = tuple[Term | None, ...]


@dataclass(frozen=True)
class FullAttrs(Attrs):
    full: bool


def _nans(*shapes: tuple[int, ...]) -> tuple[Array, ...]:
    return tuple(np.full(s, np.nan) for s in shapes)


def infer_eigh(x: TensorType) -> tuple[TensorType, TensorType]:
    require_matrices("eigh", x, square=True)
    return TensorType(x.shape[:-1], x.dtype), x


def reference_eigh(x: Array) -> tuple[Array, ...]:
    got = each(lambda m: tuple(np.linalg.eigh(m)), symmetric(wide(x)), lambda m: _nans(m.shape[:-1], m.shape))
    return tuple(like(part, x) for part in got)


def _as_row(v: Term) -> Term:
    return v.reshape(*v.type.dims[:-1], 1, v.type.dims[-1])


def _between(v: Term) -> Term:
    """F_ij = 1 / (v_j - v_i), 0 where they are equal."""
    apart = _as_row(v) - v.expand()
    equal = apart("equal", 0.0)
    return where(equal, 0.0, where(equal, 1.0, apart)("reciprocal"))


def _eigh_slope(y: tuple[Term, Term], g: Gradients, x: Term) -> Any:
    values, vectors = y
    inner = None if g[0] is None else masked(_as_row(g[0]), np.eye(values.type.dims[-1]))
    if g[1] is not None:
        turned = _between(values) * product(vectors, g[1], ta=True)
        inner = turned if inner is None else inner + turned
    return None if inner is None else half_symmetric(product(product(vectors, inner), vectors, tb=True))


def infer_svd(x: TensorType, a: FullAttrs) -> tuple[TensorType, TensorType, TensorType]:
    rows, columns = require_matrices("svd", x)
    k, lead = min(rows, columns), x.shape[:-2]
    u, v = ((*lead, rows, rows), (*lead, columns, columns)) if a.full else ((*lead, rows, k), (*lead, k, columns))
    return TensorType(u, x.dtype), TensorType((*lead, k), x.dtype), TensorType(v, x.dtype)


def reference_svd(x: Array, a: FullAttrs) -> tuple[Array, ...]:
    shapes = [t.dims for t in infer_svd(TensorType(x.shape[-2:]), a)]
    got = each(lambda m: tuple(np.linalg.svd(m, full_matrices=a.full)), wide(x), lambda m: _nans(*shapes))
    return tuple(like(part, x) for part in got)


def _columns(x: Term, begin: int, end: int) -> Term:
    dims = x.type.dims
    if (begin, end) == (0, dims[-1]):
        return x
    return x("slice", attrs=SliceAttrs((0,) * (len(dims) - 1) + (begin,), (*dims[:-1], end), (1,) * len(dims)))


def _refuse_full(op: str, x: Term) -> None:
    raise ShapeError(
        f"{op}: the vectors that fill up a square matrix are not determined, so they have no gradient. "
        f"Received x.shape={x.type.shape}. Use " + ("full_matrices=False." if op == "svd" else 'mode="reduced".')
    )


def _svd_slope(y: tuple[Term, Term, Term], g: Gradients, x: Term, a: FullAttrs) -> Any:
    rows, columns = x.type.dims[-2:]
    k = min(rows, columns)
    gu, gs, gvt = g
    if a.full and rows != columns and (gu is not None or gvt is not None):
        _refuse_full("svd", x)
    u, s, v = _columns(y[0], 0, k), y[1], _columns(transposed(y[2]), 0, k)
    across = _between(s * s)
    inner = None if gs is None else masked(_as_row(gs), np.eye(k))
    total: Term | None = None

    def add(a: Term | None, b: Term) -> Term:
        return b if a is None else a + b

    if gu is not None:
        turned = product(u, gu, ta=True)
        inner = add(inner, across * (turned - transposed(turned)) * _as_row(s))
        total = product(less_projection(gu, u) / _as_row(s), v, tb=True)
    if gvt is not None:
        turned = product(v, gvt, ta=True, tb=True)
        inner = add(inner, s.expand() * across * (turned - transposed(turned)))
        total = add(total, product(u / _as_row(s), less_projection(transposed(gvt), v), tb=True))
    return None if inner is None else add(total, product(product(u, inner), v, tb=True))


def infer_qr(x: TensorType, a: FullAttrs) -> tuple[TensorType, TensorType]:
    rows, columns = require_matrices("qr", x)
    k, lead = rows if a.full else min(rows, columns), x.shape[:-2]
    return TensorType((*lead, rows, k), x.dtype), TensorType((*lead, k, columns), x.dtype)


def reference_qr(x: Array, a: FullAttrs) -> tuple[Array, ...]:
    return tuple(like(part, x) for part in np.linalg.qr(wide(x), mode="complete" if a.full else "reduced"))


def _zeros(x: Term) -> Term:
    return Term(x.emit, x.emit.constant(np.zeros(x.type.dims), x.type.dtype))


def _qr_slope(y: tuple[Term, Term], g: Gradients, x: Term, a: FullAttrs) -> Term:
    rows, columns = x.type.dims[-2:]
    if a.full and rows > columns:
        _refuse_full("qr", x)
    q, r = y
    gq, gr = (_zeros(part) if own is None else own for part, own in zip(y, g))
    rest: Term | None = None
    if rows < columns:
        # The columns beyond a square matrix are Q times theirs in R.
        more, r, beyond, gr = (
            _columns(gr, rows, columns),
            _columns(r, 0, rows),
            _columns(x, rows, columns),
            _columns(gr, 0, rows),
        )
        gq = gq + product(beyond, more, tb=True)
        rest = product(q, more)
    k = min(rows, columns)
    m = product(r, gr, tb=True) - product(gq, q, ta=True)
    lower = masked(m, np.tri(k, k=-1))
    even = lower + transposed(lower) + masked(m, np.eye(k))
    got = transposed(r("solve_triangular", transposed(gq + product(q, even)), attrs=TriangleAttrs(False)))
    return got if rest is None else got("concat", rest, attrs=AxisAttrs(x.type.rank - 1))


def infer_lu(x: TensorType) -> tuple[TensorType, TensorType]:
    rows, columns = require_matrices("lu_factor", x)
    return x, TensorType((*x.shape[:-2], min(rows, columns)), "int32")


def reference_lu(x: Array) -> tuple[Array, Array]:
    a = np.array(wide(x))
    k = min(a.shape[-2:])
    exchanged = np.zeros((*a.shape[:-2], k), np.int32)
    for place in np.ndindex(a.shape[:-2]):
        m = a[place]
        for j in range(k):
            p = j + int(np.abs(m[j:, j]).argmax())
            exchanged[(*place, j)] = p
            m[[j, p]] = m[[p, j]]
            if m[j, j] != 0:
                m[j + 1 :, j] /= m[j, j]
                m[j + 1 :, j + 1 :] -= np.outer(m[j + 1 :, j], m[j, j + 1 :])
    return like(a, x), exchanged


define_op("eigh", infer=infer_eigh, vjp=terms(_eigh_slope), reference=reference_eigh, host=HOST)
define_op("svd", attrs=FullAttrs, infer=infer_svd, vjp=terms(_svd_slope), reference=reference_svd, host=HOST)
define_op("qr", attrs=FullAttrs, infer=infer_qr, vjp=terms(_qr_slope), reference=reference_qr, host=HOST)
define_op("lu_factor", infer=infer_lu, reference=reference_lu, host=HOST)
