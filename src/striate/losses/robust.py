"""A crossentropy that labels which are wrong disturb less."""

from __future__ import annotations

from typing import Any

from striate import backend, ops
from striate.core.errors import ArgumentError
from striate.core.registry import export
from striate.losses.loss import FunctionLoss, takes_labels


@export("losses.categorical_generalized_cross_entropy")
@takes_labels
def categorical_generalized_cross_entropy(y_true: Any, y_pred: Any, q: float) -> Any:
    """(1 - p**q) / q, p being the probability of the class that y_true names.

    Near q = 0 that is the crossentropy, near 1 the mean absolute error.

    Source: `keras.losses.categorical_generalized_cross_entropy`; Zhang and Sabuncu 2018.

    Args:
        y_true: class numbers (...) or (..., 1).
        y_pred: probabilities (..., classes).
        q: above 0.

    Example:
        >>> categorical_generalized_cross_entropy([1], [[0.75, 0.25]], q=0.5).tolist()
        [1.0]
    """
    y_pred = backend.convert_to_tensor(y_pred)
    y_true = ops.cast(y_true, "int32")
    if len(y_true.shape) == len(y_pred.shape):
        y_true = ops.squeeze(y_true, -1)
    wanted = ops.one_hot(y_true, int(y_pred.shape[-1] or 0), dtype=backend.dtype_of(y_pred))
    return (1.0 - ops.power(ops.sum(y_pred * wanted, axis=-1), q)) / q


@export("losses.CategoricalGeneralizedCrossEntropy")
class CategoricalGeneralizedCrossEntropy(FunctionLoss):
    """(1 - p**q) / q, p being the probability of the class that y_true names: for labels that are often wrong.

    Source: `keras.losses.CategoricalGeneralizedCrossEntropy`. Further arguments: see Loss.

    Args:
        q: between 0 (as the crossentropy) and 1 (as the mean absolute error), both left out.

    Raises:
        ValueError: q outside (0, 1).

    Example:
        >>> float(CategoricalGeneralizedCrossEntropy()([1], [[0.75, 0.25]]))
        1.0
    """

    function = categorical_generalized_cross_entropy
    _arguments = ("q",)

    def __init__(
        self,
        q: float = 0.5,
        reduction: Any = "sum_over_batch_size",
        name: str = "categorical_generalized_cross_entropy",
        dtype: Any = None,
    ) -> None:
        if not 0 < q < 1:
            raise ArgumentError(f"q must be in the interval (0, 1). Received: q={q!r}. Give e.g. q=0.5.")
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.q = q
