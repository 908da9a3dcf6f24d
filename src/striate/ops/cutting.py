"""Images with edges cut off or added, or cut into patches."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod
from typing import Any

import numpy as np

from striate import backend
from striate.backend import symbolic_op
from striate.core import args
from striate.core.errors import ArgumentError, ShapeError
from striate.core.registry import export
from striate.ops import shapes, windows
from striate.ops._convert import Tensor, as_float, dtype_of, shape_of, tensor
from striate.ops.convolution import conv
from striate.ops.core import saturate_cast
from striate.ops.joining import pad

_IMAGE = "keras.src.ops.image"

Edges = tuple[int | None, int | None, int | None]


def _spatial(function: str, images: Tensor, data_format: str | None) -> tuple[int, int]:
    """The axes of height and width."""
    rank = len(shape_of(images))
    if rank not in (3, 4):
        raise ShapeError(
            f"{function} takes an image (height, width, channels) or a batch of them. "
            f"Received: images of shape {shape_of(images)}."
        )
    last = backend.standardize_data_format(data_format) == "channels_last"
    return (rank - 3, rank - 2) if last else (rank - 2, rank - 1)


def _edges(n: int | None, given: Edges, names: tuple[str, str, str], grows: bool) -> tuple[int, int]:
    """What goes before and after an axis of n pixels, two of (before, after, length) being given."""
    said = ", ".join(f"{name}={value}" for name, value in zip(names, given, strict=True))
    if given.count(None) != 1:
        raise ArgumentError(f"Give exactly two of {', '.join(names)}. Received: {said}.")
    before, after, length = given
    if length is not None:
        if n is None:
            raise ShapeError(f"An axis of open length cannot be brought to {names[2]}={length}. Give Input a size.")
        rest = length - n if grows else n - length
        before = rest - after if before is None and after is not None else before
        after = rest - before if after is None and before is not None else after
    assert before is not None and after is not None
    kept = None if n is None else n + before + after if grows else n - before - after
    if before < 0 or after < 0 or (length is not None and length < 0) or (kept is not None and kept < 0):
        raise ArgumentError(
            f"{', '.join(names)} must be 0 or more, and fit the images. Received: {said}, for {n} pixels, "
            f"which makes {names[0]}={before}, {names[1]}={after}."
        )
    return before, after


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
    rows, columns = _spatial("pad_images", images, data_format)
    shape = shape_of(images)
    around = [(0, 0)] * len(shape)
    high = ("top_padding", "bottom_padding", "target_height")
    wide = ("left_padding", "right_padding", "target_width")
    around[rows] = _edges(shape[rows], (top_padding, bottom_padding, target_height), high, True)
    around[columns] = _edges(shape[columns], (left_padding, right_padding, target_width), wide, True)
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
    rows, columns = _spatial("crop_images", images, data_format)
    high = ("top_cropping", "bottom_cropping", "target_height")
    wide = ("left_cropping", "right_cropping", "target_width")
    for axis, given, names in (
        (rows, (top_cropping, bottom_cropping, target_height), high),
        (columns, (left_cropping, right_cropping, target_width), wide),
    ):
        n = shape_of(images)[axis]
        before, after = _edges(n, given, names, False)
        if n is None:
            raise ShapeError(f"crop_images takes images of known size. Received: images of shape {shape_of(images)}.")
        images = windows.cut(images, axis, before, n - after)
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
    n = len(list(size)) if isinstance(size, Iterable) and not isinstance(size, str) else 2
    fmt = backend.standardize_data_format(data_format)
    axes = 3 if n == 3 else 2
    return _patches("extract_patches", tensor(images), size, axes, strides, dilation_rate, padding, fmt)


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
    return extract_patches(volumes, args.int_tuple(size, 3, "size"), strides, dilation_rate, padding, data_format)


__all__ = ["crop_images", "extract_patches", "extract_patches_3d", "pad_images"]
