"""True and false positives and negatives at thresholds: what precision, recall and areas under curves are made of.

A prediction is positive at a threshold where it is larger. With weights w, labels t in {0, 1} and predictions p,

    tp[i] = sum w t [p > threshold_i]          fp[i] = sum w (1 - t) [p > threshold_i]
    fn[i] = sum w t - tp[i]                    tn[i] = sum w (1 - t) - fp[i]

Thresholds that are spaced evenly over [0, 1] are compared as Keras does it, by the number of the interval in which the
prediction falls, so that a prediction beside a threshold is rounded to the same side.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from striate import backend, ops
from striate.core.errors import ArgumentError, ShapeError
from striate.losses import squeeze_or_expand_to_same_rank

#: below every prediction: the threshold of those that `top_k` keeps, and what it makes of the others.
NEVER = -1e10
#: comparisons made at once, in elements (16 MB of floats): maps of pixels at 200 thresholds would fill gigabytes.
_AT_ONCE = 1 << 22


class Thresholds:
    """Thresholds, in rising order where they are even.

    Args:
        values: numbers.
        even: whether they are 0, 1/(n-1), ..., 1; found out unless said.
    """

    def __init__(self, values: Sequence[float], even: bool | None = None) -> None:
        self.values = [float(v) for v in values]
        n = len(self.values)
        if even is None:
            spaced = np.arange(n, dtype=np.float32) / max(n - 1, 1)
            even = n >= 3 and bool(np.allclose(self.values, spaced, atol=backend.epsilon()))
        self.even = even
        #: the first one lies below 0, so that a prediction of 0 is above it.
        self.widened = self.even and (self.values[0] < 0.0 or self.values[-1] > 1.0)

    def passed(self, y_pred: Any, dtype: str) -> Any:
        """(..., thresholds) of 0 and 1 from predictions (...)."""
        y_pred = ops.expand_dims(y_pred, -1)
        if not self.even:
            return ops.cast(ops.greater(y_pred, np.array(self.values, dtype)), dtype)
        interval = ops.ceil(ops.clip(y_pred, 0.0, 1.0) * float(len(self.values) - 1)) - 1.0
        if self.widened:
            interval = ops.maximum(interval, 0.0)
        return ops.cast(ops.greater_equal(interval, np.arange(len(self.values)).astype(dtype)), dtype)


def thresholds_of(given: Any, default: float) -> list[float]:
    """A list of thresholds from a number, several, or None for the default.

    Raises:
        ValueError: a threshold outside [0, 1].
    """
    if given is None:
        return [default]
    values = list(given) if isinstance(given, list | tuple | np.ndarray) else [given]
    wrong = [v for v in values if v is None or v < 0 or v > 1]
    if wrong:
        raise ArgumentError(f"Threshold values must be in [0, 1]. Received: {wrong}")
    return values


def even_thresholds(n: int) -> list[float]:
    """n thresholds from 0 to 1; 0.5 for one."""
    return [i / (n - 1) for i in range(n)] if n > 1 else [0.5]


def _keep_largest(y_pred: Any, k: int) -> Any:
    _, places = ops.top_k(y_pred, k)
    kept = ops.sum(ops.one_hot(places, y_pred.shape[-1]), axis=-2)
    return ops.where(ops.greater(kept, 0.0), y_pred, NEVER)


def _weights(sample_weight: Any, label_weights: Any, y_true: Any, dtype: str) -> Any:
    weights = None
    if sample_weight is not None:
        held = ops.expand_dims(backend.convert_to_tensor(sample_weight, dtype), -1)
        while len(held.shape) > len(y_true.shape) and held.shape[-1] == 1:
            held = ops.squeeze(held, -1)
        weights = ops.broadcast_to(held, y_true.shape)
    if label_weights is not None:
        labels = ops.broadcast_to(ops.expand_dims(label_weights, 0), y_true.shape)
        weights = labels if weights is None else weights * labels
    return weights


def count(
    y_true: Any,
    y_pred: Any,
    thresholds: Thresholds,
    dtype: str,
    *,
    sample_weight: Any = None,
    top_k: int | None = None,
    class_id: int | None = None,
    by_label: bool = False,
    label_weights: Any = None,
) -> dict[str, Any]:
    """Counts of a batch by name, each (thresholds,), or (thresholds, labels) with by_label.

    Args:
        y_true: labels; what is not 0 is true.
        y_pred: predictions of the same shape.
        thresholds: at which they are positive.
        dtype: of the counts.
        sample_weight: for each sample, or each label of each sample.
        top_k: only the k largest predictions of a sample are positive.
        class_id: only this class of the last axis counts.
        by_label: count each label of (samples, labels) apart.
        label_weights: for each label, where they are not counted apart.

    Raises:
        ValueError: shapes that do not fit.
    """
    y_true, y_pred = backend.convert_to_tensor(y_true), backend.convert_to_tensor(y_pred, dtype)
    y_true = ops.cast(ops.not_equal(y_true, 0), dtype)
    y_pred, y_true = squeeze_or_expand_to_same_rank(y_pred, y_true)
    if len(y_true.shape) != len(y_pred.shape):
        raise ShapeError(
            f"y_true and y_pred must have one shape. Received y_true.shape={tuple(y_true.shape)} and "
            f"y_pred.shape={tuple(y_pred.shape)}. One-hot labels go with a prediction for each class."
        )
    if top_k is not None:
        y_pred = _keep_largest(y_pred, top_k)
    if class_id is not None:
        if len(y_pred.shape) == 1:
            raise ShapeError(
                "With class_id, y_pred must have the shape (samples, classes). "
                f"Received y_pred.shape={tuple(y_pred.shape)}."
            )
        y_true, y_pred = y_true[..., class_id, None], y_pred[..., class_id, None]
    weights = _weights(sample_weight, label_weights, y_true, dtype)
    true, false = y_true, 1.0 - y_true
    if weights is not None:
        true, false = true * weights, false * weights
    sums = _by_label if by_label else _together
    tp, fp, all_true, all_false = sums(true, false, y_pred, thresholds, dtype)
    return {
        "true_positives": tp,
        "false_positives": fp,
        "true_negatives": all_false - fp,
        "false_negatives": all_true - tp,
    }


def _together(true: Any, false: Any, y_pred: Any, thresholds: Thresholds, dtype: str) -> tuple[Any, ...]:
    sides = ops.stack([ops.reshape(true, (-1,)), ops.reshape(false, (-1,))])
    flat = ops.reshape(y_pred, (-1,))
    n = flat.shape[0]
    step = n if n is None else max(_AT_ONCE // len(thresholds.values), 1)
    total: Any = None
    for begin in range(0, n or 1, step or 1):
        part = slice(begin, n if n is None else min(begin + (step or 1), n))
        found = ops.matmul(sides[:, part], thresholds.passed(flat[part], dtype))
        total = found if total is None else total + found
    if total is None:  # an empty batch
        total = np.zeros((2, len(thresholds.values)), dtype)
    whole = ops.sum(sides, axis=1)
    return total[0], total[1], whole[0], whole[1]


def _by_label(true: Any, false: Any, y_pred: Any, thresholds: Thresholds, dtype: str) -> tuple[Any, ...]:
    sides = ops.transpose(ops.stack([true, false]), (2, 0, 1))  # (labels, 2, samples)
    found = ops.matmul(sides, thresholds.passed(ops.transpose(y_pred), dtype))  # (labels, 2, thresholds)
    found, whole = ops.transpose(found, (1, 2, 0)), ops.transpose(ops.sum(sides, axis=2))
    return found[0], found[1], whole[0], whole[1]
