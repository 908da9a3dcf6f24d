"""Functions that lay numbers out: coordinates, series, quarter turns, places in a flattened array."""

from __future__ import annotations

from typing import Any

import numpy as np

from striate import backend
from striate.backend import symbolic_op
from striate.core.errors import ArgumentError, ShapeError
from striate.core.registry import export
from striate.ops import arithmetic, creation, joining, shapes
from striate.ops._convert import Tensor, as_number, dtype_of, normalize_axis, shape_of, tensor, to_shape

_NUMPY = "keras.src.ops.numpy"


@export("ops.meshgrid", "ops.numpy.meshgrid")
@symbolic_op(_NUMPY, "Meshgrid")
def meshgrid(*x: Tensor, indexing: str = "xy") -> list[Tensor]:
    """The coordinates of a grid: for each vector a tensor that repeats it along the axes of the others.

    Source: `keras.ops.meshgrid`.

    Args:
        indexing: "xy": the first vector runs along columns, the second along rows; "ij": in order of the axes.

    Example:
        >>> columns, rows = meshgrid([1, 2, 3], [10, 20])
        >>> rows.tolist()
        [[10, 10, 10], [20, 20, 20]]
    """
    if indexing not in ("xy", "ij"):
        raise ArgumentError(f"Valid values for `indexing` are 'xy' and 'ij'. Received: indexing={indexing!r}.")
    held = [shapes.ravel(v) for v in x]
    axes = list(range(len(held)))
    if indexing == "xy" and len(held) > 1:
        axes[:2] = [1, 0]
    whole: list[int | None] = [1] * len(held)
    for axis, v in zip(axes, held, strict=True):
        whole[axis] = shape_of(v)[0]
    if None in whole:
        raise ShapeError(f"meshgrid takes vectors of known length. Received lengths: {whole}.")
    result = []
    for axis, v in zip(axes, held, strict=True):
        own = [-1 if i == axis else 1 for i in range(len(held))]
        result.append(shapes.broadcast_to(shapes.reshape_to(v, own), whole))
    return result


def _series(values: Any, dtype: Any) -> Tensor:
    return tensor(np.asarray(values), backend.standardize_dtype(dtype))


@export("ops.logspace", "ops.numpy.logspace")
def logspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, base: Any = 10, dtype: Any = None, axis: int = 0
) -> Tensor:
    """`num` numbers from base**start to base**stop, each the same multiple of the one before.

    Source: `keras.ops.logspace`.
    """
    return _series(np.logspace(start, stop, num=num, endpoint=endpoint, base=base, axis=axis), dtype)


@export("ops.geomspace", "ops.numpy.geomspace")
def geomspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0) -> Tensor:
    """`num` numbers from start to stop, each the same multiple of the one before. Source: `keras.ops.geomspace`."""
    return _series(np.geomspace(start, stop, num=num, endpoint=endpoint, axis=axis), dtype)


@export("ops.empty_like", "ops.numpy.empty_like")
@symbolic_op(_NUMPY, "EmptyLike")
def empty_like(x: Tensor, dtype: Any = None) -> Tensor:
    """Zeros in the shape of x: what it holds is nobody's business, and so is made reproducible.

    Source: `keras.ops.empty_like`.
    """
    return creation.zeros_like(x, dtype=dtype)


@export("ops.vander", "ops.numpy.vander")
@symbolic_op(_NUMPY, "Vander")
def vander(x: Tensor, N: int | None = None, increasing: bool = False) -> Tensor:
    """The powers of a vector as columns: x**(N-1), ..., x, 1, or the other way round. Source: `keras.ops.vander`.

    Args:
        N: how many columns; as many as x has elements unless given.
    """
    x = as_number(x)
    if len(shape_of(x)) != 1:
        raise ShapeError(f"Input tensor must be 1-dimensional. Received: x.shape={shape_of(x)}.")
    columns = shape_of(x)[0] if N is None else N
    if columns is None:
        raise ShapeError("vander() of a vector of open length needs the number of columns. Give N.")
    powers = [creation.ones_like(x)]
    for _ in range(columns - 1):
        powers.append(arithmetic.multiply(powers[-1], x))
    if not columns:
        return shapes.expand_dims(x, 1)[:, :0]
    return joining.stack(powers if increasing else powers[::-1], axis=1)


@export("ops.unravel_index", "ops.numpy.unravel_index")
@symbolic_op(_NUMPY, "UnravelIndex")
def unravel_index(indices: Tensor, shape: Any) -> tuple[Tensor, ...]:
    """The indices along each axis of `shape` for indices into the flattened array. Source: `keras.ops.unravel_index`.

    Example:
        >>> [i.tolist() for i in unravel_index([5, 2], (2, 3))]
        [[1, 0], [2, 2]]
    """
    rest = as_number(indices)
    found = []
    for length in reversed(to_shape(shape)):
        n = tensor(length, dtype_of(rest))
        found.append(arithmetic.mod(rest, n))
        rest = arithmetic.floor_divide(rest, n)
    return tuple(found[::-1])


@export("ops.rot90", "ops.numpy.rot90")
@symbolic_op(_NUMPY, "Rot90")
def rot90(array: Tensor, k: int = 1, axes: Any = (0, 1)) -> Tensor:
    """`array` turned k times by 90 degrees, from the first of `axes` towards the second. Source: `keras.ops.rot90`.

    Raises:
        ValueError: fewer than two axes.
    """
    x = tensor(array)
    rank = len(shape_of(x))
    if rank < 2:
        raise ShapeError(f"Input array must have at least 2 dimensions. Received: array.shape={shape_of(x)}.")
    places = [normalize_axis(a, rank, "axes") for a in axes]
    if len(places) != 2 or places[0] == places[1]:
        raise ArgumentError(f"Invalid axes: {axes}. Axes must be a tuple of two different dimensions.")
    turns = k % 4
    if turns == 2:
        return joining.flip(x, axis=places)
    if turns == 0:
        return backend.convert_to_tensor(x)
    turned = joining.flip(x, axis=places[1]) if turns == 1 else x
    turned = shapes.swapaxes(turned, *places)
    return turned if turns == 1 else joining.flip(turned, axis=places[1])


@export("ops.fliplr", "ops.numpy.fliplr")
@symbolic_op(_NUMPY, "Fliplr")
def fliplr(x: Tensor) -> Tensor:
    """x with its second axis in the opposite order. Source: `keras.ops.fliplr`."""
    return joining.flip(x, axis=1)


@export("ops.flipud", "ops.numpy.flipud")
@symbolic_op(_NUMPY, "Flipud")
def flipud(x: Tensor) -> Tensor:
    """x with its first axis in the opposite order. Source: `keras.ops.flipud`."""
    return joining.flip(x, axis=0)
