"""Images with edges cut off or added, or cut into patches."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod
from typing import Any

import numpy as np

from striate import backend
from striate.backend import symbolic_op
from striate.core import args
from striate.core.errors import ArgumentError, DTypeError, ShapeError
from striate.core.registry import export
from striate.ops import shapes, windows
from striate.ops._convert import Tensor, as_float, check_images, dtype_of, shape_of, tensor
from striate.ops.convolution import conv
from striate.ops.core import saturate_cast
from striate.ops.indexing import slice_axis
from striate.ops.joining import pad

_IMAGE = "keras.src.ops.image"

Edges = tuple[int | None, int | None, int | None]


def _spatial(function: str, images: Tensor, data_format: str | None) -> tuple[int, int]:
    """The axes of height and width."""
    check_images(images, function)
    rank = len(shape_of(images))
    last = backend.standardize_data_format(data_format) == "channels_last"
    return (rank - 3, rank - 2) if last else (rank - 2, rank - 1)


def _edges(n: int | None, given: Edges, names: tuple[str, str, str], grows: bool) -> tuple[int | None, ...]:
    """What goes before and after an axis of n pixels, and its length then, two of the three being given.

    Where n is open, so is what depends on it.
    """
    said = ", ".join(f"{name}={value}" for name, value in zip(names, given, strict=True))
    if given.count(None) != 1:
        raise ArgumentError(f"Must specify exactly two of {', '.join(names)}. Received: {said}.")
    _no_less_than_0(given, names, said)
    before, after, length = given
    if n is not None:
        before = _rest(n, after, length, grows) if before is None else before
        after = _rest(n, before, length, grows) if after is None else after
        length = n + (before or 0) + (after or 0) if grows else n - (before or 0) - (after or 0)
    _no_less_than_0((before, after, length), names, f"{said}, for {n} pixels")
    return before, after, length


def _no_less_than_0(values: Edges, names: tuple[str, str, str], said: str) -> None:
    for name, value in zip(names, values, strict=True):
        if value is not None and value < 0:
            raise ArgumentError(f"{name} must be >= 0. Received: {name}={value}, of {said}.")


def _rest(n: int, other: int | None, length: int | None, grows: bool) -> int:
    assert other is not None and length is not None
    return length - n - other if grows else n - length - other


def _changed(images: Tensor, axes: tuple[int, int], edges: list[tuple[int | None, ...]], grows: bool) -> Tensor | None:
    """The symbolic result where a length is open; None where all are known."""
    shape = list(shape_of(images))
    if all(shape[axis] is not None for axis in axes):
        return None
    for axis, what, (_, _, length) in zip(axes, ("height", "width"), edges, strict=True):
        if length is None and not grows:
            raise ShapeError(
                f"When the {what} of the images is unknown, target_{what} must be specified. "
                f"Received: images.shape={shape_of(images)}."
            )
        shape[axis] = length
    return backend.KerasTensor(shape, dtype_of(images))


@export("ops.image.pad_images")
@symbolic_op(_IMAGE, "PadImages")
def pad_images(
    images: Tensor,
    top_padding: int | None = None,
    left_padding: int | None = None,
    bottom_padding: int | None = None,
    right_padding: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Tensor:
    """Images with rows and columns of zeros around them.

    Source: `keras.ops.image.pad_images`.

    Args:
        images: (batch, height, width, channels), or one image without the batch.
        top_padding, bottom_padding, target_height: two of them, in pixels.
        left_padding, right_padding, target_width: two of them.
        data_format: "channels_last" or "channels_first"; None takes the configured one.

    Raises:
        ValueError: more or fewer than two; less than 0 pixels; another rank.

    Example:
        >>> pad_images(np.ones((2, 3, 1)), 1, 0, target_height=4, target_width=3)[..., 0].sum(axis=1).tolist()
        [0.0, 3.0, 3.0, 0.0]
    """
    images = tensor(images)
    axes = _spatial("pad_images", images, data_format)
    high = ("top_padding", "bottom_padding", "target_height")
    wide = ("left_padding", "right_padding", "target_width")
    edges = [
        _edges(shape_of(images)[axes[0]], (top_padding, bottom_padding, target_height), high, True),
        _edges(shape_of(images)[axes[1]], (left_padding, right_padding, target_width), wide, True),
    ]
    symbolic = _changed(images, axes, edges, True)
    if symbolic is not None:
        return symbolic
    around = [(0, 0)] * len(shape_of(images))
    for axis, (before, after, _) in zip(axes, edges, strict=True):
        around[axis] = (before or 0, after or 0)
    return pad(images, around)


@export("ops.image.crop_images")
@symbolic_op(_IMAGE, "CropImages")
def crop_images(
    images: Tensor,
    top_cropping: int | None = None,
    left_cropping: int | None = None,
    bottom_cropping: int | None = None,
    right_cropping: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Tensor:
    """Images without some rows and columns at their edges.

    Source: `keras.ops.image.crop_images`.

    Args:
        images: (batch, height, width, channels), or one image without the batch.
        top_cropping, bottom_cropping, target_height: two of them, in pixels.
        left_cropping, right_cropping, target_width: two of them.
        data_format: "channels_last" or "channels_first"; None takes the configured one.

    Raises:
        ValueError: more or fewer than two; less than 0 pixels, or more than there are; another rank.

    Example:
        >>> crop_images(np.arange(9).reshape(3, 3, 1), 0, 0, 2, 1)[..., 0].tolist()
        [[0, 1]]
    """
    images = tensor(images)
    axes = _spatial("crop_images", images, data_format)
    high = ("top_cropping", "bottom_cropping", "target_height")
    wide = ("left_cropping", "right_cropping", "target_width")
    edges = [
        _edges(shape_of(images)[axes[0]], (top_cropping, bottom_cropping, target_height), high, False),
        _edges(shape_of(images)[axes[1]], (left_cropping, right_cropping, target_width), wide, False),
    ]
    symbolic = _changed(images, axes, edges, False)
    if symbolic is not None:
        return symbolic
    for axis, (before, _, length) in zip(axes, edges, strict=True):
        images = slice_axis(images, axis, before or 0, (before or 0) + (length or 0))
    return images


def _patches(
    function: str, images: Tensor, size: Any, n: int, strides: Any, dilation: Any, padding: str, fmt: str
) -> Tensor:
    """Patches over n spatial axes: y[.., i.., (u.., c)] = x[.., i * stride + u * dilation.., c]."""
    size = args.int_tuple(size, n, "size")
    strides = size if strides is None else args.int_tuple(strides, n, "strides")
    dilation = args.int_tuple(dilation, n, "dilation_rate")
    padding = args.padding(padding)
    rank = len(shape_of(images))
    if rank not in (n + 1, n + 2):
        raise ShapeError(
            f"{function} takes tensors of rank {n + 1}, or {n + 2} with a batch. "
            f"Received: shape {shape_of(images)}, size={size}."
        )
    first = fmt == "channels_first"
    x = images if rank == n + 2 else shapes.reshape_to(images, (1, *shape_of(images)))
    channels = shape_of(x)[1 if first else -1]
    lengths = shape_of(x)[2:] if first else shape_of(x)[1:-1]
    if channels is None:
        raise ShapeError(f"{function} takes a known number of channels. Received: shape {shape_of(images)}.")
    if strides == size and padding == "valid" and set(dilation) == {1} and None not in lengths:
        x = shapes.moveaxis(x, 1, -1) if first else x
        for axis, (length, step) in enumerate(zip(lengths, size, strict=True), start=1):
            x = windows.cut(x, axis, 0, int(length or 0) // step * step)
        counts = [int(length or 0) // step for length, step in zip(lengths, size, strict=True)]
        split = [d for pair in zip(counts, size, strict=True) for d in pair]
        x = shapes.reshape_to(x, (shape_of(x)[0], *split, channels))
        order = (0, *range(1, 2 * n, 2), *range(2, 2 * n + 1, 2), 2 * n + 1)
        y = shapes.reshape_to(shapes.transpose(x, order), (shape_of(x)[0], *counts, prod(size) * channels))
        y = shapes.moveaxis(y, -1, 1) if first else y
    else:
        dtype = dtype_of(x)
        depth = prod(size) * channels
        kernel = np.eye(depth, dtype="float32").reshape(*size, channels, depth)
        y = conv(as_float(x), kernel, strides=strides, padding=padding, data_format=fmt, dilation_rate=dilation)
        y = y if dtype_of(y) == dtype else saturate_cast(y, dtype)
    return y if rank == n + 2 else shapes.reshape_to(y, shape_of(y)[1:])


@export("ops.image.extract_patches")
@symbolic_op(_IMAGE, "ExtractPatches")
def extract_patches(
    images: Tensor,
    size: Any,
    strides: Any = None,
    dilation_rate: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """Images cut into patches, each of which becomes one vector: rows, columns, channels.

    Source: `keras.ops.image.extract_patches`.

    Args:
        images: (batch, height, width, channels), or without the batch; volumes, where size has three numbers.
        size: (height, width) of a patch, or one number for both, in pixels; (depth, height, width) of volumes.
        strides: the way from one patch to the next; None: size, so that they do not overlap.
        dilation_rate: the way from one pixel of a patch to the next.
        padding: "valid", or "same": zeros around.
        data_format: "channels_last" or "channels_first"; None takes the configured one.

    Output shape: (batch, rows of patches, columns of patches, pixels of a patch * channels).

    Raises:
        ValueError: sizes below 1, tensors of another rank.

    Example:
        >>> extract_patches(np.arange(16).reshape(4, 4, 1), 2)[1].tolist()
        [[8, 9, 12, 13], [10, 11, 14, 15]]
    """
    if isinstance(size, str) or not isinstance(size, int | Iterable):
        raise DTypeError(f"Invalid `size` argument. Expected an int or a tuple. Received: size={size!r}.")
    n = 2 if isinstance(size, int) else len(list(size))
    if n not in (2, 3):
        raise ArgumentError(f"Invalid `size` argument. Expected a tuple of length 2 or 3. Received: size={size}.")
    fmt = backend.standardize_data_format(data_format)
    return _patches("extract_patches", tensor(images), size, n, strides, dilation_rate, padding, fmt)


@export("ops.image.extract_patches_3d")
def extract_patches_3d(
    volumes: Tensor,
    size: Any,
    strides: Any = None,
    dilation_rate: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """Volumes cut into patches: `extract_patches` with three numbers, or one for all three, as size.

    Source: `keras.ops.image.extract_patches_3d`.

    Example:
        >>> extract_patches_3d(np.ones((1, 4, 4, 4, 3), "float32"), 2).shape
        (1, 2, 2, 2, 24)
    """
    if isinstance(size, Iterable) and len(list(size)) != 3:
        raise DTypeError(f"Invalid `size` argument. Expected an int or a tuple of length 3. Received: size={size!r}.")
    return extract_patches(volumes, args.int_tuple(size, 3, "size"), strides, dilation_rate, padding, data_format)


__all__ = ["crop_images", "extract_patches", "extract_patches_3d", "pad_images"]
