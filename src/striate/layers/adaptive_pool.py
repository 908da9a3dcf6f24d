"""Adaptive pooling: windows that share out an input of any size among a fixed number of results."""

from __future__ import annotations

from typing import Any

from striate import backend, ops
from striate.core import args
from striate.core.errors import DTypeError
from striate.core.registry import export
from striate.layers.input_spec import InputSpec
from striate.layers.ranked import Ranked


class AdaptivePoolBase(Ranked):
    """What the adaptive pooling layers share."""

    def __init__(self, output_size: Any, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        several = isinstance(output_size, list | tuple)
        # The kinds are Keras's: a tuple of another length is a TypeError in 2D and 3D, a ValueError in 1D.
        if not (several or isinstance(output_size, int)) or (
            several and self.rank > 1 and len(output_size) != self.rank
        ):
            raise DTypeError(
                f"`output_size` must be an integer or a tuple of {self.rank}. Received: output_size={output_size!r}. "
                f"Give e.g. output_size=7."
            )
        self.output_size = args.int_tuple(output_size, self.rank, "output_size")
        self.data_format = backend.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        if self.data_format == "channels_last":
            return (input_shape[0], *self.output_size, input_shape[-1])
        return (input_shape[0], input_shape[1], *self.output_size)


class AdaptiveAveragePool(AdaptivePoolBase):
    """What the three layers of means share."""

    def call(self, inputs: Any) -> Any:
        return ops.adaptive_average_pool(inputs, self.output_size, self.data_format)


class AdaptiveMaxPool(AdaptivePoolBase):
    """What the three layers of maxima share."""

    def call(self, inputs: Any) -> Any:
        return ops.adaptive_max_pool(inputs, self.output_size, self.data_format)


@export("layers.AdaptiveAveragePooling1D")
class AdaptiveAveragePooling1D(AdaptiveAveragePool):
    """Pools a signal of any size to a fixed one by the mean of each window.

        window i of an axis: from floor(i * size / output_size) up to ceil((i + 1) * size / output_size), left out

    Source: `keras.layers.AdaptiveAveragePooling1D`: same arguments and defaults.

    Args:
        output_size: int or (steps,).
        data_format: "channels_last" or "channels_first"; None takes the configured one.

    Input shape: (batch, steps, channels).
    Output shape: (batch, output_steps, channels).

    Raises:
        TypeError, ValueError: a size of another form, or below 1.

    Example:
        >>> AdaptiveAveragePooling1D(3)(np.ones((2, 7, 4), "float32")).shape
        (2, 3, 4)
    """

    rank = 1


@export("layers.AdaptiveAveragePooling2D")
class AdaptiveAveragePooling2D(AdaptiveAveragePool):
    """Pools a image of any size to a fixed one by the mean of each window.

        window i of an axis: from floor(i * size / output_size) up to ceil((i + 1) * size / output_size), left out

    Source: `keras.layers.AdaptiveAveragePooling2D`: same arguments and defaults.

    Args:
        output_size: int or (height, width), in pixels.
        data_format: "channels_last" or "channels_first"; None takes the configured one.

    Input shape: (batch, height, width, channels).
    Output shape: (batch, output_height, output_width, channels).

    Raises:
        TypeError, ValueError: a size of another form, or below 1.

    Example:
        >>> AdaptiveAveragePooling2D(3)(np.ones((2, 7, 9, 4), "float32")).shape
        (2, 3, 3, 4)
    """

    rank = 2


@export("layers.AdaptiveAveragePooling3D")
class AdaptiveAveragePooling3D(AdaptiveAveragePool):
    """Pools a volume of any size to a fixed one by the mean of each window.

        window i of an axis: from floor(i * size / output_size) up to ceil((i + 1) * size / output_size), left out

    Source: `keras.layers.AdaptiveAveragePooling3D`: same arguments and defaults.

    Args:
        output_size: int or (depth, height, width), in pixels.
        data_format: "channels_last" or "channels_first"; None takes the configured one.

    Input shape: (batch, depth, height, width, channels).
    Output shape: (batch, output_depth, output_height, output_width, channels).

    Raises:
        TypeError, ValueError: a size of another form, or below 1.

    Example:
        >>> AdaptiveAveragePooling3D(3)(np.ones((2, 7, 9, 5, 4), "float32")).shape
        (2, 3, 3, 3, 4)
    """

    rank = 3


@export("layers.AdaptiveMaxPooling1D")
class AdaptiveMaxPooling1D(AdaptiveMaxPool):
    """Pools a signal of any size to a fixed one by the largest value of each window.

        window i of an axis: from floor(i * size / output_size) up to ceil((i + 1) * size / output_size), left out

    Source: `keras.layers.AdaptiveMaxPooling1D`: same arguments and defaults.

    Args:
        output_size: int or (steps,).
        data_format: "channels_last" or "channels_first"; None takes the configured one.

    Input shape: (batch, steps, channels).
    Output shape: (batch, output_steps, channels).

    Raises:
        TypeError, ValueError: a size of another form, or below 1.

    Example:
        >>> AdaptiveMaxPooling1D(3)(np.ones((2, 7, 4), "float32")).shape
        (2, 3, 4)
    """

    rank = 1


@export("layers.AdaptiveMaxPooling2D")
class AdaptiveMaxPooling2D(AdaptiveMaxPool):
    """Pools a image of any size to a fixed one by the largest value of each window.

        window i of an axis: from floor(i * size / output_size) up to ceil((i + 1) * size / output_size), left out

    Source: `keras.layers.AdaptiveMaxPooling2D`: same arguments and defaults.

    Args:
        output_size: int or (height, width), in pixels.
        data_format: "channels_last" or "channels_first"; None takes the configured one.

    Input shape: (batch, height, width, channels).
    Output shape: (batch, output_height, output_width, channels).

    Raises:
        TypeError, ValueError: a size of another form, or below 1.

    Example:
        >>> AdaptiveMaxPooling2D(3)(np.ones((2, 7, 9, 4), "float32")).shape
        (2, 3, 3, 4)
    """

    rank = 2


@export("layers.AdaptiveMaxPooling3D")
class AdaptiveMaxPooling3D(AdaptiveMaxPool):
    """Pools a volume of any size to a fixed one by the largest value of each window.

        window i of an axis: from floor(i * size / output_size) up to ceil((i + 1) * size / output_size), left out

    Source: `keras.layers.AdaptiveMaxPooling3D`: same arguments and defaults.

    Args:
        output_size: int or (depth, height, width), in pixels.
        data_format: "channels_last" or "channels_first"; None takes the configured one.

    Input shape: (batch, depth, height, width, channels).
    Output shape: (batch, output_depth, output_height, output_width, channels).

    Raises:
        TypeError, ValueError: a size of another form, or below 1.

    Example:
        >>> AdaptiveMaxPooling3D(3)(np.ones((2, 7, 9, 5, 4), "float32")).shape
        (2, 3, 3, 3, 4)
    """

    rank = 3
