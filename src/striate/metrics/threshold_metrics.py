"""The best of one ratio where another is at least a given value: one number out of a curve over thresholds."""

from __future__ import annotations

from typing import Any

from striate import ops
from striate.core.errors import ArgumentError
from striate.core.registry import export
from striate.metrics.confusion import Thresholds, count, even_thresholds
from striate.metrics.metric import Metric

_COUNTS = ("true_positives", "false_positives", "true_negatives", "false_negatives")
#: ratio -> (above, also below the line)
_RATIOS = {
    "precision": ("true_positives", "false_positives"),
    "recall": ("true_positives", "false_negatives"),
    "sensitivity": ("true_positives", "false_negatives"),
    "specificity": ("true_negatives", "false_positives"),
}


class BestUnderConstraint(Metric):
    """max(_sought) over the thresholds at which _held is at least `value`; subclasses say which ratios."""

    _direction = "up"
    _held: str
    _sought: str

    def _start(self, value: float, num_thresholds: int, class_id: int | None) -> None:
        if value < 0 or value > 1:
            raise ArgumentError(f"Argument `{self._held}` must be in the range [0, 1]. Received: {self._held}={value}")
        if num_thresholds <= 0:
            raise ArgumentError(
                f"Argument `num_thresholds` must be an integer > 0. Received: num_thresholds={num_thresholds}"
            )
        self.value = value
        self.num_thresholds = num_thresholds
        self.class_id = class_id
        self.thresholds = even_thresholds(num_thresholds)
        self._cuts = Thresholds(self.thresholds, even=num_thresholds > 1)
        for name in _COUNTS:
            setattr(self, name, self.add_variable((num_thresholds,), "zeros", name=name))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add labels (0 or 1) and predictions in [0, 1] of one shape, with weights for each sample or each label."""
        counts = count(y_true, y_pred, self._cuts, self.dtype, sample_weight=sample_weight, class_id=self.class_id)
        for name in _COUNTS:
            getattr(self, name).assign_add(counts[name])

    def _ratio(self, name: str) -> Any:
        above, beside = (getattr(self, part) for part in _RATIOS[name])
        return ops.divide_no_nan(above, above + beside)

    def result(self) -> Any:
        """The best value so far; 0 where no threshold meets the condition."""
        held, sought = self._ratio(self._held), self._ratio(self._sought)
        return ops.max(ops.where(ops.greater_equal(held, self.value), sought, 0.0))


@export("metrics.SensitivityAtSpecificity")
class SensitivityAtSpecificity(BestUnderConstraint):
    """The best sensitivity over the thresholds at which the specificity is at least a given one.

    Sensitivity is tp / (tp + fn), specificity tn / (tn + fp): true and false positives and negatives at the threshold.

    Source: `keras.metrics.SensitivityAtSpecificity`.

    Args:
        specificity: in [0, 1].
        num_thresholds: as many are tried, spaced evenly from 0 to 1; 0.5 for one.
        class_id: only this class of the last axis counts.

    Raises:
        ValueError: numbers out of range, or shapes that do not fit.

    Example:
        >>> round(float(SensitivityAtSpecificity(0.5)([0, 0, 0, 1, 1], [0.0, 0.3, 0.8, 0.3, 0.8])), 4)
        0.5
    """

    _held, _sought = "specificity", "sensitivity"

    def __init__(
        self,
        specificity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self._start(specificity, num_thresholds, class_id)
        self.specificity = specificity


@export("metrics.SpecificityAtSensitivity")
class SpecificityAtSensitivity(BestUnderConstraint):
    """The best specificity over the thresholds at which the sensitivity is at least a given one.

    Specificity is tn / (tn + fp), sensitivity tp / (tp + fn): true and false positives and negatives at the threshold.

    Source: `keras.metrics.SpecificityAtSensitivity`.

    Args:
        sensitivity: in [0, 1].
        num_thresholds: as many are tried, spaced evenly from 0 to 1; 0.5 for one.
        class_id: only this class of the last axis counts.

    Raises:
        ValueError: numbers out of range, or shapes that do not fit.

    Example:
        >>> round(float(SpecificityAtSensitivity(0.5)([0, 0, 0, 1, 1], [0.0, 0.3, 0.8, 0.3, 0.8])), 4)
        0.6667
    """

    _held, _sought = "sensitivity", "specificity"

    def __init__(
        self,
        sensitivity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self._start(sensitivity, num_thresholds, class_id)
        self.sensitivity = sensitivity


@export("metrics.PrecisionAtRecall")
class PrecisionAtRecall(BestUnderConstraint):
    """The best precision over the thresholds at which the recall is at least a given one.

    Precision is tp / (tp + fp), recall tp / (tp + fn): true and false positives and negatives at the threshold.

    Source: `keras.metrics.PrecisionAtRecall`.

    Args:
        recall: in [0, 1].
        num_thresholds: as many are tried, spaced evenly from 0 to 1; 0.5 for one.
        class_id: only this class of the last axis counts.

    Raises:
        ValueError: numbers out of range, or shapes that do not fit.

    Example:
        >>> round(float(PrecisionAtRecall(0.5)([0, 0, 0, 1, 1], [0.0, 0.3, 0.8, 0.3, 0.8])), 4)
        0.5
    """

    _held, _sought = "recall", "precision"

    def __init__(
        self,
        recall: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self._start(recall, num_thresholds, class_id)
        self.recall = recall


@export("metrics.RecallAtPrecision")
class RecallAtPrecision(BestUnderConstraint):
    """The best recall over the thresholds at which the precision is at least a given one.

    Recall is tp / (tp + fn), precision tp / (tp + fp): true and false positives and negatives at the threshold.

    Source: `keras.metrics.RecallAtPrecision`.

    Args:
        precision: in [0, 1].
        num_thresholds: as many are tried, spaced evenly from 0 to 1; 0.5 for one.
        class_id: only this class of the last axis counts.

    Raises:
        ValueError: numbers out of range, or shapes that do not fit.

    Example:
        >>> round(float(RecallAtPrecision(0.8)([0, 0, 1, 1], [0.0, 0.5, 0.3, 0.9])), 4)
        0.5
    """

    _held, _sought = "precision", "recall"

    def __init__(
        self,
        precision: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self._start(precision, num_thresholds, class_id)
        self.precision = precision
