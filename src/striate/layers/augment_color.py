"""Colours of images changed at random: contrast, brightness, saturation, hue, and whether there are any."""

from __future__ import annotations

from typing import Any

import numpy as np

from striate import backend, ops
from striate.core.errors import ArgumentError
from striate.core.registry import export
from striate.layers.augment import RandomImageLayer, factor_range, is_number, moved_range, value_range_of
from striate.ops.indexing import slice_axis


@export("layers.RandomContrast")
class RandomContrast(RandomImageLayer):
    """(x - mean) * factor + mean, in training: a random factor for each image, the mean of each of its channels.

    The factor is drawn from [1 - lower, 1 + upper]; results are cut off at the ends of value_range.

    Source: `keras.layers.RandomContrast`.

    Args:
        factor: (lower, upper), from 0 to 1; as in Keras, f stands for (0, f), and a negative lower raises what is
            drawn at least.
        value_range: (low, high) of the colours that images have.
        seed: integer; None draws one from the global seed.

    Input shape: (batch, height, width, channels), or without the batch; Output shape: the same.

    Raises:
        ValueError: a factor outside [0, 1]; images of another rank.

    Example:
        >>> image = np.array([[[100.0], [120.0]]], "float32")
        >>> RandomContrast((-0.5, 0.5))(image, training=True).ravel().tolist()
        [95.0, 125.0]
    """

    def __init__(self, factor: Any, value_range: Any = (0, 255), seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.factor = factor_range(factor, "factor", (0, 1))
        self.value_range = value_range
        self._colours = value_range_of(value_range)
        self._begin(seed)

    def _draw(self, shape: tuple[int, ...], seed: Any) -> Any:
        bounds = (1.0 - self.factor[0], 1.0 + self.factor[1])
        return {"contrast_factor": self._uniform((shape[0], 1, 1, 1), bounds, seed)}

    def _transformed(self, images: Any, transformation: Any) -> Any:
        mean = ops.mean(images, axis=self._spatial, keepdims=True)
        return ops.clip((images - mean) * transformation["contrast_factor"] + mean, *self._colours)


@export("layers.RandomBrightness")
class RandomBrightness(RandomImageLayer):
    """x + factor * (high - low), in training: a random factor for each image; cut off at the ends of value_range.

    Source: `keras.layers.RandomBrightness`; bytes come out as floats, too, where Keras 3.15.1 lets them run over.

    Args:
        factor: (lower, upper), from -1 (black) to 1 (white); f stands for (-f, f).
        value_range: [low, high] of the colours that images have.
        seed: integer; None draws one from the global seed.

    Input shape: (batch, height, width, channels), or without the batch; Output shape: the same.

    Raises:
        ValueError: a factor outside [-1, 1]; a value_range that is no pair; images of another rank.

    Example:
        >>> RandomBrightness((0.2, 0.2))(np.array([[[100.0], [250.0]]], "float32"), training=True).ravel().tolist()
        [151.0, 255.0]
    """

    def __init__(self, factor: Any, value_range: Any = (0, 255), seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.factor = factor_range(factor, "factor", (-1, 1))
        self.value_range = value_range_of(value_range)
        self._begin(seed)

    def _draw(self, shape: tuple[int, ...], seed: Any) -> Any:
        low, high = self.value_range
        return {"rgb_delta": self._uniform((shape[0], 1, 1, 1), self.factor, seed) * float(high - low)}

    def _transformed(self, images: Any, transformation: Any) -> Any:
        return ops.clip(images + transformation["rgb_delta"], *self.value_range)


class HueLayer(RandomImageLayer):
    """What RandomHue and RandomSaturation share: one of hue, saturation and value of colours from 0 to 1 is changed."""

    _part: int
    _range: Any

    def _changed(self, part: Any, factor: Any) -> Any:
        raise NotImplementedError

    def _transformed(self, images: Any, transformation: Any) -> Any:
        axis = self._channel_axis
        factor = ops.reshape(backend.cast(transformation["factor"], backend.dtype_of(images)), (-1, 1, 1, 1))
        hsv = ops.image.rgb_to_hsv(moved_range(images, self._range, (0, 1)), data_format=self.data_format)
        parts = [slice_axis(hsv, axis, i, i + 1) for i in range(3)]
        parts[self._part] = self._changed(parts[self._part], factor)
        rgb = ops.image.hsv_to_rgb(ops.concatenate(parts, axis=axis), data_format=self.data_format)
        return moved_range(ops.clip(rgb, 0.0, 1.0), (0, 1), self._range)


@export("layers.RandomSaturation")
class RandomSaturation(HueLayer):
    """Saturation times f / (1 - f), in training: a random f for each image; 0 gives grey, 0.5 no change, 1 full colour.

    Source: `keras.layers.RandomSaturation`. The saturation stays within [0, 1] whatever value_range is (Keras 3.15.1
    cuts it off at the ends of value_range, so that colours of 0 to 255 may come out below 0).

    Args:
        factor: (lower, upper) of f; a number stands for (-f, f), as in Keras: below 0 gives grey.
        value_range: [low, high] of the colours that images have.
        data_format: "channels_last" or "channels_first"; None takes the configured one.
        seed: integer; None draws one from the global seed.

    Input shape: (batch, height, width, 3), or without the batch; Output shape: the same.

    Raises:
        ValueError: a factor outside [-1, 1]; a value_range that is no pair; other than 3 channels; another rank.

    Example:
        >>> RandomSaturation((0.0, 0.0))(np.array([[[9.0, 0.0, 3.0]]], "float32"), training=True).tolist()
        [[[9.0, 9.0, 9.0]]]
    """

    _part = 1

    def __init__(
        self,
        factor: Any,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self.factor = factor_range(factor, "factor", (-1, 1))
        self.value_range = self._range = value_range_of(value_range)
        self._begin(seed)

    def _draw(self, shape: tuple[int, ...], seed: Any) -> Any:
        f = self._uniform((shape[0],), self.factor, seed)
        return {"factor": f / (1.0 - f + backend.epsilon())}

    def _changed(self, part: Any, factor: Any) -> Any:
        return ops.clip(part * factor, 0.0, 1.0)


@export("layers.RandomHue")
class RandomHue(HueLayer):
    """Turns the hue of each image by a random part of half a circle, either way, in training.

    Source: `keras.layers.RandomHue`.

    Args:
        factor: (lower, upper) of the part, from 0 (no change) to 1; f stands for (0, f).
        value_range: (low, high) of the colours that images have.
        data_format: "channels_last" or "channels_first"; None takes the configured one.
        seed: integer; None draws one from the global seed.

    Input shape: (batch, height, width, 3), or without the batch; Output shape: the same.

    Raises:
        ValueError: a factor outside [0, 1]; a value_range that is no pair; other than 3 channels; another rank.

    Example:
        >>> RandomHue((1.0, 1.0), value_range=(0, 1))(np.array([[[1.0, 0.0, 0.0]]], "float32"), training=True).tolist()
        [[[0.0, 1.0, 1.0]]]
    """

    _part = 0

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
        self.value_range = value_range
        self._range = value_range_of(value_range)
        self._begin(seed)

    def _draw(self, shape: tuple[int, ...], seed: Any) -> Any:
        sign = ops.where(self._uniform((shape[0],), (0, 1), seed) > 0.5, np.float32(-1), np.float32(1))
        return {"factor": sign * self._uniform((shape[0],), self.factor, seed) * 0.5}

    def _changed(self, part: Any, factor: Any) -> Any:
        return part + factor  # hsv_to_rgb goes round the circle


@export("layers.RandomGrayscale")
class RandomGrayscale(RandomImageLayer):
    """Takes the colours out of each image with a given probability, in training; it keeps its three channels.

    Source: `keras.layers.RandomGrayscale`; the greys: `ops.image.rgb_to_grayscale`. The config holds the seed, too.

    Args:
        factor: the probability, from 0 to 1.
        data_format: "channels_last" or "channels_first"; None takes the configured one.
        seed: integer; None draws one from the global seed.

    Input shape: (batch, height, width, 3), or without the batch, or with 1 channel; Output shape: the same.

    Raises:
        ValueError: a factor outside [0, 1]; other than 1 or 3 channels; images of another rank.

    Example:
        >>> RandomGrayscale(1.0)(np.array([[[10.0, 20.0, 30.0]]], "float32"), training=True).round(2).tolist()
        [[[18.149999618530273, 18.149999618530273, 18.149999618530273]]]
    """

    _config_if_set = ("seed",)

    def __init__(
        self, factor: float = 0.5, data_format: str | None = None, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        if not is_number(factor) or not 0 <= factor <= 1:
            raise ArgumentError(f"`factor` should be between 0 and 1. Received: factor={factor!r}.")
        self.factor = factor
        self._begin(seed)

    def _draw(self, shape: tuple[int, ...], seed: Any) -> Any:
        return self._uniform((shape[0], 1, 1, 1), (0, 1), seed) < self.factor

    def _transformed(self, images: Any, transformation: Any) -> Any:
        grey = ops.image.rgb_to_grayscale(images, data_format=self.data_format)
        return ops.where(transformation, grey, images)


@export("layers.RandomColorJitter")
class RandomColorJitter(RandomImageLayer):
    """RandomBrightness, RandomContrast, RandomSaturation and RandomHue, one after the other, in training.

    Source: `keras.layers.RandomColorJitter`.

    Args:
        value_range: (low, high) of the colours that images have.
        brightness_factor: see RandomBrightness; None leaves it out.
        contrast_factor: see RandomContrast; None leaves it out.
        saturation_factor: see RandomSaturation; None leaves it out.
        hue_factor: see RandomHue; None leaves it out.
        seed: integer; None draws one from the global seed.
        data_format: "channels_last" or "channels_first"; None takes the configured one.

    Input shape: (batch, height, width, 3), or without the batch; Output shape: the same.

    Raises:
        ValueError: a factor outside its range; images of another rank.

    Example:
        >>> layer = RandomColorJitter(brightness_factor=(0.2, 0.2), saturation_factor=(0.0, 0.0))
        >>> layer(np.array([[[9.0, 0.0, 3.0]]], "float32"), training=True).tolist()
        [[[60.0, 60.0, 60.0]]]
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        brightness_factor: Any = None,
        contrast_factor: Any = None,
        saturation_factor: Any = None,
        hue_factor: Any = None,
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        value_range_of(value_range)
        self.value_range = value_range
        self.brightness_factor = brightness_factor
        self.contrast_factor = contrast_factor
        self.saturation_factor = saturation_factor
        self.hue_factor = hue_factor
        self._begin(seed)
        kinds = (
            (RandomBrightness, brightness_factor),
            (RandomContrast, contrast_factor),
            (RandomSaturation, saturation_factor),
            (RandomHue, hue_factor),
        )
        shared = {"value_range": value_range, "seed": seed, "data_format": data_format, "dtype": self.dtype_policy}
        self._steps = [kind(factor, **shared) for kind, factor in kinds if factor is not None]

    def _draw(self, shape: tuple[int, ...], seed: Any) -> Any:
        source = self.generator if seed is None else seed
        return [step._draw(shape, source) for step in self._steps]

    def _transformed(self, images: Any, transformation: Any) -> Any:
        for step, drawn in zip(self._steps, transformation, strict=True):
            images = step._transformed(images, drawn)
        return images
