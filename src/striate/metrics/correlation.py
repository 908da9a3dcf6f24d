"""How far predictions rise and fall with the targets."""

from __future__ import annotations

from typing import Any

from striate import backend, ops
from striate.core.registry import export
from striate.losses import squeeze_or_expand_to_same_rank
from striate.metrics.reduction import FunctionMetric


def _deviations(y_true: Any, y_pred: Any, axis: int) -> tuple[Any, Any, Any]:
    """(targets off their mean, predictions off theirs, the difference of both means), the axis kept."""
    y_pred = backend.convert_to_tensor(y_pred)
    y_true = backend.convert_to_tensor(y_true, backend.dtype_of(y_pred))
    y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
    of_true, of_pred = ops.mean(y_true, axis=axis, keepdims=True), ops.mean(y_pred, axis=axis, keepdims=True)
    return y_true - of_true, y_pred - of_pred, of_true - of_pred


@export("metrics.pearson_correlation")
def pearson_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """covariance / (standard deviation of y_true * that of y_pred), along an axis: 1 on a rising line, -1 on a falling.

    NaN where either is constant. Source: `keras.metrics.pearson_correlation`.

    Args:
        y_true: targets, floats.
        y_pred: predictions of that shape.
        axis: along which they are compared.

    Example:
        >>> round(float(pearson_correlation([[0.0, 1.0, 2.0]], [[3.0, 5.0, 7.0]])[0]), 4)
        1.0
    """
    true, predicted, _ = _deviations(y_true, y_pred, axis)
    both = ops.mean(true * predicted, axis=axis)
    return both / (
        ops.sqrt(ops.mean(ops.square(true), axis=axis)) * ops.sqrt(ops.mean(ops.square(predicted), axis=axis))
    )


@export("metrics.concordance_correlation")
def concordance_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> Any:
    """2 * covariance / (variance of y_true + that of y_pred + (difference of the means)**2 + epsilon), along an axis.

    1 only where predictions equal targets: other than Pearson's it sees scale and offset.

    Source: `keras.metrics.concordance_correlation`; Lin 1989.

    Args:
        y_true: targets, floats.
        y_pred: predictions of that shape.
        axis: along which they are compared.

    Example:
        >>> round(float(concordance_correlation([[0.0, 1.0, 2.0]], [[3.0, 5.0, 7.0]])[0]), 4)
        0.1379
    """
    true, predicted, apart = _deviations(y_true, y_pred, axis)
    spread = ops.mean(ops.square(true), axis=axis) + ops.mean(ops.square(predicted), axis=axis)
    return (
        2.0
        * ops.mean(true * predicted, axis=axis)
        / (spread + ops.squeeze(ops.square(apart), axis) + backend.epsilon())
    )


@export("metrics.PearsonCorrelation")
class PearsonCorrelation(FunctionMetric):
    """The mean of covariance / (standard deviation of y_true * that of y_pred) along an axis.

    Source: `keras.metrics.PearsonCorrelation`.

    Args:
        axis: along which targets and predictions are compared; it needs more than one element.

    Example:
        >>> round(float(PearsonCorrelation()([[0.0, 1.0, 2.0]], [[3.0, 5.0, 7.0]])), 4)
        1.0
    """

    function = pearson_correlation
    _direction = "up"
    _arguments = ("axis",)

    def __init__(self, name: str | None = "pearson_correlation", dtype: Any = None, axis: int = -1) -> None:
        super().__init__(name=name, dtype=dtype)
        self.axis = axis


@export("metrics.ConcordanceCorrelation")
class ConcordanceCorrelation(FunctionMetric):
    """The mean of 2 * covariance / (both variances + (difference of the means)**2) along an axis.

    Source: `keras.metrics.ConcordanceCorrelation`; Lin 1989.

    Args:
        axis: along which targets and predictions are compared; it needs more than one element.

    Example:
        >>> round(float(ConcordanceCorrelation()([[0.0, 1.0, 2.0]], [[3.0, 5.0, 7.0]])), 4)
        0.1379
    """

    function = concordance_correlation
    _direction = "up"
    _arguments = ("axis",)

    def __init__(self, name: str | None = "concordance_correlation", dtype: Any = None, axis: int = -1) -> None:
        super().__init__(name=name, dtype=dtype)
        self.axis = axis
