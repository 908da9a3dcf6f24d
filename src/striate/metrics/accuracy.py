"""How often predictions are right, as functions: (y_true, y_pred) -> 1 for right, 0 for wrong."""

from __future__ import annotations

from typing import Any

from striate import backend, ops
from striate.core.registry import export
from striate.losses import squeeze_or_expand_to_same_rank


def _as_float(hits: Any) -> Any:
    return ops.cast(hits, backend.floatx())


def _labels(y_true: Any) -> Any:
    """Class numbers as int32; numbers that are floats stay, and are compared as such."""
    y_true = backend.convert_to_tensor(y_true)
    return y_true if backend.is_float_dtype(backend.dtype_of(y_true)) else ops.cast(y_true, "int32")


def accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where y_true equals y_pred, element by element."""
    y_pred = backend.convert_to_tensor(y_pred)
    y_true = backend.convert_to_tensor(y_true, backend.dtype_of(y_pred))
    return _as_float(ops.equal(*squeeze_or_expand_to_same_rank(y_true, y_pred)))


@export("metrics.binary_accuracy")
def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Any:
    """1 where y_true (0 or 1) says whether y_pred > threshold. Source: `keras.metrics.binary_accuracy`."""
    y_true, y_pred = backend.convert_to_tensor(y_true), backend.convert_to_tensor(y_pred)
    y_true, y_pred = squeeze_or_expand_to_same_rank(y_true, y_pred)
    return _as_float(ops.equal(y_true, ops.cast(ops.greater(y_pred, threshold), backend.dtype_of(y_true))))


@export("metrics.categorical_accuracy")
def categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where the largest of y_pred is at the place of the largest of y_true (one-hot).

    Source: `keras.metrics.categorical_accuracy`.
    """
    return _as_float(ops.equal(ops.argmax(y_true, axis=-1), ops.argmax(y_pred, axis=-1)))


@export("metrics.sparse_categorical_accuracy")
def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Any:
    """1 where the largest of y_pred (..., classes) is at the place that y_true, (...) or (..., 1), names.

    Source: `keras.metrics.sparse_categorical_accuracy`.

    Example:
        >>> sparse_categorical_accuracy([1, 0], [[0.1, 0.9], [0.3, 0.7]]).tolist()
        [1.0, 0.0]
    """
    y_true, y_pred = _labels(y_true), backend.convert_to_tensor(y_pred)
    if len(y_true.shape) == len(y_pred.shape) and y_true.shape[-1] == 1:
        y_true = ops.squeeze(y_true, -1)
    found = ops.cast(ops.argmax(y_pred, axis=-1), backend.dtype_of(y_true))
    hits = _as_float(ops.equal(y_true, found))
    return ops.squeeze(hits, -1) if len(hits.shape) > 1 and hits.shape[-1] == 1 else hits


def _in_top_k(labels: Any, y_pred: Any, k: int) -> Any:
    shape = tuple(labels.shape)
    hits = ops.in_top_k(ops.reshape(labels, (-1,)), ops.reshape(y_pred, (-1, y_pred.shape[-1])), k=k)
    return ops.reshape(_as_float(hits), shape)


@export("metrics.top_k_categorical_accuracy")
def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Any:
    """1 where the place of the largest of y_true (one-hot) is among the k largest of y_pred.

    Source: `keras.metrics.top_k_categorical_accuracy`.
    """
    return _in_top_k(ops.argmax(y_true, axis=-1), backend.convert_to_tensor(y_pred), k)


@export("metrics.sparse_top_k_categorical_accuracy")
def sparse_top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5, from_sorted_ids: bool = False) -> Any:
    """1 where the class y_true is among the k largest of y_pred.

    Source: `keras.metrics.sparse_top_k_categorical_accuracy`.

    Args:
        y_true: class numbers (...).
        y_pred: scores (..., classes); with from_sorted_ids, class numbers in order of their scores (batch, n).
        k: how many places count.
    """
    y_pred = backend.convert_to_tensor(y_pred)
    if from_sorted_ids:
        y_true = backend.convert_to_tensor(y_true, backend.dtype_of(y_pred))
        same = ops.equal(ops.expand_dims(ops.reshape(y_true, (-1,)), 1), y_pred[:, :k])
        return ops.reshape(_as_float(ops.any(same, axis=1)), tuple(y_true.shape))
    return _in_top_k(backend.convert_to_tensor(y_true, "int32"), y_pred, k)
