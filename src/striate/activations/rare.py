"""More activation functions: thresholds, shrinks, gates, and sparse relatives of softmax and softplus."""

from __future__ import annotations

from typing import Any

from striate import ops
from striate.core.registry import export


@export("activations.celu")
def celu(x: Any, alpha: float = 1.0) -> Any:
    """x where x > 0, alpha * (exp(x / alpha) - 1) below. Source: `keras.activations.celu`; Barron 2017."""
    return ops.celu(x, alpha=alpha)


@export("activations.glu")
def glu(x: Any, axis: int = -1) -> Any:
    """The first half of x along `axis` times the sigmoid of the second.

    Source: `keras.activations.glu`; Dauphin and others 2017.
    """
    return ops.glu(x, axis=axis)


@export("activations.hard_shrink")
def hard_shrink(x: Any, threshold: float = 0.5) -> Any:
    """x where |x| > threshold, else 0. Source: `keras.activations.hard_shrink`."""
    return ops.hard_shrink(x, threshold=threshold)


@export("activations.hard_tanh")
def hard_tanh(x: Any) -> Any:
    """x between -1 and 1, the nearer of them outside. Source: `keras.activations.hard_tanh`."""
    return ops.hard_tanh(x)


@export("activations.soft_shrink")
def soft_shrink(x: Any, threshold: float = 0.5) -> Any:
    """x moved towards 0 by the threshold, 0 within it. Source: `keras.activations.soft_shrink`."""
    return ops.soft_shrink(x, threshold=threshold)


@export("activations.sparse_plus")
def sparse_plus(x: Any) -> Any:
    """0 up to -1, (x + 1)**2 / 4 up to 1, x above. Source: `keras.activations.sparse_plus`."""
    return ops.sparse_plus(x)


@export("activations.sparse_sigmoid")
def sparse_sigmoid(x: Any) -> Any:
    """0 up to -1, (x + 1) / 2 up to 1, 1 above. Source: `keras.activations.sparse_sigmoid`."""
    return ops.sparse_sigmoid(x)


@export("activations.sparsemax")
def sparsemax(x: Any, axis: int = -1) -> Any:
    """max(x - t, 0) with the t along `axis` for which that sums to 1.

    Source: `keras.activations.sparsemax`; Martins and Astudillo 2016. Where two or more are above 0,
    those of Keras 3.15.1 do not sum to 1 (it adds up partial sums); these do.

    Example:
        >>> sparsemax([0.0, 1.0, 3.0]).tolist()
        [0.0, 0.0, 1.0]
    """
    return ops.sparsemax(x, axis=axis)


@export("activations.squareplus")
def squareplus(x: Any, b: float = 4) -> Any:
    """(x + sqrt(x**2 + b)) / 2. Source: `keras.activations.squareplus`; Barron 2021."""
    return ops.squareplus(x, b=b)


@export("activations.tanh_shrink")
def tanh_shrink(x: Any) -> Any:
    """x - tanh(x). Source: `keras.activations.tanh_shrink`."""
    return ops.tanh_shrink(x)


@export("activations.threshold")
def threshold(x: Any, threshold: float, default_value: float) -> Any:
    """x where x > threshold, else default_value. Source: `keras.activations.threshold`."""
    return ops.threshold(x, threshold, default_value)
