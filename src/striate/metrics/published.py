"""How often the smallest penalty is at the right place: the metric of LeNet-5 as published. Not in Keras."""

from __future__ import annotations

from typing import Any

from striate import backend
from striate.core.registry import export
from striate.metrics.accuracy import sparse_categorical_accuracy
from striate.metrics.reduction import FunctionMetric


@export("metrics.sparse_penalty_accuracy")
def sparse_penalty_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where the smallest of y_pred (..., classes) is at the place that y_true, (...) or (..., 1), names.

    Source: LeCun, Bottou, Bengio and Haffner 1998: the output with the least penalty is the answer.

    Example:
        >>> sparse_penalty_accuracy([1, 0], [[0.1, 0.9], [0.3, 0.7]]).tolist()
        [0.0, 1.0]
    """
    return sparse_categorical_accuracy(y_true, -backend.convert_to_tensor(y_pred))


@export("metrics.SparsePenaltyAccuracy")
class SparsePenaltyAccuracy(FunctionMetric):
    """How often the smallest of y_pred is at the place that the integer y_true names. Not in Keras.

    `metrics=["accuracy"]` takes the largest: with penalties it is the share of the answers that are most wrong.

    Example:
        >>> float(SparsePenaltyAccuracy()([1, 0], [[0.9, 0.1], [0.7, 0.3]]))
        0.5
    """

    function = sparse_penalty_accuracy
    _direction = "up"

    def __init__(self, name: str | None = "accuracy", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
