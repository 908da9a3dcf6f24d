"""Layers that bring images of any size to one size."""

from __future__ import annotations

from typing import Any

from striate import backend, ops
from striate.core import args
from striate.core.errors import ArgumentError, ShapeError
from striate.core.registry import export
from striate.layers.base import Layer
from striate.ops import resizing, windows

Shape = tuple[int | None, ...]


class SizeBase(Layer):
    """What layers share whose images have the size (height, width), in pixels."""

    def _start(self, height: int, width: int, data_format: str | None) -> None:
        self.height = args.positive_int(height, "height")
        self.width = args.positive_int(width, "width")
        self.data_format = backend.standardize_data_format(data_format)

    def _axes(self, rank: int, shape: Any) -> tuple[int, int]:
        if rank not in (3, 4):
            raise ShapeError(
                f"{type(self).__name__} takes an image (height, width, channels) or a batch of them. "
                f"Received: input_shape={tuple(shape)}."
            )
        return (rank - 3, rank - 2) if self.data_format == "channels_last" else (rank - 2, rank - 1)

    def compute_output_shape(self, input_shape: Any) -> Shape:
        shape = list(input_shape)
        rows, columns = self._axes(len(shape), shape)
        shape[rows], shape[columns] = self.height, self.width
        return tuple(shape)


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
        super().__init__(**kwargs)
        self._start(height, width, data_format)
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

    def call(self, inputs: Any) -> Any:
        return ops.image.resize(
            inputs,
            (self.height, self.width),
            interpolation=self.interpolation,
            antialias=self.antialias,
            crop_to_aspect_ratio=self.crop_to_aspect_ratio,
            pad_to_aspect_ratio=self.pad_to_aspect_ratio,
            fill_mode=self.fill_mode,
            fill_value=self.fill_value,
            data_format=self.data_format,
        )


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
        super().__init__(**kwargs)
        self._start(height, width, data_format)

    def call(self, inputs: Any) -> Any:
        x = backend.cast(inputs, self.compute_dtype)
        shape = tuple(x.shape)
        axes = self._axes(len(shape), shape)
        if backend.is_keras_tensor(x):
            return backend.KerasTensor(self.compute_output_shape(shape), self.compute_dtype)
        more = [shape[axis] - kept for axis, kept in zip(axes, (self.height, self.width), strict=True)]
        if min(more) < 0:
            size = (self.height, self.width)
            return ops.image.resize(x, size, crop_to_aspect_ratio=True, data_format=self.data_format)
        for axis, cut_off, kept in zip(axes, more, (self.height, self.width), strict=True):
            x = windows.cut(x, axis, cut_off // 2, cut_off // 2 + kept)
        return x
