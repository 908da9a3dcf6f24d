"""Functions that pick elements by their place: slices, `x[...]`, take, one_hot, sorting."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from striate import backend
from striate.backend import symbolic_op
from striate.core.errors import ArgumentError, ShapeError, SymbolicError
from striate.core.registry import export
from striate.ir.ops.attrs import AxisAttrs, SliceAttrs
from striate.ops import shapes
from striate.ops._convert import Tensor, normalize_axis, shape_of, tensor

_NUMPY = "keras.src.ops.numpy"
_CORE = "keras.src.ops.core"


def _whole(shape: tuple[int | None, ...]) -> list[tuple[int, int, int]]:
    return [(0, -1 if n is None else n, 1) for n in shape]


def _slice(x: Tensor, bounds: list[tuple[int, int, int]]) -> Tensor:
    if bounds == _whole(shape_of(x)):
        return backend.convert_to_tensor(x)
    begin, end, step = (tuple(column) for column in zip(*bounds, strict=True))
    return backend.apply("slice", x, attrs=SliceAttrs(begin, end, step))


def slice_axis(x: Tensor, axis: int, begin: int, end: int) -> Tensor:
    """x[begin:end] along a non-negative axis, whose bounds are known."""
    bounds = _whole(shape_of(x))
    bounds[axis] = (begin, end, 1)
    return _slice(x, bounds)


def reverse(x: Tensor, axes: Sequence[int]) -> Tensor:
    """x with the given non-negative axes in opposite order."""
    bounds = _whole(shape_of(x))
    for axis in axes:
        n = shape_of(x)[axis]
        if n is None:
            raise ArgumentError(f"Cannot flip an axis of open length. Received: x.shape={shape_of(x)}, axis={axis}.")
        bounds[axis] = (n - 1, -n - 1, -1)
    return _slice(x, bounds)


@export("ops.slice")
@symbolic_op(_CORE, "Slice")
def slice(inputs: Tensor, start_indices: Any, shape: Any) -> Tensor:
    """The part of `inputs` that begins at start_indices and has the given shape (-1: up to the end).

    Source: `keras.ops.slice`.
    """
    x = tensor(inputs)
    starts = [operator.index(i) for i in start_indices]
    bounds = []
    for n, start, length in zip(shape_of(x), starts, shape, strict=True):
        if n is None:
            whole = start == 0 and (length is None or length == -1)
            bounds.append((0, -1, 1) if whole else (start, start + int(length), 1))
        else:
            start = start + n if start < 0 else start
            end = n if length is None or length == -1 else min(start + int(length), n)
            bounds.append((min(start, n), end, 1))
    return _slice(x, bounds)


def _expand_ellipsis(key: tuple[Any, ...], rank: int) -> list[Any]:
    taken = sum(1 for k in key if k is not None and k is not Ellipsis)
    if taken > rank:
        raise ShapeError(f"Too many indices: the tensor has rank {rank}. Received {taken} of them: {key}.")
    full = [builtin_slice(None)] * (rank - taken)
    if not any(k is Ellipsis for k in key):
        return [*key, *full]
    at = next(i for i, k in enumerate(key) if k is Ellipsis)
    return [*key[:at], *full, *key[at + 1 :]]


builtin_slice = type(np.s_[:])


def _bounds(part: Any, n: int | None, axis: int) -> tuple[int, int, int]:
    if n is not None:
        begin, end, step = part.indices(n)
        if not range(begin, end, step):
            return 0, 0, 1  # backwards from before the first, begin is -1, which would be the last
        return begin, -n - 1 if end < 0 else end, step
    begin, end, step = part.start or 0, part.stop, 1 if part.step is None else part.step
    if (begin, end, step) == (0, None, 1):
        return 0, -1, 1
    if end is None or end < 0 or begin < 0 or step < 0:
        raise ShapeError(
            f"Axis {axis} has an open length, so it takes x[:], or slices x[begin:end] counted from its begin. "
            f"Received: {part}. Give Input a full batch_shape, or use ops.take."
        )
    return begin, end, step


def _known(part: Any, n: int | None, axis: int) -> Any:
    """A mask of one axis whose values are known, as the positions it picks."""
    is_list = isinstance(part, list) and bool(part) and all(isinstance(b, bool | np.bool_) for b in part)
    if not is_list and not (isinstance(part, np.ndarray) and part.dtype == bool and part.ndim == 1):
        return part
    if len(part) != n:
        raise ShapeError(f"A mask of {len(part)} elements does not fit axis {axis} of length {n}.")
    return np.flatnonzero(part).astype(np.int32)


@export("ops.get_item", "ops.numpy.get_item")
@symbolic_op(_NUMPY, "GetItem")
def get_item(x: Tensor, key: Any) -> Tensor:
    """x[key], with key made of integers, slices, None, ... and at most one tensor of integers.

    Source: `keras.ops.get_item`. Of an array everything is possible that NumPy knows.
    """
    x = backend.convert_to_tensor(x)
    if isinstance(x, np.ndarray):
        return x[key]
    parts = _expand_ellipsis(key if isinstance(key, tuple) else (key,), len(shape_of(x)))
    bounds: list[tuple[int, int, int]] = []
    result: list[int | None] = []  # the shape after slicing, integer axes left out and new ones put in
    lookup: tuple[int, Any] | None = None
    for part in parts:
        if part is None:
            result.append(1)
            continue
        axis = len(bounds)
        n = shape_of(x)[axis]
        if isinstance(part, builtin_slice):
            bounds.append(_bounds(part, n, axis))
            result.append(_length(bounds[-1], n))
        elif _is_integer(part):
            index = operator.index(part)
            if n is not None and not -n <= index < n:
                raise ShapeError(f"Index {index} is out of bounds for axis {axis} of length {n}.")
            if n is None and index < 0:
                raise ShapeError(f"Axis {axis} has an open length and takes no index from its end. Received: {index}.")
            index = index % n if n is not None else index
            bounds.append((index, index + 1, 1))
        elif lookup is None:
            lookup = (len(result), _known(part, n, axis))
            bounds.append((0, -1 if n is None else n, 1))
            result.append(n)
        else:
            raise ArgumentError(f"A symbolic tensor takes at most one tensor as an index. Received: {key}.")
    y = _slice(x, bounds)
    if any(part is None or _is_integer(part) for part in parts):
        y = shapes.reshape_to(y, result)
    return y if lookup is None else take(y, _as_indices(lookup[1]), axis=lookup[0])


def _is_integer(part: Any) -> bool:
    return isinstance(part, int | np.integer) and not isinstance(part, bool)


def _length(bounds: tuple[int, int, int], n: int | None) -> int | None:
    if n is None and bounds == (0, -1, 1):
        return None
    return len(range(*bounds)) if bounds[2] > 0 else len(range(bounds[0], max(bounds[1], -1), bounds[2]))


def _as_indices(part: Any) -> Any:
    held = tensor(part)
    if held.dtype == "bool":
        raise SymbolicError(
            "A mask picks a number of elements that is not known before the values are. "
            "Use ops.where(mask, x, 0) or multiply by the mask, which keep the shape."
        )
    return held


@export("ops.take", "ops.numpy.take")
@symbolic_op(_NUMPY, "Take")
def take(x: Tensor, indices: Tensor, axis: int | None = None) -> Tensor:
    """The slices of x at `indices` along `axis` (None: of the flattened x); negative ones count from the end.

    Source: `keras.ops.take`.

    Example:
        >>> take([10, 20, 30], [2, 0]).tolist()
        [30, 10]
    """
    x = tensor(x)
    if axis is None:
        x, axis = shapes.ravel(x), 0
    place = normalize_axis(axis, len(shape_of(x)))
    return backend.apply("gather", x, tensor(indices, "int32"), attrs=AxisAttrs(place))


@export("ops.sort", "ops.numpy.sort")
@symbolic_op(_NUMPY, "Sort")
def sort(x: Tensor, axis: int = -1) -> Tensor:
    """The elements along `axis` in ascending order. Source: `keras.ops.sort`."""
    x = tensor(x)
    return backend.apply("sort", x, attrs=AxisAttrs(normalize_axis(axis, len(shape_of(x)))))


@export("ops.argsort", "ops.numpy.argsort")
@symbolic_op(_NUMPY, "Argsort")
def argsort(x: Tensor, axis: int | None = -1) -> Tensor:
    """The indices along `axis` that would sort x, as int32; equals keep their order. Source: `keras.ops.argsort`."""
    x = tensor(x)
    if axis is None:
        x, axis = shapes.ravel(x), 0
    return backend.apply("argsort", x, attrs=AxisAttrs(normalize_axis(axis, len(shape_of(x)))))
