"""Intersection over union: how well two segmentations into classes cover each other."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from striate import backend, ops
from striate.core import args
from striate.core.errors import ArgumentError
from striate.core.registry import export
from striate.metrics.metric import Metric


class ConfusionTable(Metric):
    """Keeps how often (true class, predicted class) occurred, weighted, and the ratios made of it."""

    _direction = "up"

    def _start(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        num_classes = args.positive_int(num_classes, "num_classes")
        if max(target_class_ids) >= num_classes:
            raise ArgumentError(
                f"Target class id {max(target_class_ids)} is out of range, which is [0, {num_classes}). "
                f"Received: target_class_ids={list(target_class_ids)}."
            )
        self.num_classes = num_classes
        self.target_class_ids = list(target_class_ids)
        self.ignore_class = ignore_class
        self.sparse_y_true = sparse_y_true
        self.sparse_y_pred = sparse_y_pred
        self.axis = axis
        self.total_cm = self.add_variable(
            (num_classes, num_classes), "zeros", dtype=self.dtype, name="total_confusion_matrix"
        )

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add true and predicted classes, with weights of the same number of elements, or one for all.

        Classes outside [0, num_classes), and `ignore_class`, do not count.
        """
        y_true, y_pred = backend.convert_to_tensor(y_true), backend.convert_to_tensor(y_pred)
        if not self.sparse_y_true:
            y_true = ops.argmax(y_true, axis=self.axis)
        if not self.sparse_y_pred:
            y_pred = ops.argmax(y_pred, axis=self.axis)
        y_true, y_pred = (ops.cast(ops.reshape(y, (-1,)), "int32") for y in (y_true, y_pred))
        counts = ops.logical_and(self._within(y_true), self._within(y_pred))
        if self.ignore_class is not None:
            counts = ops.logical_and(counts, ops.not_equal(y_true, self.ignore_class))
        # Sums of products of 0, 1 and weights in float32: whole numbers are exact up to 2**24 a batch.
        weights = ops.cast(counts, "float32")
        if sample_weight is not None:
            weights = weights * self._weights(sample_weight, y_true.shape)
        rows = ops.one_hot(y_true, self.num_classes, dtype="float32") * ops.expand_dims(weights, -1)
        table = ops.matmul(ops.transpose(rows), ops.one_hot(y_pred, self.num_classes, dtype="float32"))
        self.total_cm.assign_add(ops.cast(table, self.dtype))

    def _within(self, y: Any) -> Any:
        return ops.logical_and(ops.greater_equal(y, 0), ops.less(y, self.num_classes))

    def _weights(self, sample_weight: Any, shape: Any) -> Any:
        sample_weight = backend.convert_to_tensor(sample_weight)
        if backend.is_float_dtype(backend.dtype_of(sample_weight)) and "int" in self.dtype:
            warnings.warn(
                f"The weights are {backend.dtype_of(sample_weight)} (float), the metric counts in {self.dtype} (int): "
                "casting loses their fractions. Give whole weights, or the metric dtype='float32'.",
                stacklevel=3,
            )
        if len(sample_weight.shape) > 1:
            sample_weight = ops.reshape(sample_weight, (-1,))
        return ops.cast(ops.broadcast_to(ops.cast(sample_weight, self.dtype), shape), "float32")

    def result(self) -> Any:
        """The mean of the wanted classes' ratios so far; classes that neither occur nor were predicted are left out."""
        table = ops.cast(self.total_cm, "float32")
        both = ops.sum(table * np.eye(self.num_classes, dtype="float32"), axis=0)
        either = ops.sum(table, axis=0) + ops.sum(table, axis=1) - both
        wanted = np.zeros(self.num_classes, "float32")
        np.add.at(wanted, self.target_class_ids, 1.0)
        occurs = ops.cast(ops.greater(either, 1e-9), "float32") * wanted
        return ops.sum(both / (either + backend.epsilon()) * occurs) / (ops.sum(occurs) + backend.epsilon())


@export("metrics.IoU")
class IoU(ConfusionTable):
    """true positives / (true positives + false positives + false negatives), the mean over some of the classes.

    Source: `keras.metrics.IoU`; also called the Jaccard index.

    Args:
        num_classes: as many there are.
        target_class_ids: those whose ratios are averaged.
        ignore_class: elements of this true class do not count.
        sparse_y_true: the true classes are numbers; else the largest along `axis` is the class.
        sparse_y_pred: likewise, of predictions.
        axis: where one-hot classes are.

    Raises:
        ValueError: a target class that is not there.

    Example:
        >>> round(float(IoU(num_classes=2, target_class_ids=[0])([0, 0, 1, 1], [0, 1, 0, 1])), 4)
        0.3333
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__(name=name, dtype=dtype or "int32")
        self._start(num_classes, target_class_ids, ignore_class, sparse_y_true, sparse_y_pred, axis)


@export("metrics.BinaryIoU")
class BinaryIoU(ConfusionTable):
    """IoU of the classes 0 and 1, where predictions of at least a threshold are of class 1.

    Source: `keras.metrics.BinaryIoU`.

    Args:
        target_class_ids: of 0 and 1 those whose ratios are averaged.
        threshold: in the predictions' unit.

    Raises:
        ValueError: a target class that is not there.

    Example:
        >>> round(float(BinaryIoU(target_class_ids=[0, 1], threshold=0.3)([0, 1, 0, 1], [0.1, 0.2, 0.4, 0.7])), 4)
        0.3333
    """

    def __init__(
        self,
        target_class_ids: Sequence[int] = (0, 1),
        threshold: float = 0.5,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype or "int32")
        self._start(2, target_class_ids)
        self.threshold = threshold

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add labels (0 or 1) and predictions, with weights of the same number of elements, or one for all."""
        y_pred = backend.convert_to_tensor(y_pred, "float32")
        super().update_state(y_true, ops.cast(ops.greater_equal(y_pred, self.threshold), "int32"), sample_weight)


@export("metrics.MeanIoU")
class MeanIoU(ConfusionTable):
    """IoU, the mean over all classes.

    Source: `keras.metrics.MeanIoU`. Arguments and errors: see IoU.

    Example:
        >>> round(float(MeanIoU(num_classes=2)([0, 0, 1, 1], [0, 1, 0, 1])), 4)
        0.3333
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_true: bool = True,
        sparse_y_pred: bool = True,
        axis: int = -1,
    ) -> None:
        super().__init__(name=name, dtype=dtype or "int32")
        self._start(num_classes, range(num_classes), ignore_class, sparse_y_true, sparse_y_pred, axis)


@export("metrics.OneHotIoU")
class OneHotIoU(ConfusionTable):
    """IoU of one-hot labels, the mean over some of the classes.

    Source: `keras.metrics.OneHotIoU`. Arguments and errors: see IoU.

    Example:
        >>> y_true, y_pred = [[0, 1], [1, 0], [0, 1]], [[0.2, 0.8], [0.4, 0.6], [0.3, 0.7]]
        >>> round(float(OneHotIoU(num_classes=2, target_class_ids=[1])(y_true, y_pred)), 4)
        0.6667
    """

    def __init__(
        self,
        num_classes: int,
        target_class_ids: Sequence[int],
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(name=name, dtype=dtype or "int32")
        self._start(num_classes, target_class_ids, ignore_class, False, sparse_y_pred, axis)


@export("metrics.OneHotMeanIoU")
class OneHotMeanIoU(ConfusionTable):
    """IoU of one-hot labels, the mean over all classes.

    Source: `keras.metrics.OneHotMeanIoU`. Arguments and errors: see IoU.

    Example:
        >>> y_true, y_pred = [[0, 1], [1, 0], [0, 1]], [[0.2, 0.8], [0.4, 0.6], [0.3, 0.7]]
        >>> round(float(OneHotMeanIoU(num_classes=2)(y_true, y_pred)), 4)
        0.3333
    """

    def __init__(
        self,
        num_classes: int,
        name: str | None = None,
        dtype: Any = None,
        ignore_class: int | None = None,
        sparse_y_pred: bool = False,
        axis: int = -1,
    ) -> None:
        super().__init__(name=name, dtype=dtype or "int32")
        self._start(num_classes, range(num_classes), ignore_class, False, sparse_y_pred, axis)
