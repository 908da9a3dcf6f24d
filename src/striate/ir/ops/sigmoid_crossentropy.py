"""sigmoid_crossentropy: elementwise loss of logits x against probabilities t, sigmoid included.

    loss = -t log s(x) - (1 - t) log(1 - s(x)) = max(x, 0) - x t + log(1 + exp(-|x|))        s = sigmoid

    dL/dx = g (s(x) - t)        dL/dt = -g x

Shapes: logits, targets, loss and g alike. In nats. Source: Keras 3 `keras.ops.binary_crossentropy`, from_logits=True.
"""

from __future__ import annotations

import numpy as np

from striate.ir.opdef import define_op
from striate.ir.ops import _functions
from striate.ir.ops._arrays import Array, like, wide
from striate.ir.ops._checks import merge, require_floats, require_same_dtype, require_shape
from striate.ir.ops._compose import gradients_of
from striate.ir.ops._terms import Term, terms
from striate.ir.types import TensorType

OP = "sigmoid_crossentropy"


def infer(logits: TensorType, targets: TensorType) -> TensorType:
    require_floats(OP, logits, targets)
    dtype = require_same_dtype(OP, logits, targets)
    require_shape(OP, "targets", targets, logits.shape)
    return TensorType(merge(logits.shape, targets.shape), dtype)


def _slopes(loss: Term, g: Term, logits: Term, targets: Term) -> tuple[Term, Term]:
    dlogits, dtargets = g.emit(f"{OP}_grad", g.value, logits.value, targets.value)
    return Term(g.emit, dlogits), Term(g.emit, dtargets)


def reference(logits: Array, targets: Array) -> Array:
    x, t = wide(logits), wide(targets)
    return like(np.maximum(x, 0) - x * t + np.log1p(np.exp(-np.abs(x))), logits)


def infer_grad(g: TensorType, logits: TensorType, targets: TensorType) -> tuple[TensorType, TensorType]:
    assert infer(logits, targets) == g, f"{OP}_grad: g is {g}, logits {logits}, targets {targets}"
    return logits, targets


def _grad_by_parts(g: Term, x: Term, t: Term) -> tuple[Term, Term]:
    """sigmoid_crossentropy_grad spelled out in smaller ops."""
    return g * (x("sigmoid") - t), -(g * x)


def reference_grad(g: Array, logits: Array, targets: Array) -> tuple[Array, Array]:
    x, t, wide_g = wide(logits), wide(targets), wide(g)
    return like(wide_g * (_functions.sigmoid(x) - t), logits), like(-wide_g * x, targets)


define_op(OP, infer=infer, vjp=terms(_slopes), reference=reference)
define_op(f"{OP}_grad", infer=infer_grad, vjp=gradients_of(_grad_by_parts), reference=reference_grad)
