"""Matrices as products of simpler ones, and what follows: norms and ranks. Matrices are the last two axes.

Integers become floatx. NumPy computes them, in float64: they are host steps of a program.
"""

from __future__ import annotations

import math
from typing import Any

from striate import backend
from striate.backend import symbolic_op
from striate.core.errors import ArgumentError, ShapeError
from striate.core.registry import export
from striate.ir.ops.decompositions import FullAttrs
from striate.ops import arithmetic, elementwise, reductions, shapes
from striate.ops._convert import Tensor, as_float, dtype_of, normalize_axis, shape_of, tensor
from striate.ops.matrices import cutoff

_LINALG = "keras.src.ops.linalg"


@export("ops.eigh", "ops.linalg.eigh")
@symbolic_op(_LINALG, "Eigh")
def eigh(x: Tensor) -> tuple[Tensor, Tensor]:
    """(eigenvalues, ascending, and eigenvectors as columns) of symmetric matrices; of others, of the symmetric part.

    Where eigenvalues are equal, no gradient flows through what does not tell their vectors apart.
    Source: `keras.ops.eigh`.

    Example:
        >>> eigh([[2.0, 0.0], [0.0, 1.0]])[0].tolist()
        [1.0, 2.0]
    """
    values, vectors = backend.apply("eigh", as_float(x))
    return values, vectors


@export("ops.svd", "ops.linalg.svd")
@symbolic_op(_LINALG, "SVD")
def svd(x: Tensor, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """(u, s, v) with u @ diag(s) @ v = x: the singular values s, descending, or with compute_uv=False those alone.

    Source: `keras.ops.svd`.

    Args:
        full_matrices: u and v are square; what is added to make them so has no gradient.

    Shapes: x (..., M, N), s (..., K) with K = min(M, N), u (..., M, M or K), v (..., N or K, N).
    """
    u, s, v = backend.apply("svd", as_float(x), attrs=FullAttrs(bool(full_matrices and compute_uv)))
    return (u, s, v) if compute_uv else s


@export("ops.qr", "ops.linalg.qr")
@symbolic_op(_LINALG, "Qr")
def qr(x: Tensor, mode: str = "reduced") -> tuple[Tensor, Tensor]:
    """(q, r) with q @ r = x, q's columns of length 1 and at right angles, r upper triangular. Source: `keras.ops.qr`.

    Args:
        mode: "reduced": q has as many columns as the shorter side; "complete": it is square.

    Raises:
        ValueError: another mode.
    """
    if mode not in ("reduced", "complete"):
        raise ArgumentError(
            f"`mode` argument value not supported. Expected one of {{'reduced', 'complete'}}. Received: mode={mode!r}."
        )
    q, r = backend.apply("qr", as_float(x), attrs=FullAttrs(mode == "complete"))
    return q, r


@export("ops.lu_factor", "ops.linalg.lu_factor")
@symbolic_op(_LINALG, "LuFactor")
def lu_factor(x: Tensor) -> tuple[Tensor, Tensor]:
    """(lu, p): L below the diagonal, where it is 1, U on and above it, and with which row each was exchanged, as int32.

    No gradient flows; `solve` has one. Source: `keras.ops.lu_factor`.
    """
    lu, exchanged = backend.apply("lu_factor", as_float(x))
    return lu, exchanged


@export("ops.matrix_rank", "ops.linalg.matrix_rank")
@symbolic_op(_LINALG, "MatrixRank")
def matrix_rank(x: Tensor, tol: Any = None) -> Tensor:
    """How many singular values are above `tol`, as int32. Source: `keras.ops.matrix_rank`.

    Args:
        tol: unless given, the largest singular value times max(rows, columns) times the spacing of x's dtype at 1.
    """
    x = as_float(x)
    s = svd(x, compute_uv=False)
    if tol is None:
        tol = arithmetic.multiply(reductions.max(s, axis=-1, keepdims=True), cutoff(x, 1.0))
    return reductions.sum(tensor(arithmetic.greater(s, tol), "int32"), axis=-1)


def _root(squares: Tensor) -> Tensor:
    """The square root, with gradient 0 at 0."""
    zero = arithmetic.equal(squares, 0.0)
    root = elementwise.sqrt(arithmetic.where(zero, tensor(1.0, dtype_of(squares)), squares))
    return arithmetic.where(zero, tensor(0.0, dtype_of(squares)), root)


def _vector_norm(x: Tensor, order: Any, axis: Any, keepdims: bool) -> Tensor:
    size = elementwise.abs(x)
    if order is None or order == 2:
        return _root(reductions.sum(elementwise.square(x), axis=axis, keepdims=keepdims))
    if order == math.inf:
        return reductions.max(size, axis=axis, keepdims=keepdims)
    if order == -math.inf:
        return reductions.min(size, axis=axis, keepdims=keepdims)
    if order == 0:
        there = tensor(arithmetic.not_equal(x, 0.0), dtype_of(x))
        return reductions.sum(there, axis=axis, keepdims=keepdims)
    if order == 1:
        return reductions.sum(size, axis=axis, keepdims=keepdims)
    total = reductions.sum(arithmetic.power(size, float(order)), axis=axis, keepdims=keepdims)
    return arithmetic.power(total, 1 / float(order))


def _matrix_norm(x: Tensor, order: Any, axes: tuple[int, int], keepdims: bool) -> Tensor:
    if order in (None, "fro"):
        return _root(reductions.sum(elementwise.square(x), axis=axes, keepdims=keepdims))
    moved = shapes.moveaxis(x, axes, (-2, -1))
    if order in (2, -2, "nuc"):
        s = svd(moved, compute_uv=False)
        y = {2: reductions.max, -2: reductions.min, "nuc": reductions.sum}[order](s, axis=-1)
    else:
        # 1: the largest sum of a column; infinity: of a row; below 0 the smallest.
        sums = reductions.sum(elementwise.abs(moved), axis=-2 if abs(order) == 1 else -1)
        y = (reductions.max if order > 0 else reductions.min)(sums, axis=-1)
    return shapes.expand_dims(y, axes) if keepdims else y


@export("ops.norm", "ops.linalg.norm")
@symbolic_op(_LINALG, "Norm")
def norm(x: Tensor, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The length of vectors along one axis, or the norm of matrices along two; of all of x where neither is said.

    Source: `keras.ops.norm`. The gradient of the Euclidean length at 0 is 0.

    Args:
        ord: of vectors None or 2 (Euclid's), 1, inf and -inf (the largest, the smallest |x|), 0 (how many are not 0),
            or any p: sum(|x|**p)**(1/p); of matrices None or "fro" (Frobenius's), "nuc" (the sum of the singular
            values), 2 and -2 (the largest, the smallest of them), 1 and -1 (sums of columns), inf and -inf (of rows).
        axis: one axis or two; None takes all, of which there are one or two where `ord` is given.

    Raises:
        ValueError: another `ord`, other numbers of axes.

    Example:
        >>> norm([[3.0, 4.0], [6.0, 8.0]], axis=1).tolist()
        [5.0, 10.0]
    """
    x = as_float(x)
    rank = len(shape_of(x))
    if isinstance(ord, str) and ord not in ("fro", "nuc"):
        raise ArgumentError(
            f"Invalid `ord` argument. Expected one of {{'fro', 'nuc'}} when using string. Received: ord={ord}"
        )
    if axis is None and ord is None:
        return _vector_norm(x, None, None, keepdims)
    given = range(rank) if axis is None else [axis] if isinstance(axis, int) else axis
    axes = [normalize_axis(a, rank) for a in given]
    if len(axes) not in (1, 2) or len(set(axes)) != len(axes):
        raise ShapeError(
            "`axis` must be one axis or two different ones. "
            f"Received: axis={axis} for x.shape={shape_of(x)}, ord={ord}."
        )
    if len(axes) == 1:
        if isinstance(ord, str):
            raise ArgumentError(f"Invalid `ord` argument for vector norm. Received: ord={ord}")
        return _vector_norm(x, ord, axes[0], keepdims)
    if ord not in (None, "fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf):
        raise ArgumentError(f"Invalid `ord` argument for matrix norm. Received: ord={ord}")
    return _matrix_norm(x, ord, (axes[0], axes[1]), keepdims)
