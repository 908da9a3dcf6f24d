"""F-scores: precision and recall in one number, for each class."""

from __future__ import annotations

from typing import Any

from striate import backend, ops
from striate.core.errors import ArgumentError, ShapeError
from striate.core.registry import export
from striate.metrics.metric import Metric

_COUNTS = ("true_positives", "false_positives", "false_negatives", "intermediate_weights")


def require_columns(name: str, y_true: Any, y_pred: Any) -> int:
    """The number of columns of (samples, columns).

    Raises:
        ValueError: another rank, or an open last axis.
    """
    if len(y_pred.shape) != 2 or len(y_true.shape) != 2 or None in (y_pred.shape[-1], y_true.shape[-1]):
        raise ShapeError(
            f"{name} expects 2D inputs with shape (batch_size, output_dim), output_dim known. Received "
            f"y_pred.shape={tuple(y_pred.shape)} and y_true.shape={tuple(y_true.shape)}."
        )
    return int(y_pred.shape[-1])


def _check_float(name: str, value: Any) -> None:
    if not isinstance(value, float):
        raise ArgumentError(
            f"Invalid `{name}` argument value. It should be a Python float. "
            f"Received: {name}={value} of type '{type(value)}'"
        )


@export("metrics.FBetaScore")
class FBetaScore(Metric):
    """(1 + beta**2) * precision * recall / (beta**2 * precision + recall) for each class.

    Source: `keras.metrics.FBetaScore`.

    Args:
        average: None: a score for each class. "micro": one from the counts of all classes. "macro": the mean of the
            classes' scores; "weighted": weighted by how often each class occurs.
        beta: how many times as much recall counts as precision, above 0.
        threshold: predictions above it are positive, in (0, 1]; None: the largest of each sample is.

    Raises:
        ValueError: arguments out of range, or inputs that are not (samples, classes).

    Example:
        >>> m = FBetaScore(beta=2.0, threshold=0.5)
        >>> [round(float(v), 4) for v in m([[1, 1], [1, 0], [1, 0]], [[0.2, 0.6], [0.6, 0.2], [0.8, 0.6]])]
        [0.7143, 0.8333]
    """

    _direction = "up"

    def __init__(
        self,
        average: str | None = None,
        beta: float = 1.0,
        threshold: float | None = None,
        name: str | None = "fbeta_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        if average not in (None, "micro", "macro", "weighted"):
            raise ArgumentError(
                "Invalid `average` argument value. Expected one of: {None, 'micro', 'macro', 'weighted'}. "
                f"Received: average={average}"
            )
        _check_float("beta", beta)
        if beta <= 0.0:
            raise ArgumentError(f"Invalid `beta` argument value. It should be > 0. Received: beta={beta}")
        if threshold is not None:
            _check_float("threshold", threshold)
            if not 0.0 < threshold <= 1.0:
                raise ArgumentError(
                    "Invalid `threshold` argument value. It should verify 0 < threshold <= 1. "
                    f"Received: threshold={threshold}"
                )
        self.average = average
        self.beta = beta
        self.threshold = threshold
        self._axis = None if average == "micro" else 0
        self._built = False

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add labels (samples, classes) of 0 and 1 and predictions of that shape, with weights (samples,)."""
        y_true, y_pred = (backend.convert_to_tensor(y, self.dtype) for y in (y_true, y_pred))
        classes = require_columns(type(self).__name__, y_true, y_pred)
        if not self._built:
            for name in _COUNTS:
                setattr(self, name, self.add_variable(() if self._axis is None else (classes,), "zeros", name=name))
            self._built = True
        if self.threshold is None:
            largest = ops.max(y_pred, axis=-1, keepdims=True)
            found = ops.logical_and(ops.greater_equal(y_pred, largest), ops.greater(ops.abs(y_pred), 1e-9))
        else:
            found = ops.greater(y_pred, self.threshold)
        found = ops.cast(found, self.dtype)
        if sample_weight is not None:
            sample_weight = ops.expand_dims(backend.convert_to_tensor(sample_weight, self.dtype), 1)
        added = (found * y_true, found * (1.0 - y_true), (1.0 - found) * y_true, y_true)
        for name, values in zip(_COUNTS, added, strict=True):
            weighted = values if sample_weight is None else values * sample_weight
            getattr(self, name).assign_add(ops.sum(weighted, axis=self._axis))

    def result(self) -> Any:
        """The score so far: (classes,) without an average, else ()."""
        if not self._built:
            return backend.convert_to_tensor(0.0, self.dtype)
        right, wrong, missed, weights = (getattr(self, name).value for name in _COUNTS)
        tiny = backend.epsilon()
        precision, recall = right / (right + wrong + tiny), right / (right + missed + tiny)
        square = self.beta**2
        score = precision * recall / (square * precision + recall + tiny) * (1.0 + square)
        if self.average == "weighted":
            return ops.sum(score * (weights / (ops.sum(weights) + tiny)))
        return score if self.average is None else ops.mean(score)


@export("metrics.F1Score")
class F1Score(FBetaScore):
    """2 * precision * recall / (precision + recall) for each class.

    Source: `keras.metrics.F1Score`. Arguments and errors: see FBetaScore.

    Example:
        >>> m = F1Score(threshold=0.5)
        >>> [round(float(v), 4) for v in m([[1, 1], [1, 0], [1, 0]], [[0.2, 0.6], [0.6, 0.2], [0.8, 0.6]])]
        [0.8, 0.6667]
    """

    _not_in_config = ("beta",)

    def __init__(
        self,
        average: str | None = None,
        threshold: float | None = None,
        name: str | None = "f1_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(average=average, beta=1.0, threshold=threshold, name=name, dtype=dtype)
