"""Counts of right and wrong decisions at thresholds, and precision and recall, which are made of them."""

from __future__ import annotations

from typing import Any

from striate import ops
from striate.core.registry import export
from striate.metrics.confusion import NEVER, Thresholds, count, thresholds_of
from striate.metrics.metric import Metric


class ConditionCount(Metric):
    """How many (weighted) decisions are of one kind; subclasses say of which."""

    _counted: str

    def __init__(self, thresholds: Any = None, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.init_thresholds = thresholds
        self.thresholds = thresholds_of(thresholds, 0.5)
        self._cuts = Thresholds(self.thresholds)
        self.accumulator = self.add_variable((len(self.thresholds),), "zeros", name="accumulator")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add labels (0 or 1) and predictions in [0, 1] of one shape, with weights for each sample or each label."""
        counts = count(y_true, y_pred, self._cuts, self.accumulator.dtype, sample_weight=sample_weight)
        self.accumulator.assign_add(counts[self._counted])

    def result(self) -> Any:
        """The count so far: (), or (thresholds,) where there are several."""
        return self.accumulator.value[0] if len(self.thresholds) == 1 else self.accumulator.value

    def get_config(self) -> dict[str, Any]:
        """The arguments as plain values."""
        return {**super().get_config(), "thresholds": self.init_thresholds}


@export("metrics.TruePositives")
class TruePositives(ConditionCount):
    """sum(weight) where the label is 1 and the prediction above the threshold.

    Source: `keras.metrics.TruePositives`.

    Args:
        thresholds: a number in [0, 1], 0.5 unless given, or several: then the result has one count for each.

    Raises:
        ValueError: a threshold out of range, or shapes that do not fit.

    Example:
        >>> float(TruePositives()([0, 1, 1, 1], [0.9, 0.1, 0.7, 0.8]))
        2.0
    """

    _counted = "true_positives"
    _direction = "up"


@export("metrics.FalsePositives")
class FalsePositives(ConditionCount):
    """sum(weight) where the label is 0 and the prediction above the threshold.

    Source: `keras.metrics.FalsePositives`.

    Args:
        thresholds: a number in [0, 1], 0.5 unless given, or several: then the result has one count for each.

    Raises:
        ValueError: a threshold out of range, or shapes that do not fit.

    Example:
        >>> float(FalsePositives()([0, 1, 0, 1], [0.9, 0.1, 0.7, 0.8]))
        2.0
    """

    _counted = "false_positives"
    _direction = "down"


@export("metrics.TrueNegatives")
class TrueNegatives(ConditionCount):
    """sum(weight) where the label is 0 and the prediction not above the threshold.

    Source: `keras.metrics.TrueNegatives`.

    Args:
        thresholds: a number in [0, 1], 0.5 unless given, or several: then the result has one count for each.

    Raises:
        ValueError: a threshold out of range, or shapes that do not fit.

    Example:
        >>> float(TrueNegatives()([0, 1, 0, 1], [0.2, 0.1, 0.7, 0.8]))
        1.0
    """

    _counted = "true_negatives"
    _direction = "up"


@export("metrics.FalseNegatives")
class FalseNegatives(ConditionCount):
    """sum(weight) where the label is 1 and the prediction not above the threshold.

    Source: `keras.metrics.FalseNegatives`.

    Args:
        thresholds: a number in [0, 1], 0.5 unless given, or several: then the result has one count for each.

    Raises:
        ValueError: a threshold out of range, or shapes that do not fit.

    Example:
        >>> float(FalseNegatives()([0, 1, 1, 1], [0.2, 0.1, 0.7, 0.3]))
        2.0
    """

    _counted = "false_negatives"
    _direction = "down"


class Ratio(Metric):
    """true positives / (true positives + another count); subclasses say which."""

    _other: str
    _direction = "up"

    def __init__(
        self,
        thresholds: Any = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.init_thresholds = thresholds
        self.top_k = top_k
        self.class_id = class_id
        self.thresholds = thresholds_of(thresholds, 0.5 if top_k is None else NEVER)
        self._cuts = Thresholds(self.thresholds)
        shape = (len(self.thresholds),)
        self.true_positives = self.add_variable(shape, "zeros", name="true_positives")
        setattr(self, self._other, self.add_variable(shape, "zeros", name=self._other))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add labels (0 or 1) and predictions in [0, 1] of one shape, with weights for each sample or each label."""
        counts = count(
            y_true,
            y_pred,
            self._cuts,
            self.true_positives.dtype,
            sample_weight=sample_weight,
            top_k=self.top_k,
            class_id=self.class_id,
        )
        self.true_positives.assign_add(counts["true_positives"])
        getattr(self, self._other).assign_add(counts[self._other])

    def result(self) -> Any:
        """The ratio so far, 0 before the first positive: (), or (thresholds,) where there are several."""
        ratio = ops.divide_no_nan(self.true_positives, self.true_positives + getattr(self, self._other))
        return ratio[0] if len(self.thresholds) == 1 else ratio

    def get_config(self) -> dict[str, Any]:
        """The arguments as plain values."""
        return {**super().get_config(), "thresholds": self.init_thresholds}


@export("metrics.Precision")
class Precision(Ratio):
    """true positives / (true positives + false positives): how much of what was found is right.

    Source: `keras.metrics.Precision`.

    Args:
        thresholds: a number in [0, 1], 0.5 unless given, or several: then the result has one ratio for each.
        top_k: only the k largest predictions of a sample are positive; needs no threshold.
        class_id: only this class of the last axis counts.

    Raises:
        ValueError: a threshold out of range, or shapes that do not fit.

    Example:
        >>> round(float(Precision()([0, 1, 1, 1], [0.9, 0.1, 0.7, 0.8])), 4)
        0.6667
    """

    _other = "false_positives"


@export("metrics.Recall")
class Recall(Ratio):
    """true positives / (true positives + false negatives): how much of what is there was found.

    Source: `keras.metrics.Recall`.

    Args:
        thresholds: a number in [0, 1], 0.5 unless given, or several: then the result has one ratio for each.
        top_k: only the k largest predictions of a sample are positive; needs no threshold.
        class_id: only this class of the last axis counts.

    Raises:
        ValueError: a threshold out of range, or shapes that do not fit.

    Example:
        >>> float(Recall()([0, 1, 1, 1, 1], [0.9, 0.1, 0.7, 0.8, 0.3]))
        0.5
    """

    _other = "false_negatives"
