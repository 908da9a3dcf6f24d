"""AUC: the area under a curve over thresholds."""

from __future__ import annotations

from typing import Any

import numpy as np

from striate import backend, ops
from striate.core.errors import ArgumentError, ShapeError
from striate.core.registry import export
from striate.metrics.confusion import Thresholds, count, even_thresholds
from striate.metrics.metric import Metric

_COUNTS = ("true_positives", "false_positives", "true_negatives", "false_negatives")
_CURVES = ("PR", "ROC", "PRGAIN")
_SUMMATIONS = ("interpolation", "majoring", "minoring")


def _one_of(name: str, given: Any, known: tuple[str, ...]) -> str:
    """The name as it stands in `known`, whatever the case of the first letter or of all."""
    text = str(getattr(given, "value", given))
    for one in known:
        if text in (one, one.lower(), one.capitalize()):
            return one
    raise ArgumentError(f'Invalid AUC {name} value: "{given}". Expected values are {list(known)}')


@export("metrics.AUC")
class AUC(Metric):
    """sum((x[i] - x[i + 1]) * height[i]) over neighbouring thresholds of a curve (x, y).

    "ROC": x = fp / (fp + tn), y = tp / (tp + fn). "PR": x = tp / (tp + fn), y = tp / (tp + fp). "PRGAIN": precision and
    recall as gains over always saying yes. The height is (y[i] + y[i + 1]) / 2 with "interpolation", the larger of both
    with "majoring", the smaller with "minoring". "PR" is interpolated in tp and fp, of which precision is no linear
    function.

    Source: `keras.metrics.AUC`; Davis and Goadrich 2006 (PR), Flach and Kull 2015 (PRGAIN).

    Args:
        num_thresholds: spaced evenly from 0 to 1, at least 2.
        curve: "ROC", "PR" or "PRGAIN".
        summation_method: "interpolation", "majoring" or "minoring".
        thresholds: in (0, 1), instead of even ones; one below 0 and one above 1 are added.
        multi_label: the mean of the areas of each label of (samples, labels), instead of that of all together.
        num_labels: with multi_label; found with the first batch unless given.
        label_weights: for each label.
        from_logits: predictions are logits; else they are in [0, 1].

    Raises:
        ValueError: an unknown curve or summation, too few thresholds, or shapes that do not fit.

    Example:
        >>> float(AUC(num_thresholds=3)([0, 0, 1, 1], [0, 0.5, 0.3, 0.9]))
        0.75
    """

    _direction = "up"

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: Any = "ROC",
        summation_method: Any = "interpolation",
        name: str | None = None,
        dtype: Any = None,
        thresholds: Any = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Any = None,
        from_logits: bool = False,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.curve = _one_of("curve", curve, _CURVES)
        self.summation_method = _one_of("summation method", summation_method, _SUMMATIONS)
        if thresholds is None:
            if num_thresholds <= 1:
                raise ArgumentError(
                    f"Argument `num_thresholds` must be an integer > 1. Received: num_thresholds={num_thresholds}"
                )
            inner, even = even_thresholds(num_thresholds)[1:-1], True
        else:
            inner = sorted(float(t) for t in thresholds)
            even = Thresholds([0.0, *inner, 1.0]).even
        if num_labels and not multi_label:
            raise ArgumentError("`num_labels` is needed only when `multi_label` is True.")
        self._given = thresholds is not None
        self.num_thresholds = len(inner) + 2
        self._cuts = Thresholds([-backend.epsilon(), *inner, 1.0 + backend.epsilon()], even=even)
        self.multi_label = multi_label
        self.num_labels = num_labels
        self.label_weights = None if label_weights is None else np.asarray(label_weights, self.dtype).tolist()
        self.from_logits = from_logits
        self._built = False
        if not multi_label or num_labels:
            self._build((self.num_thresholds, num_labels) if num_labels else (self.num_thresholds,))

    @property
    def thresholds(self) -> list[float]:
        """All thresholds, the outer two included."""
        return self._cuts.values

    def _build(self, shape: tuple[int, ...]) -> None:
        for name in _COUNTS:
            setattr(self, name, self.add_variable(shape, "zeros", name=name))
        self._built = True

    def _label_weights(self) -> Any:
        return None if self.label_weights is None else np.asarray(self.label_weights, self.dtype)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add labels (0 or 1) and predictions of one shape, with weights for each sample or each label."""
        y_pred = backend.convert_to_tensor(y_pred, self.dtype)
        if self.multi_label and len(y_pred.shape) != 2:
            raise ShapeError(
                "`y_pred` must have rank 2 when `multi_label=True`. "
                f"Received y_pred.shape={tuple(y_pred.shape)}. Expected (samples, labels)."
            )
        if not self._built:
            self._build((self.num_thresholds, int(y_pred.shape[1])))
        if self.from_logits:
            y_pred = ops.sigmoid(y_pred)
        weights = None if self.multi_label else self._label_weights()
        counts = count(
            y_true,
            y_pred,
            self._cuts,
            self.dtype,
            sample_weight=sample_weight,
            by_label=self.multi_label,
            label_weights=weights,
        )
        for name in _COUNTS:
            getattr(self, name).assign_add(counts[name])

    def result(self) -> Any:
        """The area so far."""
        if not self._built:
            return np.zeros((), self.dtype)
        tp, fp, tn, fn = (getattr(self, name).value for name in _COUNTS)
        if self.curve == "PR" and self.summation_method == "interpolation":
            return self._mean(self._interpolated(tp, fp, fn))
        recall = ops.divide_no_nan(tp, tp + fn)
        if self.curve == "ROC":
            x, y = ops.divide_no_nan(fp, fp + tn), recall
        elif self.curve == "PR":
            x, y = recall, ops.divide_no_nan(tp, tp + fp)
        else:
            odds, none = ops.divide_no_nan(tp + fn, tn + fp), ops.equal(tp, 0.0)
            x = ops.maximum(ops.where(none, 0.0, 1.0 - odds * ops.divide_no_nan(fn, tp)), 0.0)
            y = ops.where(none, 1.0, 1.0 - odds * ops.divide_no_nan(fp, tp))
        left, right = y[:-1], y[1:]
        height = {
            "interpolation": lambda: (left + right) / 2.0,
            "minoring": lambda: ops.minimum(left, right),
            "majoring": lambda: ops.maximum(left, right),
        }[self.summation_method]()
        return self._mean((x[:-1] - x[1:]) * height)

    @staticmethod
    def _interpolated(tp: Any, fp: Any, fn: Any) -> Any:
        """Between two thresholds tp = slope * p + offset with p = tp + fp, so precision is slope + offset / p.

        Over recall = tp / (tp + fn) it integrates to slope * (dtp + offset * log(p[i] / p[i + 1])) / (tp + fn).
        """
        positives = tp + fp
        gained, more, fewer = tp[:-1] - tp[1:], positives[:-1], positives[1:]
        slope = ops.divide_no_nan(gained, ops.maximum(more - fewer, 0.0))
        offset = tp[1:] - slope * fewer
        both = ops.logical_and(ops.greater(more, 0.0), ops.greater(fewer, 0.0))
        ratio = ops.where(both, ops.divide_no_nan(more, ops.maximum(fewer, 0.0)), 1.0)
        return ops.divide_no_nan(slope * (gained + offset * ops.log(ratio)), ops.maximum(tp[1:] + fn[1:], 0.0))

    def _mean(self, areas: Any) -> Any:
        """Of (thresholds - 1, ...) pieces: their sum, with several labels the mean of their sums."""
        sums = ops.sum(areas, axis=0)
        if not self.multi_label:
            return sums
        weights = self._label_weights()
        return ops.mean(sums) if weights is None else ops.divide_no_nan(ops.sum(sums * weights), np.sum(weights))

    def get_config(self) -> dict[str, Any]:
        """The arguments as plain values."""
        config = {**super().get_config(), "thresholds": self.thresholds[1:-1]}
        if not self._given:
            del config["thresholds"]
        return config
