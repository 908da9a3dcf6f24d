"""Image files as arrays, prepared as a model's file says."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from striate.core.errors import ArgumentError, LoadError

Array = np.ndarray[Any, Any]

#: Larger pictures are refused before they are decoded: 100 megapixels are 300 MB as RGB.
MAX_PIXELS = 100_000_000
#: A model's file may ask for pictures up to this height and width, in pixels.
MAX_SIDE = 16_384
#: Pixels that differ from the ground by less than this share of the range belong to it (as Fashion-MNIST was made).
GROUND_TOLERANCE = 0.05
#: Margins are cut off where the object's longer side is less than this share of the picture's: Fashion-MNIST's own
#: images leave up to 3 of 28 pixels, and should not be cut.
FILLS_PICTURE = 0.88


@dataclass(frozen=True)
class Preprocessing:
    """How an image file becomes a model's input; stands in the model's file for `striate predict`.

    Args:
        height: of the input, in pixels.
        width: of the input, in pixels.
        mode: "L" for grey, one channel, or "RGB", three.
        scale: what values 0 to 255 are multiplied by.
        background: "black" where the training images are light on black: a picture on a light ground is inverted, and
            its ground becomes exactly black. "" leaves pictures as they are.
        fit: "stretch" squeezes a picture into height x width; "pad" keeps its proportions and fills with its ground.
        trim: cut off wide margins of the ground first, so that the object fills the picture.

    A picture that has the input's very size is only scaled and, where needed, inverted.

    Raises:
        ValueError: a value that is none of these.
    """

    height: int
    width: int
    mode: str = "RGB"
    scale: float = 1 / 255
    background: str = ""
    fit: str = "stretch"
    trim: bool = False

    def __post_init__(self) -> None:
        for name in ("height", "width"):
            side = getattr(self, name)
            if isinstance(side, bool) or not isinstance(side, int) or not 1 <= side <= MAX_SIDE:
                raise ArgumentError(f"Preprocessing: {name} must be 1 to {MAX_SIDE} pixels. Received: {side!r}.")
        for name, allowed in (("mode", ("L", "RGB")), ("background", ("", "black")), ("fit", ("stretch", "pad"))):
            if getattr(self, name) not in allowed:
                raise ArgumentError(
                    f"Preprocessing: {name} must be one of {', '.join(map(repr, allowed))}. "
                    f"Received: {getattr(self, name)!r}."
                )
        if isinstance(self.scale, bool) or not isinstance(self.scale, int | float) or not 1e-9 <= self.scale <= 1e9:
            raise ArgumentError(f"Preprocessing: scale must be a number above zero. Received: {self.scale!r}.")
        if not isinstance(self.trim, bool):
            raise ArgumentError(f"Preprocessing: trim must be true or false. Received: {self.trim!r}.")

    @classmethod
    def from_notes(cls, notes: Any) -> Preprocessing:
        """From what stands in a model's file, which may be anything.

        Raises:
            ValueError: no such description.
        """
        if not isinstance(notes, Mapping):
            raise LoadError(f"The model's file describes how images are prepared by {notes!r}. Expected an object.")
        known = {f.name for f in fields(cls)}
        if not {"height", "width"} <= set(notes) <= known:
            raise LoadError(
                f"The model's file describes how images are prepared by the keys {sorted(map(str, notes))}. "
                f"Expected height, width and some of {sorted(known - {'height', 'width'})}."
            )
        try:
            return cls(**notes)
        except ArgumentError as error:
            raise LoadError(f"The model's file does not say how images are prepared: {error}") from error

    def as_notes(self) -> dict[str, Any]:
        """As plain values, for a model's file."""
        return asdict(self)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(height, width, channels) of the input."""
        return (self.height, self.width, 1 if self.mode == "L" else 3)

    def scaled(self, images: Array) -> Array:
        """Values 0 to 255 as the model takes them: float32, times `scale`.

        Divided by 1/scale: for 1/255 the very bits of the lecture's `images / 255`.
        """
        scaled: Array = np.asarray(images, np.float32) / np.float32(1 / self.scale)
        return scaled


def read_image(path: str | os.PathLike[str], preprocessing: Preprocessing) -> Array:
    """An image file as (height, width, channels) floats, prepared for a model.

    Args:
        path: a PNG, JPEG or other file that Pillow reads. It is turned as its camera says (EXIF), transparent parts
            are shown on white, 16-bit grey counts as 0 to 65535, of an animation the first picture is taken.
        preprocessing: how it is prepared.

    Raises:
        ValueError: no image, a damaged one, or one of over 100 megapixels.
    """
    picture = _load(os.fspath(path), preprocessing)
    values = np.asarray(picture, np.float32)
    if values.shape[:2] != (preprocessing.height, preprocessing.width):
        values = _fitted(picture, preprocessing)
    elif preprocessing.background == "black" and _is_light(_ground(values)):
        values = 255 - values
    scaled = preprocessing.scaled(values)
    return scaled[..., None] if scaled.ndim == 2 else scaled


def _load(name: str, preprocessing: Preprocessing) -> Any:
    """The picture in the wanted mode, upright."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            # What Pillow only warns of (odd EXIF, a size near its own limit) is no news to who asks for a prediction.
            warnings.simplefilter("ignore")
            with Image.open(name) as opened:
                # A JPEG can be decoded at 1/2, 1/4 or 1/8 of its size; four times the input's is enough.
                opened.draft(preprocessing.mode, (4 * preprocessing.width, 4 * preprocessing.height))
                if opened.width * opened.height > MAX_PIXELS:
                    raise LoadError(
                        f"{name!r} has {opened.width} x {opened.height} pixels; at most {MAX_PIXELS:,} are read. "
                        "Make it smaller first."
                    )
                upright = ImageOps.exif_transpose(opened)
                return _on_white(_eight_bits(upright, str(opened.format), name)).convert(preprocessing.mode)
    except LoadError:
        raise
    except FileNotFoundError as error:
        raise LoadError(f"There is no image file {name!r}. Check the path.") from error
    except IsADirectoryError as error:
        raise LoadError(f"{name!r} is a folder. Name an image file in it.") from error
    except PermissionError as error:
        raise LoadError(f"{name!r} may not be read: {error.strerror}.") from error
    except Image.DecompressionBombError as error:
        raise LoadError(f"{name!r} has more than the {MAX_PIXELS:,} pixels that are read.") from error
    except UnidentifiedImageError as error:
        raise LoadError(f"{name!r} is no image that can be read (PNG, JPEG and the like are).") from error
    except Exception as error:
        # Decoders answer damage with errors of any type (OSError, SyntaxError, ValueError, struct.error, ...).
        raise LoadError(f"{name!r} is damaged: {error}.") from error


def _eight_bits(picture: Any, kind: str, name: str) -> Any:
    """Grey of 16 bits as 8: Pillow's own conversion would cut off at 255 (older ones read 16-bit PNG as mode "I")."""
    from PIL import Image

    if picture.mode.startswith("I;16") or (picture.mode == "I" and kind == "PNG"):
        values = np.asarray(picture).astype(np.int64)
        return Image.fromarray((np.clip(values, 0, 65535) // 257).astype(np.uint8))
    if picture.mode in ("I", "F"):
        raise LoadError(f"{name!r} holds 32-bit values, whose range is not known. Save it with 8 or 16 bits a pixel.")
    return picture


def _on_white(picture: Any) -> Any:
    """Transparent parts on white, as a viewer shows them."""
    if picture.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in picture.info:
        from PIL import Image

        rgba = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba)
    return picture


def _ground(values: Array) -> Array:
    """The median along the edge, of each channel: what the background is."""
    edge = np.concatenate([values[0], values[-1], values[:, 0], values[:, -1]])
    return np.asarray(np.median(edge, axis=0), np.float32)


def _is_light(ground: Array) -> bool:
    return float(np.mean(ground)) > 127


def _fitted(picture: Any, preprocessing: Preprocessing) -> Array:
    """A picture of any size at the input's: trimmed, resized, padded, on black, as is wanted."""
    from PIL import Image

    ground = _ground(np.asarray(picture))
    if preprocessing.trim:
        box = _object_box(np.asarray(picture), ground)
        if max(box[2] - box[0], box[3] - box[1]) < FILLS_PICTURE * max(picture.size):
            picture = picture.crop(box)
    height, width = preprocessing.height, preprocessing.width
    if preprocessing.fit == "pad":
        ratio = min(height / picture.height, width / picture.width)
        height = min(height, max(1, round(picture.height * ratio)))
        width = min(width, max(1, round(picture.width * ratio)))
    # Lanczos keeps most of a trained model's answers on enlarged test images (measured against the other filters).
    small = np.asarray(picture.resize((width, height), Image.Resampling.LANCZOS), np.float32)
    values = np.empty((preprocessing.height, preprocessing.width, *small.shape[2:]), np.float32)
    values[...] = ground
    top, left = (preprocessing.height - height) // 2, (preprocessing.width - width) // 2
    values[top : top + height, left : left + width] = small
    if preprocessing.background != "black":
        return values
    level = np.float32(np.mean(ground))
    if _is_light(ground):
        values, level = 255 - values, 255 - level
    return np.asarray(np.clip(values - level, 0, None) * (255 / (255 - level)), np.float32)


def _object_box(values: Array, ground: Array) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) of what is not ground; the whole picture where all is."""
    away: Array = np.asarray(np.abs(values.astype(np.float32) - ground) > GROUND_TOLERANCE * 255)
    if away.ndim == 3:
        away = np.any(away, axis=-1)
    rows, columns = np.flatnonzero(away.any(axis=1)), np.flatnonzero(away.any(axis=0))
    if not len(rows):
        return (0, 0, values.shape[1], values.shape[0])
    return (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
