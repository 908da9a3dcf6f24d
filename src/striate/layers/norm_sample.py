"""Normalisation within each sample: over chosen axes, or over groups of channels."""

from __future__ import annotations

import math
import warnings
from typing import Any

from striate import backend, constraints, initializers, ops, regularizers
from striate.core.errors import ArgumentError, DTypeError, ShapeError
from striate.core.registry import export
from striate.layers.base import Layer
from striate.layers.compute import in_dtype
from striate.layers.input_spec import InputSpec
from striate.ops.normalization import RMS_SCALING_IS_OLD, scale_by_deviation

Shape = tuple[int | None, ...]


def known_axes(layer: Any, shape: Any) -> list[int]:
    """The axes of a layer as places from 0, checked against a shape."""
    rank = len(shape)
    axes = layer.axis if isinstance(layer.axis, list) else [layer.axis]
    if any(not -rank <= a < rank for a in axes):
        raise ShapeError(
            f"{type(layer).__name__}'s axis is out of bounds for its input. Received: axis={layer.axis}, "
            f"input_shape={tuple(shape)}. Choose axes from {-rank} to {rank - 1}."
        )
    places = [a % rank for a in axes]
    if any(shape[a] is None for a in places):
        raise ShapeError(
            f"Axis {layer.axis} of the input tensor should have a defined dimension but the layer received an input "
            f"with shape {tuple(shape)}: what {type(layer).__name__} scales must have a known length. "
            f"Give the Input's axis a size."
        )
    return places


class SampleNormBase(Layer):
    """What normalisations within a sample share: gamma and beta, statistics in float32 or wider."""

    gamma: Any = None
    beta: Any = None
    axis: Any

    def __init__(
        self,
        *,
        epsilon: float,
        center: bool,
        scale: bool,
        beta_initializer: Any,
        gamma_initializer: Any,
        beta_regularizer: Any,
        gamma_regularizer: Any,
        beta_constraint: Any,
        gamma_constraint: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)
        self.supports_masking = True
        self.autocast = False

    def _axes(self, shape: Any) -> list[int]:
        return known_axes(self, shape)

    def _add_scale_and_shift(self, shape: tuple[int, ...], gamma: bool, beta: bool) -> None:
        if gamma:
            self.gamma = self.add_weight(
                name="gamma",
                shape=shape,
                initializer=self.gamma_initializer,
                regularizer=self.gamma_regularizer,
                constraint=self.gamma_constraint,
                autocast=False,
            )
        if beta:
            self.beta = self.add_weight(
                name="beta",
                shape=shape,
                initializer=self.beta_initializer,
                regularizer=self.beta_regularizer,
                constraint=self.beta_constraint,
                autocast=False,
            )

    def _wide(self, inputs: Any) -> tuple[Any, Any, Any]:
        """The inputs, gamma and beta in the dtype to compute in: float32 at least."""
        x = backend.cast(inputs, backend.result_type(backend.dtype_of(inputs), "float32"))
        dtype = backend.dtype_of(x)
        gamma, beta = (None if w is None else in_dtype(w, dtype) for w in (self.gamma, self.beta))
        return x, gamma, beta

    def compute_output_shape(self, input_shape: Any) -> Shape:
        self._axes(input_shape)
        return tuple(input_shape)


@export("layers.LayerNormalization")
class LayerNormalization(SampleNormBase):
    """Shifts and scales each sample to mean 0 and variance 1 along `axis`, then by gamma and beta.

        y = (x - mean) / sqrt(variance + epsilon) * gamma + beta

    Source: `keras.layers.LayerNormalization`: same arguments, defaults, weights; Ba and others 2016.

    Args:
        axis: integer, or a list of them: the axes over which mean and variance are taken.
        epsilon: added to the variance.
        center: whether there is a beta; scale: whether there is a gamma.
        beta_initializer, gamma_initializer: how the weights start.
        beta_regularizer, gamma_regularizer: penalties added to the loss.
        beta_constraint, gamma_constraint: projections applied after each step.
        rms_scaling: by keyword only; deprecated, as in Keras: y = x / sqrt(variance + epsilon) * gamma, no beta. It
            divides by the variance where the root mean square was meant: `RMSNormalization` does what it says.

    Input shape: any; Output shape: the same.
    Weights: gamma and beta, of the lengths of the normalised axes.

    Raises:
        TypeError: an axis that is neither an integer nor a list.
        ValueError: an axis outside the input's, or of open length.

    Example:
        >>> LayerNormalization()(np.array([[1.0, 3.0]], "float32")).round(2).tolist()
        [[-1.0, 1.0]]
    """

    def __init__(
        self,
        axis: Any = -1,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        rms_scaling = bool(kwargs.pop("rms_scaling", False))
        if rms_scaling:
            warnings.warn(RMS_SCALING_IS_OLD, stacklevel=2)
        super().__init__(
            epsilon=epsilon,
            center=center,
            scale=scale,
            beta_initializer=beta_initializer,
            gamma_initializer=gamma_initializer,
            beta_regularizer=beta_regularizer,
            gamma_regularizer=gamma_regularizer,
            beta_constraint=beta_constraint,
            gamma_constraint=gamma_constraint,
            **kwargs,
        )
        if isinstance(axis, bool) or not isinstance(axis, int | list | tuple):
            raise DTypeError(
                f"Expected an int or a list/tuple of ints for the argument 'axis'. Received: axis={axis!r}. "
                f"Give e.g. axis=-1."
            )
        self.axis = axis if isinstance(axis, int) else list(axis)
        self.rms_scaling = rms_scaling

    def build(self, input_shape: Any) -> None:
        # As in Keras, a list from here on, which is what files hold.
        self.axis = sorted(self.axis) if isinstance(self.axis, list) else [self.axis]
        shape = tuple(input_shape[a] for a in self._axes(input_shape))
        self._add_scale_and_shift(shape, self.scale or self.rms_scaling, self.center and not self.rms_scaling)

    def call(self, inputs: Any) -> Any:
        x, gamma, beta = self._wide(inputs)
        normalize = scale_by_deviation if self.rms_scaling else ops.layer_normalization
        y = normalize(x, gamma, beta, self.axis, self.epsilon)
        return backend.cast(y, self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rms_scaling": self.rms_scaling}


@export("layers.GroupNormalization")
class GroupNormalization(SampleNormBase):
    """Shifts and scales each group of channels of each sample to mean 0 and variance 1, then by gamma and beta.

        y = (x - mean) / sqrt(variance + epsilon) * gamma + beta

    mean and variance are taken over all of a sample's positions and the channels of the group.

    Source: `keras.layers.GroupNormalization`: same arguments, defaults, weights; Wu and He 2018.

    Args:
        groups: how many groups the channels are split into; 1 takes them all together, -1 each alone.
        axis: the channels' axis.
        epsilon, center, scale, beta_initializer, ...: as for `LayerNormalization`.

    Input shape: any of at least two axes; Output shape: the same.
    Weights: gamma (channels,), beta (channels,).

    Raises:
        ValueError: groups that do not divide the channels, an open channel axis.

    Example:
        >>> GroupNormalization(2)(np.array([[1.0, 3.0, 5.0, 5.0]], "float32")).round(2).tolist()
        [[-1.0, 1.0, 0.0, 0.0]]
    """

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
        epsilon: float = 0.001,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            epsilon=epsilon,
            center=center,
            scale=scale,
            beta_initializer=beta_initializer,
            gamma_initializer=gamma_initializer,
            beta_regularizer=beta_regularizer,
            gamma_regularizer=gamma_regularizer,
            beta_constraint=beta_constraint,
            gamma_constraint=gamma_constraint,
            **kwargs,
        )
        if isinstance(groups, bool) or not isinstance(groups, int) or (groups <= 0 and groups != -1):
            raise ArgumentError(
                "The argument `groups` must be a positive integer, or -1 for one group a channel. Received: "
                f"groups={groups!r}. "
                f"Give e.g. groups=8."
            )
        self.groups = groups
        self.axis = axis

    def build(self, input_shape: Any) -> None:
        channels = int(input_shape[self._axes(input_shape)[0]])
        if self.groups == -1:
            self.groups = channels
        if channels % self.groups:
            wrong = (
                f"The number of groups ({self.groups}) cannot be more than the number of channels"
                if self.groups > channels
                else f"The number of groups ({self.groups}) must divide the number of channels"
            )
            raise ShapeError(
                f"{wrong} ({channels}). Received: groups={self.groups}, but axis {self.axis} has length {channels} "
                f"(input_shape={tuple(input_shape)}). Choose groups that divide {channels}."
            )
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: channels})
        self._add_scale_and_shift((channels,), self.scale, self.center)

    def call(self, inputs: Any) -> Any:
        if backend.is_keras_tensor(inputs):
            return backend.KerasTensor(inputs.shape, self.compute_dtype)  # its axes may be open; they stay
        x, gamma, beta = self._wide(inputs)
        shape = tuple(x.shape)
        axis = self._axes(shape)[0]
        inner = shape[axis] // self.groups
        # (sample, positions before, group, channel of the group, positions after)
        x = ops.reshape(x, (shape[0], math.prod(shape[1:axis]), self.groups, inner, math.prod(shape[axis + 1 :])))
        mean, variance = ops.moments(x, axes=(1, 3, 4), keepdims=True)
        factor = ops.rsqrt(variance + self.epsilon)
        if gamma is not None:
            factor = factor * ops.reshape(gamma, (1, 1, self.groups, inner, 1))
        shift = -mean * factor
        if beta is not None:
            shift = shift + ops.reshape(beta, (1, 1, self.groups, inner, 1))
        return backend.cast(ops.reshape(x * factor + shift, shape), self.compute_dtype)


@export("layers.RMSNormalization")
class RMSNormalization(Layer):
    """Divides each sample by its root mean square along `axis`, and multiplies by a scale that is learned.

        y = x / sqrt(mean(x**2) + epsilon) * scale

    Source: `keras.layers.RMSNormalization`: same arguments, defaults, weights; Zhang and Sennrich 2019.

    Args:
        axis: integer, or a list of them: the axes over which the mean is taken.
        epsilon: added to the mean.

    Input shape: any; Output shape: the same. Weights: scale, of the lengths of the axes.

    Raises:
        ValueError: an axis that the input does not have, or of open length.

    Example:
        >>> RMSNormalization()(np.array([[1.0, -1.0]], "float32")).round(3).tolist()
        [[1.0, -1.0]]
    """

    scale: Any = None

    def __init__(self, axis: Any = -1, epsilon: float = 1e-6, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = list(axis) if isinstance(axis, list | tuple) else axis
        self.epsilon = epsilon
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        places = sorted(known_axes(self, input_shape))
        # As in Keras, whose config has a list once the layer is built.
        self.axis = sorted(self.axis) if isinstance(self.axis, list) else [self.axis]
        shape = tuple(int(input_shape[a]) for a in places)
        self.scale = self.add_weight(name="scale", shape=shape, initializer="ones")

    def call(self, x: Any) -> Any:
        return ops.rms_normalization(x, scale=self.scale, axis=self.axis, epsilon=self.epsilon)

    def compute_output_shape(self, input_shape: Any) -> Shape:
        known_axes(self, input_shape)
        return tuple(input_shape)
