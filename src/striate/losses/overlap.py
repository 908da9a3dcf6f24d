"""Losses of segmentations, by how much of what is wanted and of what was predicted coincides."""

from __future__ import annotations

from typing import Any

from striate import backend, ops
from striate.core.registry import export
from striate.losses.loss import FunctionLoss


def _pair(y_true: Any, y_pred: Any) -> tuple[Any, Any]:
    y_pred = backend.convert_to_tensor(y_pred)
    return ops.cast(backend.convert_to_tensor(y_true), backend.dtype_of(y_pred)), y_pred


@export("losses.dice")
def dice(y_true: Any, y_pred: Any, axis: Any = None) -> Any:
    """1 - 2 * sum(y_true * y_pred) / (sum(y_true) + sum(y_pred) + epsilon).

    Source: `keras.losses.dice`; Sudre and others 2017.

    Args:
        y_true: 0 and 1, any shape.
        y_pred: in [0, 1], of that shape.
        axis: what is summed over; None: everything, so the result is ().

    Example:
        >>> round(float(dice([[1.0, 1.0], [0.0, 0.0]], [[1.0, 0.0], [0.0, 0.0]])), 4)
        0.3333
    """
    y_true, y_pred = _pair(y_true, y_pred)
    both = ops.sum(y_true * y_pred, axis=axis)
    either = ops.sum(y_true, axis=axis) + ops.sum(y_pred, axis=axis)
    return 1.0 - 2.0 * both / (either + backend.epsilon())


@export("losses.tversky")
def tversky(y_true: Any, y_pred: Any, alpha: float = 0.5, beta: float = 0.5, axis: Any = None) -> Any:
    """1 - both / (both + alpha * missed + beta * false + epsilon), each summed over `axis`.

    both = y_true * y_pred, missed = y_true * (1 - y_pred), false = (1 - y_true) * y_pred. As in Keras, alpha weighs
    what was missed (the paper's alpha weighs what is false). With 0.5 and 0.5 it is dice.

    Source: `keras.losses.tversky`; Salehi and others 2017.

    Args:
        y_true: 0 and 1, any shape.
        y_pred: in [0, 1], of that shape.
        alpha: weight of what was missed.
        beta: weight of what was found and is not there.
        axis: what is summed over; None: everything, so the result is ().

    Example:
        >>> round(float(tversky([[1.0, 1.0], [0.0, 0.0]], [[1.0, 0.0], [0.0, 0.0]], alpha=1.0)), 4)
        0.5
    """
    y_true, y_pred = _pair(y_true, y_pred)
    both = ops.sum(y_true * y_pred, axis=axis)
    missed = ops.sum((1.0 - y_pred) * y_true, axis=axis)
    false = ops.sum(y_pred * (1.0 - y_true), axis=axis)
    return 1.0 - both / (both + alpha * missed + beta * false + backend.epsilon())


@export("losses.Dice")
class Dice(FunctionLoss):
    """1 - 2 * sum(y_true * y_pred) / (sum(y_true) + sum(y_pred) + epsilon): for segmentations with small objects.

    Source: `keras.losses.Dice`. Further arguments: see Loss.

    Args:
        axis: what is summed over, the batch (0) usually not; None: everything.

    Example:
        >>> round(float(Dice()([[1.0, 1.0], [0.0, 0.0]], [[1.0, 0.0], [0.0, 0.0]])), 4)
        0.3333
    """

    function = dice
    _arguments = ("axis",)

    def __init__(
        self, reduction: Any = "sum_over_batch_size", name: str = "dice", axis: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.axis = axis


@export("losses.Tversky")
class Tversky(FunctionLoss):
    """1 - both / (both + alpha * missed + beta * false + epsilon): Dice that weighs the two mistakes apart.

    Source: `keras.losses.Tversky`. Further arguments: see tversky and Loss.

    Example:
        >>> round(float(Tversky(alpha=1.0)([[1.0, 1.0], [0.0, 0.0]], [[1.0, 0.0], [0.0, 0.0]])), 4)
        0.5
    """

    function = tversky
    _arguments = ("alpha", "beta", "axis")
    _config_if_set = ("axis",)

    def __init__(
        self,
        alpha: float = 0.5,
        beta: float = 0.5,
        reduction: Any = "sum_over_batch_size",
        name: str = "tversky",
        axis: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.alpha = alpha
        self.beta = beta
        self.axis = axis
