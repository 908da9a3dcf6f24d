"""The losses of real numbers, as objects: what `compile(loss=...)` takes."""

from __future__ import annotations

from typing import Any

from striate.core.registry import export
from striate.losses import regression
from striate.losses.loss import FunctionLoss


@export("losses.MeanSquaredError")
class MeanSquaredError(FunctionLoss):
    """mean((y_true - y_pred)**2). Source: `keras.losses.MeanSquaredError`."""

    function = regression.mean_squared_error

    def __init__(
        self, reduction: Any = "sum_over_batch_size", name: str = "mean_squared_error", dtype: Any = None
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)


@export("losses.MeanAbsoluteError")
class MeanAbsoluteError(FunctionLoss):
    """mean(|y_true - y_pred|). Source: `keras.losses.MeanAbsoluteError`."""

    function = regression.mean_absolute_error

    def __init__(
        self, reduction: Any = "sum_over_batch_size", name: str = "mean_absolute_error", dtype: Any = None
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)


@export("losses.MeanAbsolutePercentageError")
class MeanAbsolutePercentageError(FunctionLoss):
    """100 * mean(|y_true - y_pred| / |y_true|). Source: `keras.losses.MeanAbsolutePercentageError`."""

    function = regression.mean_absolute_percentage_error

    def __init__(
        self, reduction: Any = "sum_over_batch_size", name: str = "mean_absolute_percentage_error", dtype: Any = None
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)


@export("losses.MeanSquaredLogarithmicError")
class MeanSquaredLogarithmicError(FunctionLoss):
    """mean((log(1 + y_true) - log(1 + y_pred))**2). Source: `keras.losses.MeanSquaredLogarithmicError`."""

    function = regression.mean_squared_logarithmic_error

    def __init__(
        self, reduction: Any = "sum_over_batch_size", name: str = "mean_squared_logarithmic_error", dtype: Any = None
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)


@export("losses.LogCosh")
class LogCosh(FunctionLoss):
    """mean(log(cosh(y_pred - y_true))). Source: `keras.losses.LogCosh`."""

    function = regression.log_cosh

    def __init__(self, reduction: Any = "sum_over_batch_size", name: str = "log_cosh", dtype: Any = None) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)


@export("losses.Poisson")
class Poisson(FunctionLoss):
    """mean(y_pred - y_true * log(y_pred)). Source: `keras.losses.Poisson`."""

    function = regression.poisson

    def __init__(self, reduction: Any = "sum_over_batch_size", name: str = "poisson", dtype: Any = None) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)


@export("losses.Huber")
class Huber(FunctionLoss):
    """Squared for errors up to delta, straight beyond.

    Source: `keras.losses.Huber`.

    Args:
        delta: where the square ends.
    """

    function = regression.huber
    _arguments = ("delta",)
    _config_if_set = ("delta",)

    def __init__(
        self, delta: float = 1.0, reduction: Any = "sum_over_batch_size", name: str = "huber_loss", dtype: Any = None
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.delta = delta


@export("losses.CosineSimilarity")
class CosineSimilarity(FunctionLoss):
    """Minus the cosine of the angle between y_true and y_pred.

    Source: `keras.losses.CosineSimilarity`.

    Args:
        axis: along which the vectors lie.
    """

    function = regression.cosine_similarity
    _arguments = ("axis",)
    _config_if_set = ("axis",)

    def __init__(
        self, axis: int = -1, reduction: Any = "sum_over_batch_size", name: str = "cosine_similarity", dtype: Any = None
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.axis = axis
