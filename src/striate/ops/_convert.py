"""What public functions share: arguments made into tensors of one dtype, axes made non-negative."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import Any, TypeAlias

import numpy as np

from striate import backend
from striate.core.errors import ArgumentError, DTypeError, ShapeError
from striate.ir.ops.attrs import AxesAttrs

#: A tensor, Variable, array, number or nested list of numbers.
Tensor: TypeAlias = Any


def tensor(x: Tensor, dtype: Any = None) -> Tensor:
    """`x` as something `backend.apply` takes: Variables stay, so that a large weight is not copied to be read."""
    if isinstance(x, backend.Variable) and (dtype is None or x.dtype == dtype):
        return x
    return backend.convert_to_tensor(x, dtype)


def shape_of(x: Tensor) -> tuple[int | None, ...]:
    return tuple(x.shape)


def dtype_of(x: Tensor) -> str:
    return backend.standardize_dtype(x.dtype)


def as_float(x: Tensor) -> Tensor:
    """Integers and truth values become floatx; floats keep their type."""
    x = tensor(x)
    return x if backend.is_float_dtype(dtype_of(x)) else tensor(x, backend.floatx())


def as_number(x: Tensor) -> Tensor:
    """Truth values become int32."""
    x = tensor(x)
    return tensor(x, "int32") if dtype_of(x) == "bool" else x


def as_bool(x: Tensor) -> Tensor:
    """x != 0."""
    return tensor(x, "bool")


def promote(*xs: Tensor, floats: bool = False, numbers: bool = False) -> tuple[Tensor, ...]:
    """All in the dtype they meet in; Python numbers take the others' type.

    With `floats`, at least floatx where they meet in an integer; with `numbers`, at least int32 where all are bool.
    """
    held = [x if isinstance(x, bool | int | float) or hasattr(x, "dtype") else tensor(x) for x in xs]
    dtype = backend.result_type(*held)
    if floats and not backend.is_float_dtype(dtype):
        dtype = backend.result_type(dtype, float)
    elif numbers and dtype == "bool":
        dtype = "int32"
    return tuple(tensor(x, dtype) for x in held)


def normalize_axis(axis: Any, rank: int, name: str = "axis") -> int:
    """A non-negative axis of a tensor of that rank.

    Raises:
        ValueError: no such axis.
    """
    try:
        got = operator.index(axis)
    except TypeError:
        raise ArgumentError(f"`{name}` must be an integer. Received: {name}={axis!r}.") from None
    if not -rank <= got < rank:
        raise ArgumentError(
            f"{name} {got} is out of bounds for a tensor of rank {rank}. Received: {name}={got}. "
            f"Give a value from {-rank} to {rank - 1}."
        )
    return got % rank


def normalize_axes(axis: Any, rank: int) -> tuple[int, ...]:
    """Sorted non-negative axes from None (all of them), one axis or several."""
    if axis is None:
        return tuple(range(rank))
    axes = [normalize_axis(a, rank) for a in axis] if isinstance(axis, Iterable) else [normalize_axis(axis, rank)]
    if len(set(axes)) != len(axes):
        raise ArgumentError(f"The axes of a reduction must be different from each other. Received: axis={axis!r}.")
    return tuple(sorted(axes))


def reduce(op: str, x: Tensor, axis: Any, keepdims: bool) -> Tensor:
    """A reduction op over Keras's `axis` argument."""
    return backend.apply(op, x, attrs=AxesAttrs(normalize_axes(axis, len(shape_of(x))), bool(keepdims)))


def to_shape(shape: Any) -> tuple[int, ...]:
    """A shape argument (one int or several, None where open) as ints, open ones as -1."""
    if isinstance(shape, np.ndarray):
        shape = shape.tolist()
    items = shape if isinstance(shape, Iterable) else (shape,)
    try:
        return tuple(-1 if d is None else operator.index(d) for d in items)
    except TypeError:
        raise DTypeError(
            f"A shape must be made of integers known beforehand. Received: {shape!r}. "
            "Use ops.shape(x), whose lengths are integers or None."
        ) from None


def check_images(images: Tensor, function: str, name: str = "images") -> None:
    """An image, or a batch of them.

    Raises:
        ValueError: another rank.
    """
    if len(shape_of(images)) not in (3, 4):
        raise ShapeError(
            f"Invalid {name} rank: expected rank 3 (single image) or rank 4 (batch of images) in {function}. "
            f"Received: {name}.shape={shape_of(images)}."
        )
