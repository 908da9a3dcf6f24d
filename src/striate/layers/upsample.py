"""Larger signals, images and volumes: by repeating, or interpolated."""

from __future__ import annotations

from typing import Any

from striate import backend, ops
from striate.core import args
from striate.core.errors import DTypeError
from striate.core.registry import export
from striate.layers import layout
from striate.layers.base import Layer
from striate.layers.input_spec import InputSpec
from striate.ops import resizing

Shape = tuple[int | None, ...]


class UpSamplingBase(Layer):
    """What UpSampling1D, UpSampling2D and UpSampling3D share: whole factors along the spatial axes."""

    data_format = "channels_last"
    size: Any

    def _factors(self) -> tuple[int, ...]:
        return (self.size,) if isinstance(self.size, int) else tuple(self.size)

    def call(self, inputs: Any) -> Any:
        first = 1 if self.data_format == "channels_last" else 2
        for axis, factor in enumerate(self._factors(), first):
            inputs = inputs if factor == 1 else ops.repeat(inputs, factor, axis=axis)
        return inputs

    def compute_output_shape(self, input_shape: Any) -> Shape:
        n, *lengths, channels = layout.shape_to_last(input_shape, self.data_format)
        larger = [None if d is None else d * f for d, f in zip(lengths, self._factors(), strict=True)]
        return layout.shape_from_last((n, *larger, channels), self.data_format)


@export("layers.UpSampling1D")
class UpSampling1D(UpSamplingBase):
    """Each step of a signal `size` times in a row. Source: `keras.layers.UpSampling1D`.

    Args:
        size: how often.

    Input shape: (batch, steps, channels).
    Output shape: (batch, steps * size, channels).

    Raises:
        TypeError: a size that is no integer.
        ValueError: a size below 1.

    Example:
        >>> UpSampling1D(2)(np.array([[[1.0], [2.0]]], "float32")).ravel().tolist()
        [1.0, 1.0, 2.0, 2.0]
    """

    def __init__(self, size: int = 2, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(size, int) or isinstance(size, bool):
            raise DTypeError(f"`size` must be an integer. Received: size={size!r}. Give e.g. size=2.")
        self.size = args.positive_int(size, "size")
        self.input_spec = InputSpec(ndim=3)


@export("layers.UpSampling2D")
class UpSampling2D(UpSamplingBase):
    """Images enlarged by whole factors: pixels repeated, or interpolated with half-pixel centres.

    Source: `keras.layers.UpSampling2D`.

    Args:
        size: int or (height, width): the factors.
        data_format: "channels_last" or "channels_first"; None takes the configured one.
        interpolation: "nearest", "bilinear", "bicubic", "lanczos3" or "lanczos5".

    Input shape: (batch, height, width, channels).
    Output shape: (batch, height * size[0], width * size[1], channels).

    Raises:
        ValueError: a size below 1; an interpolation of another name.

    Example:
        >>> UpSampling2D(2)(np.array([[[[1.0], [2.0]]]], "float32"))[0, :, :, 0].tolist()
        [[1.0, 1.0, 2.0, 2.0], [1.0, 1.0, 2.0, 2.0]]
    """

    def __init__(
        self, size: Any = (2, 2), data_format: str | None = None, interpolation: str = "nearest", **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.size = args.int_tuple(size, 2, "size")
        self.data_format = backend.standardize_data_format(data_format)
        self.interpolation = args.one_of(interpolation, "interpolation", resizing.INTERPOLATIONS)
        self.input_spec = InputSpec(ndim=4)

    def call(self, inputs: Any) -> Any:
        if self.interpolation == "nearest":
            return super().call(inputs)
        shape = self.compute_output_shape(inputs.shape)
        if backend.is_keras_tensor(inputs):
            return backend.KerasTensor(shape, inputs.dtype)
        first = 1 if self.data_format == "channels_last" else 2
        for axis in (first, first + 1):
            inputs = resizing.resize_axis(inputs, axis, int(shape[axis] or 0), self.interpolation)
        return inputs


@export("layers.UpSampling3D")
class UpSampling3D(UpSamplingBase):
    """Volumes enlarged by whole factors, each voxel repeated. Source: `keras.layers.UpSampling3D`.

    Args:
        size: int or (depth, height, width): the factors.
        data_format: "channels_last" or "channels_first"; None takes the configured one.

    Input shape: (batch, depth, height, width, channels).
    Output shape: (batch, depth * size[0], height * size[1], width * size[2], channels).

    Raises:
        ValueError: a size below 1.

    Example:
        >>> UpSampling3D((1, 2, 3))(np.ones((1, 4, 4, 4, 2), "float32")).shape
        (1, 4, 8, 12, 2)
    """

    def __init__(self, size: Any = (2, 2, 2), data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = args.int_tuple(size, 3, "size")
        self.data_format = backend.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=5)
