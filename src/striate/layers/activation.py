"""Activations as layers."""

from __future__ import annotations

from typing import Any

from striate import activations, backend, ops
from striate.core.errors import ArgumentError, ShapeError
from striate.core.registry import export
from striate.layers.base import Layer


class ActivationBase(Layer):
    """What layers that work element by element (or along one axis) share: the shape stays."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return tuple(input_shape)


def _not_negative(value: Any, name: str, layer: str) -> Any:
    if value is None or isinstance(value, str) or value < 0:
        raise ArgumentError(
            f"`{name}` of a {layer} layer must be a number of at least 0. Received: {name}={value!r}. "
            f"Give e.g. {name}=0.1."
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


def _hidden(dtype: str) -> float:
    """Stands for minus infinity where a mask hides a logit: exp of it is 0, and sums of it stay finite."""
    return -3e4 if dtype == "float16" else -1e9


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
            if len(mask.shape) > len(x.shape):
                raise ShapeError(
                    f"The mask must broadcast to the inputs. Received: inputs of shape {tuple(x.shape)}, mask of shape "
                    f"{tuple(mask.shape)}. Give the mask at most as many axes."
                )
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
