"""Functions that put tensors together, take them apart, or repeat, pad and shift one."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from striate import backend
from striate.backend import symbolic_op
from striate.core.errors import ArgumentError
from striate.core.registry import export
from striate.ir.ops.attrs import AxisAttrs, PadAttrs
from striate.ops import shapes
from striate.ops._convert import Tensor, normalize_axes, normalize_axis, promote, shape_of, tensor
from striate.ops.indexing import reverse, slice_axis

_NUMPY = "keras.src.ops.numpy"


def several(xs: Any) -> Any:
    """A list of tensors; one symbolic tensor in its place is refused, not taken apart along its first axis."""
    if backend.is_symbolic(xs):
        raise ArgumentError(f"Expected a list of tensors. Received one tensor of shape {shape_of(xs)}: write [x].")
    return xs


@export("ops.concatenate", "ops.numpy.concatenate")
@symbolic_op(_NUMPY, "Concatenate")
def concatenate(xs: Sequence[Tensor], axis: int = 0) -> Tensor:
    """The tensors one after the other along an axis that they have. Source: `keras.ops.concatenate`."""
    held = promote(*several(xs))
    if not held:
        raise ArgumentError("concatenate() takes at least one tensor. Received an empty list.")
    return backend.apply("concat", *held, attrs=AxisAttrs(normalize_axis(axis, len(shape_of(held[0])))))


@export("ops.stack", "ops.numpy.stack")
@symbolic_op(_NUMPY, "Stack")
def stack(x: Sequence[Tensor], axis: int = 0) -> Tensor:
    """Tensors of one shape along a new axis. Source: `keras.ops.stack`."""
    held = promote(*several(x))
    place = normalize_axis(axis, len(shape_of(held[0])) + 1)
    return backend.apply("concat", *(shapes.expand_dims(t, place) for t in held), attrs=AxisAttrs(place))


@export("ops.hstack", "ops.numpy.hstack")
@symbolic_op(_NUMPY, "Hstack")
def hstack(xs: Sequence[Tensor]) -> Tensor:
    """The tensors one after the other along the second axis (of vectors: the first). Source: `keras.ops.hstack`."""
    held = [shapes.reshape_to(t, (1,)) if not shape_of(t) else t for t in promote(*several(xs))]
    return concatenate(held, axis=0 if len(shape_of(held[0])) == 1 else 1)


@export("ops.vstack", "ops.numpy.vstack")
@symbolic_op(_NUMPY, "Vstack")
def vstack(xs: Sequence[Tensor]) -> Tensor:
    """The tensors one below the other: vectors become rows. Source: `keras.ops.vstack`."""
    held = [shapes.reshape_to(t, (1, -1)) if len(shape_of(t)) < 2 else t for t in promote(*several(xs))]
    return concatenate(held, axis=0)


@export("ops.append", "ops.numpy.append")
@symbolic_op(_NUMPY, "Append")
def append(x1: Tensor, x2: Tensor, axis: int | None = None) -> Tensor:
    """x2 after x1 along `axis`; both flattened first where it is None. Source: `keras.ops.append`."""
    if axis is None:
        return concatenate([shapes.ravel(x1), shapes.ravel(x2)], axis=0)
    return concatenate([x1, x2], axis=axis)


@export("ops.split", "ops.numpy.split")
@symbolic_op(_NUMPY, "Split")
def split(x: Tensor, indices_or_sections: Any, axis: int = 0) -> list[Tensor]:
    """x cut along `axis` into equal parts (a number of them) or before the given indices.

    Source: `keras.ops.split`.

    Raises:
        ValueError: a length that is no multiple of the number of parts.
    """
    x = tensor(x)
    place = normalize_axis(axis, len(shape_of(x)))
    n = shape_of(x)[place]
    if n is None:
        raise ArgumentError(f"Cannot split along an axis of open length. Received: x.shape={shape_of(x)}, axis={axis}.")
    if isinstance(indices_or_sections, int | np.integer):
        parts = int(indices_or_sections)
        if parts < 1 or n % parts:
            raise ArgumentError(
                f"An axis of length {n} does not split into {parts} equal parts. Received: x.shape={shape_of(x)}, "
                f"indices_or_sections={parts}, axis={axis}. Give a divisor, or a list of indices to cut before."
            )
        cuts: Iterable[int] = (n // parts * i for i in range(1, parts))
    else:
        cuts = [int(i) for i in indices_or_sections]
    bounds = itertools.chain((0,), cuts, (n,))
    return [slice_axis(x, place, begin, end) for begin, end in itertools.pairwise(bounds)]


@export("ops.unstack")
@symbolic_op("keras.src.ops.core", "Unstack")
def unstack(x: Tensor, num: int | None = None, axis: int = 0) -> list[Tensor]:
    """The slices of x along `axis`, without that axis. Source: `keras.ops.unstack`.

    Args:
        num: the axis's length, where it is open in a functional model.
    """
    x = tensor(x)
    place = normalize_axis(axis, len(shape_of(x)))
    n = shape_of(x)[place] if num is None else num
    if n is None:
        raise ArgumentError(f"Cannot unstack an axis of open length. Received: x.shape={shape_of(x)}. Give `num`.")
    return [shapes.squeeze(slice_axis(x, place, i, i + 1), place) for i in range(n)]


@export("ops.tile", "ops.numpy.tile")
@symbolic_op(_NUMPY, "Tile")
def tile(x: Tensor, repeats: Any) -> Tensor:
    """x repeated as a whole, repeats[i] times along axis i. Source: `keras.ops.tile`."""
    x = tensor(x)
    times = [repeats] if isinstance(repeats, int | np.integer) else [int(r) for r in repeats]
    rank = max(len(times), len(shape_of(x)))
    times = [1] * (rank - len(times)) + times
    x = shapes.reshape_to(x, (1,) * (rank - len(shape_of(x))) + shape_of(x))
    for axis, count in enumerate(times):
        shape = shape_of(x)
        if count > 1:
            wide = shapes.broadcast_to(shapes.expand_dims(x, axis), (*shape[:axis], count, *shape[axis:]))
            n = shape[axis]
            x = shapes.reshape_to(wide, (*shape[:axis], None if n is None else n * count, *shape[axis + 1 :]))
        elif count < 1:
            x = slice_axis(x, axis, 0, 0)
    return backend.convert_to_tensor(x)


@export("ops.repeat", "ops.numpy.repeat")
@symbolic_op(_NUMPY, "Repeat")
def repeat(x: Tensor, repeats: Any, axis: int | None = None) -> Tensor:
    """Each element (each slice along `axis`) several times in a row; x flattened first where `axis` is None.

    Source: `keras.ops.repeat`.

    Args:
        repeats: how often, one number or one for each slice.
    """
    x = tensor(x)
    if axis is None:
        x, axis = shapes.ravel(x), 0
    place = normalize_axis(axis, len(shape_of(x)))
    shape = shape_of(x)
    counts = np.asarray(repeats).reshape(-1)
    if counts.size == 1:
        times = int(counts[0])
        wide = shapes.expand_dims(x, place + 1)
        target = (*shape[: place + 1], times, *shape[place + 1 :])
        whole = None if shape[place] is None else shape[place] * times  # type: ignore[operator]
        return shapes.reshape_to(shapes.broadcast_to(wide, target), (*shape[:place], whole, *shape[place + 1 :]))
    n = shape[place]
    if n != counts.size:
        raise ArgumentError(
            f"`repeats` must have one number, or one for each of the {n} slices. Received: repeats={repeats}."
        )
    backend.book_allocation(12 * int(counts.sum()), "the order of repeated slices")
    order = np.repeat(np.arange(n), counts).astype("int32")
    return backend.apply("gather", x, order, attrs=AxisAttrs(place))


@export("ops.pad", "ops.numpy.pad")
@symbolic_op(_NUMPY, "Pad")
def pad(x: Tensor, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> Tensor:
    """x with elements around it.

    Source: `keras.ops.pad`.

    Args:
        pad_width: how many before and after: one number, (before, after) for every axis, or a pair for each.
        mode: "constant" (`constant_values`, 0 unless given), "reflect" or "symmetric" (mirrored without or with the
            edge), or "edge".

    Example:
        >>> pad([1.0, 2.0], (1, 2)).tolist()
        [0.0, 1.0, 2.0, 0.0, 0.0]
    """
    x = tensor(x)
    rank = len(shape_of(x))
    pairs = [(int(b), int(a)) for b, a in np.broadcast_to(np.asarray(pad_width, int), (rank, 2))]
    if mode != "constant":
        if constant_values is not None:
            raise ArgumentError(
                "Argument `constant_values` can only be provided when `mode == 'constant'`. "
                f"Received: mode={mode}, constant_values={constant_values}."
            )
        if mode not in ("reflect", "symmetric", "edge"):
            raise ArgumentError(
                f"`mode` must be 'constant', 'reflect', 'symmetric' or 'edge'. Received: mode={mode!r}."
            )
        return _pad_from_itself(x, pairs, mode)
    value = 0.0 if constant_values is None else float(constant_values)
    return backend.apply("pad", x, attrs=PadAttrs(tuple(p for pair in pairs for p in pair), value))


def _pad_from_itself(x: Tensor, pairs: list[tuple[int, int]], mode: str) -> Tensor:
    """Each axis in turn is looked up in the order in which NumPy pads its indices."""
    for axis, (before, after) in enumerate(pairs):
        n = shape_of(x)[axis]
        if before or after:
            if n is None:
                raise ArgumentError(f"Cannot pad an axis of open length with mode={mode!r}.")
            backend.book_allocation(8 * (n + before + after), f"the order of padding by {(before, after)}")
            order = np.pad(np.arange(n, dtype="int32"), (before, after), mode=mode)  # type: ignore[call-overload]
            x = backend.apply("gather", x, order, attrs=AxisAttrs(axis))
    return backend.convert_to_tensor(x)


@export("ops.flip", "ops.numpy.flip")
@symbolic_op(_NUMPY, "Flip")
def flip(x: Tensor, axis: Any = None) -> Tensor:
    """x with the elements along `axis` (None: every axis) in the opposite order. Source: `keras.ops.flip`."""
    x = tensor(x)
    return reverse(x, normalize_axes(axis, len(shape_of(x))))


@export("ops.roll", "ops.numpy.roll")
@symbolic_op(_NUMPY, "Roll")
def roll(x: Tensor, shift: Any, axis: Any = None) -> Tensor:
    """x shifted along `axis` (None: flattened, then back in shape), what leaves at one end entering at the other.

    Source: `keras.ops.roll`.
    """
    x = tensor(x)
    if axis is None:
        return shapes.reshape_to(roll(shapes.ravel(x), shift, 0), shape_of(x))
    axes = [axis] if isinstance(axis, int) else list(axis)
    shifts = [shift] * len(axes) if isinstance(shift, int) else list(shift)
    for by, place in zip(shifts, (normalize_axis(a, len(shape_of(x))) for a in axes), strict=True):
        n = shape_of(x)[place]
        if n is None:
            raise ArgumentError(f"Cannot roll an axis of open length. Received: x.shape={shape_of(x)}, axis={axis}.")
        cut = -by % n if n else 0
        if cut:
            x = concatenate([slice_axis(x, place, cut, n), slice_axis(x, place, 0, cut)], axis=place)
    return backend.convert_to_tensor(x)
