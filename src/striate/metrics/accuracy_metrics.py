"""How often predictions are right, as metrics."""

from __future__ import annotations

from typing import Any

from striate.core.registry import export
from striate.metrics import accuracy
from striate.metrics.reduction import FunctionMetric


@export("metrics.Accuracy")
class Accuracy(FunctionMetric):
    """How often y_true equals y_pred. Source: `keras.metrics.Accuracy`.

    `compile(metrics=["accuracy"])` means the binary, categorical or sparse categorical accuracy, by the shapes.
    """

    function = accuracy.accuracy
    _direction = "up"

    def __init__(self, name: str | None = "accuracy", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)


@export("metrics.BinaryAccuracy")
class BinaryAccuracy(FunctionMetric):
    """How often y_true (0 or 1) says whether y_pred > threshold. Source: `keras.metrics.BinaryAccuracy`.

    Example:
        >>> float(BinaryAccuracy()([[1.0], [0.0]], [[0.9], [0.6]]))
        0.5
    """

    function = accuracy.binary_accuracy
    _direction = "up"
    _arguments = ("threshold",)

    def __init__(self, name: str | None = "binary_accuracy", dtype: Any = None, threshold: float = 0.5) -> None:
        super().__init__(name=name, dtype=dtype)
        self.threshold = threshold


@export("metrics.CategoricalAccuracy")
class CategoricalAccuracy(FunctionMetric):
    """How often the largest of y_pred is at the place of the largest of y_true (one-hot).

    Source: `keras.metrics.CategoricalAccuracy`.
    """

    function = accuracy.categorical_accuracy
    _direction = "up"

    def __init__(self, name: str | None = "categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)


@export("metrics.SparseCategoricalAccuracy")
class SparseCategoricalAccuracy(FunctionMetric):
    """How often the largest of y_pred is at the place that the integer y_true names.

    Source: `keras.metrics.SparseCategoricalAccuracy`.

    Example:
        >>> float(SparseCategoricalAccuracy()([1, 0], [[0.1, 0.9], [0.3, 0.7]]))
        0.5
    """

    function = accuracy.sparse_categorical_accuracy
    _direction = "up"

    def __init__(self, name: str | None = "sparse_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)


@export("metrics.TopKCategoricalAccuracy")
class TopKCategoricalAccuracy(FunctionMetric):
    """How often the right class (y_true one-hot) is among the k highest scores.

    Source: `keras.metrics.TopKCategoricalAccuracy`.
    """

    function = accuracy.top_k_categorical_accuracy
    _direction = "up"
    _arguments = ("k",)

    def __init__(self, k: int = 5, name: str | None = "top_k_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.k = k


@export("metrics.SparseTopKCategoricalAccuracy")
class SparseTopKCategoricalAccuracy(FunctionMetric):
    """How often the class that the integer y_true names is among the k highest scores.

    Source: `keras.metrics.SparseTopKCategoricalAccuracy`.

    Args:
        from_sorted_ids: y_pred holds class numbers in order of their scores.
    """

    function = accuracy.sparse_top_k_categorical_accuracy
    _direction = "up"
    _arguments = (
        "k",
        "from_sorted_ids",
    )
    _config_if_set = ("from_sorted_ids",)

    def __init__(
        self,
        k: int = 5,
        name: str | None = "sparse_top_k_categorical_accuracy",
        dtype: Any = None,
        from_sorted_ids: bool = False,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.k = k
        self.from_sorted_ids = from_sorted_ids
