"""Inverses, determinants and linear equations of matrices, which are the last two axes; the others are batches.

Integers become floatx. NumPy computes them, in float64: they are host steps of a program. A singular matrix gives NaN,
and leaves the others of its batch alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from striate import backend
from striate.backend import symbolic_op
from striate.core.errors import ArgumentError, ShapeError
from striate.core.registry import export
from striate.ir.ops.matrices import CutoffAttrs, TriangleAttrs
from striate.ops import creation, products, shapes
from striate.ops._convert import Tensor, as_float, dtype_of, promote, shape_of
from striate.ops.scattering import is_open

_LINALG = "keras.src.ops.linalg"


def _epsilon(x: Tensor) -> float:
    """The spacing of x's dtype at 1."""
    return {"float16": 2.0**-10, "bfloat16": 2.0**-7, "float64": 2.0**-52}.get(dtype_of(x), 2.0**-23)


def cutoff(x: Tensor, factor: float) -> float:
    """factor * the longer side of matrices * the dtype's spacing: what counts as 0 beside the largest."""
    sides = [n for n in shape_of(x)[-2:] if n is not None]
    return factor * max(sides, default=1) * _epsilon(x)


@export("ops.inv", "ops.linalg.inv")
@symbolic_op(_LINALG, "Inv")
def inv(x: Tensor) -> Tensor:
    """The inverse of square matrices; NaN of singular ones. Source: `keras.ops.inv`.

    Raises:
        ValueError: matrices that are not square.

    Example:
        >>> inv([[2.0, 0.0], [0.0, 4.0]]).tolist()
        [[0.5, 0.0], [0.0, 0.25]]
    """
    return backend.apply("inv", as_float(x))


@export("ops.pinv", "ops.linalg.pinv")
@symbolic_op(_LINALG, "Pinv")
def pinv(x: Tensor, rcond: Any = None) -> Tensor:
    """Moore's and Penrose's inverse of matrices of any shape: transposed, and the inverse where there is one.

    Source: `keras.ops.pinv`.

    Args:
        rcond: which part of the largest singular value counts as 0; 10 max(rows, columns) times the spacing of x's
            dtype at 1 unless given.

    Raises:
        ValueError: fewer than two axes.
    """
    x = as_float(x)
    return backend.apply("pinv", x, attrs=CutoffAttrs(cutoff(x, 10.0) if rcond is None else float(rcond)))


@export("ops.det", "ops.linalg.det")
@symbolic_op(_LINALG, "Det")
def det(x: Tensor) -> Tensor:
    """The determinant of square matrices; its gradient at a singular one is NaN. Source: `keras.ops.det`."""
    return backend.apply("det", as_float(x))


@export("ops.slogdet", "ops.numpy.slogdet")
@symbolic_op("keras.src.ops.numpy", "Slogdet")
def slogdet(x: Tensor) -> tuple[Tensor, Tensor]:
    """(sign, log of the size) of the determinant of square matrices, without overflow. Source: `keras.ops.slogdet`."""
    sign, size = backend.apply("slogdet", as_float(x))
    return sign, size


@export("ops.logdet")
@symbolic_op("keras.src.ops.math", "Logdet")
def logdet(x: Tensor) -> Tensor:
    """The logarithm of the size of the determinant of square matrices. Source: `keras.ops.logdet`."""
    return slogdet(x)[1]


def _equations(function: str, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor, bool]:
    """(a, b, whether b was vectors): leading axes alike, b with an axis of columns."""
    a, b = promote(a, b, floats=True)
    rank, other = len(shape_of(a)), len(shape_of(b))
    vectors = other == rank - 1
    if rank < 2 or other not in (rank, rank - 1) or (shape_of(b)[rank - 2] if other else None) != shape_of(a)[-1]:
        raise ShapeError(
            f"{function}: `b` must be vectors or matrices with as many rows as `a` has columns, one for each `a`. "
            f"Received: a.shape={shape_of(a)}, b.shape={shape_of(b)}."
        )
    return a, shapes.expand_dims(b, -1) if vectors else b, vectors


@export("ops.solve", "ops.linalg.solve")
@symbolic_op(_LINALG, "Solve")
def solve(a: Tensor, b: Tensor) -> Tensor:
    """The x with a @ x = b; NaN where a is singular. Source: `keras.ops.solve`.

    Shapes: a (..., N, N), b (..., N) or (..., N, K), x as b.

    Raises:
        ValueError: matrices that are not square, a right side that does not fit.

    Example:
        >>> solve([[2.0, 0.0], [0.0, 4.0]], [2.0, 2.0]).tolist()
        [1.0, 0.5]
    """
    a, b, vectors = _equations("solve", a, b)
    y = backend.apply("solve", a, b)
    return shapes.squeeze(y, -1) if vectors else y


@export("ops.solve_triangular", "ops.linalg.solve_triangular")
@symbolic_op(_LINALG, "SolveTriangular")
def solve_triangular(a: Tensor, b: Tensor, lower: bool = False) -> Tensor:
    """The x with t @ x = b, t being the upper (or lower) triangle of a. Source: `keras.ops.solve_triangular`.

    Shapes: a (..., N, N), b (..., N) or (..., N, K), x as b.
    """
    a, b, vectors = _equations("solve_triangular", a, b)
    y = backend.apply("solve_triangular", a, b, attrs=TriangleAttrs(bool(lower)))
    return shapes.squeeze(y, -1) if vectors else y


@export("ops.cholesky", "ops.linalg.cholesky")
@symbolic_op(_LINALG, "Cholesky")
def cholesky(x: Tensor, upper: bool = False) -> Tensor:
    """The lower triangular L with L @ L^T = x (with `upper`: L^T), of positive definite symmetric matrices.

    Of a matrix that is not symmetric, its symmetric part counts. Source: `keras.ops.cholesky`.

    Raises:
        ValueError: matrices that are not square; on arrays, one that is not positive definite (in a traced step: NaN).

    Example:
        >>> cholesky([[4.0, 2.0], [2.0, 5.0]]).tolist()
        [[2.0, 0.0], [1.0, 2.0]]
    """
    x = as_float(x)
    y = backend.apply("cholesky", x)
    if not is_open(y) and np.isnan(backend.convert_to_numpy(y)).any():
        raise ArgumentError(
            "Cholesky decomposition failed. The input might not be a valid positive definite matrix. "
            f"Received: x.shape={shape_of(x)}. Add a small multiple of ops.eye to it."
        )
    return shapes.swapaxes(y, -1, -2) if upper else y


@export("ops.cholesky_inverse", "ops.linalg.cholesky_inverse")
@symbolic_op(_LINALG, "CholeskyInverse")
def cholesky_inverse(x: Tensor, upper: bool = False) -> Tensor:
    """The inverse of the matrix whose Cholesky factor is the lower (upper) triangle of x.

    Source: `keras.ops.cholesky_inverse`.
    """
    x = as_float(x)
    n = shape_of(x)[-1] if shape_of(x) else None
    if len(shape_of(x)) < 2 or n is None or shape_of(x)[-2] != n:
        raise ShapeError(f"cholesky_inverse takes square matrices. Received: x.shape={shape_of(x)}.")
    one = creation.zeros_like(x) + creation.eye(n, dtype=dtype_of(x))
    half = solve_triangular(x, one, lower=not upper)
    other = shapes.swapaxes(half, -1, -2)
    return products.matmul(half, other) if upper else products.matmul(other, half)


@export("ops.lstsq", "ops.linalg.lstsq")
@symbolic_op(_LINALG, "Lstsq")
def lstsq(a: Tensor, b: Tensor, rcond: Any = None) -> Tensor:
    """The shortest x for which |a @ x - b| is least. Source: `keras.ops.lstsq`.

    Shapes: a (M, N), b (M,) or (M, K), x (N,) or (N, K).

    Args:
        rcond: which part of the largest singular value of a counts as 0; max(M, N) times the spacing of the dtype at 1
            unless given.

    Raises:
        ValueError: tensors of other ranks, or of other numbers of rows.
    """
    a, b = promote(a, b, floats=True)
    if len(shape_of(a)) != 2 or len(shape_of(b)) not in (1, 2) or shape_of(a)[0] != shape_of(b)[0]:
        raise ShapeError(
            "lstsq: `a` must be a matrix, and `b` a vector or matrix with as many rows. "
            f"Received: a.shape={shape_of(a)}, b.shape={shape_of(b)}."
        )
    return products.matmul(pinv(a, cutoff(a, 1.0) if rcond is None else rcond), b)
