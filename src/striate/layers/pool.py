"""Pooling of images: the largest or the mean of each window, or of the whole image."""

from __future__ import annotations

from typing import Any

from striate import backend, ops
from striate.core import args
from striate.core.registry import export
from striate.ir.opdef import infer_types
from striate.ir.ops.attrs import PoolAttrs
from striate.ir.types import TensorType
from striate.layers import layout
from striate.layers.base import Layer
from striate.layers.input_spec import InputSpec


class PoolBase(Layer):
    """What the pooling layers share; subclasses name the op."""

    op: str

    def __init__(self, *, pool_size: Any, strides: Any, padding: str, data_format: str | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.pool_size = args.int_tuple(pool_size, 2, "pool_size")
        self.strides = self.pool_size if strides is None else args.int_tuple(strides, 2, "strides")
        self.padding = args.padding(padding)
        self.data_format = backend.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=4)

    def _attrs(self) -> PoolAttrs:
        return PoolAttrs(
            pool=(self.pool_size[0], self.pool_size[1]),
            strides=(self.strides[0], self.strides[1]),
            padding="same" if self.padding == "same" else "valid",
        )

    def call(self, inputs: Any) -> Any:
        x = layout.to_last(backend.cast(inputs, self.compute_dtype), self.data_format)
        return layout.from_last(backend.apply(self.op, x, attrs=self._attrs()), self.data_format)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        x = TensorType(layout.shape_to_last(input_shape, self.data_format))
        return layout.shape_from_last(infer_types(self.op, (x,), self._attrs())[0].shape, self.data_format)


@export("layers.MaxPooling2D", "layers.MaxPool2D")
class MaxPooling2D(PoolBase):
    """The largest value of each window, for each channel.

        y[n, i, j, c] = max_uv x[n, i*SH + u - PT, j*SW + v - PL, c]

    Source: `keras.layers.MaxPooling2D`: same arguments and defaults.

    Args:
        pool_size: int or (height, width) of the window, in pixels.
        strides: int or (vertical, horizontal) step, in pixels; None means `pool_size`.
        padding: "valid", or "same" (cells outside the image do not count).
        data_format: "channels_last" or "channels_first"; None takes the configured one.

    Input shape: (batch, height, width, channels).
    Output shape: (batch, new_height, new_width, channels).

    Raises:
        ValueError: an argument outside its range; an image smaller than the window with "valid".

    Example:
        >>> MaxPooling2D()(np.arange(16, dtype="float32").reshape(1, 4, 4, 1)).ravel().tolist()
        [5.0, 7.0, 13.0, 15.0]
    """

    op = "max_pool2d"

    def __init__(
        self,
        pool_size: Any = (2, 2),
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            pool_size=pool_size, strides=strides, padding=padding, data_format=data_format, name=name, **kwargs
        )


@export("layers.AveragePooling2D", "layers.AvgPool2D")
class AveragePooling2D(PoolBase):
    """The mean of each window, for each channel; with "same", of the cells inside the image only.

    Source: `keras.layers.AveragePooling2D`: same arguments and defaults; see `MaxPooling2D`.

    Input shape: (batch, height, width, channels).
    Output shape: (batch, new_height, new_width, channels).

    Raises:
        ValueError: an argument outside its range; an image smaller than the window with "valid".

    Example:
        >>> AveragePooling2D(2)(np.arange(16, dtype="float32").reshape(1, 4, 4, 1)).ravel().tolist()
        [2.5, 4.5, 10.5, 12.5]
    """

    op = "avg_pool2d"

    def __init__(
        self,
        pool_size: Any,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            pool_size=pool_size, strides=strides, padding=padding, data_format=data_format, name=name, **kwargs
        )


class GlobalPoolBase(Layer):
    """What pooling over the whole image shares.

    Args:
        data_format: "channels_last" or "channels_first"; None takes the configured one.
        keepdims: whether height and width stay, as axes of length 1.
    """

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = backend.standardize_data_format(data_format)
        self.keepdims = keepdims
        self.input_spec = InputSpec(ndim=4)

    def _axes(self) -> tuple[int, int]:
        return (1, 2) if self.data_format == "channels_last" else (2, 3)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        axes = self._axes()
        if self.keepdims:
            return tuple(1 if i in axes else d for i, d in enumerate(input_shape))
        return tuple(d for i, d in enumerate(input_shape) if i not in axes)


@export("layers.GlobalAveragePooling2D", "layers.GlobalAvgPool2D")
class GlobalAveragePooling2D(GlobalPoolBase):
    """The mean of each feature map. Source: `keras.layers.GlobalAveragePooling2D`.

    Args:
        data_format: "channels_last" or "channels_first"; None takes the configured one.
        keepdims: whether height and width stay, as axes of length 1.

    Input shape: (batch, height, width, channels).
    Output shape: (batch, channels), with `keepdims` (batch, 1, 1, channels).

    Example:
        >>> GlobalAveragePooling2D()(np.ones((2, 4, 4, 3), "float32")).shape
        (2, 3)
    """

    def call(self, inputs: Any) -> Any:
        return ops.mean(inputs, axis=self._axes(), keepdims=self.keepdims)


@export("layers.GlobalMaxPooling2D", "layers.GlobalMaxPool2D")
class GlobalMaxPooling2D(GlobalPoolBase):
    """The largest value of each feature map. Source: `keras.layers.GlobalMaxPooling2D`.

    Args:
        data_format: "channels_last" or "channels_first"; None takes the configured one.
        keepdims: whether height and width stay, as axes of length 1.

    Input shape: (batch, height, width, channels).
    Output shape: (batch, channels), with `keepdims` (batch, 1, 1, channels).

    Example:
        >>> GlobalMaxPooling2D()(np.ones((2, 4, 4, 3), "float32")).shape
        (2, 3)
    """

    def call(self, inputs: Any) -> Any:
        return ops.max(inputs, axis=self._axes(), keepdims=self.keepdims)
