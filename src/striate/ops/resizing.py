"""Images of another size: each axis on its own, by a product with the matrix of its interpolation weights.

Half-pixel centres: the centre of output pixel i lies at (i + 0.5) * n / m - 0.5 among n input pixels, of m output ones.
Pixel j has the weight k(|centre - j|), k being 1 - x up to 1 (bilinear), Keys's cubic up to 2 (bicubic), or Lanczos's
window up to 3 or 5; the weights of an output pixel are divided by their sum, so that edges keep their brightness. With
antialias, k is stretched by n / m where that is above 1. Nearest takes pixel floor((i + 0.5) * n / m).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from striate import backend
from striate.backend import symbolic_op
from striate.core import args
from striate.core.errors import ArgumentError, ShapeError
from striate.core.registry import export
from striate.ir.types import numpy_dtype
from striate.ops import elementwise, shapes
from striate.ops._convert import Tensor, as_float, dtype_of, shape_of, tensor
from striate.ops.core import saturate_cast
from striate.ops.joining import pad, repeat
from striate.ops.products import matmul
from striate.ops.windows import cut

Array = np.ndarray[Any, Any]

INTERPOLATIONS = ("bilinear", "nearest", "lanczos3", "lanczos5", "bicubic")


def _linear(x: Array) -> Array:
    return np.asarray(np.maximum(0, 1 - x))


def _cubic(x: Array) -> Array:
    """Keys 1981, with a = -0.5."""
    near, far = ((1.5 * x - 2.5) * x) * x + 1, ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x < 1, near, np.where(x < 2, far, 0))


def _lanczos(radius: int) -> Callable[[Array], Array]:
    return lambda x: np.where(x < radius, np.sinc(x) * np.sinc(x / radius), 0)


_KERNELS: dict[str, Callable[[Array], Array]] = {
    "bilinear": _linear,
    "bicubic": _cubic,
    "lanczos3": _lanczos(3),
    "lanczos5": _lanczos(5),
}


def kernel_of(interpolation: str) -> Callable[[Array], Array]:
    """How much a pixel weighs at a distance: "bilinear", "bicubic", "lanczos3", "lanczos5"."""
    return _KERNELS[interpolation]


@lru_cache(maxsize=32)
def _weights(n: int, m: int, interpolation: str, antialias: bool) -> Array:
    """(m, n): what each of m output pixels takes of each of n input pixels."""
    centres = (np.arange(m) + 0.5) * (n / m)
    if interpolation == "nearest":
        made = (np.arange(n) == np.floor(centres)[:, None]).astype("float64")
    else:
        stretch = max(n / m, 1.0) if antialias else 1.0
        made = _KERNELS[interpolation](np.abs(centres[:, None] - 0.5 - np.arange(n)) / stretch)
        made = made / made.sum(axis=1, keepdims=True)
    rounded: Array = made.astype("float32")
    rounded.setflags(write=False)
    return rounded


def resize_axis(x: Tensor, axis: int, m: int, interpolation: str, antialias: bool = False) -> Tensor:
    """x, of floats, with m elements along one axis."""
    shape = tuple(int(d or 0) for d in shape_of(x))
    n = shape[axis]
    if n == m:
        return x
    if interpolation == "nearest" and m % n == 0:
        return repeat(x, m // n, axis=axis)
    backend.book_allocation(4 * n * m, f"the weights of {m} pixels made of {n}")
    w = _weights(n, m, interpolation, antialias).astype(numpy_dtype(dtype_of(x)))
    before, after = prod(shape[:axis]), prod(shape[axis + 1 :])
    if after == 1:
        y = matmul(shapes.reshape_to(x, (before, n)), np.ascontiguousarray(w.T))
    else:
        y = matmul(w, shapes.reshape_to(x, (before, n, after)))
    return shapes.reshape_to(y, (*shape[:axis], m, *shape[axis + 1 :]))


def _cropped_to_aspect(x: Tensor, axes: tuple[int, int], size: tuple[int, int]) -> Tensor:
    """The largest part in the middle with the proportions of `size`."""
    height, width = (int(shape_of(x)[a] or 0) for a in axes)
    rows = max(min(height, int(float(width * size[0]) / size[1])), 1)
    columns = max(min(width, int(float(height * size[1]) / size[0])), 1)
    for axis, n, kept in zip(axes, (height, width), (rows, columns), strict=True):
        begin = (n - kept) // 2
        x = cut(x, axis, begin, begin + kept)
    return x


def _padded_to_aspect(x: Tensor, axes: tuple[int, int], size: tuple[int, int], value: float) -> Tensor:
    """x in the middle of an image with the proportions of `size`."""
    height, width = (int(shape_of(x)[a] or 0) for a in axes)
    rows = max(height, int(float(width * size[0]) / size[1]))
    columns = max(width, int(float(height * size[1]) / size[0]))
    around = [(0, 0)] * len(shape_of(x))
    # As in Keras: the same on both sides, and along one axis only.
    top, left = (rows - height) // 2, (columns - width) // 2
    if top:
        around[axes[0]] = (top, top)
    elif left:
        around[axes[1]] = (left, left)
    return pad(x, around, constant_values=value)


def _check(images: Tensor, size: Any, crop: bool, padded: bool, fill_mode: str) -> tuple[int, int]:
    if crop and padded:
        raise ArgumentError("Only one of `pad_to_aspect_ratio` and `crop_to_aspect_ratio` can be True. Received both.")
    if fill_mode != "constant":
        raise ArgumentError(f"`fill_mode` must be 'constant'. Received: fill_mode={fill_mode!r}.")
    if len(shape_of(images)) not in (3, 4):
        raise ShapeError(
            f"Invalid images rank: expected rank 3 (single image) or rank 4 (batch of images) in resize. "
            f"Received: images of shape {shape_of(images)}."
        )
    if isinstance(size, tuple | list) and any(isinstance(d, int) and d < 1 for d in size):
        raise ArgumentError(f"`size` must have positive height and width. Received: size={size}, in pixels.")
    rows, columns = args.int_tuple(size, 2, "size")
    return rows, columns


@export("ops.image.resize")
@symbolic_op("keras.src.ops.image", "Resize")
def resize(
    images: Tensor,
    size: Any,
    interpolation: str = "bilinear",
    antialias: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    fill_mode: str = "constant",
    fill_value: float = 0.0,
    data_format: str | None = None,
) -> Tensor:
    """Images of `size` pixels, in their own dtype; integers are rounded.

    Source: `keras.ops.image.resize`, with half-pixel centres as all of Keras's backends.

    Args:
        images: (batch, height, width, channels), or one image without the batch.
        size: (height, width), in pixels.
        interpolation: "bilinear", "nearest", "bicubic", "lanczos3" or "lanczos5".
        antialias: whether pixels are averaged over a wider window where the image becomes smaller.
        crop_to_aspect_ratio: cut off edges first, so that proportions stay.
        pad_to_aspect_ratio: put `fill_value` around first, so that proportions stay.
        data_format: "channels_last" or "channels_first"; None takes the configured one.

    Raises:
        ValueError: another rank, a size below 1, both ways to keep proportions.

    Example:
        >>> resize(np.array([[[0.0], [4.0]]], "float32"), (1, 4)).ravel().tolist()
        [0.0, 1.0, 3.0, 4.0]
    """
    images = tensor(images)
    target = _check(images, size, crop_to_aspect_ratio, pad_to_aspect_ratio, fill_mode)
    interpolation = args.one_of(interpolation, "interpolation", INTERPOLATIONS)
    rank = len(shape_of(images))
    last = backend.standardize_data_format(data_format) == "channels_last"
    axes = (rank - 3, rank - 2) if last else (rank - 2, rank - 1)
    dtype = dtype_of(images)
    if backend.is_keras_tensor(images):
        lengths = list(shape_of(images))
        lengths[axes[0]], lengths[axes[1]] = target
        return backend.KerasTensor(lengths, dtype)
    x = images
    if crop_to_aspect_ratio:
        x = _cropped_to_aspect(x, axes, target)
    elif pad_to_aspect_ratio:
        x = _padded_to_aspect(x, axes, target, fill_value)
    x = as_float(x)
    for axis, m in zip(axes, target, strict=True):
        x = resize_axis(x, axis, m, interpolation, bool(antialias))
    if dtype_of(x) == dtype:
        return x
    return saturate_cast(elementwise.round(x) if backend.is_int_dtype(dtype) else x, dtype)


__all__ = ["INTERPOLATIONS", "resize", "resize_axis"]
