"""The loss of sequences whose labels stand nowhere in particular: connectionist temporal classification."""

from __future__ import annotations

from typing import Any

import numpy as np

from striate import backend, ops
from striate.core.errors import ShapeError
from striate.core.registry import export
from striate.losses.loss import FunctionLoss, takes_labels


@export("losses.ctc")
@takes_labels
def ctc(y_true: Any, y_pred: Any) -> Any:
    """-log of the probability of all paths that spell y_true; see `ops.ctc_loss`. Class 0 is the blank.

    Source: `keras.losses.ctc`; Graves and others 2006.

    Args:
        y_true: labels (batch, max_length), 0 where there are no more.
        y_pred: logits (batch, steps, classes).

    Raises:
        ValueError: other ranks.

    Example:
        >>> logits = np.log(np.array([[[0.4, 0.6], [0.5, 0.5]]], "float32"))
        >>> round(float(ctc([[1]], logits)[0]), 4)
        0.2231
    """
    y_true, y_pred = backend.convert_to_tensor(y_true), backend.convert_to_tensor(y_pred)
    if len(y_true.shape) != 2 or len(y_pred.shape) != 3:
        raise ShapeError(
            f"CTC takes targets `y_true` of shape (batch, max_length) and logits `y_pred` of shape (batch, steps, "
            f"classes). Received: y_true.shape={tuple(y_true.shape)}, y_pred.shape={tuple(y_pred.shape)}."
        )
    batch, steps = (int(n or 0) for n in tuple(y_pred.shape)[:2])
    length = ops.sum(ops.cast(ops.not_equal(y_true, 0), "int32"), axis=-1)
    return ops.ctc_loss(y_true, y_pred, length, np.full(batch, steps, "int32"))


@export("losses.CTC")
class CTC(FunctionLoss):
    """-log of the probability of all paths that spell y_true, class 0 being the blank: for text in images.

    Source: `keras.losses.CTC`. Further arguments: see ctc and Loss.

    Example:
        >>> logits = np.log(np.array([[[0.4, 0.6], [0.5, 0.5]]], "float32"))
        >>> round(float(CTC()([[1]], logits)), 4)
        0.2231
    """

    function = ctc

    def __init__(self, reduction: Any = "sum_over_batch_size", name: str = "ctc", dtype: Any = None) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
