"""Colours of images: grey, and hue, saturation and value.

    value = max(r, g, b), range = value - min(r, g, b), saturation = range / value (0 where value <= 0)
    hue = ((g - b) / (6 range)) mod 1 where r is the largest, 1/3 + (b - r) / (6 range) where g is, else
          2/3 + (r - g) / (6 range); 0 where range is 0

Hue and saturation lie in [0, 1], value where the colours lie. Back: a channel is value * (1 - saturation * (1 - d)), d
being 1 within a sixth of the circle around the channel's own hue and falling to 0 in the next (Smith 1978).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from striate import backend
from striate.backend import symbolic_op
from striate.core.errors import ArgumentError, ShapeError
from striate.core.registry import export
from striate.ops import arithmetic, elementwise
from striate.ops._convert import Tensor, as_float, check_images, dtype_of, shape_of, tensor
from striate.ops.indexing import slice_axis
from striate.ops.joining import concatenate

_IMAGE = "keras.src.ops.image"


def _channels(function: str, images: Tensor, data_format: str | None, allowed: tuple[int, ...]) -> int:
    """The axis of the channels, from 0."""
    check_images(images, function)
    shape = shape_of(images)
    axis = len(shape) - (1 if backend.standardize_data_format(data_format) == "channels_last" else 3)
    if shape[axis] is not None and shape[axis] not in allowed:
        said = (
            f"Input images must have 3 channels, but received images with {shape[axis]} channels."
            if allowed == (3,)
            else "Invalid channel size: expected 3 (RGB) or 1 (Grayscale)."
        )
        raise ShapeError(
            f"{said} Received: images.shape={shape} in {function}, channels on axis {axis}. "
            f"Give data_format where they stand elsewhere."
        )
    return axis


def _parts(function: str, images: Tensor, data_format: str | None) -> tuple[int, list[Tensor]]:
    """The axis of the channels, and the three of them, with that axis of length 1."""
    axis = _channels(function, images, data_format, (3,))
    if not backend.is_float_dtype(dtype_of(images)):
        raise ArgumentError(
            f"Invalid images dtype: expected float dtype. Received: images.dtype={dtype_of(images)} in {function}. "
            f'Give ops.cast(images, "float32"), divided by 255 where colours are wanted from 0 to 1.'
        )
    # Half precision is computed in float32.
    wide = images if dtype_of(images) == "float64" else backend.cast(images, "float32")
    return axis, [slice_axis(wide, axis, i, i + 1) for i in range(3)]


@export("ops.image.rgb_to_grayscale")
@symbolic_op(_IMAGE, "RGBToGrayscale")
def rgb_to_grayscale(images: Tensor, data_format: str | None = None) -> Tensor:
    """0.2989 r + 0.5870 g + 0.1140 b, in the images' dtype (integers are cut off, not rounded).

    Source: `keras.ops.image.rgb_to_grayscale`; the weights are those of ITU-R BT.601.

    Args:
        images: (batch, height, width, 3), or one image without the batch; with 1 channel they stay as they are.
        data_format: "channels_last" or "channels_first"; None takes the configured one.

    Output shape: that of images, with 1 channel.

    Raises:
        ValueError: another rank, or other numbers of channels.

    Example:
        >>> rgb_to_grayscale(np.array([[[1.0, 0.0, 0.0]]], "float32")).tolist()
        [[[0.2989000082015991]]]
    """
    images = tensor(images)
    axis = _channels("rgb_to_grayscale", images, data_format, (1, 3))
    if shape_of(images)[axis] == 1:
        return images
    dtype = dtype_of(images)
    wide = as_float(images) if dtype == "float64" else backend.cast(images, "float32")
    red, green, blue = (slice_axis(wide, axis, i, i + 1) for i in range(3))
    return backend.cast(red * 0.2989 + green * 0.5870 + blue * 0.1140, dtype)


@export("ops.image.rgb_to_hsv")
@symbolic_op(_IMAGE, "RGBToHSV")
def rgb_to_hsv(images: Tensor, data_format: str | None = None) -> Tensor:
    """Red, green and blue as hue, saturation and value; hue and saturation in [0, 1].

    Source: `keras.ops.image.rgb_to_hsv`.

    Args:
        images: floats, (batch, height, width, 3), or one image without the batch.
        data_format: "channels_last" or "channels_first"; None takes the configured one.

    Output shape: that of images.

    Raises:
        ValueError: another rank, other than 3 channels, images that are no floats.

    Example:
        >>> rgb_to_hsv(np.array([[[0.0, 1.0, 1.0]]], "float32")).tolist()
        [[[0.5, 1.0, 1.0]]]
    """
    images = tensor(images)
    axis, (red, green, blue) = _parts("rgb_to_hsv", images, data_format)
    value = arithmetic.maximum(arithmetic.maximum(red, green), blue)
    spread = value - arithmetic.minimum(arithmetic.minimum(red, green), blue)
    one, zero = np.ones((), dtype_of(value)), np.zeros((), dtype_of(value))
    lit, coloured = value > zero, spread > zero
    saturation = arithmetic.where(lit, spread / arithmetic.where(lit, value, one), zero)
    sixth = one / (arithmetic.where(coloured, spread, one) * 6.0)
    hue = arithmetic.where(
        arithmetic.equal(value, green), (blue - red) * sixth + 2.0 / 6.0, (red - green) * sixth + 4.0 / 6.0
    )
    hue = arithmetic.where(arithmetic.equal(value, red), (green - blue) * sixth, hue)
    hue = arithmetic.where(coloured, arithmetic.where(hue < zero, hue + 1.0, hue), zero)
    return backend.cast(concatenate([hue, saturation, value], axis=axis), dtype_of(images))


@export("ops.image.hsv_to_rgb")
@symbolic_op(_IMAGE, "HSVToRGB")
def hsv_to_rgb(images: Tensor, data_format: str | None = None) -> Tensor:
    """Hue (1 is once round the circle), saturation and value as red, green and blue.

    Source: `keras.ops.image.hsv_to_rgb`.

    Args:
        images: floats, (batch, height, width, 3), or one image without the batch.
        data_format: "channels_last" or "channels_first"; None takes the configured one.

    Output shape: that of images.

    Raises:
        ValueError: another rank, other than 3 channels, images that are no floats.

    Example:
        >>> hsv_to_rgb(np.array([[[0.5, 1.0, 1.0]]], "float32")).tolist()
        [[[0.0, 1.0, 1.0]]]
    """
    images = tensor(images)
    axis, (hue, saturation, value) = _parts("hsv_to_rgb", images, data_format)
    angle = arithmetic.mod(hue, 1.0) * 6.0

    def channel(distance: Any) -> Any:
        return value * (1.0 - saturation * (1.0 - arithmetic.clip(distance, 0.0, 1.0)))

    red = channel(elementwise.abs(angle - 3.0) - 1.0)
    green = channel(2.0 - elementwise.abs(angle - 2.0))
    blue = channel(2.0 - elementwise.abs(angle - 4.0))
    return backend.cast(concatenate([red, green, blue], axis=axis), dtype_of(images))


__all__ = ["hsv_to_rgb", "rgb_to_grayscale", "rgb_to_hsv"]
