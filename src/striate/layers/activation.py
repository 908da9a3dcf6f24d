"""Activations as layers."""

from __future__ import annotations

from typing import Any

from striate import activations, backend, constraints, initializers, ops, regularizers
from striate.core.errors import ArgumentError, ShapeError
from striate.core.registry import export
from striate.layers.base import Layer
from striate.layers.compute import in_dtype
from striate.layers.input_spec import InputSpec


class ActivationBase(Layer):
    """What layers that work element by element (or along one axis) share: the shape stays."""

    _stateless = True

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return tuple(input_shape)


def _not_negative(value: Any, name: str, layer: str) -> Any:
    if value is None or isinstance(value, str) or value < 0:
        raise ArgumentError(
            f"{name} of a {layer} layer cannot be None or a negative value: it is a number of at least 0. "
            f"Received: {name}={value!r}. Give e.g. {name}=0.1."
        )
    return value


@export("layers.Activation")
class Activation(ActivationBase):
    """Applies an activation function. Source: `keras.layers.Activation`.

    Args:
        activation: name ("relu"), function or config.

    Example:
        >>> Activation("relu")(np.array([-1.0, 2.0], "float32")).tolist()
        [0.0, 2.0]
    """

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.activation = activations.get(activation)

    def call(self, inputs: Any) -> Any:
        return self.activation(inputs)


@export("layers.ReLU")
class ReLU(ActivationBase):
    """max_value above it, x above the threshold, negative_slope * (x - threshold) below.

    Source: `keras.layers.ReLU`.

    Args:
        max_value: upper bound, or None.
        negative_slope: slope below the threshold.
        threshold: where the function leaves its lower branch.

    Raises:
        ValueError: a negative argument.

    Example:
        >>> ReLU(max_value=1.0)(np.array([-1.0, 2.0], "float32")).tolist()
        [0.0, 1.0]
    """

    def __init__(
        self, max_value: float | None = None, negative_slope: float = 0.0, threshold: float = 0.0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.max_value = None if max_value is None else _not_negative(max_value, "max_value", "ReLU")
        self.negative_slope = _not_negative(negative_slope, "negative_slope", "ReLU")
        self.threshold = _not_negative(threshold, "threshold", "ReLU")

    def call(self, inputs: Any) -> Any:
        return activations.relu(inputs, self.negative_slope, self.max_value, self.threshold)


@export("layers.LeakyReLU")
class LeakyReLU(ActivationBase):
    """x where x >= 0, negative_slope * x below. Source: `keras.layers.LeakyReLU`; Maas and others 2013.

    Args:
        negative_slope: slope below 0 (`alpha` in older files).

    Raises:
        ValueError: a negative slope.

    Example:
        >>> LeakyReLU(0.5)(np.array([-1.0, 2.0], "float32")).tolist()
        [-0.5, 2.0]
    """

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any) -> None:
        negative_slope = kwargs.pop("alpha", negative_slope)
        super().__init__(**kwargs)
        self.negative_slope = _not_negative(negative_slope, "negative_slope", "LeakyReLU")

    def call(self, inputs: Any) -> Any:
        return activations.leaky_relu(inputs, negative_slope=self.negative_slope)


@export("layers.ELU")
class ELU(ActivationBase):
    """x where x > 0, alpha * (exp(x) - 1) below. Source: `keras.layers.ELU`; Clevert and others 2016.

    Example:
        >>> ELU()(np.array([-1.0, 2.0], "float32")).round(2).tolist()
        [-0.6299999952316284, 2.0]
    """

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.alpha = alpha

    def call(self, inputs: Any) -> Any:
        return activations.elu(inputs, alpha=self.alpha)


@export("layers.PReLU")
class PReLU(ActivationBase):
    """x where x > 0, alpha * x below, with an alpha that is learned for each element.

    Source: `keras.layers.PReLU`; He and others 2015.

    Args:
        alpha_initializer, alpha_regularizer, alpha_constraint: those of alpha.
        shared_axes: axes, counted from 1, along which alpha is one: [1, 2] gives one a feature map.

    Input shape: (batch, ...); Output shape: the same.
    Weights: alpha, the input's shape without the batch; shared axes have length 1.

    Raises:
        ValueError: an open axis that is not shared; an axis that the input does not have.

    Example:
        >>> PReLU(alpha_initializer="ones", shared_axes=[1])(np.array([[-1.0, 2.0]], "float32")).tolist()
        [[-1.0, 2.0]]
    """

    def __init__(
        self,
        alpha_initializer: Any = "Zeros",
        alpha_regularizer: Any = None,
        alpha_constraint: Any = None,
        shared_axes: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.alpha_initializer = initializers.get(alpha_initializer)
        self.alpha_regularizer = regularizers.get(alpha_regularizer)
        self.alpha_constraint = constraints.get(alpha_constraint)
        several = isinstance(shared_axes, list | tuple)
        self.shared_axes = shared_axes if shared_axes is None else list(shared_axes) if several else [shared_axes]

    def build(self, input_shape: Any) -> None:
        rank, shared = len(input_shape), self.shared_axes or []
        if any(not 0 < a < rank for a in shared):
            raise ShapeError(
                f"PReLU's shared axes are the input's, counted from 1. Received: shared_axes={shared}, "
                f"input_shape={tuple(input_shape)}. Choose from 1 to {rank - 1}."
            )
        shape = tuple(1 if i in shared else input_shape[i] for i in range(1, rank))
        if None in shape:
            raise ShapeError(
                f"PReLU has an alpha for each element, so each axis must have a known length or be shared. Received: "
                f"input_shape={tuple(input_shape)}, shared_axes={shared}. For images of any size: shared_axes=[1, 2]."
            )
        self.alpha = self.add_weight(
            name="alpha",
            shape=shape,
            initializer=self.alpha_initializer,
            regularizer=self.alpha_regularizer,
            constraint=self.alpha_constraint,
        )
        fixed = {i: input_shape[i] for i in range(1, rank) if i not in shared} if shared else {}
        self.input_spec = InputSpec(ndim=rank, axes=fixed)

    def call(self, inputs: Any) -> Any:
        return ops.relu(inputs) - in_dtype(self.alpha, self.compute_dtype) * ops.relu(-inputs)


def _hidden(dtype: str) -> float:
    """Stands for minus infinity where a mask hides a logit: exp of it is 0, and sums of it stay finite."""
    return -3e4 if dtype == "float16" else -1e9


def _check_mask(shape: tuple[int | None, ...], mask: tuple[int | None, ...]) -> None:
    more = "have more dimensions than the inputs" if len(mask) > len(shape) else ""
    if not more and any(m not in (1, None, d) and d is not None for m, d in zip(mask[::-1], shape[::-1], strict=False)):
        more = "be longer than the inputs along any axis"
    if more:
        raise ShapeError(
            f"The mask must be broadcastable to the inputs: it must not {more}. Received: inputs of shape "
            f"{shape}, mask "
            f"of shape {mask}. Give each of the mask's axes the inputs' length, or 1."
        )


@export("layers.Softmax")
class Softmax(ActivationBase):
    """exp(x) / sum(exp(x)) along one axis or several together. Source: `keras.layers.Softmax`.

    Args:
        axis: integer, or a list of them.

    Call arguments:
        mask: boolean tensor that broadcasts to the inputs; where False, the result is 0.

    Example:
        >>> Softmax()(np.zeros((1, 4), "float32")).tolist()
        [[0.25, 0.25, 0.25, 0.25]]
    """

    def __init__(self, axis: Any = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, inputs: Any, mask: Any = None) -> Any:
        x = backend.convert_to_tensor(inputs)
        if mask is not None:
            _check_mask(tuple(x.shape), tuple(mask.shape))
            mask = backend.cast(mask, "bool")
            x = ops.where(mask, x, ops.full_like(x, _hidden(backend.dtype_of(x))))
        y = self._along(x)
        return y if mask is None else ops.where(mask, y, ops.zeros_like(y))

    def _along(self, x: Any) -> Any:
        axes = self.axis if isinstance(self.axis, list | tuple) else [self.axis]
        if len(axes) == 1:
            return activations.softmax(x, axis=axes[0])
        shifted = ops.exp(x - ops.max(x, axis=axes, keepdims=True))
        return shifted / ops.sum(shifted, axis=axes, keepdims=True)


@export("layers.Identity")
class Identity(ActivationBase):
    """Gives its input unchanged. Source: `keras.layers.Identity`.

    Example:
        >>> Identity()(np.ones((2,), "float32")).tolist()
        [1.0, 1.0]
    """

    def call(self, inputs: Any) -> Any:
        return inputs
