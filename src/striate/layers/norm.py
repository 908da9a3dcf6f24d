"""Batch normalisation."""

from __future__ import annotations

from typing import Any

import numpy as np

from striate import backend, constraints, initializers, ops, regularizers
from striate.core.errors import ArgumentError, DTypeError, ShapeError
from striate.core.registry import export
from striate.ir.ops.attrs import NormAttrs
from striate.ir.types import numpy_dtype
from striate.layers.base import Layer
from striate.layers.compute import in_dtype
from striate.layers.input_spec import InputSpec
from striate.layers.norm_renorm import anew, checked_bounds, corrections, square_root_of


@export("layers.BatchNormalization")
class BatchNormalization(Layer):
    """Brings each channel to mean 0 and variance 1, then scales it by gamma and moves it by beta.

        y = gamma * (x - mean) / sqrt(variance + epsilon) + beta

    In training, mean and (biased) variance are those of the batch over all axes but `axis`, and the moving ones follow:
    moving = momentum * moving + (1 - momentum) * batch. Otherwise, and with trainable=False, the moving ones are used.

    Source: `keras.layers.BatchNormalization`: same arguments, defaults, weights; Ioffe and Szegedy 2015.

    Args:
        axis: the axis of the channels.
        momentum: how slowly the moving statistics follow.
        epsilon: added to the variance.
        center, scale: whether there is a beta, a gamma.
        beta_initializer, gamma_initializer: how the weights start.
        moving_mean_initializer, moving_variance_initializer: how the moving statistics start.
        beta_regularizer, gamma_regularizer: penalties added to the loss.
        beta_constraint, gamma_constraint: projections applied after each step.
        renorm: batch renormalisation (Ioffe 2017), for small batches. In training the result is corrected towards what
            slow statistics of their own would give: with s = sqrt(variance + epsilon),
            y = gamma * ((x - mean) / s * r + d) + beta, r = s / renorm_stddev and d = (mean - renorm_mean) /
            renorm_stddev; no gradient flows through r and d.
        renorm_clipping: dictionary of bounds, each optional: r lies between "rmin" and "rmax", |d| is at most "dmax".
        renorm_momentum: how slowly renorm_mean and renorm_stddev follow.
        synchronized: only False is taken: there is one process.

    Input shape: any; Output shape: the same.
    Weights: gamma, beta, moving_mean, moving_variance, with renorm also moving_stddev, renorm_mean, renorm_stddev; each
    (channels,).

    Raises:
        ValueError: an axis outside the input's; an open channel axis; bounds that contradict each other; synchronized.

    Example:
        >>> y = BatchNormalization()(np.array([[1.0], [3.0]], "float32"), training=True)
        >>> y.round(2).tolist()
        [[-1.0], [1.0]]
    """

    _config_if_set = ("renorm", "renorm_clipping", "renorm_momentum")

    def __init__(
        self,
        axis: Any = -1,
        momentum: float = 0.99,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        renorm: bool = False,
        renorm_clipping: Any = None,
        renorm_momentum: float = 0.99,
        synchronized: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if synchronized:
            raise ArgumentError(
                "BatchNormalization takes the batch's statistics in this process: `synchronized` is not supported. "
                f"Received: synchronized={synchronized!r}. Leave it at False."
            )
        # Files of older Keras hold the axis as a list of one.
        self.axis = int(axis[0] if isinstance(axis, list | tuple) and len(axis) == 1 else axis)
        self.momentum = float(momentum)
        self.epsilon = float(epsilon)
        self.center = center
        self.scale = scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)
        self.renorm = renorm
        self.renorm_clipping = checked_bounds(renorm_clipping) if renorm else renorm_clipping
        self.renorm_momentum = renorm_momentum
        self.synchronized = synchronized
        self.gamma: Any = None
        self.beta: Any = None
        self.moving_mean: Any = None
        self.moving_variance: Any = None
        self.moving_stddev: Any = None
        self.renorm_mean: Any = None
        self.renorm_stddev: Any = None
        self.supports_masking = True

    def _axis_of(self, shape: Any) -> int:
        if not -len(shape) <= self.axis < len(shape):
            raise ShapeError(
                f"BatchNormalization's axis is out of bounds for its input. Received: axis={self.axis}, "
                f"input_shape={tuple(shape)}. Choose an axis from {-len(shape)} to {len(shape) - 1}."
            )
        return self.axis % len(shape)

    def build(self, input_shape: Any) -> None:
        axis = self._axis_of(input_shape)
        channels = input_shape[axis]
        if channels is None:
            raise ShapeError(
                f"The normalised axis must have a known length. Received: axis={self.axis}, "
                f"input_shape={tuple(input_shape)}. Give the Input's channels a size."
            )
        shape = (channels,)
        if self.scale:
            self.gamma = self.add_weight(
                name="gamma",
                shape=shape,
                initializer=self.gamma_initializer,
                regularizer=self.gamma_regularizer,
                constraint=self.gamma_constraint,
                autocast=False,
            )
        if self.center:
            self.beta = self.add_weight(
                name="beta",
                shape=shape,
                initializer=self.beta_initializer,
                regularizer=self.beta_regularizer,
                constraint=self.beta_constraint,
                autocast=False,
            )
        self.moving_mean = self.add_weight(
            name="moving_mean",
            shape=shape,
            initializer=self.moving_mean_initializer,
            trainable=False,
            autocast=False,
        )
        self.moving_variance = self.add_weight(
            name="moving_variance",
            shape=shape,
            initializer=self.moving_variance_initializer,
            trainable=False,
            autocast=False,
        )
        if self.renorm:
            slow = {
                "moving_stddev": square_root_of(self.moving_variance_initializer),
                "renorm_mean": anew(self.moving_mean_initializer),
                "renorm_stddev": square_root_of(self.moving_variance_initializer),
            }
            for name, initializer in slow.items():
                weight = self.add_weight(
                    name=name, shape=shape, initializer=initializer, trainable=False, autocast=False
                )
                setattr(self, name, weight)
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: channels})

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        channels = self.moving_mean.shape[0]
        x = backend.cast(inputs, backend.result_type(backend.dtype_of(inputs), "float32"))
        dtype = backend.dtype_of(x)
        rank, axis = len(x.shape), self._axis_of(x.shape)
        last = axis == rank - 1
        if not last:
            x = ops.moveaxis(x, axis, -1)
        gamma = np.ones(channels, "float32") if self.gamma is None else self.gamma
        beta = np.zeros(channels, "float32") if self.beta is None else self.beta
        attrs = NormAttrs(self.epsilon)
        gamma, beta = in_dtype(gamma, dtype), in_dtype(beta, dtype)
        counts = None
        if mask is not None:
            counts = ops.broadcast_to(ops.expand_dims(backend.cast(mask, "bool"), -1), tuple(inputs.shape))
            counts = counts if last else ops.moveaxis(counts, axis, -1)
        if training and self.trainable and self.renorm:
            y = self._renormalized(x, gamma, beta, counts)
        elif training and self.trainable:
            y, mean, variance = self._normalized(x, gamma, beta, counts)
            self._follow(self.moving_mean, mean)
            self._follow(self.moving_variance, variance)
        else:
            moving = [in_dtype(w, dtype) for w in (self.moving_mean, self.moving_variance)]
            y = backend.apply("batch_norm_infer", x, gamma, beta, *moving, attrs=attrs)
        return backend.cast(y if last else ops.moveaxis(y, -1, axis), self.compute_dtype)

    def _normalized(self, x: Any, gamma: Any, beta: Any, counts: Any) -> Any:
        """(y, mean, variance) by the statistics of the batch, over the places that count; None for all."""
        if counts is None:
            return backend.apply("batch_norm_train", x, gamma, beta, attrs=NormAttrs(self.epsilon))
        mean, variance = _masked_moments(x, counts)
        return (x - mean) * (ops.rsqrt(variance + self.epsilon) * gamma) + beta, mean, variance

    def _renormalized(self, x: Any, gamma: Any, beta: Any, counts: Any) -> Any:
        """The batch normalised and corrected; all statistics follow."""
        dtype, channels = backend.dtype_of(x), self.moving_mean.shape
        kind = numpy_dtype(dtype)
        plain = np.ones(channels, kind), np.zeros(channels, kind)
        y, mean, variance = self._normalized(x, *plain, counts)
        mean = ops.stop_gradient(mean)
        stddev = ops.sqrt(ops.stop_gradient(variance) + self.epsilon)
        slow_mean, slow_stddev = (in_dtype(w, dtype) for w in (self.renorm_mean, self.renorm_stddev))
        r, d = corrections(mean, stddev, slow_mean, slow_stddev, self.epsilon, self.renorm_clipping)
        y = y * (r * gamma) + (d * gamma + beta)
        self._follow(self.renorm_mean, mean, self.renorm_momentum)
        self._follow(self.renorm_stddev, stddev, self.renorm_momentum)
        self._follow(self.moving_mean, mean)
        moving = self._follow(self.moving_stddev, stddev)
        # Rounding may put the square below epsilon where the channel is constant.
        self.moving_variance.assign(ops.relu(ops.square(moving) - self.epsilon))
        return y

    def _follow(self, moving: Any, batch: Any, momentum: float | None = None) -> Any:
        momentum = self.momentum if momentum is None else momentum
        return moving.assign(moving * momentum + backend.cast(batch, moving.dtype) * (1 - momentum))

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        self._axis_of(input_shape)
        return tuple(input_shape)


def _masked_moments(x: Any, counts: Any) -> tuple[Any, Any]:
    """(mean, variance) of each channel, the last axis, over the places that count."""
    axes = tuple(range(len(x.shape) - 1))
    number = ops.sum(backend.cast(counts, backend.dtype_of(x)), axis=axes) + backend.epsilon()
    none = ops.zeros_like(x)
    mean = ops.sum(ops.where(counts, x, none), axis=axes) / number
    return mean, ops.sum(ops.where(counts, ops.square(x - mean), none), axis=axes) / number


@export("layers.UnitNormalization")
class UnitNormalization(Layer):
    """Scales each vector along `axis` to length 1: y = x / max(|x|, 1e-12).

    Source: `keras.layers.UnitNormalization`: same arguments, defaults.

    Args:
        axis: integer, or a list of them: the axes a vector lies along.

    Input shape: any; Output shape: the same.

    Raises:
        TypeError: an axis that is neither an integer nor a list.
        ValueError: an axis outside the input's.

    Example:
        >>> UnitNormalization()(np.array([[0.0, 4.0]], "float32")).tolist()
        [[0.0, 1.0]]
    """

    _stateless = True

    def __init__(self, axis: Any = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if isinstance(axis, bool) or not isinstance(axis, int | list | tuple):
            raise DTypeError(
                f"Invalid value for `axis` argument: expected an int or a list/tuple of ints. Received: axis={axis!r}. "
                f"Give e.g. axis=-1."
            )
        self.axis = axis if isinstance(axis, int) else list(axis)
        self.supports_masking = True

    def call(self, inputs: Any) -> Any:
        return ops.normalize(inputs, axis=self.axis, order=2, epsilon=1e-12)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return tuple(input_shape)
