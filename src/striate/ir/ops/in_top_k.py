"""in_top_k: is the prediction of the right class among the k largest of its row? Ties at the boundary count as in.

    y[n] = (how many predictions[n, c] > predictions[n, labels[n]]) < k

False where the label is out of range, or the prediction of its class is not finite. No gradient.
Shapes: labels int32 (N,), predictions (N, C), y bool (N,). Source: Keras 3 `keras.ops.in_top_k`.
"""

from __future__ import annotations

import numpy as np

from striate.ir.opdef import define_op
from striate.ir.ops._arrays import Array, wide
from striate.ir.ops._checks import merge, require_floats, require_integers, require_rank, require_shape
from striate.ir.ops.attrs import TopKAttrs
from striate.ir.types import TensorType


def infer(labels: TensorType, predictions: TensorType, a: TopKAttrs) -> TensorType:
    require_integers("in_top_k", "targets", labels, "int32")
    require_floats("in_top_k", predictions)
    require_rank("in_top_k", "predictions", predictions, 2, "(batch, classes)")
    require_shape("in_top_k", "targets", labels, predictions.shape[:1])
    return TensorType(merge(labels.shape, predictions.shape[:1]), "bool")


def reference(labels: Array, predictions: Array, a: TopKAttrs) -> Array:
    p = wide(predictions)
    known = (labels >= 0) & (labels < p.shape[1])
    own = np.take_along_axis(p, np.where(known, labels, 0)[:, None], axis=1) if p.size else p[:, :1]
    better = (p > own).sum(axis=1)
    return np.asarray(known & np.isfinite(own).all(axis=1) & (better < a.k))


define_op("in_top_k", attrs=TopKAttrs, infer=infer, reference=reference)
