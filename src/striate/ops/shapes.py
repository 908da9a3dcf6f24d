"""Functions that change the shape of a tensor, or the order of its axes, and leave its elements as they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from striate import backend
from striate.backend import symbolic_op
from striate.core.errors import ArgumentError, ShapeError
from striate.core.registry import export
from striate.ir.ops.attrs import PermAttrs, ShapeAttrs
from striate.ops._convert import Tensor, normalize_axes, normalize_axis, shape_of, tensor, to_shape

_NUMPY = "keras.src.ops.numpy"


@export("ops.reshape", "ops.numpy.reshape")
@symbolic_op(_NUMPY, "Reshape")
def reshape(x: Tensor, newshape: Any) -> Tensor:
    """The same elements, in the same order, under another shape; one length may be -1, and is worked out.

    Source: `keras.ops.reshape`.

    Raises:
        ValueError: a shape of another number of elements.

    Example:
        >>> reshape([1, 2, 3, 4], (2, -1)).tolist()
        [[1, 2], [3, 4]]
    """
    return backend.apply("reshape", tensor(x), attrs=ShapeAttrs(to_shape(newshape)))


def reshape_to(x: Tensor, shape: Sequence[int | None]) -> Tensor:
    """`reshape` to lengths of which some (None) are open, as they are in x."""
    return backend.apply("reshape", tensor(x), attrs=ShapeAttrs(to_shape(shape)))


@export("ops.ravel", "ops.numpy.ravel")
@symbolic_op(_NUMPY, "Ravel")
def ravel(x: Tensor) -> Tensor:
    """All elements along one axis. Source: `keras.ops.ravel`."""
    return reshape_to(x, (-1,))


@export("ops.expand_dims", "ops.numpy.expand_dims")
@symbolic_op(_NUMPY, "ExpandDims")
def expand_dims(x: Tensor, axis: Any) -> Tensor:
    """x with new axes of length 1 at the given places of the result. Source: `keras.ops.expand_dims`."""
    x = tensor(x)
    axes = [axis] if isinstance(axis, int) else list(axis)
    rank = len(shape_of(x)) + len(axes)
    places = {normalize_axis(a, rank) for a in axes}
    own = iter(shape_of(x))
    return reshape_to(x, [1 if i in places else next(own) for i in range(rank)])


@export("ops.squeeze", "ops.numpy.squeeze")
@symbolic_op(_NUMPY, "Squeeze")
def squeeze(x: Tensor, axis: Any = None) -> Tensor:
    """x without the given axes of length 1; without all of them where `axis` is None.

    Source: `keras.ops.squeeze`.

    Raises:
        ValueError: an axis of another length.
    """
    x = tensor(x)
    shape = shape_of(x)
    if axis is None:
        return reshape_to(x, [n for n in shape if n != 1])
    axes = normalize_axes(axis, len(shape))
    for a in axes:
        if shape[a] != 1:
            raise ShapeError(
                f"Cannot squeeze axis={a}, because the dimension is not 1. Received: x.shape={shape}, axis={axis}. "
                "Give axes of length 1, or None for all of them."
            )
    return reshape_to(x, [n for i, n in enumerate(shape) if i not in axes])


@export("ops.transpose", "ops.numpy.transpose")
@symbolic_op(_NUMPY, "Transpose")
def transpose(x: Tensor, axes: Any = None) -> Tensor:
    """Axis i of the result is axis axes[i] of x; None reverses them. Source: `keras.ops.transpose`."""
    x = tensor(x)
    rank = len(shape_of(x))
    order = range(rank - 1, -1, -1) if axes is None else [normalize_axis(a, rank, "axes") for a in axes]
    if sorted(order) != list(range(rank)):
        raise ArgumentError(f"`axes` must name each axis of x once. Received: axes={axes}, x.shape={shape_of(x)}.")
    if list(order) == list(range(rank)):
        return backend.convert_to_tensor(x)
    return backend.apply("transpose", x, attrs=PermAttrs(tuple(order)))


@export("ops.swapaxes", "ops.numpy.swapaxes")
@symbolic_op(_NUMPY, "Swapaxes")
def swapaxes(x: Tensor, axis1: int, axis2: int) -> Tensor:
    """x with two axes exchanged. Source: `keras.ops.swapaxes`."""
    x = tensor(x)
    rank = len(shape_of(x))
    order = list(range(rank))
    a, b = normalize_axis(axis1, rank, "axis1"), normalize_axis(axis2, rank, "axis2")
    order[a], order[b] = order[b], order[a]
    return transpose(x, order)


@export("ops.moveaxis", "ops.numpy.moveaxis")
@symbolic_op(_NUMPY, "Moveaxis")
def moveaxis(x: Tensor, source: Any, destination: Any) -> Tensor:
    """x with the axes `source` at the places `destination`, the others in their order. Source: `keras.ops.moveaxis`."""
    x = tensor(x)
    rank = len(shape_of(x))
    sources = [source] if isinstance(source, int) else list(source)
    targets = [destination] if isinstance(destination, int) else list(destination)
    if len(sources) != len(targets):
        raise ArgumentError(
            f"`source` and `destination` must be as many. Received: source={source}, destination={destination}."
        )
    moved = [normalize_axis(a, rank, "source") for a in sources]
    order = [a for a in range(rank) if a not in moved]
    for target, axis in sorted(
        (normalize_axis(t, rank, "destination"), a) for t, a in zip(targets, moved, strict=True)
    ):
        order.insert(target, axis)
    return transpose(x, order)


@export("ops.broadcast_to", "ops.numpy.broadcast_to")
@symbolic_op(_NUMPY, "BroadcastTo")
def broadcast_to(x: Tensor, shape: Any) -> Tensor:
    """x repeated along axes of length 1 and along new leading axes, to `shape`. Source: `keras.ops.broadcast_to`."""
    x = tensor(x)
    target = to_shape(shape)
    if target == shape_of(x):
        return backend.convert_to_tensor(x)
    return backend.apply("broadcast_to", x, attrs=ShapeAttrs(target))


def flatten_leading(x: Tensor, keep: int) -> Tensor:
    """x with all but its last `keep` axes made into one."""
    shape = shape_of(x)
    return reshape_to(x, (-1, *shape[len(shape) - keep :]))
