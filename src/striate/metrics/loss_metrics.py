"""Losses that are watched rather than made small: the mean over all samples seen."""

from __future__ import annotations

from typing import Any

from striate import backend, losses, ops
from striate.core.registry import export
from striate.losses.classification import valid_labels
from striate.metrics.reduction import FunctionMetric, Mean


@export("metrics.MeanSquaredError")
class MeanSquaredError(FunctionMetric):
    """mean((y_true - y_pred)**2). Source: `keras.metrics.MeanSquaredError`."""

    function = losses.mean_squared_error
    _direction = "down"

    def __init__(self, name: str | None = "mean_squared_error", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)


@export("metrics.MeanAbsoluteError")
class MeanAbsoluteError(FunctionMetric):
    """mean(|y_true - y_pred|). Source: `keras.metrics.MeanAbsoluteError`."""

    function = losses.mean_absolute_error
    _direction = "down"

    def __init__(self, name: str | None = "mean_absolute_error", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)


@export("metrics.MeanAbsolutePercentageError")
class MeanAbsolutePercentageError(FunctionMetric):
    """100 * mean(|y_true - y_pred| / |y_true|). Source: `keras.metrics.MeanAbsolutePercentageError`."""

    function = losses.mean_absolute_percentage_error
    _direction = "down"

    def __init__(self, name: str | None = "mean_absolute_percentage_error", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)


@export("metrics.MeanSquaredLogarithmicError")
class MeanSquaredLogarithmicError(FunctionMetric):
    """mean((log(1 + y_true) - log(1 + y_pred))**2). Source: `keras.metrics.MeanSquaredLogarithmicError`."""

    function = losses.mean_squared_logarithmic_error
    _direction = "down"

    def __init__(self, name: str | None = "mean_squared_logarithmic_error", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)


@export("metrics.LogCoshError")
class LogCoshError(FunctionMetric):
    """mean(log(cosh(y_pred - y_true))). Source: `keras.metrics.LogCoshError`."""

    function = losses.log_cosh
    _direction = "down"

    def __init__(self, name: str | None = "logcosh", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)


@export("metrics.Poisson")
class Poisson(FunctionMetric):
    """mean(y_pred - y_true * log(y_pred)). Source: `keras.metrics.Poisson`."""

    function = losses.poisson
    _direction = "down"

    def __init__(self, name: str | None = "poisson", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)


@export("metrics.KLDivergence")
class KLDivergence(FunctionMetric):
    """sum(y_true * log(y_true / y_pred)). Source: `keras.metrics.KLDivergence`."""

    function = losses.kl_divergence
    _direction = "down"

    def __init__(self, name: str | None = "kl_divergence", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)


@export("metrics.Hinge")
class Hinge(FunctionMetric):
    """mean(max(1 - y_true * y_pred, 0)). Source: `keras.metrics.Hinge`."""

    function = losses.hinge
    _direction = "down"

    def __init__(self, name: str | None = "hinge", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)


@export("metrics.SquaredHinge")
class SquaredHinge(FunctionMetric):
    """mean(max(1 - y_true * y_pred, 0)**2). Source: `keras.metrics.SquaredHinge`."""

    function = losses.squared_hinge
    _direction = "down"

    def __init__(self, name: str | None = "squared_hinge", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)


@export("metrics.CategoricalHinge")
class CategoricalHinge(FunctionMetric):
    """max(highest wrong score - right score + 1, 0). Source: `keras.metrics.CategoricalHinge`."""

    function = losses.categorical_hinge
    _direction = "down"

    def __init__(self, name: str | None = "categorical_hinge", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)


@export("metrics.BinaryCrossentropy")
class BinaryCrossentropy(FunctionMetric):
    """-mean(y_true * log(y_pred) + (1 - y_true) * log(1 - y_pred)).

    Source: `keras.metrics.BinaryCrossentropy`.
    """

    function = losses.binary_crossentropy
    _direction = "down"
    _arguments = (
        "from_logits",
        "label_smoothing",
    )

    def __init__(
        self,
        name: str | None = "binary_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing


@export("metrics.CategoricalCrossentropy")
class CategoricalCrossentropy(FunctionMetric):
    """-sum(y_true * log(y_pred)) over the classes, y_true one-hot.

    Source: `keras.metrics.CategoricalCrossentropy`.
    """

    function = losses.categorical_crossentropy
    _direction = "down"
    _arguments = (
        "from_logits",
        "label_smoothing",
        "axis",
    )

    def __init__(
        self,
        name: str | None = "categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        label_smoothing: float = 0,
        axis: int = -1,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.from_logits = from_logits
        self.label_smoothing = label_smoothing
        self.axis = axis


@export("metrics.SparseCategoricalCrossentropy")
class SparseCategoricalCrossentropy(FunctionMetric):
    """-log(probability of the class that the integer y_true names).

    Source: `keras.metrics.SparseCategoricalCrossentropy`. As there, places of `ignore_class` have loss 0; they are left
    out of the count only where sample weights are given.
    """

    function = losses.sparse_categorical_crossentropy
    _direction = "down"
    _arguments = (
        "from_logits",
        "ignore_class",
        "axis",
    )
    _config_if_set = ("ignore_class",)

    def __init__(
        self,
        name: str | None = "sparse_categorical_crossentropy",
        dtype: Any = None,
        from_logits: bool = False,
        ignore_class: int | None = None,
        axis: int = -1,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.from_logits = from_logits
        self.ignore_class = ignore_class
        self.axis = axis

    def _valid(self, y_true: Any, y_pred: Any) -> Any:
        if self.ignore_class is None:
            return None
        return valid_labels(y_true, y_pred, self.ignore_class, self.axis)


def _cosine(y_true: Any, y_pred: Any, axis: int) -> Any:
    return -losses.cosine_similarity(y_true, y_pred, axis)


@export("metrics.CosineSimilarity")
class CosineSimilarity(FunctionMetric):
    """The cosine of the angle between y_true and y_pred: 1 where they point the same way.

    Source: `keras.metrics.CosineSimilarity`.
    """

    function = _cosine
    _direction = "up"
    _arguments = ("axis",)
    _config_if_set = ("axis",)

    def __init__(self, name: str | None = "cosine_similarity", dtype: Any = None, axis: int = -1) -> None:
        super().__init__(name=name, dtype=dtype)
        self.axis = axis


@export("metrics.RootMeanSquaredError")
class RootMeanSquaredError(Mean):
    """sqrt(mean((y_true - y_pred)**2)) over everything seen. Source: `keras.metrics.RootMeanSquaredError`.

    Example:
        >>> float(RootMeanSquaredError()([[0.0], [0.0]], [[3.0], [3.0]]))
        3.0
    """

    _direction = "down"

    def __init__(self, name: str | None = "root_mean_squared_error", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        """Add a batch of targets and predictions."""
        y_true, y_pred = (backend.convert_to_tensor(y, self.dtype) for y in (y_true, y_pred))
        y_true, y_pred = losses.squeeze_or_expand_to_same_rank(y_true, y_pred)
        self._update(ops.square(y_pred - y_true), sample_weight, None)

    def result(self) -> Any:
        """The root of the mean so far."""
        return ops.sqrt(super().result())
