"""Layers that bring raw data into the range a network likes, kept inside the model so that a file holds them too."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from striate import backend, ops
from striate.core.errors import ArgumentError, ShapeError, StateError
from striate.core.registry import export
from striate.data import PyDataset
from striate.layers.base import Layer
from striate.layers.compute import in_dtype

Shape = tuple[int | None, ...]


@export("layers.Rescaling")
class Rescaling(Layer):
    """inputs * scale + offset: pixels 0..255 to 0..1 with scale=1/255.

    Source: `keras.layers.Rescaling`.

    Args:
        scale: number, or a list, one for each channel.
        offset: number, or a list, one for each channel.

    Input shape: any; Output shape: the same.

    Example:
        >>> Rescaling(1 / 255)(np.array([0, 255], "uint8")).tolist()
        [0.0, 1.0]
    """

    def __init__(self, scale: Any, offset: Any = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scale = scale
        self.offset = offset
        self.supports_masking = True

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Rescaling:
        return super().from_config({k: _value(v) if k in ("scale", "offset") else v for k, v in config.items()})

    def call(self, inputs: Any) -> Any:
        dtype = self.compute_dtype
        scale = np.asarray(self.scale, "float64").astype(np.float32)
        if scale.ndim and backend.image_data_format() == "channels_first":
            scale = scale.reshape(scale.shape + (1,) * (3 - scale.ndim))
        offset = np.asarray(self.offset, "float64").astype(np.float32)
        y = backend.cast(inputs, dtype) * backend.cast(scale, dtype)
        return y + backend.cast(offset, dtype) if offset.any() else y

    def compute_output_shape(self, input_shape: Any) -> Shape:
        return tuple(input_shape)


def _value(config: Any) -> Any:
    return backend.deserialize_keras_object(config)


@export("layers.Normalization")
class Normalization(Layer):
    """(inputs - mean) / max(sqrt(variance), epsilon), with mean and variance given or taken from data by `adapt`.

    Source: `keras.layers.Normalization`; epsilon is `keras.config.epsilon()`, 1e-7.

    Args:
        axis: axis or axes that keep their own mean and variance; None takes one of each for everything.
        mean, variance: numbers or arrays that fit the kept axes; both or neither.
        invert: the reverse: inputs * sqrt(variance) + mean.

    Input shape: any; Output shape: the same.
    Weights, where mean is not given: mean and variance of the shape of the kept axes, count ().

    Raises:
        ValueError: one of mean and variance without the other; an axis that the input does not have or that is open.

    Example:
        >>> layer = Normalization()
        >>> layer.adapt(np.array([[1.0], [3.0]], "float32"))
        >>> layer(np.array([[5.0]], "float32")).tolist()
        [[3.0]]
    """

    def __init__(
        self, axis: Any = -1, mean: Any = None, variance: Any = None, invert: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.axis = () if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
        if (mean is None) != (variance is None):
            raise ArgumentError(
                f"When setting values directly, both `mean` and `variance` must be set. Received: mean={mean}, "
                f"variance={variance}. "
                f"Leave both out and call adapt(data) to take them from data."
            )
        if mean is not None and np.shape(mean) != np.shape(variance):
            raise ArgumentError(
                f"`mean` and `variance` must have the same shape. Received: mean of shape {np.shape(mean)}, "
                f"variance of shape {np.shape(variance)}."
            )
        if np.ndim(mean) > len(self.axis):
            raise ArgumentError(
                f"The rank of `mean` must be at most the number of kept axes, {len(self.axis)}. Received: "
                f"mean of shape {np.shape(mean)} for axis={self.axis}."
            )
        self.input_mean = mean
        self.input_variance = variance
        self.invert = invert
        self.adapt_mean: Any = None
        self.adapt_variance: Any = None
        self.count: Any = None
        self.supports_masking = True

    def _kept(self, shape: Any) -> list[int]:
        """The kept axes, from 0, checked against a shape."""
        rank = len(shape)
        if any(not -rank <= a < rank for a in self.axis):
            raise ShapeError(
                f"All `axis` values must be in the range [-{rank}, {rank}), so that each is one of the input's. "
                f"Received: axis={self.axis}, input_shape={tuple(shape)}."
            )
        kept = sorted(a % rank for a in self.axis)
        if any(shape[a] is None for a in kept):
            raise ShapeError(
                f"All `axis` values to be kept must have a known length. Received: axis={self.axis}, "
                f"input_shape={tuple(shape)}. "
                f"Give the Input's axis a size, or leave it out of `axis`."
            )
        return kept

    def build(self, input_shape: Any) -> None:
        kept = self._kept(input_shape)
        if self.input_mean is None:
            shape = tuple(input_shape[a] for a in kept)
            self.adapt_mean = self.add_weight(name="mean", shape=shape, initializer="zeros", trainable=False)
            self.adapt_variance = self.add_weight(name="variance", shape=shape, initializer="ones", trainable=False)
            self.count = self.add_weight(name="count", shape=(), initializer="zeros", dtype="int32", trainable=False)
        self._build_input_shape = tuple(input_shape)

    def _statistic(self, given: Any, weight: Any) -> Any:
        """Mean or variance, in a shape that broadcasts to the inputs."""
        shape = self._build_input_shape
        kept = self._kept(shape)
        if weight is None:
            lengths = [int(shape[a] or 1) for a in kept]
            backend.book_allocation(8 * math.prod(lengths), f"{self.name!r}, spread over {lengths} elements,")
            weight = np.broadcast_to(np.asarray(given, "float32"), lengths)
        full = tuple(int(d or 1) if i in kept else 1 for i, d in enumerate(shape))
        return ops.reshape(in_dtype(weight, self.compute_dtype), full)

    @property
    def mean(self) -> Any:
        """The mean, in a shape that broadcasts to the inputs; None before the layer is built."""
        return self._statistic(self.input_mean, self.adapt_mean) if self.built else None

    @property
    def variance(self) -> Any:
        """The variance, likewise."""
        return self._statistic(self.input_variance, self.adapt_variance) if self.built else None

    def adapt(self, data: Any) -> None:
        """Take mean and variance from data, which replaces those taken before.

        Args:
            data: an array, a PyDataset, or an iterable of batches (arrays, or tuples whose first item is one).

        Raises:
            ValueError: no data, or batches that do not fit the layer's input shape; a layer with given mean.
        """
        if self.input_mean is not None:
            raise StateError(
                f"`mean` was given, so there is nothing to adapt. Received: mean={self.input_mean}. "
                f"Make the layer without mean and variance."
            )
        batches = [data] if isinstance(data, np.ndarray) else data
        if isinstance(data, PyDataset):  # which has no end by itself: it answers to every number
            batches = (data[i] for i in range(data.num_batches or 0))
        n, mean, variance = 0, np.zeros(()), np.zeros(())
        for batch in batches:
            x = np.asarray(batch[0] if isinstance(batch, tuple) else batch)
            if not self.built:
                self.build((None, *x.shape[1:]) if 0 not in self._kept(x.shape) else x.shape)
            axes = tuple(i for i in range(x.ndim) if i not in self._fitting(x.shape))
            m, total = int(np.prod([x.shape[a] for a in axes])), n
            n += m
            # Chan and others 1979: two sets' means and variances make the whole's, without a second pass.
            delta = x.mean(axis=axes, dtype="float64") - mean
            spread = variance * total + x.var(axis=axes, dtype="float64") * m + delta**2 * (total * m / n)
            mean, variance = mean + delta * (m / n), spread / n
        if not n:
            raise ArgumentError("adapt() received no data: an empty iterable. Give an array or at least one batch.")
        self.adapt_mean.assign(mean.astype("float32"))
        self.adapt_variance.assign(variance.astype("float32"))

    def _fitting(self, shape: tuple[int, ...]) -> list[int]:
        built = self._build_input_shape
        if len(built) != len(shape) or any(built[a] != shape[a] for a in self._kept(built)):
            raise ShapeError(
                f"adapt() received data of shape {shape}, an incompatible shape. Expected shape {built}, with "
                "which the "
                f"layer was built."
            )
        return self._kept(shape)

    def call(self, inputs: Any) -> Any:
        x = backend.cast(inputs, self.compute_dtype)
        mean = self.mean
        spread = ops.maximum(ops.sqrt(self.variance), backend.epsilon())
        return x * spread + mean if self.invert else (x - mean) / spread

    def compute_output_shape(self, input_shape: Any) -> Shape:
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        given = {"mean": self.input_mean, "variance": self.input_variance}
        return {**super().get_config(), **{k: v if v is None else np.asarray(v).tolist() for k, v in given.items()}}
