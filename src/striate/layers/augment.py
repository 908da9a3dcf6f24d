"""What layers of images share: one image or a batch, alone or in a dict with labels and masks; random factors.

Such a layer draws a transformation (`get_random_transformation`), then applies it (`transform_images`,
`transform_labels`, `transform_segmentation_masks`): the four may be overridden, as in Keras, and transformations have
Keras's keys.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from striate import backend, ops, random
from striate.core.errors import ArgumentError, ShapeError
from striate.layers.base import Layer

Shape = tuple[int | None, ...]
Range = tuple[float, float]


def is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


def factor_range(value: Any, name: str, bounds: Range, *, strict: bool = False, open_low: bool = False) -> Range:
    """(lower, upper) of a factor: a number f stands for (-f, f), or what of it lies above the lower bound.

    Args:
        strict: both ends of a given range must lie within the bounds; else it only must not lie wholly outside.
        open_low: the lower bound itself is left out.
    """
    low, high = bounds
    pair = list(value) if isinstance(value, tuple | list) else [value]
    numbers = all(is_number(v) for v in pair) and len(pair) == (2 if isinstance(value, tuple | list) else 1)
    inside = numbers and all((low < v if open_low else low <= v) and v <= high for v in pair)
    touching = numbers and len(pair) == 2 and not strict and pair[0] <= high and pair[1] >= low
    if not (inside or touching):
        raise ArgumentError(
            f"The `{name}` argument should be a number (or a list of two numbers) in the range "
            f"{'(' if open_low else '['}{low}, {high}]. Received: {name}={value!r}."
        )
    if len(pair) == 2:
        return min(pair), max(pair)
    size = abs(value)
    return (-size if strict else max(-size, low)), size


def value_range_of(value: Any) -> list[float]:
    """[low, high] of the colours that images have."""
    if not isinstance(value, tuple | list) or len(value) != 2 or not all(is_number(v) for v in value):
        raise ArgumentError(
            f"The `value_range` argument should be a list of two numbers. Received: value_range={value!r}. "
            f"Give [0, 255], or [0, 1] after Rescaling(1 / 255)."
        )
    if value[0] == value[1]:
        raise ArgumentError(f"The numbers of `value_range` must differ. Received: value_range={value!r}.")
    return sorted(value)


def moved_range(images: Any, old: Any, new: Any) -> Any:
    """Colours of the range `old` as those of `new`."""
    if tuple(old) == tuple(new):
        return images
    return (images - old[0]) / (old[1] - old[0]) * (new[1] - new[0]) + new[0]


class ImageLayer(Layer):
    """Base of layers that take images, or a dict of "images", "labels" and "segmentation_masks".

    Images are (batch, height, width, channels), or one without the batch; with "channels_first" (batch, channels,
    height, width). Transformed ones have the layer's compute dtype, and are computed in float32 (float64 where that is
    the compute dtype).
    """

    _config_if_set: tuple[str, ...] = ("bounding_box_format",)

    def __init__(self, data_format: str | None = None, bounding_box_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = backend.standardize_data_format(data_format)
        self.bounding_box_format = bounding_box_format

    #: whether boxes and masks of the transformed images are others; where not, boxes stay as they are.
    _moves_pixels = False

    @property
    def _spatial(self) -> tuple[int, int]:
        """The axes of height and width in a batch."""
        return (1, 2) if self.data_format == "channels_last" else (2, 3)

    @property
    def _channel_axis(self) -> int:
        return 3 if self.data_format == "channels_last" else 1

    def _checked_shape(self, images: Any) -> Shape:
        shape = tuple(backend.shape(images))
        if len(shape) not in (3, 4):
            raise ShapeError(
                f"Expected the input image to be rank 3 or 4: one image (height, width, channels), or a batch of them. "
                f"Received: inputs.shape={shape}."
            )
        return shape

    def _batch_shape(self, data: Any) -> tuple[int, ...]:
        """The shape of the images, of one alone with a batch of 1."""
        shape = self._checked_shape(data["images"] if isinstance(data, dict) else data)
        lengths = tuple(int(d or 0) for d in shape)
        return (1, *lengths) if len(lengths) == 3 else lengths

    # What a layer does ----------------------------------------------------------------------------------------------

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """What is to be done to the images of `data`, drawn anew; None where there is nothing to draw."""
        return None

    def _transformed(self, images: Any, transformation: Any) -> Any:
        """A batch of floats, transformed."""
        raise NotImplementedError

    def transform_images(self, images: Any, transformation: Any = None, training: bool = True) -> Any:
        """A batch of images, transformed as `transformation` says where `training` is true."""
        dtype = self.compute_dtype
        if not training:
            return backend.cast(images, dtype)
        y = self._transformed(backend.cast(images, "float64" if dtype == "float64" else "float32"), transformation)
        return ops.saturate_cast(ops.round(y), dtype) if backend.is_int_dtype(dtype) else backend.cast(y, dtype)

    def transform_labels(self, labels: Any, transformation: Any, training: bool = True) -> Any:
        """The labels of the transformed images: the same."""
        return labels

    def transform_segmentation_masks(self, segmentation_masks: Any, transformation: Any, training: bool = True) -> Any:
        """The masks of the transformed images: the same, where pixels stay at their places."""
        return segmentation_masks

    # Calling --------------------------------------------------------------------------------------------------------

    def call(self, data: Any, training: bool | None = True) -> Any:
        if not isinstance(data, dict):
            return self._each("images", data, self._drawn(data, training), training)
        if "bounding_boxes" in data and self._moves_pixels:
            raise ArgumentError(
                f"{type(self).__name__} moves images, labels and segmentation masks, no bounding boxes. "
                f"Received a dict with 'bounding_boxes': keep them out of the layer, and transform them yourself."
            )
        transformation = self._drawn(data, training)
        return {name: self._each(name, value, transformation, training) for name, value in data.items()}

    def _drawn(self, data: Any, training: Any) -> Any:
        images = data["images"] if isinstance(data, dict) else data
        self._checked_shape(images)
        return None if backend.is_keras_tensor(images) else self.get_random_transformation(data, training=training)

    def _each(self, name: str, value: Any, transformation: Any, training: Any) -> Any:
        """One entry of the data; a single image, mask or label as a batch of one."""
        changes: dict[str, Callable[..., Any]] = {
            "images": self.transform_images,
            "labels": self.transform_labels,
            "segmentation_masks": self.transform_segmentation_masks,
        }
        change = changes.get(name)
        if change is None:
            return value
        if backend.is_keras_tensor(value):
            if name == "labels":
                return value
            dtype = self._dtype_of_images(value) if name == "images" else backend.dtype_of(value)
            return backend.KerasTensor(self.compute_output_shape(tuple(value.shape)), dtype)
        shape = tuple(backend.shape(value))
        if name == "labels" or len(shape) != 3:
            return change(value, transformation, training=bool(training))
        y = change(ops.reshape(value, (1, *shape)), transformation, training=bool(training))
        return ops.reshape(y, tuple(backend.shape(y))[1:])

    def _dtype_of_images(self, images: Any) -> str:
        """The dtype that images come out in."""
        return self.compute_dtype

    def compute_output_shape(self, input_shape: Any) -> Any:
        if isinstance(input_shape, dict):
            return {k: self.compute_output_shape(v) if k != "labels" else tuple(v) for k, v in input_shape.items()}
        return tuple(input_shape)


class RandomImageLayer(ImageLayer):
    """Base of layers that draw for each image of a batch, in training only."""

    def _begin(self, seed: Any) -> None:
        self.seed = seed
        self.generator = random.SeedGenerator(seed)

    def _uniform(self, shape: Any, bounds: Any, seed: Any) -> Any:
        low, high = bounds
        return random.uniform(shape, low, high, dtype="float32", seed=self.generator if seed is None else seed)

    def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
        """What is to be done to the images of `data`, drawn anew; None where `training` is false."""
        return self._draw(self._batch_shape(data), seed) if training else None

    def _draw(self, shape: tuple[int, ...], seed: Any) -> Any:
        """A transformation for images of this shape, batch first."""
        raise NotImplementedError
