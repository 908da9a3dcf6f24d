"""Pooling over all of a signal, an image or a volume: one number a feature map."""

from __future__ import annotations

from typing import Any

from striate import backend, ops
from striate.core.registry import export
from striate.layers.input_spec import InputSpec
from striate.layers.ranked import Ranked


class GlobalPoolBase(Ranked):
    """What pooling over everything shares.

    Args:
        data_format: "channels_last" or "channels_first"; None takes the configured one.
        keepdims: whether the spatial axes stay, with length 1.
    """

    _stateless = True

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = backend.standardize_data_format(data_format)
        self.keepdims = keepdims
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def _axes(self) -> tuple[int, ...]:
        first = 1 if self.data_format == "channels_last" else 2
        return tuple(range(first, first + self.rank))

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        axes = self._axes()
        if self.keepdims:
            return tuple(1 if i in axes else d for i, d in enumerate(input_shape))
        return tuple(d for i, d in enumerate(input_shape) if i not in axes)


class GlobalAveragePool(GlobalPoolBase):
    """What GlobalAveragePooling1D, GlobalAveragePooling2D and GlobalAveragePooling3D share."""

    def call(self, inputs: Any) -> Any:
        return ops.mean(inputs, axis=self._axes(), keepdims=self.keepdims)


class GlobalMaxPool(GlobalPoolBase):
    """What GlobalMaxPooling1D, GlobalMaxPooling2D and GlobalMaxPooling3D share."""

    def call(self, inputs: Any) -> Any:
        return ops.max(inputs, axis=self._axes(), keepdims=self.keepdims)


@export("layers.GlobalAveragePooling1D", "layers.GlobalAvgPool1D")
class GlobalAveragePooling1D(GlobalAveragePool):
    """The mean of each feature map of a signal. Source: `keras.layers.GlobalAveragePooling1D`.

    Args:
        data_format: "channels_last" or "channels_first"; None takes the configured one.
        keepdims: whether the steps stay, as an axis of length 1.

    Call arguments:
        mask: booleans (batch, steps); where False, a step does not count.

    Input shape: (batch, steps, channels).
    Output shape: (batch, channels), with `keepdims` (batch, 1, channels).

    Example:
        >>> GlobalAveragePooling1D()(np.ones((2, 4, 3), "float32")).shape
        (2, 3)
    """

    rank = 1

    def __init__(self, data_format: str | None = None, keepdims: bool = False, **kwargs: Any) -> None:
        super().__init__(data_format, keepdims, **kwargs)
        self.supports_masking = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        if mask is None:
            return super().call(inputs)
        counted = ops.expand_dims(backend.cast(mask, backend.dtype_of(inputs)), 3 - self._axes()[0])
        total = ops.sum(ops.where(counted != 0, inputs, 0), axis=self._axes(), keepdims=self.keepdims)
        return total / ops.sum(counted, axis=self._axes(), keepdims=self.keepdims)

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> None:
        """None: no steps are left."""


@export("layers.GlobalAveragePooling2D", "layers.GlobalAvgPool2D")
class GlobalAveragePooling2D(GlobalAveragePool):
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

    rank = 2


@export("layers.GlobalAveragePooling3D", "layers.GlobalAvgPool3D")
class GlobalAveragePooling3D(GlobalAveragePool):
    """The mean of each feature map of a volume. Source: `keras.layers.GlobalAveragePooling3D`.

    Args:
        data_format: "channels_last" or "channels_first"; None takes the configured one.
        keepdims: whether the spatial axes stay, with length 1.

    Input shape: (batch, depth, height, width, channels).
    Output shape: (batch, channels), with `keepdims` (batch, 1, 1, 1, channels).

    Example:
        >>> GlobalAveragePooling3D()(np.ones((2, 4, 4, 4, 3), "float32")).shape
        (2, 3)
    """

    rank = 3


@export("layers.GlobalMaxPooling1D", "layers.GlobalMaxPool1D")
class GlobalMaxPooling1D(GlobalMaxPool):
    """The largest value of each feature map of a signal. Source: `keras.layers.GlobalMaxPooling1D`.

    Args:
        data_format: "channels_last" or "channels_first"; None takes the configured one.
        keepdims: whether the steps stay, as an axis of length 1.

    Input shape: (batch, steps, channels).
    Output shape: (batch, channels), with `keepdims` (batch, 1, channels).

    Example:
        >>> GlobalMaxPooling1D()(np.ones((2, 4, 3), "float32")).shape
        (2, 3)
    """

    rank = 1


@export("layers.GlobalMaxPooling2D", "layers.GlobalMaxPool2D")
class GlobalMaxPooling2D(GlobalMaxPool):
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

    rank = 2


@export("layers.GlobalMaxPooling3D", "layers.GlobalMaxPool3D")
class GlobalMaxPooling3D(GlobalMaxPool):
    """The largest value of each feature map of a volume. Source: `keras.layers.GlobalMaxPooling3D`.

    Args:
        data_format: "channels_last" or "channels_first"; None takes the configured one.
        keepdims: whether the spatial axes stay, with length 1.

    Input shape: (batch, depth, height, width, channels).
    Output shape: (batch, channels), with `keepdims` (batch, 1, 1, 1, channels).

    Example:
        >>> GlobalMaxPooling3D()(np.ones((2, 4, 4, 4, 3), "float32")).shape
        (2, 3)
    """

    rank = 3
