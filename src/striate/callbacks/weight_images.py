"""Weights as pictures for TensorBoard: black is a weight's smallest value, white its largest."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

#: Pictures a weight: a first layer's filters, and no more of a layer with hundreds of maps.
MOST = 16


def pictures(weight: Array) -> Array | None:
    """(pictures, height, width) or (pictures, height, width, 3) of bytes; None for what has no picture.

    Axes of length 1 do not count. A vector is one line, a matrix one picture that lies on its longer side; the kernel
    of a convolution over one map, or over three colours, is a picture a filter.

    Source: `keras.callbacks.TensorBoard`, which takes numbers below 0 for black.
    """
    weight = np.asarray(weight, "float32")
    squeezed = weight.squeeze()
    if not weight.size or not squeezed.ndim:
        return None
    if squeezed.ndim == 1:
        found = squeezed[None, None]
    elif squeezed.ndim == 2:
        found = (squeezed.T if squeezed.shape[0] > squeezed.shape[1] else squeezed)[None]
    elif squeezed.ndim == 3:
        colours = weight.ndim == 4 and weight.shape[-1] == 1 and weight.shape[-2] == 3
        found = squeezed[None] if colours else np.moveaxis(squeezed, -1, 0)
    elif squeezed.ndim == 4 and squeezed.shape[2] == 3:
        found = np.moveaxis(squeezed, -1, 0)
    else:
        return None
    return _stretched(found[:MOST])


def _stretched(values: Array) -> Array:
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    if high == low:
        return np.full(values.shape, 128, np.uint8)
    scaled = np.nan_to_num((np.clip(values, low, high) - low) / (high - low))
    return (scaled * 255 + 0.5).astype(np.uint8)


def png(picture: Array) -> bytes:
    """The bytes of a PNG file."""
    from PIL import Image

    held = io.BytesIO()
    Image.fromarray(picture).save(held, "PNG")
    return held.getvalue()
