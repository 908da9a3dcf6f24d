"""Losses of classifiers, as functions: (y_true, y_pred) -> the loss of each example (or each place)."""

from __future__ import annotations

import warnings
from typing import Any

from striate import backend, ops
from striate.core.errors import ArgumentError
from striate.core.registry import export
from striate.losses.loss import takes_labels


def _float(y_pred: Any) -> Any:
    y_pred = backend.convert_to_tensor(y_pred)
    return y_pred if backend.is_float_dtype(backend.dtype_of(y_pred)) else ops.cast(y_pred, backend.floatx())


def _check_axis(axis: Any) -> None:
    if isinstance(axis, bool):
        raise ArgumentError(f"`axis` must be of type `int`. Received: axis={axis} of type {type(axis)}.")


@export("losses.categorical_crossentropy", "metrics.categorical_crossentropy")
def categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Any:
    """-sum(y_true * log(y_pred)) over the classes.

    Source: `keras.losses.categorical_crossentropy`.

    Args:
        y_true: one-hot targets (..., classes).
        y_pred: probabilities (..., classes), or logits with from_logits.
        label_smoothing: s makes the targets y_true * (1 - s) + s / classes.
        axis: where the classes are.

    Example:
        >>> round(float(categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]])[0]), 4)
        0.6931
    """
    _check_axis(axis)
    y_pred = _float(y_pred)
    y_true = backend.convert_to_tensor(y_true, backend.dtype_of(y_pred))
    if y_pred.shape[-1] == 1:
        warnings.warn(
            "In loss categorical_crossentropy, expected y_pred.shape to be (batch_size, num_classes) with "
            f"num_classes > 1. Received: y_pred.shape={tuple(y_pred.shape)}. Consider using 'binary_crossentropy' if "
            "you only have 2 classes.",
            SyntaxWarning,
            stacklevel=2,
        )
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + label_smoothing / int(y_true.shape[-1])
    return ops.categorical_crossentropy(y_true, y_pred, from_logits=from_logits, axis=axis)


@export("losses.sparse_categorical_crossentropy", "metrics.sparse_categorical_crossentropy")
@takes_labels
def sparse_categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, ignore_class: int | None = None, axis: int = -1
) -> Any:
    """-log(probability of the class that y_true names).

    Source: `keras.losses.sparse_categorical_crossentropy`.

    Args:
        y_true: class numbers (...) or (..., 1).
        y_pred: probabilities (..., classes), or logits with from_logits.
        ignore_class: places of this class have loss 0 (and do not count in a mean).
        axis: where the classes are.

    Example:
        >>> round(float(sparse_categorical_crossentropy([1], [[0.5, 0.5]])[0]), 4)
        0.6931
    """
    y_pred, y_true = _float(y_pred), backend.convert_to_tensor(y_true)
    if ignore_class is None:
        return ops.sparse_categorical_crossentropy(y_true, y_pred, from_logits=from_logits, axis=axis)
    valid = valid_labels(y_true, y_pred, ignore_class, axis)
    y_true = ops.where(valid, ops.reshape(y_true, [-1 if n is None else n for n in valid.shape]), 0)
    values = ops.sparse_categorical_crossentropy(y_true, y_pred, from_logits=from_logits, axis=axis)
    return ops.where(valid, values, 0.0)


def valid_labels(y_true: Any, y_pred: Any, ignore_class: int, axis: int = -1) -> Any:
    """Whether each label is another than `ignore_class`, in the shape of the losses."""
    if len(y_true.shape) == len(y_pred.shape) and y_true.shape[axis] == 1:
        y_true = ops.squeeze(y_true, axis)
    return ops.not_equal(y_true, ops.cast(ignore_class, backend.dtype_of(y_true)))


@export("losses.binary_crossentropy", "metrics.binary_crossentropy")
def binary_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Any:
    """-mean(y_true * log(y_pred) + (1 - y_true) * log(1 - y_pred)) along `axis`.

    Source: `keras.losses.binary_crossentropy`.

    Args:
        y_true: 0 or 1, in any shape.
        y_pred: as y_true: probabilities, or logits with from_logits.
        label_smoothing: s makes the targets y_true * (1 - s) + s / 2.
    """
    y_pred = _float(y_pred)
    y_true = backend.convert_to_tensor(y_true, backend.dtype_of(y_pred))
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing
    return ops.mean(ops.binary_crossentropy(y_true, y_pred, from_logits=from_logits), axis=axis)


@export("losses.binary_focal_crossentropy", "metrics.binary_focal_crossentropy")
def binary_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """Binary crossentropy times (1 - p_t)**gamma, p_t the probability given to the truth: easy examples count less.

    Source: `keras.losses.binary_focal_crossentropy`; Lin and others 2017.

    Args:
        apply_class_balancing: weigh class 1 by alpha and class 0 by 1 - alpha.
    """
    y_pred = _float(y_pred)
    y_true = backend.convert_to_tensor(y_true, backend.dtype_of(y_pred))
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + 0.5 * label_smoothing
    if from_logits:
        y_pred = ops.sigmoid(y_pred)
    entropy = ops.binary_crossentropy(y_true, y_pred)
    given = y_true * y_pred + (1.0 - y_true) * (1.0 - y_pred)
    focal = ops.power(1.0 - given, gamma) * entropy
    if apply_class_balancing:
        focal = (y_true * alpha + (1.0 - y_true) * (1.0 - alpha)) * focal
    return ops.mean(focal, axis=axis)


@export("losses.categorical_focal_crossentropy", "metrics.categorical_focal_crossentropy")
def categorical_focal_crossentropy(
    y_true: Any,
    y_pred: Any,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Any:
    """-sum(alpha * (1 - p)**gamma * y_true * log(p)) over the classes: easy examples count less.

    Source: `keras.losses.categorical_focal_crossentropy`; Lin and others 2017.
    """
    _check_axis(axis)
    y_pred = _float(y_pred)
    y_true = backend.convert_to_tensor(y_true, backend.dtype_of(y_pred))
    if label_smoothing:
        y_true = y_true * (1.0 - label_smoothing) + label_smoothing / int(y_true.shape[-1])
    if from_logits:
        y_pred = ops.softmax(y_pred, axis=axis)
    p = y_pred / ops.sum(y_pred, axis=axis, keepdims=True)
    p = ops.clip(p, backend.epsilon(), 1.0 - backend.epsilon())
    return ops.sum(alpha * ops.power(1.0 - p, gamma) * (-y_true * ops.log(p)), axis=axis)


@export("losses.kl_divergence", "metrics.kl_divergence")
def kl_divergence(y_true: Any, y_pred: Any) -> Any:
    """sum(y_true * log(y_true / y_pred)), both clipped to [epsilon, 1]. Source: `keras.losses.kl_divergence`."""
    y_pred = _float(y_pred)
    y_true = backend.convert_to_tensor(y_true, backend.dtype_of(y_pred))
    y_true, y_pred = (ops.clip(y, backend.epsilon(), 1.0) for y in (y_true, y_pred))
    return ops.sum(y_true * ops.log(y_true / y_pred), axis=-1)


def _signs(y_true: Any) -> Any:
    """Labels 0 and 1 as -1 and 1; labels that are not all 0 or 1 stay."""
    binary = ops.all(ops.logical_or(ops.equal(y_true, 0), ops.equal(y_true, 1)))
    return ops.where(binary, 2.0 * y_true - 1.0, y_true)


def _margins(y_true: Any, y_pred: Any) -> Any:
    y_pred = _float(y_pred)
    y_true = backend.convert_to_tensor(y_true, backend.dtype_of(y_pred))
    return ops.maximum(1.0 - _signs(y_true) * y_pred, 0.0)


@export("losses.hinge", "metrics.hinge")
def hinge(y_true: Any, y_pred: Any) -> Any:
    """mean(max(1 - y_true * y_pred, 0)), labels being -1 and 1 (0 is taken as -1). Source: `keras.losses.hinge`."""
    return ops.mean(_margins(y_true, y_pred), axis=-1)


@export("losses.squared_hinge", "metrics.squared_hinge")
def squared_hinge(y_true: Any, y_pred: Any) -> Any:
    """mean(max(1 - y_true * y_pred, 0)**2), labels as for hinge. Source: `keras.losses.squared_hinge`."""
    return ops.mean(ops.square(_margins(y_true, y_pred)), axis=-1)


@export("losses.categorical_hinge", "metrics.categorical_hinge")
def categorical_hinge(y_true: Any, y_pred: Any) -> Any:
    """max(highest wrong score - right score + 1, 0), y_true one-hot. Source: `keras.losses.categorical_hinge`."""
    y_pred = _float(y_pred)
    y_true = backend.convert_to_tensor(y_true, backend.dtype_of(y_pred))
    right = ops.sum(y_true * y_pred, axis=-1)
    wrong = ops.max((1.0 - y_true) * y_pred, axis=-1)
    return ops.maximum(wrong - right + 1.0, 0.0)
