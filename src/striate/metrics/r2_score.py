"""R2Score: how much of the targets' variance a regression explains."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from striate import backend, ops
from striate.core.errors import ArgumentError
from striate.core.registry import export
from striate.losses import squeeze_or_expand_to_same_rank
from striate.metrics.f_score import require_columns
from striate.metrics.metric import Metric

_SUMS = (("squared_sum", "squared_sum"), ("sum", "sum"), ("total_mse", "residual"), ("count", "count"))


@export("metrics.R2Score")
class R2Score(Metric):
    """1 - sum(w * (y_true - y_pred)**2) / sum(w * (y_true - mean)**2) for each column.

    1 is perfect, 0 what always saying the mean gets.

    Source: `keras.metrics.R2Score`.

    Args:
        class_aggregation: "uniform_average": the mean over the columns. "variance_weighted_average": weighted by their
            variances. None: a score for each.
        num_regressors: p > 0 gives the adjusted score 1 - (1 - R2) * (n - 1) / (n - p - 1), where n is the number of
            values seen; the plain one while n <= p + 1.

    Raises:
        ValueError: arguments out of range, or inputs that are not (samples, columns).

    Example:
        >>> float(R2Score()([[1.0], [2.0], [3.0]], [[1.0], [2.0], [4.0]]))
        0.5
    """

    _direction = "up"

    def __init__(
        self,
        class_aggregation: str | None = "uniform_average",
        num_regressors: int = 0,
        name: str | None = "r2_score",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        known = (None, "uniform_average", "variance_weighted_average")
        if class_aggregation not in known:
            raise ArgumentError(
                f"Invalid value for argument `class_aggregation`. Expected one of {known}. "
                f"Received: class_aggregation={class_aggregation}"
            )
        if num_regressors < 0:
            raise ArgumentError(
                "Invalid value for argument `num_regressors`. Expected a value >= 0. "
                f"Received: num_regressors={num_regressors}"
            )
        self.class_aggregation = class_aggregation
        self.num_regressors = num_regressors
        self.num_samples = self.add_variable((), "zeros", name="num_samples")
        self._built = False

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add targets and predictions (samples, columns), with weights for each sample or each value."""
        y_true, y_pred = (backend.convert_to_tensor(y, self.dtype) for y in (y_true, y_pred))
        y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
        columns = require_columns("R2Score", y_true, y_pred)
        if not self._built:
            for attribute, name in _SUMS:
                setattr(self, attribute, self.add_variable((columns,), "zeros", name=name))
            self._built = True
        weight = backend.convert_to_tensor(1.0 if sample_weight is None else sample_weight, self.dtype)
        if len(weight.shape) == 1:
            weight = ops.expand_dims(weight, 1)
        weight = ops.broadcast_to(weight, y_true.shape)
        added = (weight * y_true * y_true, weight * y_true, weight * ops.square(y_true - y_pred), weight)
        for (attribute, _), values in zip(_SUMS, added, strict=True):
            getattr(self, attribute).assign_add(ops.sum(values, axis=0))
        rows = y_true.shape[0]
        self.num_samples.assign_add(float((1 if rows is None else rows) * columns))  # open: only types are inferred

    def result(self) -> Any:
        """The score so far: (columns,) without an aggregation, else ()."""
        if not self._built:
            return np.zeros((), self.dtype)
        squares, sums, residual, count = (getattr(self, attribute).value for attribute, _ in _SUMS)
        total = squares - sums * (sums / count)
        score = 1.0 - residual / total
        score = ops.where(ops.isinf(score), 0.0, score)
        if self.class_aggregation == "uniform_average":
            score = ops.mean(score)
        elif self.class_aggregation == "variance_weighted_average":
            score = ops.sum(total * score) / ops.sum(total)
        return self._adjusted(score) if self.num_regressors else score

    def _adjusted(self, score: Any) -> Any:
        spare = self.num_samples - float(self.num_regressors) - 1.0
        if not backend.in_trace() and float(spare) <= 0:
            warnings.warn(
                f"The adjusted R2 score needs more than {self.num_regressors + 1} values, for {self.num_regressors} "
                f"regressors. Received {int(self.num_samples.numpy())}. The standard R2 score is given.",
                stacklevel=3,
            )
        enough = ops.greater(spare, 0.0)
        adjusted = 1.0 - (1.0 - score) * (self.num_samples - 1.0) / ops.where(enough, spare, 1.0)
        return ops.where(enough, adjusted, score)
