"""A loss of embeddings: those of one class near to each other, those of different classes apart."""

from __future__ import annotations

from typing import Any

import numpy as np

from striate import backend, ops
from striate.core.registry import export
from striate.losses.loss import FunctionLoss, takes_labels

#: instead of -inf, whose exponential has no gradient: the exponential of this one is 0 all the same.
_NEVER = np.float32(-1e30)


@export("losses.circle")
@takes_labels
def circle(
    y_true: Any,
    y_pred: Any,
    ref_labels: Any = None,
    ref_embeddings: Any = None,
    remove_diagonal: bool = True,
    gamma: float = 80,
    margin: float = 0.4,
) -> Any:
    """softplus(logsumexp_p(gamma (d - m) [m + d]) + logsumexp_n(gamma (1 - m - d) [1 + m - d])) for each embedding.

    d = max(1 - cosine, 0) of an embedding and a reference, p all of the same class, n all of others, [x] = max(x, 0).
    0 where there are no p or no n.

    Source: `keras.losses.circle`; Sun and others 2020.

    Args:
        y_true: classes (batch,) or (batch, 1).
        y_pred: embeddings of length 1 (batch, size).
        ref_labels: classes of the references; y_true unless given.
        ref_embeddings: references (count, size); y_pred unless given.
        remove_diagonal: leave out the pairs of an embedding and the reference of its own place.
        gamma: scale.
        margin: m.

    Example:
        >>> circle([0, 0, 1], [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]], gamma=1).round(4).tolist()
        [0.5458999872207642, 0.5458999872207642, 0.0]
    """
    y_pred = backend.convert_to_tensor(y_pred)
    reference = y_pred if ref_embeddings is None else backend.convert_to_tensor(ref_embeddings, y_pred.dtype)
    mine = ops.reshape(ops.cast(y_true, "int32"), (-1, 1))
    theirs = mine if ref_labels is None else ops.cast(ref_labels, "int32")
    same = ops.equal(mine, ops.reshape(theirs, (1, -1)))
    positive = same
    if remove_diagonal:
        others = ~np.eye(int(y_pred.shape[0] or 0), int(reference.shape[0] or 0), dtype=bool)
        positive = ops.logical_and(same, others)
    distance = ops.maximum(1.0 - ops.matmul(y_pred, ops.transpose(reference)), 0.0)
    never = ops.cast(_NEVER, backend.dtype_of(distance))
    far = ops.maximum(margin + distance, 0.0) * (distance - margin) * gamma
    near = ops.maximum(1.0 + margin - distance, 0.0) * (1.0 - margin - distance) * gamma
    p = ops.logsumexp(ops.where(positive, far, never), axis=1)
    n = ops.logsumexp(ops.where(same, never, near), axis=1)
    return ops.softplus(p + n)


@export("losses.Circle")
class Circle(FunctionLoss):
    """Brings embeddings of one class together, and parts others; a mean over those that are not yet where they should.

    Source: `keras.losses.Circle`. Further arguments: see circle and Loss.

    Args:
        gamma: scale.
        margin: what a distance within a class may be, and how much below 1 one between classes.
        remove_diagonal: leave out the pairs of an embedding and itself.

    Example:
        >>> round(float(Circle(gamma=1.0)([0, 0, 1], [[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])), 4)
        0.5459
    """

    function = circle
    _arguments = ("gamma", "margin", "remove_diagonal")

    def __init__(
        self,
        gamma: float = 80.0,
        margin: float = 0.4,
        remove_diagonal: bool = True,
        reduction: Any = "sum_over_batch_size",
        name: str = "circle",
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.gamma = gamma
        self.margin = margin
        self.remove_diagonal = remove_diagonal

    def _valid(self, y_true: Any, y_pred: Any) -> Any:
        return ops.greater(self.call(y_true, y_pred), 0.0)
