"""The activation functions, element by element except for the softmaxes. Shapes stay."""

from __future__ import annotations

from typing import Any

from striate import backend, ops
from striate.core.registry import export


@export("activations.relu")
def relu(x: Any, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Any:
    """max(x, 0); in general: max_value above it, x above the threshold, negative_slope * (x - threshold) below.

    Source: `keras.activations.relu`; Nair and Hinton 2010.

    Args:
        x: tensor of floats.
        negative_slope: slope below the threshold.
        max_value: upper bound of the result, or None.
        threshold: where the function leaves its lower branch.

    Example:
        >>> relu([-2.0, 3.0]).tolist(), relu([-2.0, 3.0], negative_slope=0.5, max_value=2).tolist()
        ([0.0, 3.0], [-1.0, 2.0])
    """
    x = backend.convert_to_tensor(x)
    if threshold == 0 and negative_slope == 0 and max_value == 6:
        return ops.relu6(x)
    if threshold == 0 and max_value is None:
        return ops.relu(x) if negative_slope == 0 else ops.leaky_relu(x, negative_slope=negative_slope)
    upper = ops.relu(x) if threshold == 0 else ops.where(ops.greater(x, threshold), x, ops.zeros_like(x))
    if max_value is not None:
        upper = ops.minimum(upper, max_value)
    if negative_slope == 0:
        return upper
    return upper - negative_slope * ops.relu(threshold - x)


@export("activations.leaky_relu")
def leaky_relu(x: Any, negative_slope: float = 0.2) -> Any:
    """x where x >= 0, negative_slope * x below. Source: `keras.activations.leaky_relu`; Maas and others 2013."""
    return ops.leaky_relu(x, negative_slope=negative_slope)


@export("activations.relu6")
def relu6(x: Any) -> Any:
    """min(max(x, 0), 6). Source: `keras.activations.relu6`."""
    return ops.relu6(x)


@export("activations.softmax")
def softmax(x: Any, axis: int = -1) -> Any:
    """exp(x) / sum(exp(x)) along `axis`. Source: `keras.activations.softmax`.

    Example:
        >>> softmax([[1.0, 1.0]]).tolist()
        [[0.5, 0.5]]
    """
    return ops.softmax(x, axis=axis)


@export("activations.log_softmax")
def log_softmax(x: Any, axis: int = -1) -> Any:
    """x - log(sum(exp(x))) along `axis`. Source: `keras.activations.log_softmax`."""
    return ops.log_softmax(x, axis=axis)


@export("activations.elu")
def elu(x: Any, alpha: float = 1.0) -> Any:
    """x where x > 0, alpha * (exp(x) - 1) below. Source: `keras.activations.elu`; Clevert and others 2016."""
    return ops.elu(x, alpha=alpha)


@export("activations.selu")
def selu(x: Any) -> Any:
    """1.0507 * elu(x, alpha=1.6733): keeps mean 0 and variance 1 from layer to layer.

    Source: `keras.activations.selu`; Klambauer and others 2017.
    """
    return ops.selu(x)


@export("activations.softplus")
def softplus(x: Any) -> Any:
    """log(1 + exp(x)). Source: `keras.activations.softplus`."""
    return ops.softplus(x)


@export("activations.softsign")
def softsign(x: Any) -> Any:
    """x / (1 + |x|). Source: `keras.activations.softsign`."""
    return ops.softsign(x)


@export("activations.silu", "activations.swish")
def silu(x: Any) -> Any:
    """x * sigmoid(x). Source: `keras.activations.silu`; Ramachandran and others 2017 (swish)."""
    return ops.silu(x)


@export("activations.gelu")
def gelu(x: Any, approximate: bool = False) -> Any:
    """x * P(X <= x) for a standard normal X; with `approximate`, by a tanh formula.

    Source: `keras.activations.gelu`; Hendrycks and Gimpel 2016.
    """
    return ops.gelu(x, approximate=approximate)


@export("activations.tanh")
def tanh(x: Any) -> Any:
    """The hyperbolic tangent. Source: `keras.activations.tanh`."""
    return ops.tanh(x)


@export("activations.sigmoid")
def sigmoid(x: Any) -> Any:
    """1 / (1 + exp(-x)). Source: `keras.activations.sigmoid`."""
    return ops.sigmoid(x)


@export("activations.exponential")
def exponential(x: Any) -> Any:
    """exp(x). Source: `keras.activations.exponential`."""
    return ops.exp(x)


@export("activations.hard_sigmoid")
def hard_sigmoid(x: Any) -> Any:
    """relu6(x + 3) / 6. Source: `keras.activations.hard_sigmoid`."""
    return ops.hard_sigmoid(x)


@export("activations.log_sigmoid")
def log_sigmoid(x: Any) -> Any:
    """log(sigmoid(x)). Source: `keras.activations.log_sigmoid`."""
    return ops.log_sigmoid(x)


@export("activations.hard_silu", "activations.hard_swish")
def hard_silu(x: Any) -> Any:
    """x * hard_sigmoid(x). Source: `keras.activations.hard_silu`; Howard and others 2019 (MobileNetV3)."""
    return ops.hard_silu(x)


@export("activations.mish")
def mish(x: Any) -> Any:
    """x * tanh(softplus(x)). Source: `keras.activations.mish`; Misra 2019."""
    x = backend.convert_to_tensor(x)
    return x * ops.tanh(ops.softplus(x))


@export("activations.linear")
def linear(x: Any) -> Any:
    """x itself. Source: `keras.activations.linear`."""
    return x
