"""Images read at places between their pixels, and what is made of it: affine_transform, map_coordinates.

A place along an axis of n pixels is a number, pixel i being at i; how one is read: `ir/ops/sample.py`. A pixel that the
image does not have is, by the fill mode,

    constant    the fill value                        k k k k | a b c d | k k k k
    nearest     the one at the edge                   a a a a | a b c d | d d d d
    reflect     the image's reflection                d c b a | a b c d | d c b a
    mirror      the same, edges not doubled           e d c b | a b c d e | d c b a
    wrap        that of the image's repetition        a b c d | a b c d | a b c d
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import cast

import numpy as np

from striate import backend
from striate.backend import symbolic_op
from striate.core import args
from striate.core.errors import ArgumentError, ShapeError
from striate.core.registry import export
from striate.ir.ops.attrs import FillMode, SampleAttrs
from striate.ops import arithmetic, elementwise, shapes
from striate.ops._convert import Tensor, check_images, dtype_of, shape_of, tensor
from striate.ops.core import saturate_cast
from striate.ops.indexing import slice_axis

FILL_MODES = ("constant", "nearest", "wrap", "mirror", "reflect")
INTERPOLATIONS = ("nearest", "bilinear")


def _rounded(x: Tensor) -> Tensor:
    """The whole number next to x; halves go away from 0."""
    size = elementwise.abs(x)
    whole = elementwise.floor(size)
    return elementwise.sign(x) * arithmetic.where(size - whole >= 0.5, whole + 1.0, whole)


def sample(x: Tensor, places: Sequence[Tensor], linear: bool, fill_mode: str, fill_value: float) -> Tensor:
    """(batch, points, channels): images (batch, lengths..., channels) at places (batch, points), one for each length.

    In the images' dtype: computed in float32 (float64 where they are), integers rounded, halves away from 0.
    """
    dtype = dtype_of(x)
    kind = dtype if dtype == "float64" else "float32"
    attrs = SampleAttrs(linear, cast(FillMode, fill_mode), float(fill_value))
    y = backend.apply("sample", *(backend.cast(t, kind) for t in (x, *places)), attrs=attrs)
    if backend.is_float_dtype(dtype):
        return backend.cast(y, dtype)
    return saturate_cast(_rounded(y), dtype)


def affine_places(transform: Tensor, height: int, width: int, projective: bool) -> tuple[Tensor, Tensor]:
    """Rows and columns (n, height, width) that transforms (n, 8) take the pixels of an image to."""
    a0, a1, a2, b0, b1, b2, c0, c1 = (
        shapes.reshape_to(slice_axis(transform, 1, i, i + 1), (int(shape_of(transform)[0] or 0), 1, 1))
        for i in range(8)
    )
    x = np.arange(width, dtype="float32").reshape(1, 1, width)
    y = np.arange(height, dtype="float32").reshape(1, height, 1)
    columns, rows = a0 * x + a1 * y + a2, b0 * x + b1 * y + b2
    if projective:
        k = c0 * x + c1 * y + 1.0
        columns, rows = columns / k, rows / k
    return rows, columns


def transform_images(
    images: Tensor,
    transform: Tensor,
    interpolation: str,
    fill_mode: str,
    fill_value: float,
    data_format: str,
    projective: bool = False,
) -> Tensor:
    """`affine_transform` of a batch (n, height, width, channels) by (n, 8) or (1, 8), arguments checked before."""
    first = data_format == "channels_first"
    x = shapes.transpose(images, (0, 2, 3, 1)) if first else images
    batch, height, width, _ = (int(d or 0) for d in shape_of(x))
    places = [
        shapes.reshape_to(shapes.broadcast_to(p, (batch, height, width)), (batch, height * width))
        for p in affine_places(backend.cast(transform, "float32"), height, width, projective)
    ]
    y = shapes.reshape_to(sample(x, places, interpolation == "bilinear", fill_mode, fill_value), shape_of(x))
    return shapes.transpose(y, (0, 3, 1, 2)) if first else y


@export("ops.image.affine_transform")
@symbolic_op("keras.src.ops.image", "AffineTransform")
def affine_transform(
    images: Tensor,
    transform: Tensor,
    interpolation: str = "bilinear",
    fill_mode: str = "constant",
    fill_value: float = 0,
    data_format: str | None = None,
) -> Tensor:
    """Images whose pixel (x, y) is the given one's at ((a0 x + a1 y + a2) / k, (b0 x + b1 y + b2) / k).

    x counts columns and y rows, from 0; k = c0 x + c1 y + 1.

    Source: `keras.ops.image.affine_transform`. Keras on JAX leaves c0 and c1 out of account.

    Args:
        images: (batch, height, width, channels), or one image without the batch.
        transform: (a0, a1, a2, b0, b1, b2, c0, c1), or (batch, 8), one for each image.
        interpolation: "bilinear", or "nearest".
        fill_mode: what stands beyond the edges: "constant", "nearest", "wrap", "mirror" or "reflect".
        fill_value: that of "constant".
        data_format: "channels_last" or "channels_first"; None takes the configured one.

    Output shape: that of images.

    Raises:
        ValueError: other ranks, other than 8 numbers, a mode of another name.

    Example:
        >>> image = np.arange(4, dtype="float32").reshape(2, 2, 1)
        >>> affine_transform(image, np.array([1, 0, 1, 0, 1, 0, 0, 0], "float32"))[..., 0].tolist()
        [[1.0, 0.0], [3.0, 0.0]]
    """
    images, transform = tensor(images), tensor(transform)
    interpolation = args.one_of(interpolation, "interpolation", INTERPOLATIONS)
    fill_mode = args.one_of(fill_mode, "fill_mode", FILL_MODES)
    data_format = backend.standardize_data_format(data_format)
    shape, given = shape_of(images), shape_of(transform)
    check_images(images, "affine_transform")
    count = shape[0] if len(shape) == 4 else 1
    if len(given) not in (1, 2) or given[-1] != 8 or (len(given) == 2 and given[0] not in (count, 1, None)):
        raise ShapeError(
            f"Invalid transform rank: expected rank 1 (single transform) or rank 2 (batch of transforms), of 8 numbers "
            f"each. Received: transform.shape={given} for images.shape={shape}. "
            f"Give (a0, a1, a2, b0, b1, b2, c0, c1) for each image."
        )
    if backend.is_keras_tensor(images) or backend.is_keras_tensor(transform):
        return backend.KerasTensor(shape, dtype_of(images))
    one = len(shape) == 3
    batch = shapes.reshape_to(images, (1, *shape)) if one else images
    each = shapes.reshape_to(transform, (1, 8)) if len(given) == 1 else transform
    y = transform_images(batch, each, interpolation, fill_mode, fill_value, data_format, projective=True)
    return shapes.reshape_to(y, shape) if one else y


@export("ops.image.map_coordinates")
@symbolic_op("keras.src.ops.image", "MapCoordinates")
def map_coordinates(
    inputs: Tensor, coordinates: Tensor, order: int, fill_mode: str = "constant", fill_value: float = 0
) -> Tensor:
    """An array of any rank read at places between its elements.

    Source: `keras.ops.image.map_coordinates`.

    Args:
        inputs: tensor of shape (d0, d1, ...).
        coordinates: tensor (rank of inputs, ...): the place along each axis, element i being at i.
        order: 1 weights the 2**rank elements around a place, 0 takes the nearest.
        fill_mode: what stands beyond the edges: "constant", "nearest", "wrap", "mirror" or "reflect".
        fill_value: that of "constant".

    Output shape: that of coordinates, without its first axis; in the dtype of inputs.

    Raises:
        ValueError: coordinates of another rank, an order that is not 0 or 1, a mode of another name.

    Example:
        >>> map_coordinates(np.array([0.0, 10.0, 20.0], "float32"), np.array([[0.5, 2.0]], "float32"), order=1).tolist()
        [5.0, 20.0]
    """
    inputs, coordinates = tensor(inputs), tensor(coordinates)
    fill_mode = args.one_of(fill_mode, "fill_mode", FILL_MODES)
    rank, given = len(shape_of(inputs)), shape_of(coordinates)
    if len(given) < 2 or given[0] != rank:
        raise ShapeError(
            f"Invalid coordinates rank: expected at least rank 2, and the first dim of `coordinates` must be the same "
            f"as the rank of `inputs`. Received: coordinates.shape={given}, inputs.shape={shape_of(inputs)}."
        )
    if order not in (0, 1):
        raise ArgumentError(f"`order` must be 0 (nearest) or 1 (linear). Received: order={order!r}.")
    if backend.is_keras_tensor(inputs) or backend.is_keras_tensor(coordinates):
        return backend.KerasTensor(given[1:], dtype_of(inputs))
    points = prod(int(n or 0) for n in given[1:])
    places = [shapes.reshape_to(slice_axis(coordinates, 0, i, i + 1), (1, points)) for i in range(rank)]
    whole = shapes.reshape_to(inputs, (1, *shape_of(inputs), 1))
    return shapes.reshape_to(sample(whole, places, bool(order), fill_mode, fill_value), given[1:])


__all__ = ["FILL_MODES", "INTERPOLATIONS", "affine_transform", "map_coordinates", "sample", "transform_images"]
