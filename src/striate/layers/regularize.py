"""Layers that work against overfitting, in training only."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from striate import backend, ops, random, regularizers
from striate.core import args
from striate.core.errors import ArgumentError
from striate.core.registry import export
from striate.layers.base import Layer
from striate.layers.input_spec import InputSpec
from striate.ops.activation import SELU_ALPHA, SELU_SCALE


def _noise_shape(value: Any) -> tuple[int | None, ...] | None:
    if value is None:
        return None
    items = tuple(value) if isinstance(value, Iterable) and not isinstance(value, str) else None
    if items is None:
        expected = "a tuple or list of integers"
    elif any(d is not None and (isinstance(d, bool) or not isinstance(d, int)) for d in items):
        expected = "all elements to be integers or None"
    elif any(d is not None and d < 1 for d in items):
        expected = "all dimensions to be positive integers or None"
    else:
        return items
    raise ArgumentError(
        f"Invalid value received for argument `noise_shape`. Expected {expected}. Received: noise_shape={value!r}. "
        f"Give e.g. noise_shape=(None, 1, 1, None) to drop whole feature maps."
    )


@export("layers.Dropout")
class Dropout(Layer):
    """Sets a random part of the inputs to 0 in training and divides the rest by 1 - rate; does nothing otherwise.

    Source: `keras.layers.Dropout`; Srivastava and others 2014.

    Args:
        rate: probability of a 0, in [0, 1].
        noise_shape: shape of the mask, broadcast over the inputs; None entries are those of the inputs.
        seed: integer; None draws one from the global seed.

    Input shape: any; Output shape: the same.

    Raises:
        ValueError: a rate outside [0, 1]; a noise_shape that is no shape.

    Example:
        >>> sorted(set(Dropout(0.5, seed=1)(np.ones((1, 100), "float32"), training=True).ravel().tolist()))
        [0.0, 2.0]
    """

    _stateless = True

    def __init__(self, rate: float, noise_shape: Any = None, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = args.fraction(rate, "rate")
        self.noise_shape = _noise_shape(noise_shape)
        self.seed = seed
        if self.rate > 0:
            self.seed_generator = random.SeedGenerator(seed)
        self.supports_masking = True

    def call(self, inputs: Any, training: bool | None = False) -> Any:
        if not training or self.rate == 0:
            return inputs
        return random.dropout(inputs, self.rate, noise_shape=self.noise_shape, seed=self.seed_generator)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return tuple(input_shape)


class SpatialDropoutBase(Layer):
    """What SpatialDropout1D, 2D and 3D share: whole feature maps are dropped. The config holds what Keras's does."""

    _stateless = True

    _not_in_config = ("dtype",)
    _map_rank: int
    data_format = "channels_last"

    def __init__(self, rate: float, seed: int | None = None, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.rate = args.fraction(rate, "rate")
        self.seed = seed
        if self.rate > 0:
            self.seed_generator = random.SeedGenerator(seed)
        self.supports_masking = True
        self.input_spec = InputSpec(ndim=self._map_rank + 2)

    def call(self, inputs: Any, training: bool | None = False) -> Any:
        if not training or self.rate == 0:
            return inputs
        ones = (1,) * self._map_rank
        shape = (None, *ones, None) if self.data_format == "channels_last" else (None, None, *ones)
        return random.dropout(inputs, self.rate, noise_shape=shape, seed=self.seed_generator)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        return {**{k: v for k, v in config.items() if k != "trainable"}, "dtype": self.dtype}


@export("layers.SpatialDropout1D")
class SpatialDropout1D(SpatialDropoutBase):
    """In training, sets whole feature maps of signals to 0 and divides the rest by 1 - rate.

    Source: `keras.layers.SpatialDropout1D`; Tompson and others 2014.

    Args:
        rate: probability of a map of zeros, in [0, 1].
        seed: integer; None draws one from the global seed.

    Input shape: (batch, steps, channels); Output shape: the same.

    Raises:
        ValueError: a rate outside [0, 1].

    Example:
        >>> y = SpatialDropout1D(0.5, seed=1)(np.ones((1, 5, 100), "float32"), training=True)
        >>> sorted(set(y.sum(axis=1).ravel().tolist()))
        [0.0, 10.0]
    """

    _map_rank = 1


class SpatialDropoutOfImages(SpatialDropoutBase):
    """What SpatialDropout2D and SpatialDropout3D share: their channels may come first."""

    def __init__(
        self,
        rate: float,
        data_format: str | None = None,
        seed: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(rate, seed=seed, name=name, dtype=dtype)
        self.data_format = backend.standardize_data_format(data_format)


@export("layers.SpatialDropout2D")
class SpatialDropout2D(SpatialDropoutOfImages):
    """In training, sets whole feature maps of images to 0 and divides the rest by 1 - rate.

    Source: `keras.layers.SpatialDropout2D`; Tompson and others 2014.

    Args:
        rate: probability of a map of zeros, in [0, 1].
        data_format: "channels_last" or "channels_first"; None takes the configured one.
        seed: integer; None draws one from the global seed.

    Input shape: (batch, height, width, channels); Output shape: the same.

    Raises:
        ValueError: a rate outside [0, 1].

    Example:
        >>> y = SpatialDropout2D(0.5, seed=1)(np.ones((1, 2, 2, 100), "float32"), training=True)
        >>> sorted(set(y.sum(axis=(1, 2)).ravel().tolist()))
        [0.0, 8.0]
    """

    _map_rank = 2


@export("layers.SpatialDropout3D")
class SpatialDropout3D(SpatialDropoutOfImages):
    """In training, sets whole feature maps of volumes to 0 and divides the rest by 1 - rate.

    Source: `keras.layers.SpatialDropout3D`; arguments as for `SpatialDropout2D`.

    Input shape: (batch, depth, height, width, channels); Output shape: the same.

    Example:
        >>> y = SpatialDropout3D(0.5, seed=1)(np.ones((1, 2, 2, 2, 100), "float32"), training=True)
        >>> sorted(set(y.sum(axis=(1, 2, 3)).ravel().tolist()))
        [0.0, 16.0]
    """

    _map_rank = 3


class NoiseBase(Layer):
    """What layers share that draw for each element, in training only."""

    _stateless = True

    seed_generator: Any = None

    def _draw_with(self, seed: int | None, active: bool) -> None:
        self.seed = seed
        if active:
            self.seed_generator = random.SeedGenerator(seed)
        self.supports_masking = True

    @staticmethod
    def _lengths(inputs: Any) -> tuple[int, ...]:
        return tuple(int(n or 0) for n in backend.shape(inputs))  # in training all are known

    def change(self, inputs: Any) -> Any:
        """The inputs as training sees them."""
        raise NotImplementedError

    def call(self, inputs: Any, training: bool | None = False) -> Any:
        if not training or self.seed_generator is None or backend.is_keras_tensor(inputs):
            return inputs
        return self.change(inputs)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return tuple(input_shape)


@export("layers.GaussianNoise")
class GaussianNoise(NoiseBase):
    """Adds normal noise of mean 0 in training; does nothing otherwise. Source: `keras.layers.GaussianNoise`.

    Args:
        stddev: standard deviation of the noise, in [0, 1].
        seed: integer; None draws one from the global seed.

    Input shape: any; Output shape: the same.

    Raises:
        ValueError: a stddev outside [0, 1].

    Example:
        >>> y = GaussianNoise(0.1, seed=1)(np.zeros((1000,), "float32"), training=True)
        >>> bool(0.09 < y.std() < 0.11)
        True
    """

    def __init__(self, stddev: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stddev = args.fraction(stddev, "stddev")
        self._draw_with(seed, stddev > 0)

    def change(self, inputs: Any) -> Any:
        return inputs + random.normal(
            self._lengths(inputs), stddev=self.stddev, dtype=self.compute_dtype, seed=self.seed_generator
        )


@export("layers.GaussianDropout")
class GaussianDropout(NoiseBase):
    """Multiplies by normal noise of mean 1 and variance rate / (1 - rate) in training; does nothing otherwise.

    Source: `keras.layers.GaussianDropout`; Srivastava and others 2014.

    Args:
        rate: the rate of the Dropout layer with noise of the same variance, in [0, 1).
        seed: integer; None draws one from the global seed.

    Input shape: any; Output shape: the same.

    Raises:
        ValueError: a rate outside [0, 1).

    Example:
        >>> y = GaussianDropout(0.5, seed=1)(np.ones((1000,), "float32"), training=True)
        >>> bool(0.9 < y.std() < 1.1)
        True
    """

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = args.fraction(rate, "rate")
        self._draw_with(seed, rate > 0)

    def change(self, inputs: Any) -> Any:
        if self.rate == 1:
            raise ArgumentError(
                "GaussianDropout's noise has the variance rate / (1 - rate). Received: rate=1. Give a rate below 1."
            )
        spread = (self.rate / (1 - self.rate)) ** 0.5
        return inputs * random.normal(
            self._lengths(inputs), mean=1.0, stddev=spread, dtype=self.compute_dtype, seed=self.seed_generator
        )


@export("layers.AlphaDropout")
class AlphaDropout(NoiseBase):
    """Sets a random part of the inputs to SELU's lower limit in training, and scales so that mean and variance stay.

        y = a * (x where kept, -scale * alpha where dropped) + b;  a, b from rate, scale and alpha

    Source: `keras.layers.AlphaDropout`; Klambauer and others 2017.

    Args:
        rate: probability of a dropped element, in [0, 1].
        noise_shape: shape of the mask, broadcast over the inputs; None entries are those of the inputs.
        seed: integer; None draws one from the global seed.

    Input shape: any; Output shape: the same.

    Raises:
        ValueError: a rate outside [0, 1]; a noise_shape that is no shape.

    Example:
        >>> x = np.random.default_rng(0).normal(size=(10000,)).astype("float32")
        >>> y = AlphaDropout(0.2, seed=1)(x, training=True)
        >>> bool(abs(y.mean()) < 0.05 and 0.95 < y.std() < 1.05)
        True
    """

    def __init__(self, rate: float, noise_shape: Any = None, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = args.fraction(rate, "rate")
        self.noise_shape = _noise_shape(noise_shape)
        self._draw_with(seed, rate > 0)

    def change(self, inputs: Any) -> Any:
        lowest = -SELU_ALPHA * SELU_SCALE
        lengths = self._lengths(inputs)
        wanted = self.noise_shape or lengths
        shape = tuple(n if s is None else s for s, n in zip(wanted, lengths, strict=True))
        kept = ops.greater_equal(random.uniform(shape, seed=self.seed_generator), self.rate)
        variance = (1 - self.rate) * (1 + self.rate * lowest**2)
        a = variance**-0.5 if variance else 0.0
        return ops.where(kept, inputs, backend.cast(lowest, backend.dtype_of(inputs))) * a - a * lowest * self.rate


@export("layers.ActivityRegularization")
class ActivityRegularization(Layer):
    """Gives its input unchanged, and adds a penalty on it to the loss: l1 * sum |x| + l2 * sum x**2, a sample.

    Source: `keras.layers.ActivityRegularization`.

    Args:
        l1, l2: factors of the two penalties.

    Input shape: any; Output shape: the same.

    Example:
        >>> layer = ActivityRegularization(l1=0.5)
        >>> _ = layer(np.array([[1.0, -3.0]], "float32"))
        >>> float(layer.losses[0])
        2.0
    """

    _stateless = True

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **kwargs: Any) -> None:
        super().__init__(activity_regularizer=regularizers.L1L2(l1=l1, l2=l2), **kwargs)
        self.l1 = l1
        self.l2 = l2
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        return inputs

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        return {k: v for k, v in super().get_config().items() if k != "activity_regularizer"}
