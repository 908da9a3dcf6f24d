"""sparse_softmax_crossentropy: loss of logits against the number of the right class, softmax included.

    loss = log sum_c exp(logits_c) - logits_label        dL/dlogits_c = g (softmax(logits)_c - [c = label])

A label outside 0 <= label < C gives a NaN loss and a gradient of zero; nothing is read out of bounds.
Shapes: logits (..., C), labels int32 (...), loss and g (...). In nats.
Source: Keras 3 `keras.ops.sparse_categorical_crossentropy`, from_logits=True.
"""

from __future__ import annotations

import numpy as np

from striate.ir.opdef import define_op
from striate.ir.ops import _functions
from striate.ir.ops._arrays import Array, like, wide
from striate.ir.ops._checks import require_axis, require_floats, require_integers, require_shape
from striate.ir.ops._terms import Term, terms, where
from striate.ir.ops.attrs import AxisAttrs
from striate.ir.types import TensorType

OP = "sparse_softmax_crossentropy"


def infer(logits: TensorType, labels: TensorType) -> TensorType:
    require_floats(OP, logits)
    require_integers(OP, "labels", labels, "int32")
    require_axis(OP, logits, max(logits.rank - 1, 0))
    require_shape(OP, "labels", labels, logits.shape[:-1])
    return TensorType(labels.shape, logits.dtype)


def _slopes(loss: Term, g: Term, logits: Term, labels: Term) -> tuple[Term, None]:
    return g(f"{OP}_grad", logits, labels), None


def _right(labels: Array, classes: int) -> Array:
    """(..., C): True at the label; a row of False where the label is out of range."""
    return np.asarray(labels[..., None] == np.arange(classes))


def reference(logits: Array, labels: Array) -> Array:
    right = _right(labels, logits.shape[-1])
    loss = -np.where(right, _functions.log_softmax(wide(logits), -1), 0).sum(axis=-1)
    return like(np.where(right.any(axis=-1), loss, np.nan), logits)


def infer_grad(g: TensorType, logits: TensorType, labels: TensorType) -> TensorType:
    assert infer(logits, labels) == g, f"{OP}_grad: g is {g}, logits {logits}, labels {labels}"
    return logits


def _grad_slopes(d: Term, h: Term, g: Term, logits: Term, labels: Term) -> tuple[Term, Term, None]:
    """d is g times a slope: dL/dg = sum_c h slope; dL/dlogits is g times softmax's gradient of h, labels in range."""
    one = Term(g.emit, g.lift(1.0)).broadcast_to(*g.type.dims)
    slope = one(f"{OP}_grad", logits, labels)
    last = AxisAttrs(logits.type.rank - 1)
    count = labels.lift(logits.type.dims[-1])
    known = labels("greater_equal", 0)("logical_and", labels("less", Term(g.emit, count)))
    dlogits = h("softmax_grad", logits("softmax", attrs=last), attrs=last) * where(known, g, 0.0).expand()
    return (h * slope).sum(-1, keepdims=False), dlogits, None


def reference_grad(g: Array, logits: Array, labels: Array) -> Array:
    right = _right(labels, logits.shape[-1])
    slope = _functions.softmax(wide(logits), -1) - right
    return like(np.where(right.any(axis=-1, keepdims=True), wide(g)[..., None] * slope, 0), logits)


define_op(OP, infer=infer, vjp=terms(_slopes), reference=reference)
define_op(f"{OP}_grad", infer=infer_grad, vjp=terms(_grad_slopes), reference=reference_grad)
