"""Losses of real numbers, as functions: (y_true, y_pred) of one shape -> the loss over the last axis."""

from __future__ import annotations

import math
from typing import Any

from striate import backend, ops
from striate.core.registry import export
from striate.losses.loss import squeeze_or_expand_to_same_rank


def _alike(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    y_pred = backend.convert_to_tensor(y_pred)
    if not backend.is_float_dtype(backend.dtype_of(y_pred)):
        y_pred = ops.cast(y_pred, backend.floatx())
    y_true = backend.convert_to_tensor(y_true, backend.dtype_of(y_pred))
    return squeeze_or_expand_to_same_rank(y_true, y_pred)


@export("losses.mean_squared_error", "metrics.mean_squared_error")
def mean_squared_error(y_true: Any, y_pred: Any) -> Any:
    """mean((y_true - y_pred)**2). Source: `keras.losses.mean_squared_error`.

    Example:
        >>> mean_squared_error([[0.0, 1.0]], [[1.0, 3.0]]).tolist()
        [2.5]
    """
    y_true, y_pred = _alike(y_true, y_pred)
    return ops.mean(ops.square(y_true - y_pred), axis=-1)


@export("losses.mean_absolute_error", "metrics.mean_absolute_error")
def mean_absolute_error(y_true: Any, y_pred: Any) -> Any:
    """mean(|y_true - y_pred|). Source: `keras.losses.mean_absolute_error`."""
    y_true, y_pred = _alike(y_true, y_pred)
    return ops.mean(ops.abs(y_true - y_pred), axis=-1)


@export("losses.mean_absolute_percentage_error", "metrics.mean_absolute_percentage_error")
def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> Any:
    """100 * mean(|y_true - y_pred| / max(|y_true|, epsilon)). Source: `keras.losses.mean_absolute_percentage_error`."""
    y_true, y_pred = _alike(y_true, y_pred)
    relative = ops.abs((y_true - y_pred) / ops.maximum(ops.abs(y_true), backend.epsilon()))
    return 100.0 * ops.mean(relative, axis=-1)


@export("losses.mean_squared_logarithmic_error", "metrics.mean_squared_logarithmic_error")
def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> Any:
    """mean((log(1 + y_true) - log(1 + y_pred))**2), values below epsilon taken as epsilon.

    Source: `keras.losses.mean_squared_logarithmic_error`.
    """
    y_true, y_pred = _alike(y_true, y_pred)
    first, second = (ops.log(ops.maximum(y, backend.epsilon()) + 1.0) for y in (y_pred, y_true))
    return ops.mean(ops.square(first - second), axis=-1)


@export("losses.huber", "metrics.huber")
def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Any:
    """mean of error**2 / 2 where |error| <= delta, delta * |error| - delta**2 / 2 beyond.

    Source: `keras.losses.huber`; Huber 1964.
    """
    y_true, y_pred = _alike(y_true, y_pred)
    error = y_pred - y_true
    size = ops.abs(error)
    return ops.mean(ops.where(size <= delta, 0.5 * ops.square(error), delta * size - 0.5 * delta * delta), axis=-1)


@export("losses.log_cosh", "metrics.log_cosh")
def log_cosh(y_true: Any, y_pred: Any) -> Any:
    """mean(log(cosh(y_pred - y_true))), without overflow. Source: `keras.losses.log_cosh`."""
    y_true, y_pred = _alike(y_true, y_pred)
    error = y_pred - y_true
    return ops.mean(error + ops.softplus(-2.0 * error) - math.log(2.0), axis=-1)


@export("losses.poisson", "metrics.poisson")
def poisson(y_true: Any, y_pred: Any) -> Any:
    """mean(y_pred - y_true * log(y_pred + epsilon)). Source: `keras.losses.poisson`."""
    y_pred = backend.convert_to_tensor(y_pred)
    y_true = backend.convert_to_tensor(y_true, backend.dtype_of(y_pred))
    return ops.mean(y_pred - y_true * ops.log(y_pred + backend.epsilon()), axis=-1)


@export("losses.cosine_similarity", "metrics.cosine_similarity")
def cosine_similarity(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """Minus the cosine of the angle between y_true and y_pred: -1 where they point the same way.

    Source: `keras.losses.cosine_similarity`.
    """
    y_true, y_pred = _alike(y_true, y_pred)
    y_true, y_pred = (ops.normalize(y, axis=axis) for y in (y_true, y_pred))
    return -ops.sum(y_true * y_pred, axis=axis)
