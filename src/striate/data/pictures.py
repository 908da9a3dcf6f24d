"""Keras's `utils` of image files: pictures (Pillow's) from files, arrays of pictures, and back."""

from __future__ import annotations

import os
import warnings
from typing import Any

import numpy as np

from striate import backend
from striate.core import args
from striate.core.errors import ArgumentError, LoadError, ShapeError
from striate.core.registry import export
from striate.data.images import MAX_PIXELS

Array = np.ndarray[Any, Any]

_MODES = {"rgb": "RGB", "rgba": "RGBA", "grayscale": "L"}
_INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "hamming", "box", "lanczos")


def _in_layout(values: Array, data_format: str | None) -> Array:
    """(height, width, channels) in the wanted layout."""
    first = backend.standardize_data_format(data_format) == "channels_first"
    return np.moveaxis(values, -1, 0) if first else values


@export("utils.img_to_array")
def img_to_array(img: Any, data_format: str | None = None, dtype: Any = None) -> Array:
    """A picture as an array of its values, 0 to 255 in most files.

    Source: `keras.utils.img_to_array`.

    Args:
        img: one of Pillow's pictures, or an array (height, width) or (height, width, channels).
        data_format: "channels_last" or "channels_first"; None takes the configured one.
        dtype: of the array; floatx unless given.

    Returns:
        (height, width, channels), grey pictures with one channel.

    Raises:
        ValueError: another rank.

    Example:
        >>> img_to_array(np.zeros((4, 5), "uint8")).shape
        (4, 5, 1)
    """
    values = np.asarray(img, backend.standardize_dtype(dtype))
    if values.ndim not in (2, 3):
        raise ShapeError(f"Unsupported image shape: {values.shape}. Give (height, width) or (height, width, channels).")
    return _in_layout(values[..., None] if values.ndim == 2 else values, data_format)


@export("utils.array_to_img")
def array_to_img(x: Any, data_format: str | None = None, scale: bool = True, dtype: Any = None) -> Any:
    """An array as one of Pillow's pictures.

    Source: `keras.utils.array_to_img`.

    Args:
        x: (height, width, channels): 1 channel is grey, 3 are RGB, 4 RGBA.
        data_format: the layout of x; None takes the configured one.
        scale: bring the smallest value to 0 and the largest to 255; else values are taken as they are.
        dtype: what x is computed in; floatx unless given.

    Raises:
        ValueError: another rank or number of channels.

    Example:
        >>> array_to_img(np.zeros((4, 5, 3))).size
        (5, 4)
    """
    from PIL import Image

    values = np.array(x, backend.standardize_dtype(dtype))
    if values.ndim != 3:
        raise ShapeError(
            f"Expected image array to have rank 3 (single image). Got array with shape: {values.shape}. "
            f"Give (height, width, channels)."
        )
    if backend.standardize_data_format(data_format) == "channels_first":
        values = np.moveaxis(values, 0, -1)
    if scale:
        values = values - (values.min() if values.size else 0)
        largest = values.max(initial=0)
        values = values / largest * 255 if largest else values
    channels = values.shape[-1]
    if channels not in (1, 3, 4):
        raise ShapeError(f"Unsupported channel number: {channels}. Give 1 (grey), 3 (RGB) or 4 (RGBA).")
    if channels == 1:
        if values.max(initial=0) > 255:
            return Image.fromarray(values[..., 0].astype("int32"))  # mode "I": grey of 32 bits
        return Image.fromarray(values[..., 0].astype("uint8"))
    return Image.fromarray(values.astype("uint8"))


@export("utils.save_img")
def save_img(
    path: Any, x: Any, data_format: str | None = None, file_format: str | None = None, scale: bool = True, **kwargs: Any
) -> None:
    """Write an array as an image file.

    Source: `keras.utils.save_img`.

    Args:
        path: of the file; its ending says the format, unless it is given.
        x, data_format, scale: as `array_to_img` takes them.
        file_format: "png", "jpeg", ...
        **kwargs: for Pillow's `save`.

    A JPEG cannot be transparent: of four channels the last is left out, with a warning.

    Example:
        >>> import io
        >>> file = io.BytesIO()
        >>> save_img(file, np.zeros((4, 5, 1)), file_format="png")
        >>> load_img(file).size
        (5, 4)
    """
    picture = array_to_img(x, data_format=data_format, scale=scale)
    ending = file_format
    if file_format is None and not hasattr(path, "write"):
        ending = os.path.splitext(os.fspath(path))[1].lstrip(".")
    if picture.mode == "RGBA" and str(ending).lower() in ("jpg", "jpeg"):
        warnings.warn("The JPG format does not support RGBA images, converting to RGB.", stacklevel=2)
        picture = picture.convert("RGB")
    kind = {"jpg": "jpeg"}.get(str(file_format).lower(), file_format)
    picture.save(path, format=kind, **kwargs)


@export("utils.load_img")
def load_img(
    path: Any,
    color_mode: str = "rgb",
    target_size: Any = None,
    interpolation: str = "nearest",
    keep_aspect_ratio: bool = False,
) -> Any:
    """An image file as one of Pillow's pictures.

    Source: `keras.utils.load_img`.

    Args:
        path: of the file, or an open file.
        color_mode: "rgb", "rgba" or "grayscale" (which keeps grey of 16 and 32 bits).
        target_size: (height, width) in pixels; the file's own unless given.
        interpolation: "nearest", "bilinear", "bicubic", "lanczos", "box" or "hamming".
        keep_aspect_ratio: cut off edges first, so that proportions stay.

    Raises:
        ValueError: another colour mode or interpolation, no image, a damaged one, or one of over 100 megapixels.
        FileNotFoundError: there is no such file.

    Example:
        >>> import io
        >>> file = io.BytesIO()
        >>> save_img(file, np.zeros((8, 6, 3)), file_format="png")
        >>> load_img(file, color_mode="grayscale", target_size=(4, 4)).size
        (4, 4)
    """
    from PIL import Image

    if color_mode not in _MODES:
        raise ArgumentError(f'color_mode must be "grayscale", "rgb", or "rgba". Received: color_mode={color_mode!r}.')
    resampling = args.one_of(interpolation, "interpolation", _INTERPOLATIONS)
    try:
        with Image.open(path) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                raise LoadError(
                    f"{path!r} has {opened.width} x {opened.height} pixels; at most {MAX_PIXELS:,} are read. "
                    "Make it smaller first."
                )
            keeps = color_mode == "grayscale" and opened.mode in ("L", "I;16", "I")
            picture = opened.copy() if keeps else opened.convert(_MODES[color_mode])
    except (LoadError, FileNotFoundError):
        raise
    except Exception as error:
        # Decoders answer damage with errors of any type (OSError, SyntaxError, ValueError, struct.error, ...).
        raise LoadError(f"{path!r} is no image that can be read: {error}.") from error
    if target_size is None:
        return picture
    height, width = args.int_tuple(target_size, 2, "target_size")
    if keep_aspect_ratio:
        rows = min(picture.height, picture.width * height // width) or 1
        columns = min(picture.width, picture.height * width // height) or 1
        left, top = (picture.width - columns) // 2, (picture.height - rows) // 2
        picture = picture.crop((left, top, left + columns, top + rows))
    if picture.size == (width, height):
        return picture
    return picture.resize((width, height), getattr(Image.Resampling, resampling.upper()))
