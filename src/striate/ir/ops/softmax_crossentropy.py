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


def _grad_slopes(
    y: tuple[Term, Term], h: tuple[Term | None, Term | None], g: Term, logits: Term, targets: Term
) -> tuple[Term, Term, Term | None]:
    """h[0] and h[1] are the gradients of dlogits and dtargets; either may be missing."""
    last = AxisAttrs(logits.type.rank - 1)
    s, total, wide_g = logits("softmax", attrs=last), targets.sum(-1), g.expand()
    dg: list[Term] = []
    dlogits: list[Term] = []
    dtargets: Term | None = None
    if h[0] is not None:
        dg.append((h[0] * (s * total - targets)).sum(-1, keepdims=False))
        dlogits.append((h[0] * wide_g * total)("softmax_grad", s, attrs=last))
        dtargets = wide_g * ((h[0] * s).sum(-1) - h[0])
    if h[1] is not None:
        log_s = logits("log_softmax", attrs=last)
        dg.append(-(h[1] * log_s).sum(-1, keepdims=False))
        dlogits.append((-(h[1] * wide_g))("log_softmax_grad", log_s, attrs=last))
    return (dg[0] if len(dg) == 1 else dg[0] + dg[1]), (
        dlogits[0] if len(dlogits) == 1 else dlogits[0] + dlogits[1]
    ), dtargets


def reference_grad(g: Array, logits: Array, targets: Array) -> tuple[Array, Array]:
    wide_g, t = wide(g)[..., None], wide(targets)
    dlogits = wide_g * (_functions.softmax(wide(logits), -1) * t.sum(axis=-1, keepdims=True) - t)
    return like(dlogits, logits), like(-wide_g * _functions.log_softmax(wide(logits), -1), targets)


define_op(OP, infer=infer, vjp=terms(_slopes), reference=reference)
define_op(f"{OP}_grad", infer=infer_grad, vjp=terms(_grad_slopes), reference=reference_grad)
