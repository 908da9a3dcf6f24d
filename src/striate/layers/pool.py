"""Pooling of signals, images and volumes: the largest value or the mean of each window."""

from __future__ import annotations

from typing import Any

from striate import backend
from striate.core import args
from striate.core.registry import export
from striate.layers import layout
from striate.layers.input_spec import InputSpec
from striate.layers.ranked import Ranked
from striate.ops import windows


class PoolBase(Ranked):
    """What the pooling layers share; subclasses name the op."""

    _stateless = True

    _one_an_axis = ("pool_size",)
    op: str

    def __init__(self, *, pool_size: Any, strides: Any, padding: str, data_format: str | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.pool_size = args.int_tuple(pool_size, self.rank, "pool_size")
        self.strides = self.pool_size if strides is None else args.int_tuple(strides, self.rank, "strides")
        self.padding = args.padding(padding)
        self.data_format = backend.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs: Any) -> Any:
        x = layout.to_last(backend.cast(inputs, self.compute_dtype), self.data_format)
        return layout.from_last(windows.pool(self.op, x, self.pool_size, self.strides, self.padding), self.data_format)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        x = layout.shape_to_last(input_shape, self.data_format)
        y = windows.pooled_shape(self.op, x, self.pool_size, self.strides, self.padding)
        return layout.shape_from_last(y, self.data_format)


class MaxPool(PoolBase):
    """What MaxPooling1D, MaxPooling2D and MaxPooling3D share."""

    op = "max_pool2d"

    def __init__(
        self,
        pool_size: Any = 2,
        strides: Any = None,
        padding: str = "valid",
        data_format: str | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            pool_size=pool_size, strides=strides, padding=padding, data_format=data_format, name=name, **kwargs
        )


class AveragePool(PoolBase):
    """What AveragePooling1D, AveragePooling2D and AveragePooling3D share."""

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


@export("layers.MaxPooling1D", "layers.MaxPool1D")
class MaxPooling1D(MaxPool):
    """The largest value of each window of a signal, for each channel.

        y[n, t, c] = max_u x[n, t*S + u - P, c]

    Source: `keras.layers.MaxPooling1D`: same arguments and defaults.

    Args:
        pool_size: length of the window, in steps.
        strides: from window to window, in steps; None means `pool_size`.
        padding: "valid", or "same" (steps outside the signal do not count).
        data_format: "channels_last" or "channels_first"; None takes the configured one.

    Input shape: (batch, steps, channels).
    Output shape: (batch, new_steps, channels).

    Raises:
        ValueError: an argument outside its range; a signal shorter than the window with "valid".

    Example:
        >>> MaxPooling1D()(np.arange(6, dtype="float32").reshape(1, 6, 1)).ravel().tolist()
        [1.0, 3.0, 5.0]
    """

    rank = 1


@export("layers.MaxPooling2D", "layers.MaxPool2D")
class MaxPooling2D(MaxPool):
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

    rank = 2


@export("layers.MaxPooling3D", "layers.MaxPool3D")
class MaxPooling3D(MaxPool):
    """The largest value of each window of a volume, for each channel: over height and width, then over the depth.

        y[n, h, i, j, c] = max_tuv x[n, h*SD + t - PD, i*SH + u - PT, j*SW + v - PL, c]

    Source: `keras.layers.MaxPooling3D`: same arguments and defaults.

    Args:
        pool_size: int or (depth, height, width) of the window, in pixels.
        strides: int or one for each axis, in pixels; None means `pool_size`.
        padding, data_format: as for `MaxPooling2D`.

    Input shape: (batch, depth, height, width, channels).
    Output shape: (batch, new_depth, new_height, new_width, channels).

    Raises:
        ValueError: an argument outside its range; a volume smaller than the window with "valid".

    Example:
        >>> MaxPooling3D()(np.arange(8, dtype="float32").reshape(1, 2, 2, 2, 1)).ravel().tolist()
        [7.0]
    """

    rank = 3


@export("layers.AveragePooling1D", "layers.AvgPool1D")
class AveragePooling1D(AveragePool):
    """The mean of each window of a signal, for each channel; with "same", of the steps inside the signal only.

    Source: `keras.layers.AveragePooling1D`: same arguments and defaults; see `MaxPooling1D`.

    Input shape: (batch, steps, channels).
    Output shape: (batch, new_steps, channels).

    Raises:
        ValueError: an argument outside its range; a signal shorter than the window with "valid".

    Example:
        >>> AveragePooling1D(2, padding="same")(np.arange(5, dtype="float32").reshape(1, 5, 1)).ravel().tolist()
        [0.5, 2.5, 4.0]
    """

    rank = 1


@export("layers.AveragePooling2D", "layers.AvgPool2D")
class AveragePooling2D(AveragePool):
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

    rank = 2


@export("layers.AveragePooling3D", "layers.AvgPool3D")
class AveragePooling3D(AveragePool):
    """The mean of each window of a volume, for each channel; with "same", of the cells inside the volume only.

    Source: `keras.layers.AveragePooling3D`: same arguments and defaults; see `MaxPooling3D`.

    Input shape: (batch, depth, height, width, channels).
    Output shape: (batch, new_depth, new_height, new_width, channels).

    Raises:
        ValueError: an argument outside its range; a volume smaller than the window with "valid".

    Example:
        >>> AveragePooling3D(2)(np.arange(8, dtype="float32").reshape(1, 2, 2, 2, 1)).ravel().tolist()
        [3.5]
    """

    rank = 3
