"""Images turned to their negatives, coarsened to fewer tones, sharpened or blurred, at random."""

from __future__ import annotations

from typing import Any

import numpy as np

from striate import backend, ops
from striate.core.errors import ArgumentError
from striate.core.registry import export
from striate.layers.augment import RandomImageLayer, factor_range, is_number, moved_range, value_range_of

BYTES = (0, 255)
#: bits of a byte
BITS = 8


def _chosen(layer: RandomImageLayer, count: int, factor: Any, seed: Any) -> Any:
    """Which of so many images are changed: each with a probability that is drawn from the factor."""
    probability = layer._uniform((count,), factor, seed)
    return layer._uniform((count,), (0, 1), seed) < probability


@export("layers.RandomInvert")
class RandomInvert(RandomImageLayer):
    """high - x, in training, for some of the images: the negative of a picture.

    Each image is changed with a probability that is drawn from `factor`.

    Source: `keras.layers.RandomInvert`.

    Args:
        factor: (lower, upper) of the probability, from 0 to 1; f stands for (0, f).
        value_range: (low, high) of the colours that images have.
        seed: integer; None draws one from the global seed.
        data_format: "channels_last" or "channels_first"; None takes the configured one.

    Input shape: (batch, height, width, channels), or without the batch; Output shape: the same.

    Raises:
        ValueError: a factor outside [0, 1]; a value_range that is no pair; images of another rank.

    Example:
        >>> RandomInvert((1.0, 1.0))(np.array([[[10.0], [255.0]]], "float32"), training=True).ravel().tolist()
        [245.0, 0.0]
    """

    def __init__(
        self,
        factor: Any = 1.0,
        value_range: Any = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.factor = factor_range(factor, "factor", (0, 1))
        value_range_of(value_range)
        self.value_range = value_range
        self._begin(seed)

    def _draw(self, shape: tuple[int, ...], seed: Any) -> Any:
        return {"apply_inversion": _chosen(self, shape[0], self.factor, seed)}

    def _transformed(self, images: Any, transformation: Any) -> Any:
        chosen = ops.reshape(transformation["apply_inversion"], (-1, 1, 1, 1))
        return ops.where(chosen, float(self.value_range[1]) - images, images)


@export("layers.RandomPosterization")
class RandomPosterization(RandomImageLayer):
    """Keeps the highest bits of each byte of the colours, in training: pictures of few tones, like posters.

        floor(x / 2**s) * 2**s,  s = 8 - bits,  x being brought to 0..255 first, without its fraction

    Source: `keras.layers.RandomPosterization`. Colours outside of value_range count as its nearest end (Keras 3.15.1
    lets them run over).

    Args:
        factor: (lower, upper) of the bits, from 1 to 8, upper itself left out, as in Keras; f stands for (1, f), and
            (f, f) always keeps f.
        value_range: [low, high] of the colours that images have.
        data_format: "channels_last" or "channels_first"; None takes the configured one.
        seed: integer; None draws one from the global seed.

    Input shape: (batch, height, width, channels), or without the batch; Output shape: the same.

    Raises:
        ValueError: a factor outside [1, 8]; a value_range that is no pair; images of another rank.

    Example:
        >>> image = np.array([[[63.0], [64.0], [255.0]]], "float32")
        >>> RandomPosterization((2, 2))(image, training=True).ravel().tolist()
        [0.0, 64.0, 192.0]
    """

    def __init__(
        self,
        factor: Any,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.factor = factor_range(factor, "factor", (1, BITS))
        self.value_range = value_range_of(value_range)
        self._begin(seed)

    def _draw(self, shape: tuple[int, ...], seed: Any) -> Any:
        low, high = (int(bits) for bits in self.factor)
        if low == high:
            return {"shift_factor": np.full(shape[0], BITS - low, "int32")}
        # Not randint, which runs on the host; a draw may be rounded up to the upper end itself.
        bits = ops.minimum(ops.floor(self._uniform((shape[0],), (low, high), seed)), float(high - 1))
        return {"shift_factor": backend.cast(float(BITS) - bits, "int32")}

    def _transformed(self, images: Any, transformation: Any) -> Any:
        x = ops.clip(moved_range(images, self.value_range, BYTES), 0.0, 255.0)
        powers = (2.0 ** np.arange(BITS)).astype("float32")
        step = ops.take(powers, backend.cast(transformation["shift_factor"], "int32"))
        step = ops.reshape(backend.cast(step, backend.dtype_of(images)), (-1, 1, 1, 1))
        # A byte divided by a power of two is exact, so this is what shifting its bits out and in again gives.
        return moved_range(ops.floor(ops.floor(x) / step) * step, BYTES, self.value_range)


@export("layers.RandomSharpness")
class RandomSharpness(RandomImageLayer):
    """Blurs or sharpens, in training: x + (1 - 2 f) (smooth(x) - x), a random f for each image.

    f = 0 gives the smoothed image, 0.5 no change, 1 as much more of what smoothing takes away. smooth(x) is the mean of
    3 x 3 pixels with the weights 1 (around) and 5 (middle); beyond the edge there is zero. Results are cut off at the
    ends of value_range.

    Source: `keras.layers.RandomSharpness`.

    Args:
        factor: (lower, upper) of f, from 0 to 1; f stands for (0, f).
        value_range: [low, high] of the colours that images have.
        data_format: "channels_last" or "channels_first"; None takes the configured one.
        seed: integer; None draws one from the global seed.

    Input shape: (batch, height, width, channels), or without the batch; Output shape: the same.

    Raises:
        ValueError: a factor outside [0, 1]; a value_range that is no pair; images of another rank.

    Example:
        >>> image = np.zeros((3, 3, 1), "float32")
        >>> image[1, 1] = 13.0
        >>> RandomSharpness((0.0, 0.0))(image, training=True)[..., 0].round(4).tolist()
        [[1.0, 1.0, 1.0], [1.0, 5.0, 1.0], [1.0, 1.0, 1.0]]
    """

    def __init__(
        self,
        factor: Any,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.factor = factor_range(factor, "factor", (0, 1))
        self.value_range = value_range_of(value_range)
        self._begin(seed)

    def _draw(self, shape: tuple[int, ...], seed: Any) -> Any:
        return {"factor": self._uniform((shape[0],), self.factor, seed)}

    def _transformed(self, images: Any, transformation: Any) -> Any:
        dtype = backend.dtype_of(images)
        channels = int(backend.shape(images)[self._channel_axis] or 0)
        weights = np.full((3, 3, channels, 1), 1 / 13, dtype)
        weights[1, 1] = 5 / 13
        smooth = ops.depthwise_conv(images, weights, padding="same", data_format=self.data_format)
        away = 1.0 - 2.0 * ops.reshape(backend.cast(transformation["factor"], dtype), (-1, 1, 1, 1))
        return ops.clip(images + away * (smooth - images), *(float(v) for v in self.value_range))


@export("layers.RandomGaussianBlur")
class RandomGaussianBlur(RandomImageLayer):
    """Blurs some of the images by a bell of random width, in training.

    Each image is changed with a probability that is drawn from `factor`; the bell's two standard deviations, across and
    down, are drawn once for the batch. Beyond the edge there is zero. Results are cut off at the ends of value_range.

    Source: `keras.layers.RandomGaussianBlur`; the bell: `ops.image.gaussian_blur`.

    Args:
        factor: (lower, upper) of the probability, from 0 to 1; f stands for (0, f).
        kernel_size: odd number of pixels, or (across, down).
        sigma: (lower, upper) of the standard deviations, in pixels, from 0 to 1; s stands for (0, s).
        value_range: (low, high) of the colours that images have.
        data_format: "channels_last" or "channels_first"; None takes the configured one.
        seed: integer; None draws one from the global seed.

    Input shape: (batch, height, width, channels), or without the batch; Output shape: the same.

    Raises:
        ValueError: a factor or sigma outside [0, 1]; an even kernel_size; a value_range that is no pair; images of
            another rank.

    Example:
        >>> image = np.zeros((3, 3, 1), "float32")
        >>> image[1, 1] = 100.0
        >>> RandomGaussianBlur((1.0, 1.0), sigma=(1.0, 1.0))(image, training=True)[1, :, 0].round(2).tolist()
        [12.380000114440918, 20.420000076293945, 12.380000114440918]
    """

    def __init__(
        self,
        factor: Any = 1.0,
        kernel_size: Any = 3,
        sigma: Any = 1.0,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.factor = factor_range(factor, "factor", (0, 1))
        self.kernel_size = _odd_pair(kernel_size)
        self.sigma = factor_range(sigma, "sigma", (0, 1))
        value_range_of(value_range)
        self.value_range = value_range
        self._begin(seed)

    def _draw(self, shape: tuple[int, ...], seed: Any) -> Any:
        chosen = _chosen(self, shape[0], self.factor, seed)
        # A bell of no width would divide by zero: a millionth of a pixel leaves the middle pixel alone.
        return {"should_apply_blur": chosen, "blur_factor": self._uniform((2,), self.sigma, seed) + 1e-6}

    def _transformed(self, images: Any, transformation: Any) -> Any:
        dtype = backend.dtype_of(images)
        channels = int(backend.shape(images)[self._channel_axis] or 0)
        sigma = backend.cast(transformation["blur_factor"], dtype)
        blurred = images
        for part, size in enumerate(self.kernel_size):
            x = np.arange(size).astype(dtype) - (size - 1) / 2
            bell = ops.exp(-0.5 * ops.square(x.astype(dtype) / sigma[part]))
            bell = bell / ops.sum(bell)
            window = (1, size) if part == 0 else (size, 1)  # across first, as in Keras
            weights = ops.broadcast_to(ops.reshape(bell, (*window, 1, 1)), (*window, channels, 1))
            blurred = ops.depthwise_conv(blurred, weights, padding="same", data_format=self.data_format)
        chosen = ops.reshape(transformation["should_apply_blur"], (-1, 1, 1, 1))
        return ops.clip(ops.where(chosen, blurred, images), *(float(v) for v in self.value_range))


def _odd_pair(value: Any) -> tuple[int, int]:
    pair = tuple(value) if isinstance(value, tuple | list) else (value, value)
    if len(pair) != 2 or not all(is_number(side) and side > 0 and side % 2 == 1 for side in pair):
        raise ArgumentError(
            f"kernel_size must be an odd number of pixels, or two of them. Received: kernel_size={value!r}."
        )
    return int(pair[0]), int(pair[1])
