"""Losses of LeNet-5's penalties: outputs of which the smallest, not the largest, names the class. Not in Keras."""

from __future__ import annotations

from typing import Any

from striate import backend, ops
from striate.core.registry import export
from striate.losses.loss import FunctionLoss, takes_labels


@export("losses.sparse_penalty")
@takes_labels
def sparse_penalty(y_true: Any, y_pred: Any) -> Any:
    """The penalty of the class that y_true names: the sum's terms in equation 8 of LeCun and others 1998.

    Args:
        y_true: class numbers (...) or (..., 1).
        y_pred: penalties (..., classes).

    Example:
        >>> sparse_penalty([1], [[5.0, 2.0]]).tolist()
        [2.0]
    """
    y_pred = backend.convert_to_tensor(y_pred)
    wanted = ops.one_hot(_labels(y_true, y_pred), y_pred.shape[-1], dtype=backend.dtype_of(y_pred))
    return ops.sum(wanted * y_pred, axis=-1)


@export("losses.sparse_penalty_crossentropy")
@takes_labels
def sparse_penalty_crossentropy(y_true: Any, y_pred: Any, j: float = 1.0) -> Any:
    """y[y_true] + log(exp(-j) + sum_i exp(-y[i])): the sum's terms in equation 9 of LeCun and others 1998.

    That is the crossentropy of a softmax over the logits -y and one more, constant logit -j, a class that is never
    right ("none of them"); it is computed as that crossentropy, so large penalties do not overflow.

    Args:
        y_true: class numbers (...) or (..., 1).
        y_pred: penalties (..., classes).
        j: classes whose penalty is already well above it are pushed no further.

    Example:
        >>> round(float(sparse_penalty_crossentropy([1], [[5.0, 2.0]], j=3.0)[0]), 4)
        0.349
    """
    y_pred = backend.convert_to_tensor(y_pred)
    none_of_them = ops.full_like(y_pred[..., :1], -j)
    logits = ops.concatenate([-y_pred, none_of_them], axis=-1)
    return ops.sparse_categorical_crossentropy(_labels(y_true, y_pred), logits, from_logits=True)


def _labels(y_true: Any, y_pred: Any) -> Any:
    y_true = ops.cast(backend.convert_to_tensor(y_true), "int32")
    return ops.squeeze(y_true, -1) if len(y_true.shape) == len(y_pred.shape) else y_true


@export("losses.SparsePenalty")
class SparsePenalty(FunctionLoss):
    """Equation 8 of LeCun and others 1998: the mean penalty of the right classes. Not in Keras.

    The other classes do not count, so it is for outputs that cannot all become 0 together: LeNet-5's `EuclideanRBF`
    with fixed codes. Where the codes are trained too, `SparsePenaltyCrossentropy` keeps them apart.

    Example:
        >>> float(SparsePenalty()([1, 0], [[5.0, 2.0], [1.0, 7.0]]))
        1.5
    """

    function = sparse_penalty

    def __init__(self, reduction: Any = "sum_over_batch_size", name: str = "sparse_penalty", dtype: Any = None) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)


@export("losses.SparsePenaltyCrossentropy")
class SparsePenaltyCrossentropy(FunctionLoss):
    """Equation 9 of LeCun and others 1998: the right class's penalty down, the others' up. Not in Keras.

        mean over the samples of y[right] + log(exp(-j) + sum_i exp(-y[i]))

    Args:
        j: classes whose penalty is already well above it are pushed no further. The paper says that it is positive,
            not how large.

    Example:
        >>> round(float(SparsePenaltyCrossentropy(j=3.0)([1], [[5.0, 2.0]])), 4)
        0.349
    """

    function = sparse_penalty_crossentropy
    _arguments = ("j",)

    def __init__(
        self,
        j: float = 1.0,
        reduction: Any = "sum_over_batch_size",
        name: str = "sparse_penalty_crossentropy",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.j = j
