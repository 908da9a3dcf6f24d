"""Arrays as pictures: single images, filters as small images, feature maps side by side; PNG by Pillow."""

from __future__ import annotations

import base64
import io
import math
from typing import Any

import numpy as np

from striate.core.errors import ShapeError
from striate.core.registry import export

Array = np.ndarray[Any, Any]

#: What stands between images of a sheet: see-through in a PNG, so that a sheet fits a light page and a dark one.
CLEAR = math.nan


def to_bytes(image: Array) -> Array:
    """Values 0..1 (floats) or 0..255 (unsigned bytes) as unsigned bytes; NaN becomes 0."""
    if image.dtype == np.uint8:
        return image
    return np.asarray(np.clip(np.nan_to_num(image), 0, 1) * 255 + 0.5).astype(np.uint8)


def _in_range(image: Array, low: float, high: float) -> Array:
    """`low` to 0, `high` to 1; in double precision, where the difference of two floats cannot overflow."""
    return np.asarray((image.astype(np.float64) - low) / (high - low)).astype(np.float32)


def stretch(image: Array) -> Array:
    """The image's own range to 0..1; a constant image becomes mid-grey."""
    low, high = float(np.min(image)), float(np.max(image))
    return _in_range(image, low, high) if high > low else np.full(image.shape, 0.5, np.float32)


def stretch_signed(image: Array) -> Array:
    """Zero to mid-grey, the largest magnitude to black or white: what a filter's weights are best seen as."""
    top = float(np.max(np.abs(image)))
    return _in_range(image, -top, top) if top > 0 else np.full(image.shape, 0.5, np.float32)


def stretch_map(values: Array) -> Array:
    """A feature map: its largest value to white, and black is 0, or the least value where that is below 0.

    A map that answers nowhere is black, as a whole.
    """
    low, high = min(0.0, float(np.min(values))), float(np.max(values))
    return _in_range(values, low, high) if high > low else np.zeros(values.shape, np.float32)


def tile(images: Array, columns: int | None = None, gap: int = 1, scale: int = 1, background: float = CLEAR) -> Array:
    """Images side by side, left to right, top to bottom.

    Args:
        images: (count, height, width) or (count, height, width, 3), values 0..1.
        columns: images a row; about square unless given.
        gap: pixels between images, after scaling.
        scale: each pixel becomes scale x scale pixels.
        background: value between the images; not a number (`CLEAR`) is see-through in a PNG.

    Returns:
        (rows, columns) or (rows, columns, 3), values 0..1.
    """
    if images.ndim not in (3, 4) or not len(images):
        raise ShapeError(f"tile() takes images (count, height, width[, 3]). Received an array of shape {images.shape}.")
    count, height, width = images.shape[:3]
    columns = min(columns or math.ceil(math.sqrt(count)), count)
    rows = math.ceil(count / columns)
    h, w = height * scale, width * scale
    sheet = np.full((rows * (h + gap) - gap, columns * (w + gap) - gap, *images.shape[3:]), background, np.float32)
    for i, image in enumerate(images):
        top, left = (i // columns) * (h + gap), (i % columns) * (w + gap)
        sheet[top : top + h, left : left + w] = np.repeat(np.repeat(image, scale, 0), scale, 1)
    return sheet


@export("explain.filter_images")
def filter_images(kernel: Array) -> Array:
    """A convolution's filters as small images, each stretched so that zero is mid-grey.

    A filter of one input channel is grey; of three, a colour image; of more, the mean over its input channels is shown.

    Args:
        kernel: (height, width, input channels, filters).

    Returns:
        (filters, height, width) or (filters, height, width, 3), values 0..1.

    Raises:
        ValueError: no kernel of a convolution.
    """
    kernel = np.asarray(kernel)
    if kernel.ndim != 4:
        raise ShapeError(
            f"A convolution's kernel has 4 axes (height, width, in, filters). Received shape {kernel.shape}."
        )
    filters = np.moveaxis(kernel, -1, 0)
    if filters.shape[-1] != 3:
        filters = filters.mean(axis=-1)
    return np.stack([stretch_signed(f) for f in filters])


def png(image: Array) -> bytes:
    """An image (height, width), (height, width, 1) or (height, width, 3) as a PNG file's bytes; NaN is see-through."""
    from PIL import Image

    data = to_bytes(image)
    if data.ndim == 3 and data.shape[-1] == 1:
        data, image = data[..., 0], image[..., 0]
    picture = Image.fromarray(data)
    clear = np.isnan(image) if image.dtype.kind == "f" else np.zeros(image.shape, bool)
    if clear.any():
        alpha = clear if clear.ndim == 2 else clear.any(axis=-1)
        picture.putalpha(Image.fromarray(np.where(alpha, 0, 255).astype(np.uint8)))
    held = io.BytesIO()
    picture.save(held, "PNG", optimize=True)
    return held.getvalue()


def data_uri(image: Array) -> str:
    """An image inside a page: a `data:` address of its PNG."""
    return "data:image/png;base64," + base64.b64encode(png(image)).decode()
