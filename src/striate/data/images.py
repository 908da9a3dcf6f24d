"""Image files as arrays, prepared as a model's file says."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from striate.core.errors import ArgumentError, LoadError

Array = np.ndarray[Any, Any]

#: Larger pictures are refused before they are decoded: 100 megapixels are 300 MB as RGB.
MAX_PIXELS = 100_000_000


def read_image(path: str | os.PathLike[str], preprocessing: Mapping[str, Any]) -> Array:
    """An image file as (height, width, channels) floats, prepared for a model.

    Args:
        path: a PNG, JPEG or other file that Pillow reads.
        preprocessing: what a model's file says: mode ("L" or "RGB"), height and width in pixels, scale (what values 0 to
            255 are multiplied by), background ("black" where the training images are light on black: a picture on a
            light ground is then inverted).

    Raises:
        ValueError: no image, a damaged one, or one of over 100 megapixels.
    """
    from PIL import Image, UnidentifiedImageError

    mode = preprocessing.get("mode", "RGB")
    if mode not in ("L", "RGB"):
        raise ArgumentError(f"The model's file asks for images of mode {mode!r}. Expected 'L' or 'RGB'.")
    height, width = int(preprocessing["height"]), int(preprocessing["width"])
    name = os.fspath(path)
    try:
        with Image.open(path) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise LoadError(f"{name} has {opened.width} x {opened.height} pixels; at most {MAX_PIXELS:,} are read.")
            picture = _flatten(opened).convert(mode)
    except FileNotFoundError as error:
        raise LoadError(f"There is no image file {name!r}. Check the path.") from error
    except IsADirectoryError as error:
        raise LoadError(f"{name!r} is a folder. Name an image file in it.") from error
    except (UnidentifiedImageError, OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise LoadError(f"{name!r} is no image that can be read, or it is damaged: {error}.") from error
    resized = picture.resize((width, height), Image.Resampling.BOX if picture.width > width else Image.Resampling.BILINEAR)
    values = np.asarray(resized, np.float32)
    if preprocessing.get("background") == "black" and _border(values) > 127:
        values = 255 - values
    values = values * np.float32(preprocessing.get("scale", 1 / 255))
    return values[..., None] if values.ndim == 2 else values


def _flatten(picture: Any) -> Any:
    """Transparent pixels on white, as a viewer shows them."""
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        from PIL import Image

        rgba = picture.convert("RGBA")
        ground = Image.new("RGBA", rgba.size, "white")
        return Image.alpha_composite(ground, rgba)
    return picture


def _border(values: Array) -> float:
    """The median brightness along the edge: the background's."""
    edge = np.concatenate([values[0], values[-1], values[:, 0], values[:, -1]])
    return float(np.median(edge))
