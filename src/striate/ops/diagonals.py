"""Functions of the diagonals and triangles of matrices, which are the last two axes unless said."""

from __future__ import annotations

from typing import Any

import numpy as np

from striate import backend
from striate.backend import symbolic_op
from striate.core.errors import ShapeError
from striate.core.registry import export
from striate.ir.ops.attrs import AxisAttrs, PadAttrs
from striate.ops import arithmetic, reductions, shapes
from striate.ops._convert import Tensor, dtype_of, normalize_axis, shape_of, tensor

_NUMPY = "keras.src.ops.numpy"


def _sides(x: Tensor, function: str) -> tuple[int, int]:
    """(rows, columns) of matrices.

    Raises:
        ValueError: fewer than two axes, or one whose length is open.
    """
    shape = shape_of(x)
    if len(shape) < 2 or shape[-1] is None or shape[-2] is None:
        raise ShapeError(
            f"{function} takes matrices, whose two axes have known lengths. Received: x.shape={shape}. "
            "Reshape x first, or give Input a full shape."
        )
    return shape[-2], shape[-1]


@export("ops.diagonal", "ops.numpy.diagonal")
@symbolic_op(_NUMPY, "Diagonal")
def diagonal(x: Tensor, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """The elements x[i, i + offset] of the matrices along axis1 (rows) and axis2, as the last axis of the result.

    Source: `keras.ops.diagonal`.

    Example:
        >>> diagonal([[1, 2, 3], [4, 5, 6]], offset=1).tolist()
        [2, 6]
    """
    x = tensor(x)
    rank = len(shape_of(x))
    first, second = normalize_axis(axis1, rank, "axis1"), normalize_axis(axis2, rank, "axis2")
    if first == second:
        raise ShapeError(f"`axis1` and `axis2` must be different. Received: axis1={axis1}, axis2={axis2}.")
    x = shapes.transpose(x, [i for i in range(rank) if i not in (first, second)] + [first, second])
    rows, columns = _sides(x, "diagonal")
    length = max(0, min(rows, columns - offset) if offset >= 0 else min(rows + offset, columns))
    start = offset if offset >= 0 else -offset * columns
    places = (start + np.arange(length) * (columns + 1)).astype("int32")
    flat = shapes.reshape_to(x, (*shape_of(x)[:-2], rows * columns))
    return backend.apply("gather", flat, places, attrs=AxisAttrs(rank - 2))


@export("ops.trace", "ops.numpy.trace")
@symbolic_op(_NUMPY, "Trace")
def trace(x: Tensor, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """The sum of a diagonal: of x[i, i + offset] along axis1 and axis2. Source: `keras.ops.trace`."""
    return reductions.sum(diagonal(x, offset=offset, axis1=axis1, axis2=axis2), axis=-1)


@export("ops.diag", "ops.numpy.diag")
@symbolic_op(_NUMPY, "Diag")
def diag(x: Tensor, k: int = 0) -> Tensor:
    """Of a vector, the matrix that has it on its k-th diagonal and zeros elsewhere; of a matrix, that diagonal.

    Source: `keras.ops.diag`.

    Raises:
        ValueError: a tensor of another rank.
    """
    x = tensor(x)
    shape = shape_of(x)
    if len(shape) == 2:
        return diagonal(x, offset=k)
    if len(shape) != 1 or shape[0] is None:
        raise ShapeError(f"`x` must be 1-D or 2-D, of known length. Received: x.shape={shape}.")
    side = shape[0] + abs(k)
    backend.book_allocation(side * side, f"where the diagonal of a matrix of {side} rows lies")
    padded = backend.apply("pad", x, attrs=PadAttrs((0, abs(k))))
    # Along the rows for a diagonal above the main one, along the columns for one below.
    spread = shapes.reshape_to(padded, (side, 1) if k >= 0 else (1, side))
    return arithmetic.where(np.eye(side, k=k, dtype=bool), spread, tensor(0, dtype_of(x)))


@export("ops.diagflat", "ops.numpy.diagflat")
@symbolic_op(_NUMPY, "Diagflat")
def diagflat(x: Tensor, k: int = 0) -> Tensor:
    """The matrix with x, flattened, on its k-th diagonal, zeros elsewhere. Source: `keras.ops.diagflat`."""
    return diag(shapes.ravel(x), k=k)


@export("ops.tri", "ops.numpy.tri")
def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Tensor:
    """N rows and M columns with ones on and below the k-th diagonal, zeros above. Source: `keras.ops.tri`."""
    return tensor(np.tri(N, M, k), backend.standardize_dtype(dtype))


@export("ops.tril", "ops.numpy.tril")
@symbolic_op(_NUMPY, "Tril")
def tril(x: Tensor, k: int = 0) -> Tensor:
    """x with zeros above the k-th diagonal of its matrices. Source: `keras.ops.tril`."""
    x = tensor(x)
    return arithmetic.where(_below(x, k, "tril"), x, tensor(0, dtype_of(x)))


@export("ops.triu", "ops.numpy.triu")
@symbolic_op(_NUMPY, "Triu")
def triu(x: Tensor, k: int = 0) -> Tensor:
    """x with zeros below the k-th diagonal of its matrices. Source: `keras.ops.triu`."""
    x = tensor(x)
    return arithmetic.where(_below(x, k - 1, "triu"), tensor(0, dtype_of(x)), x)


def _below(x: Tensor, k: int, name: str) -> np.ndarray:
    """Where the places on and below the k-th diagonal of its matrices are."""
    rows, columns = _sides(x, name)
    backend.book_allocation(rows * columns, f"where the triangle of {rows} x {columns} places lies")
    return np.tri(rows, columns, k, dtype=bool)
