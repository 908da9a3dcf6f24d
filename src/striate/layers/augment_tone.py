"""Tones of images: turned over above a threshold, stretched over the whole range, or spread evenly over it."""

from __future__ import annotations

from typing import Any

import numpy as np

from striate import backend, ops
from striate.core import args
from striate.core.registry import export
from striate.ir.ops.attrs import AxisAttrs, GatherGradAttrs
from striate.layers.augment import ImageLayer, RandomImageLayer, factor_range, is_number, moved_range, value_range_of

BYTES = (0, 255)


@export("layers.Solarization")
class Solarization(RandomImageLayer):
    """high - x + low for every x that is not below a threshold, in training; `addition` is added to x before.

    Source: `keras.layers.Solarization`. Both ends of a given range are parts of the value range (Keras 3.15.1 takes
    the lower end of additions and thresholds as it is: (0.2, 0.2) draws from 0.2 to 51 there, and is always 51 here).

    Args:
        addition_factor: (lower, upper) of what is added, as a part of value_range, from 0 to 1; f stands for (0, f).
        threshold_factor: (lower, upper) of the threshold, likewise.
        value_range: [low, high] of the colours that images have.
        seed: integer; None draws one from the global seed.

    Input shape: (batch, height, width, channels), or without the batch; Output shape: the same.

    Raises:
        ValueError: a factor outside [0, 1]; a value_range that is no pair; images of another rank.

    Example:
        >>> image = np.array([[[10.0], [200.0]]], "float32")
        >>> Solarization(threshold_factor=(0.5, 0.5))(image, training=True).ravel().tolist()
        [10.0, 55.0]
    """

    def __init__(
        self,
        addition_factor: Any = 0.0,
        threshold_factor: Any = 0.0,
        value_range: Any = (0, 255),
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.addition_factor = _part(addition_factor, "addition_factor")
        self.threshold_factor = _part(threshold_factor, "threshold_factor")
        self.value_range = value_range_of(value_range)
        self._begin(seed)

    def _draw(self, shape: tuple[int, ...], seed: Any) -> Any:
        def draw(bounds: Any) -> Any:
            return self._uniform((shape[0], 1, 1, 1), [255.0 * b for b in bounds], seed)

        return {"additions": draw(self.addition_factor), "thresholds": draw(self.threshold_factor)}

    def _transformed(self, images: Any, transformation: Any) -> Any:
        if transformation is None:
            return images
        x = ops.clip(moved_range(images, self.value_range, BYTES) + transformation["additions"], 0.0, 255.0)
        turned = ops.where(ops.less(x, transformation["thresholds"]), x, 255.0 - x)
        return moved_range(turned, BYTES, self.value_range)


def _part(value: Any, name: str) -> tuple[float, float]:
    low, high = factor_range(value, name, (0, 1), strict=True)
    return (0, high) if is_number(value) else (low, high)


@export("layers.AutoContrast")
class AutoContrast(ImageLayer):
    """Stretches each channel of each image over the whole value range, in training and at inference.

    x -> (x - min) / (max - min) of value_range; a channel of one value stays as it is.

    Source: `keras.layers.AutoContrast`. Minimum and maximum are taken over height and width in "channels_first", too.

    Args:
        value_range: [low, high] of the colours that images have.

    Input shape: (batch, height, width, channels), or without the batch; Output shape: the same.

    Raises:
        ValueError: a value_range that is no pair; images of another rank.

    Example:
        >>> AutoContrast()(np.array([[[10.0], [20.0], [30.0]]], "float32")).ravel().tolist()
        [0.0, 127.5, 255.0]
    """

    def __init__(self, value_range: Any = (0, 255), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.value_range = value_range_of(value_range)

    def transform_images(self, images: Any, transformation: Any = None, training: bool = True) -> Any:
        """A batch of images, stretched."""
        return super().transform_images(images, transformation, training=True)

    def _transformed(self, images: Any, transformation: Any) -> Any:
        x = moved_range(images, self.value_range, BYTES)
        low, high = (f(x, axis=self._spatial, keepdims=True) for f in (ops.min, ops.max))
        wide = high > low
        scale = 255.0 / ops.where(wide, high - low, np.ones((), backend.dtype_of(x)))
        stretched = moved_range(ops.clip(x * scale - low * scale, 0.0, 255.0), BYTES, self.value_range)
        return ops.where(wide, stretched, images)


def _scaled(x: Any, old: Any, new: Any) -> Any:
    """`moved_range` by one factor, as Keras has it here: a pixel at the edge of a bin rounds into the same one."""
    factor = (new[1] - new[0]) / (old[1] - old[0])
    return x * factor + (new[0] - old[0] * factor)


@export("layers.Equalization")
class Equalization(ImageLayer):
    """Spreads the values of each channel evenly over the value range, in training.

    A value of the histogram's bin b becomes round(255 (c[b] - c0) / (c[last] - c0)) of 255, c being how many pixels lie
    in b or below, and c0 how many in the lowest bin that has any. A channel whose pixels are all in one bin stays.

    Source: `keras.layers.Equalization`. As there, a histogram is that of the channel in all images of the batch.

    Args:
        value_range: [low, high] of the colours that images have.
        bins: number of the histogram's bins.
        data_format: "channels_last" or "channels_first"; None takes the configured one.

    Input shape: (batch, height, width, channels), or without the batch; Output shape: the same.

    Raises:
        ValueError: a value_range that is no pair; bins below 1; images of another rank.

    Example:
        >>> Equalization()(np.array([[[10.0], [11.0], [12.0]]], "float32"), training=True).ravel().tolist()
        [0.0, 128.0, 255.0]
    """

    def __init__(
        self, value_range: Any = (0, 255), bins: int = 256, data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.bins = args.positive_int(bins, "bins")
        self.value_range = value_range_of(value_range)

    def _index(self, scaled: Any, channels: int) -> Any:
        """Bins of values (channels, pixels) in units of bins, those of channel i from i * bins on."""
        # Not clip: what is no number must become an index all the same.
        inside = ops.minimum(ops.where(scaled >= 0.0, scaled, np.float32(0)), float(self.bins - 1))
        first = np.arange(channels, dtype="int32").reshape(channels, 1) * np.int32(self.bins)
        return ops.add(backend.cast(inside, "int32"), first)

    def _transformed(self, images: Any, transformation: Any) -> Any:
        bins, last = self.bins, float(self.bins - 1)
        order = (3, 0, 1, 2) if self.data_format == "channels_last" else (1, 0, 2, 3)
        moved = ops.transpose(backend.cast(_scaled(images, self.value_range, BYTES), "float32"), order)
        shape = tuple(int(n or 0) for n in backend.shape(moved))
        channels, pixels = shape[0], int(np.prod(shape[1:]))
        x = ops.reshape(moved, (channels, pixels))

        # A histogram is the gradient of looking its bins up: ones added up where they came from.
        here = ops.reshape(self._index(x * last / 255.0, channels), (-1,))
        ones = np.ones(channels * pixels, "float32")
        counts = backend.apply("gather_grad", ones, here, attrs=GatherGradAttrs(0, (channels * bins,)))
        counts = ops.reshape(counts, (channels, bins))
        below = ops.matmul(counts, np.triu(np.ones((bins, bins), "float32")))
        lowest = ops.min(ops.where(below > 0.0, below, np.float32(pixels)), axis=1, keepdims=True)
        rest = float(pixels) - lowest
        levels = ops.round((below - lowest) * 255.0 / ops.where(rest > 0.0, rest, np.float32(1)))

        # Two formulas for a pixel's bin, as in Keras: they round differently.
        there = self._index(x / 255.0 * last, channels)
        table = ops.reshape(ops.clip(levels, 0.0, 255.0), (channels * bins,))
        spread = backend.apply("gather", table, there, attrs=AxisAttrs(0))
        alone = ops.max(counts, axis=1, keepdims=True) >= float(pixels)
        y = ops.transpose(ops.reshape(ops.where(alone, x, spread), shape), tuple(np.argsort(order).tolist()))
        return backend.cast(_scaled(y, BYTES, self.value_range), backend.dtype_of(images))
