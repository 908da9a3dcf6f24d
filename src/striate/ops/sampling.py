"""Images read at places between their pixels, and what is made of it: affine_transform, map_coordinates.

A place along an axis of n pixels is a number, pixel i being at i. "bilinear" (order 1) takes the pixels floor(c) and
floor(c) + 1, weighted 1 - f and f with f = c - floor(c); "nearest" (order 0) takes the pixel next to c, of two the one
farther from 0. A pixel i that the image does not have is, by the fill mode,

    constant    the fill value                        k k k k | a b c d | k k k k
    nearest     the one at the edge                   a a a a | a b c d | d d d d
    reflect     the image's reflection                d c b a | a b c d | d c b a
    mirror      the same, edges not doubled           e d c b | a b c d e | d c b a
    wrap        that of the image's repetition        a b c d | a b c d | a b c d

Pixels are gathered by rows that hold all channels, so the parts are the engine's elementwise ops and `gather`, and a
gradient reaches the images and the places.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from math import prod

import numpy as np

from striate import backend
from striate.backend import symbolic_op
from striate.core import args
from striate.core.errors import ArgumentError, ShapeError
from striate.core.registry import export
from striate.ir.ops.attrs import AxisAttrs
from striate.ops import arithmetic, elementwise, shapes
from striate.ops._convert import Tensor, dtype_of, shape_of, tensor
from striate.ops.core import saturate_cast
from striate.ops.indexing import slice_axis

FILL_MODES = ("constant", "nearest", "wrap", "mirror", "reflect")
INTERPOLATIONS = ("nearest", "bilinear")


def _nearest(place: Tensor) -> Tensor:
    """The whole number next to a place; halves go away from 0."""
    size = elementwise.abs(place)
    whole = elementwise.floor(size)
    return elementwise.sign(place) * arithmetic.where(size - whole >= 0.5, whole + 1.0, whole)


def _pixels(place: Tensor, order: int) -> list[tuple[Tensor, Tensor | None]]:
    """The pixels, as whole floats, that a place takes along one axis, and their weights (None: 1)."""
    if order == 0:
        return [(_nearest(place), None)]
    low = elementwise.floor(place)
    fraction = place - low
    return [(low, 1.0 - fraction), (low + 1.0, fraction)]


def _inside(pixel: Tensor, n: int, fill_mode: str) -> Tensor:
    """The pixel of an axis of n that stands for one beyond its edges."""
    if fill_mode == "wrap":
        pixel = arithmetic.mod(pixel, float(n))
    elif fill_mode in ("mirror", "reflect") and n > 1:
        # The image and its reflection repeat after `period`; "mirror" has the edges once.
        twice = fill_mode == "reflect"
        period = 2.0 * n if twice else 2.0 * n - 2
        pixel = arithmetic.mod(pixel, period)
        pixel = arithmetic.minimum(pixel, (period - 1 if twice else period) - pixel)
    # Not clip: a pixel that is no number must become an index all the same (its weights are no numbers either).
    return arithmetic.minimum(arithmetic.where(pixel >= 0.0, pixel, np.float32(0)), float(n - 1))


def _product(factors: Sequence[Tensor | None]) -> Tensor | None:
    made = None
    for factor in factors:
        if factor is not None:
            made = factor if made is None else made * factor
    return made


def _for_all(x: Tensor, channels: int) -> Tensor:
    """x with `channels` axes of length 1 behind its own."""
    return shapes.reshape_to(x, (*shape_of(x), *(1,) * channels))


def sample(x: Tensor, places: Sequence[Tensor], first: int, order: int, fill_mode: str, fill_value: float) -> Tensor:
    """x, of float32, at places along the axes from `first` on.

    Args:
        x: (batch..., lengths..., channels...), `first` axes of the batch, as many lengths as places.
        places: one tensor a length, float32, that broadcast to (batch..., result...).

    Returns:
        (batch..., result..., channels...)
    """
    shape = tuple(int(d or 0) for d in shape_of(x))
    batch, lengths, channels = shape[:first], shape[first : first + len(places)], shape[first + len(places) :]
    rank = max(len(shape_of(p)) for p in places)
    if prod(shape[: first + len(places)]) >= 2**31:
        raise ShapeError(f"Images of at most 2**31 pixels are read at places. Received: shape {shape}. Take fewer.")
    rows = shapes.reshape_to(x, (prod(batch) * prod(lengths), *channels))
    image = np.arange(prod(batch), dtype="int32").reshape(batch + (1,) * (rank - first))
    taps = [_pixels(place, order) for place in places]
    total = None
    for corner in itertools.product(*taps):
        index, known = image, None
        for (pixel, _), n in zip(corner, lengths, strict=True):
            pixel_index = backend.cast(_inside(pixel, n, fill_mode), "int32")
            index = arithmetic.add(arithmetic.multiply(index, n), pixel_index)
            if fill_mode == "constant":
                here = arithmetic.logical_and(pixel >= 0.0, pixel <= float(n - 1))
                known = here if known is None else arithmetic.logical_and(known, here)
        value = backend.apply("gather", rows, index, attrs=AxisAttrs(0))
        if known is not None:
            fill = np.asarray(fill_value, dtype_of(rows))
            value = arithmetic.where(_for_all(known, len(channels)), value, fill)
        weight = _product([w for _, w in corner])
        if weight is not None:
            value = value * _for_all(weight, len(channels))
        total = value if total is None else total + value
    return total


def _sampled(
    images: Tensor, places: Sequence[Tensor], first: int, order: int, fill_mode: str, fill_value: float
) -> Tensor:
    """`sample` in the images' dtype: computed in float32 (float64 where they are), integers rounded, halves from 0."""
    dtype = dtype_of(images)
    x = images if dtype == "float64" else backend.cast(images, "float32")
    y = sample(x, places, first, order, fill_mode, fill_value)
    if backend.is_float_dtype(dtype):
        return backend.cast(y, dtype)
    return saturate_cast(_nearest(y), dtype)


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
    _, height, width, _ = (int(d or 0) for d in shape_of(x))
    places = affine_places(backend.cast(transform, "float32"), height, width, projective)
    y = _sampled(x, places, 1, INTERPOLATIONS.index(interpolation), fill_mode, fill_value)
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
    if len(shape) not in (3, 4):
        raise ShapeError(
            f"affine_transform takes an image (height, width, channels) or a batch of them. "
            f"Received: images of shape {shape}."
        )
    count = shape[0] if len(shape) == 4 else 1
    if len(given) not in (1, 2) or given[-1] != 8 or (len(given) == 2 and given[0] not in (count, 1, None)):
        raise ShapeError(
            f"affine_transform takes a transform of 8 numbers, or (batch, 8). Received: transform of shape {given} "
            f"for images of shape {shape}. Give (a0, a1, a2, b0, b1, b2, c0, c1) for each image."
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
            f"map_coordinates takes coordinates of shape (rank of inputs, ...), of rank 2 or more. "
            f"Received: coordinates of shape {given} for inputs of shape {shape_of(inputs)}."
        )
    if order not in (0, 1):
        raise ArgumentError(f"`order` must be 0 (nearest) or 1 (linear). Received: order={order!r}.")
    if backend.is_keras_tensor(inputs) or backend.is_keras_tensor(coordinates):
        return backend.KerasTensor(given[1:], dtype_of(inputs))
    places = [
        shapes.reshape_to(slice_axis(backend.cast(coordinates, "float32"), 0, i, i + 1), given[1:]) for i in range(rank)
    ]
    return _sampled(inputs, places, 0, int(order), fill_mode, fill_value)


__all__ = ["FILL_MODES", "INTERPOLATIONS", "affine_transform", "map_coordinates", "sample", "transform_images"]
