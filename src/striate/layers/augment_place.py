"""Images mirrored, cut to a random part, and with a random part erased."""

from __future__ import annotations

from typing import Any

import numpy as np

from striate import backend, ops, random
from striate.core import args
from striate.core.errors import ArgumentError
from striate.core.registry import export
from striate.ir.ops.attrs import AxisAttrs
from striate.layers.augment import RandomImageLayer, factor_range, is_number, value_range_of
from striate.layers.resize import SizeBase
from striate.ops import windows

FLIPS = ("horizontal", "vertical", "horizontal_and_vertical")


@export("layers.RandomFlip")
class RandomFlip(RandomImageLayer):
    """Mirrors each image or leaves it, in training, with probability 1/2.

    Source: `keras.layers.RandomFlip`. As there, "horizontal_and_vertical" mirrors both ways at once or not at all.

    Args:
        mode: "horizontal" (left and right change places), "vertical", or "horizontal_and_vertical".
        seed: integer; None draws one from the global seed.
        data_format: "channels_last" or "channels_first"; None takes the configured one.

    Input shape: (batch, height, width, channels), or without the batch; Output shape: the same.

    Raises:
        ValueError: a mode of another name; images of another rank.

    Example:
        >>> image = np.array([[[1.0], [2.0]]], "float32")
        >>> sorted({tuple(RandomFlip("horizontal", seed=s)(image).ravel().tolist()) for s in range(9)})
        [(1.0, 2.0), (2.0, 1.0)]
    """

    _moves_pixels = True

    def __init__(
        self,
        mode: str = "horizontal_and_vertical",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.mode = args.one_of(mode, "mode", FLIPS)
        self._begin(seed)

    def _draw(self, shape: tuple[int, ...], seed: Any) -> Any:
        return {"flips": self._uniform((shape[0], 1, 1, 1), (0, 1), seed) <= 0.5, "input_shape": shape}

    def _transformed(self, images: Any, transformation: Any) -> Any:
        if transformation is None:
            return images
        rows, columns = self._spatial
        axes = {"horizontal": (columns,), "vertical": (rows,)}.get(self.mode, (rows, columns))
        return ops.where(transformation["flips"], ops.flip(images, axis=axes), images)

    def transform_segmentation_masks(self, segmentation_masks: Any, transformation: Any, training: bool = True) -> Any:
        """The masks, mirrored as the images are."""
        if not training:
            return segmentation_masks
        return self._transformed(backend.convert_to_tensor(segmentation_masks), transformation)


@export("layers.RandomCrop")
class RandomCrop(SizeBase, RandomImageLayer):
    """In training, a part of the given size at a random place, the same for all images of a batch.

    At inference the largest part in the middle that has the size's proportions, resized. In training, where images are
    not larger than the size along both axes, the part that Keras takes: up to height x width from the corner of that
    largest part on, resized where it is smaller.

    Source: `keras.layers.RandomCrop`. At inference this does what Keras's documentation says; Keras 3.15.1 gives the
    images as they are there, of another size than its `compute_output_shape`.

    Args:
        height, width: the size, in pixels.
        seed: integer; None draws one from the global seed.
        data_format: "channels_last" or "channels_first"; None takes the configured one.

    Input shape: (batch, height, width, channels), or without the batch; Output shape: with the new size.

    Raises:
        ValueError: a size below 1; images of another rank.

    Example:
        >>> RandomCrop(2, 2, seed=1)(np.ones((1, 5, 6, 3), "float32")).shape
        (1, 2, 2, 3)
    """

    def __init__(
        self,
        height: int,
        width: int,
        seed: int | None = None,
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, name=name, **kwargs)
        self._start(height, width)
        self._begin(seed)

    def _draw(self, shape: tuple[int, ...], seed: Any) -> Any:
        height, width = (shape[a] for a in self._spatial)
        if height > self.height and width > self.width:
            lengths = ((height, self.height), (width, self.width))
            return tuple(
                backend.cast(ops.floor(self._uniform((1,), (0, float(n - kept + 1)), seed)), "int32")
                for n, kept in lengths
            )
        rows = max(min(height, int(float(width * self.height) / self.width)), 1)
        columns = max(min(width, int(float(height * self.width) / self.height)), 1)
        return (height - rows) // 2, (width - columns) // 2

    def _cut(self, images: Any, transformation: Any) -> Any:
        for axis, start, kept in zip(self._spatial, transformation, (self.height, self.width), strict=True):
            if isinstance(start, int):
                images = windows.cut(images, axis, start, min(start + kept, int(backend.shape(images)[axis] or 0)))
            else:
                places = ops.add(start, np.arange(kept, dtype="int32"))
                images = backend.apply("gather", images, places, attrs=AxisAttrs(axis))
        return images

    def _resized(self, images: Any, whole: bool, interpolation: str) -> Any:
        if tuple(backend.shape(images)[a] for a in self._spatial) == (self.height, self.width):
            return images
        return ops.image.resize(
            images,
            (self.height, self.width),
            interpolation=interpolation,
            crop_to_aspect_ratio=whole,
            data_format=self.data_format,
        )

    def _sized(self, images: Any, transformation: Any, training: bool, interpolation: str) -> Any:
        if not training or transformation is None:
            return self._resized(images, True, interpolation)
        return self._resized(self._cut(images, transformation), False, interpolation)

    def transform_images(self, images: Any, transformation: Any = None, training: bool = True) -> Any:
        """A batch of images, cut (in training) from the place that `transformation` gives."""
        dtype = self.compute_dtype
        return backend.cast(self._sized(backend.cast(images, dtype), transformation, training, "bilinear"), dtype)

    def transform_segmentation_masks(self, segmentation_masks: Any, transformation: Any, training: bool = True) -> Any:
        """The masks, cut as the images are; resized ones take the nearest pixel."""
        return self._sized(backend.convert_to_tensor(segmentation_masks), transformation, training, "nearest")


@export("layers.RandomErasing")
class RandomErasing(RandomImageLayer):
    """Fills a random rectangle of each image with noise or a colour, in training, with a random probability.

    Source: `keras.layers.RandomErasing`; Zhong and others 2017. The rectangle's height and width are the square roots
    of two draws of `scale` times the image's.

    Args:
        factor: (lower, upper) of the probability that an image is changed, from 0 to 1; f stands for (0, f).
        scale: (lower, upper) of the area, as a part of the image's.
        fill_value: number, or one for each of three channels; None takes normal noise times the upper end of
            value_range. Cut off at the ends of value_range.
        value_range: (low, high) of the colours that images have.
        seed: integer; None draws one from the global seed.
        data_format: "channels_last" or "channels_first"; None takes the configured one.

    Input shape: (batch, height, width, channels), or without the batch; Output shape: the same.

    Raises:
        ValueError: factor or scale outside [0, 1]; a fill value of another kind; images of another rank.

    Example:
        >>> image = np.ones((1, 8, 8, 1), "float32")
        >>> int(RandomErasing((1, 1), scale=(0.25, 0.25), fill_value=0)(image).sum())
        48
    """

    def __init__(
        self,
        factor: Any = 1.0,
        scale: Any = (0.02, 0.33),
        fill_value: Any = None,
        value_range: Any = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.factor = factor_range(factor, "factor", (0, 1))
        self.scale = factor_range(scale, "scale", (0, 1))
        several = isinstance(fill_value, tuple | list)
        if not (fill_value is None or is_number(fill_value) or (several and len(fill_value) == 3)):
            raise ArgumentError(
                f"The `fill_value` argument should be a number (or a list of three numbers), or None for noise. "
                f"Received: fill_value={fill_value!r}."
            )
        self.fill_value = fill_value
        self.value_range = value_range
        self._colours = value_range_of(value_range)
        self._begin(seed)

    def _side(self, count: int, length: int, part: Any, seed: Any) -> tuple[Any, Any]:
        """First and last place of a rectangle's side along one axis, in pixels."""
        size = part * float(length)
        start = self._uniform((count, 1, 1, 1), (0, 1), seed) * (float(length) - size)
        return start, start + size

    def _within(self, axis: int, length: int, sides: tuple[Any, Any]) -> Any:
        places = np.arange(length, dtype="float32").reshape([length if a == axis else 1 for a in range(4)])
        return ops.logical_and(ops.greater_equal(places, sides[0]), ops.less(places, sides[1]))

    def _filling(self, shape: tuple[int, ...], seed: Any) -> Any:
        low, high = self._colours
        if self.fill_value is None:
            noise = random.normal(shape, dtype="float32", seed=self.generator if seed is None else seed)
            return ops.clip(noise * float(high), low, high)
        fill = np.clip(np.asarray(self.fill_value, "float32"), low, high)
        return fill.reshape([3 if fill.ndim and a == self._channel_axis else 1 for a in range(4)])

    def _draw(self, shape: tuple[int, ...], seed: Any) -> Any:
        count, (rows, columns) = shape[0], self._spatial
        wide, high = (ops.sqrt(self._uniform((count, 1, 1, 1), self.scale, seed)) for _ in range(2))
        across = self._within(columns, shape[columns], self._side(count, shape[columns], wide, seed))
        down = self._within(rows, shape[rows], self._side(count, shape[rows], high, seed))
        probability = self._uniform((count,), self.factor, seed)
        return {
            "apply_erasing": ops.less(self._uniform((count,), (0, 1), seed), probability),
            "batch_masks": ops.logical_and(across, down),
            "fill_value": self._filling(shape, seed),
        }

    def _transformed(self, images: Any, transformation: Any) -> Any:
        if transformation is None:
            return images
        chosen = ops.reshape(transformation["apply_erasing"], (-1, 1, 1, 1))
        erased = ops.logical_and(chosen, transformation["batch_masks"])
        return ops.where(erased, backend.cast(transformation["fill_value"], backend.dtype_of(images)), images)
