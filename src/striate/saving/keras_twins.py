"""What only Striate has, as classes of real Keras: for `to_keras`, and for those who load our files there.

Made when they are first asked for, since making them imports Keras. Each is the twin of the class of its name: the same
configuration, the same weights in the same order, the same formula, written with `keras.ops` so that it runs and trains
on every backend of Keras.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from striate.backend.closed_table import OURS_ALONE, PACKAGE
from striate.core.errors import MissingPackageError
from striate.initializers.published import DigitCodes


def import_keras(function: str) -> Any:
    """Real Keras.

    Raises:
        ImportError: it is not installed, or has no backend (MissingPackageError); `keras` is something else.
    """
    try:
        keras = importlib.import_module("keras")
    except ImportError as error:
        raise MissingPackageError(
            f"{function}() needs real Keras 3 in this environment, and import keras failed: {error}. "
            "Install it with a backend, for example: pip install keras jax."
        ) from error
    version = str(getattr(keras, "__version__", ""))
    if not version.startswith("3.") or not hasattr(keras, "saving"):
        raise MissingPackageError(
            f"{function}() needs real Keras 3. Received: keras {version or 'without a version'} from "
            f"{getattr(keras, '__file__', 'nowhere')}. Install it with: pip install 'keras>=3'."
        )
    return keras


def twins(keras: Any) -> dict[str, Any]:
    """Name -> class or function of Keras, for all of `OURS_ALONE`; registered there as "striate>" and the name."""
    known = {path.rpartition(".")[2]: path for path in OURS_ALONE}
    registered = {name: keras.saving.get_registered_object(f"{PACKAGE}>{name}") for name in known}
    if all(thing is not None for thing in registered.values()):
        return registered
    made = {t.__name__: t for make in (_functions, _initializers, _layers, _losses_and_metrics) for t in make(keras)}
    assert made.keys() == known.keys(), sorted(made.keys() ^ known.keys())
    for thing in made.values():
        keras.saving.register_keras_serializable(PACKAGE)(thing)
    return made


def _labels(keras: Any, y_true: Any, y_pred: Any) -> Any:
    y_true = keras.ops.cast(y_true, "int32")
    return keras.ops.squeeze(y_true, -1) if len(y_true.shape) == len(y_pred.shape) else y_true


def _functions(keras: Any) -> list[Any]:
    ops = keras.ops

    def scaled_tanh(x: Any) -> Any:
        return ops.tanh(x * (2 / 3)) * 1.7159

    def sparse_penalty(y_true: Any, y_pred: Any) -> Any:
        y_pred = ops.convert_to_tensor(y_pred)
        wanted = ops.one_hot(_labels(keras, y_true, y_pred), y_pred.shape[-1], dtype=y_pred.dtype)
        return ops.sum(wanted * y_pred, axis=-1)

    def sparse_penalty_crossentropy(y_true: Any, y_pred: Any, j: float = 1.0) -> Any:
        y_pred = ops.convert_to_tensor(y_pred)
        none_of_them = ops.full_like(y_pred[..., :1], -j)
        logits = ops.concatenate([-y_pred, none_of_them], axis=-1)
        return ops.sparse_categorical_crossentropy(_labels(keras, y_true, y_pred), logits, from_logits=True)

    def sparse_penalty_accuracy(y_true: Any, y_pred: Any) -> Any:
        return keras.metrics.sparse_categorical_accuracy(y_true, -ops.convert_to_tensor(y_pred))

    return [scaled_tanh, sparse_penalty, sparse_penalty_crossentropy, sparse_penalty_accuracy]


def _initializers(keras: Any) -> list[Any]:
    Initializer: Any = keras.initializers.Initializer
    codes = DigitCodes()

    class FanInUniform(Initializer):  # type: ignore[misc]
        def __init__(self, limit: float = 2.4, fan_in: Any = None, seed: Any = None) -> None:
            self.limit = limit
            self.fan_in = fan_in
            self.seed = seed
            # As Keras's own: without a seed one is drawn once.
            self._source = int(np.random.randint(1, 10**9)) if seed is None else seed

        def __call__(self, shape: Any, dtype: Any = None) -> Any:
            fan_in = np.prod(shape[:-1]) if self.fan_in is None else np.asarray(self.fan_in)
            drawn = keras.random.uniform(shape, -1.0, 1.0, dtype=dtype, seed=self._source)
            return drawn * keras.ops.convert_to_tensor(self.limit / fan_in, dtype=drawn.dtype)

        def get_config(self) -> dict[str, Any]:
            return {"limit": self.limit, "fan_in": self.fan_in, "seed": self.seed}

    class DigitCodesTwin(Initializer):  # type: ignore[misc]
        def __call__(self, shape: Any, dtype: Any = None) -> Any:
            return keras.ops.convert_to_tensor(codes(shape, "float32"), dtype=dtype)

        def get_config(self) -> dict[str, Any]:
            return {}

    DigitCodesTwin.__name__ = DigitCodesTwin.__qualname__ = "DigitCodes"
    return [FanInUniform, DigitCodesTwin]


def _layers(keras: Any) -> list[Any]:
    return [*_plain_layers(keras), *_trained_layers(keras)]


def _plain_layers(keras: Any) -> list[Any]:
    Layer: Any = keras.layers.Layer
    ops = keras.ops

    class LocalResponseNormalization(Layer):  # type: ignore[misc]
        def __init__(
            self, size: int = 5, alpha: float = 1e-4, beta: float = 0.75, k: float = 2.0, data_format: Any = None,
            **kwargs: Any,
        ) -> None:  # fmt: skip
            super().__init__(**kwargs)
            self.size, self.alpha, self.beta, self.k = size, alpha, beta, k
            self.data_format = data_format or keras.config.image_data_format()

        def call(self, inputs: Any) -> Any:
            first = self.data_format == "channels_first"
            x = ops.moveaxis(inputs, 1, -1) if first else inputs
            place = np.arange(x.shape[-1])
            distance = place[:, None] - place
            band = (distance >= -(self.size // 2)) & (distance <= (self.size - 1) // 2)
            squares = ops.matmul(ops.square(x), ops.cast(band.astype("float32"), x.dtype))
            y = x * ops.power(squares * self.alpha + self.k, -self.beta)
            return ops.moveaxis(y, -1, 1) if first else y

        def compute_output_shape(self, input_shape: Any) -> Any:
            return input_shape

        def get_config(self) -> dict[str, Any]:
            own = {name: getattr(self, name) for name in ("size", "alpha", "beta", "k", "data_format")}
            return {**super().get_config(), **own}

    class EuclideanRBF(Layer):  # type: ignore[misc]
        def __init__(self, units: int, centers_initializer: Any = "glorot_uniform", **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self.units = units
            self.centers_initializer = keras.initializers.get(centers_initializer)

        def build(self, input_shape: Any) -> None:
            shape = (input_shape[-1], self.units)
            self.centers = self.add_weight(name="centers", shape=shape, initializer=self.centers_initializer)
            self.built = True

        def call(self, inputs: Any) -> Any:
            return ops.sum(ops.square(ops.expand_dims(inputs, -1) - self.centers), axis=-2)

        def compute_output_shape(self, input_shape: Any) -> Any:
            return (*input_shape[:-1], self.units)

        def get_config(self) -> dict[str, Any]:
            initializer = keras.initializers.serialize(self.centers_initializer)
            return {**super().get_config(), "units": self.units, "centers_initializer": initializer}

    return [LocalResponseNormalization, EuclideanRBF]


def _trained_layers(keras: Any) -> list[Any]:
    """The layers of LeNet-5 that convolve and pool. They stand on Keras's `Layer` alone, not on what its convolutions
    and pools keep inside, which changed from version to version."""
    Layer: Any = keras.layers.Layer
    ops = keras.ops

    class Subsampling2D(Layer):  # type: ignore[misc]
        def __init__(
            self, pool_size: Any = (2, 2), activation: Any = None, data_format: Any = None,
            coefficient_initializer: Any = "ones", bias_initializer: Any = "zeros", **kwargs: Any,
        ) -> None:  # fmt: skip
            super().__init__(**kwargs)
            self.pool_size = (pool_size,) * 2 if isinstance(pool_size, int) else tuple(pool_size)
            self.activation = keras.activations.get(activation)
            self.data_format = data_format or keras.config.image_data_format()
            self.coefficient_initializer = keras.initializers.get(coefficient_initializer)
            self.bias_initializer = keras.initializers.get(bias_initializer)

        def build(self, input_shape: Any) -> None:
            shape = (input_shape[-1 if self.data_format == "channels_last" else 1],)
            self.coefficient = self.add_weight(
                name="coefficient", shape=shape, initializer=self.coefficient_initializer
            )
            self.bias = self.add_weight(name="bias", shape=shape, initializer=self.bias_initializer)
            self.built = True

        def call(self, inputs: Any) -> Any:
            means = ops.average_pool(inputs, self.pool_size, self.pool_size, "valid", data_format=self.data_format)
            beside = (-1,) if self.data_format == "channels_last" else (-1, 1, 1)
            coefficient, bias = ops.reshape(self.coefficient, beside), ops.reshape(self.bias, beside)
            return self.activation(means * (coefficient * (self.pool_size[0] * self.pool_size[1])) + bias)

        def get_config(self) -> dict[str, Any]:
            return {
                **super().get_config(),
                "pool_size": self.pool_size,
                "activation": keras.activations.serialize(self.activation),
                "data_format": self.data_format,
                "coefficient_initializer": keras.initializers.serialize(self.coefficient_initializer),
                "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            }

    class TableConv2D(Layer):  # type: ignore[misc]
        def __init__(
            self, connections: Any, kernel_size: Any, strides: Any = (1, 1), padding: str = "valid",
            data_format: Any = None, dilation_rate: Any = (1, 1), activation: Any = None, use_bias: bool = True,
            kernel_initializer: Any = "glorot_uniform", bias_initializer: Any = "zeros", **kwargs: Any,
        ) -> None:  # fmt: skip
            super().__init__(**kwargs)
            self.connections = [[int(c) for c in seen] for seen in connections]
            self.kernel_size, self.strides, self.dilation_rate = (
                (n, n) if isinstance(n, int) else tuple(n) for n in (kernel_size, strides, dilation_rate)
            )
            self.padding, self.use_bias = padding, use_bias
            self.data_format = data_format or keras.config.image_data_format()
            self.activation = keras.activations.get(activation)
            self.kernel_initializer = keras.initializers.get(kernel_initializer)
            self.bias_initializer = keras.initializers.get(bias_initializer)

        def build(self, input_shape: Any) -> None:
            channels, maps = input_shape[-1 if self.data_format == "channels_last" else 1], len(self.connections)
            pairs = [(c, k) for k, seen in enumerate(self.connections) for c in seen]
            places = np.zeros((len(pairs), channels, maps), "float32")
            for place, (c, k) in enumerate(pairs):
                places[place, c, k] = 1
            self._places = places.reshape(len(pairs), -1)
            self._laid_out = (*self.kernel_size, channels, maps)
            self.kernel = self.add_weight(
                name="kernel", shape=(*self.kernel_size, len(pairs)), initializer=self.kernel_initializer
            )
            if self.use_bias:
                self.bias = self.add_weight(name="bias", shape=(maps,), initializer=self.bias_initializer)
            self.built = True

        def call(self, inputs: Any) -> Any:
            packed = ops.reshape(self.kernel, (-1, len(self._places)))
            full = ops.reshape(ops.matmul(packed, ops.cast(self._places, self.compute_dtype)), self._laid_out)
            y = ops.conv(
                inputs, full, strides=self.strides, padding=self.padding, data_format=self.data_format,
                dilation_rate=self.dilation_rate,
            )  # fmt: skip
            if self.use_bias:
                y = y + ops.reshape(self.bias, (-1,) if self.data_format == "channels_last" else (-1, 1, 1))
            return self.activation(y)

        def get_config(self) -> dict[str, Any]:
            plain = ("connections", "kernel_size", "strides", "padding", "data_format", "dilation_rate", "use_bias")
            return {
                **super().get_config(),
                **{name: getattr(self, name) for name in plain},
                "activation": keras.activations.serialize(self.activation),
                "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
                "bias_initializer": keras.initializers.serialize(self.bias_initializer),
                "activity_regularizer": keras.regularizers.serialize(self.activity_regularizer),
            }

    return [Subsampling2D, TableConv2D]


def _losses_and_metrics(keras: Any) -> list[Any]:
    Loss: Any = keras.losses.Loss
    Mean: Any = keras.metrics.MeanMetricWrapper
    _, penalty, crossentropy, accuracy = _functions(keras)

    class SparsePenalty(Loss):  # type: ignore[misc]
        def __init__(self, reduction: Any = "sum_over_batch_size", name: str = "sparse_penalty", **kwargs: Any) -> None:
            super().__init__(name=name, reduction=reduction, **kwargs)

        def call(self, y_true: Any, y_pred: Any) -> Any:
            return penalty(y_true, y_pred)

    class SparsePenaltyCrossentropy(Loss):  # type: ignore[misc]
        def __init__(
            self, j: float = 1.0, reduction: Any = "sum_over_batch_size", name: str = "sparse_penalty_crossentropy",
            **kwargs: Any,
        ) -> None:  # fmt: skip
            super().__init__(name=name, reduction=reduction, **kwargs)
            self.j = j

        def call(self, y_true: Any, y_pred: Any) -> Any:
            return crossentropy(y_true, y_pred, self.j)

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "j": self.j}

    class SparsePenaltyAccuracy(Mean):  # type: ignore[misc]
        def __init__(self, name: str | None = "accuracy", dtype: Any = None) -> None:
            super().__init__(accuracy, name=name, dtype=dtype)
            self._direction = "up"

        def get_config(self) -> dict[str, Any]:
            return {"name": self.name, "dtype": self.dtype}

    return [SparsePenalty, SparsePenaltyCrossentropy, SparsePenaltyAccuracy]
