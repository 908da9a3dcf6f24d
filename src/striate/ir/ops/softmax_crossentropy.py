"""softmax_crossentropy: loss of logits against a distribution over the classes, softmax included.

    loss = -sum_c targets_c log softmax(logits)_c

    dL/dlogits_c = g (softmax(logits)_c sum_d targets_d - targets_c)        dL/dtargets_c = -g log softmax(logits)_c

Shapes: logits and targets (..., C), loss and g (...). In nats.
Source: Keras 3 `keras.ops.categorical_crossentropy`, from_logits=True.
"""

from __future__ import annotations

from striate.ir.opdef import define_op
from striate.ir.ops import _functions
from striate.ir.ops._arrays import Array, like, wide
from striate.ir.ops._checks import merge, require_axis, require_floats, require_same_dtype, require_shape
from striate.ir.ops._compose import gradients_of
from striate.ir.ops._terms import Term, terms
from striate.ir.ops.attrs import AxisAttrs
from striate.ir.types import TensorType

OP = "softmax_crossentropy"


def infer(logits: TensorType, targets: TensorType) -> TensorType:
    require_floats(OP, logits, targets)
    dtype = require_same_dtype(OP, logits, targets)
    require_axis(OP, logits, max(logits.rank - 1, 0))
    require_shape(OP, "targets", targets, logits.shape)
    return TensorType(merge(logits.shape, targets.shape)[:-1], dtype)


def _slopes(loss: Term, g: Term, logits: Term, targets: Term) -> tuple[Term, Term]:
    dlogits, dtargets = g.emit(f"{OP}_grad", g.value, logits.value, targets.value)
    return Term(g.emit, dlogits), Term(g.emit, dtargets)


def reference(logits: Array, targets: Array) -> Array:
    return like(-(wide(targets) * _functions.log_softmax(wide(logits), -1)).sum(axis=-1), logits)


def infer_grad(g: TensorType, logits: TensorType, targets: TensorType) -> tuple[TensorType, TensorType]:
    assert infer(logits, targets) == g, f"{OP}_grad: g is {g}, logits {logits}, targets {targets}"
    return logits, targets


def _grad_by_parts(g: Term, logits: Term, targets: Term) -> tuple[Term, Term]:
    """softmax_crossentropy_grad spelled out in smaller ops."""
    last, wide_g = AxisAttrs(logits.type.rank - 1), g.expand()
    dlogits = wide_g * (logits("softmax", attrs=last) * targets.sum(-1) - targets)
    return dlogits, -(wide_g * logits("log_softmax", attrs=last))


def reference_grad(g: Array, logits: Array, targets: Array) -> tuple[Array, Array]:
    wide_g, t = wide(g)[..., None], wide(targets)
    dlogits = wide_g * (_functions.softmax(wide(logits), -1) * t.sum(axis=-1, keepdims=True) - t)
    return like(dlogits, logits), like(-wide_g * _functions.log_softmax(wide(logits), -1), targets)


define_op(OP, infer=infer, vjp=terms(_slopes), reference=reference)
define_op(f"{OP}_grad", infer=infer_grad, vjp=gradients_of(_grad_by_parts), reference=reference_grad)
