"""Layers that bring images of any size to one size."""

from __future__ import annotations

from typing import Any

from striate import backend, ops
from striate.core import args
from striate.core.errors import ArgumentError, ShapeError
from striate.core.registry import export
from striate.layers.augment import ImageLayer, Shape
from striate.ops import resizing, windows


class SizeBase(ImageLayer):
    """What layers share whose images have the size (height, width), in pixels; masks take the nearest pixels."""

    _moves_pixels = True

    def _start(self, height: int, width: int) -> None:
        self.height = args.positive_int(height, "height")
        self.width = args.positive_int(width, "width")

    def compute_output_shape(self, input_shape: Any) -> Any:
        if isinstance(input_shape, dict):
            return super().compute_output_shape(input_shape)
        shape: list[int | None] = list(input_shape)
        if len(shape) not in (3, 4):
            raise ShapeError(
                f"{type(self).__name__} takes an image (height, width, channels) or a batch of them. "
                f"Received: input_shape={tuple(shape)}."
            )
        for axis, length in zip(self._spatial, (self.height, self.width), strict=True):
            shape[axis + len(shape) - 4] = length
        made: Shape = tuple(shape)
        return made


@export("layers.Resizing")
class Resizing(SizeBase):
    """Images of any size as images of one size, in their own dtype.

    Source: `keras.layers.Resizing`: same arguments, defaults; what it does: `ops.image.resize`.

    Args:
        height, width: the new size, in pixels.
        interpolation: "bilinear", "nearest", "bicubic", "lanczos3" or "lanczos5", with half-pixel centres.
        crop_to_aspect_ratio: cut off edges first, so that proportions stay.
        pad_to_aspect_ratio: put `fill_value` around first, so that proportions stay.
        fill_mode: "constant".
        antialias: whether pixels are averaged over a wider window where the image becomes smaller.
        data_format: "channels_last" or "channels_first"; None takes the configured one.

    Input shape: (batch, height, width, channels), or without the batch; Output shape: with the new size.

    Raises:
        ValueError: a size below 1, an interpolation of another name, both ways to keep proportions.

    Example:
        >>> Resizing(2, 4)(np.ones((1, 7, 9, 3), "float32")).shape
        (1, 2, 4, 3)
    """

    _config_if_set = ("pad_to_aspect_ratio", "fill_mode", "fill_value", "antialias")

    def __init__(
        self,
        height: int,
        width: int,
        interpolation: str = "bilinear",
        crop_to_aspect_ratio: bool = False,
        pad_to_aspect_ratio: bool = False,
        fill_mode: str = "constant",
        fill_value: float = 0.0,
        antialias: bool = False,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self._start(height, width)
        self.interpolation = args.one_of(interpolation, "interpolation", resizing.INTERPOLATIONS)
        if crop_to_aspect_ratio and pad_to_aspect_ratio:
            raise ArgumentError(
                "Only one of `pad_to_aspect_ratio` and `crop_to_aspect_ratio` can be True. Received both."
            )
        self.crop_to_aspect_ratio = crop_to_aspect_ratio
        self.pad_to_aspect_ratio = pad_to_aspect_ratio
        self.fill_mode = fill_mode
        self.fill_value = fill_value
        self.antialias = bool(antialias)

    def _resized(self, images: Any, interpolation: str, antialias: bool) -> Any:
        return ops.image.resize(
            images,
            (self.height, self.width),
            interpolation=interpolation,
            antialias=antialias,
            crop_to_aspect_ratio=self.crop_to_aspect_ratio,
            pad_to_aspect_ratio=self.pad_to_aspect_ratio,
            fill_mode=self.fill_mode,
            fill_value=self.fill_value,
            data_format=self.data_format,
        )

    def _dtype_of_images(self, images: Any) -> str:
        return backend.dtype_of(images)

    def transform_images(self, images: Any, transformation: Any = None, training: bool = True) -> Any:
        """A batch of images, resized, in their own dtype."""
        return self._resized(images, self.interpolation, self.antialias)

    def transform_segmentation_masks(self, segmentation_masks: Any, transformation: Any, training: bool = True) -> Any:
        """The masks, resized; each pixel is taken from the nearest."""
        return self._resized(segmentation_masks, "nearest", False)


@export("layers.CenterCrop")
class CenterCrop(SizeBase):
    """The middle of images; images that are smaller are enlarged, with their proportions, until they cover the size.

    Source: `keras.layers.CenterCrop`.

    Args:
        height, width: the new size, in pixels.
        data_format: "channels_last" or "channels_first"; None takes the configured one.

    Input shape: (batch, height, width, channels), or without the batch; Output shape: with the new size.

    Raises:
        ValueError: a size below 1; inputs of another rank.

    Example:
        >>> CenterCrop(1, 2)(np.arange(12, dtype="float32").reshape(1, 3, 4, 1)).ravel().tolist()
        [5.0, 6.0]
    """

    def __init__(self, height: int, width: int, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self._start(height, width)

    def _middle(self, images: Any, interpolation: str) -> Any:
        shape = tuple(int(n or 0) for n in backend.shape(images))
        kept = (self.height, self.width)
        more = [shape[axis] - n for axis, n in zip(self._spatial, kept, strict=True)]
        if min(more) < 0:
            return ops.image.resize(
                images, kept, interpolation, crop_to_aspect_ratio=True, data_format=self.data_format
            )
        for axis, cut_off, n in zip(self._spatial, more, kept, strict=True):
            images = windows.cut(images, axis, cut_off // 2, cut_off // 2 + n)
        return images

    def transform_images(self, images: Any, transformation: Any = None, training: bool = True) -> Any:
        """The middle of a batch of images."""
        return self._middle(backend.cast(images, self.compute_dtype), "bilinear")

    def transform_segmentation_masks(self, segmentation_masks: Any, transformation: Any, training: bool = True) -> Any:
        """The middle of the masks; where they are enlarged, each pixel is taken from the nearest."""
        return self._middle(backend.convert_to_tensor(segmentation_masks), "nearest")
