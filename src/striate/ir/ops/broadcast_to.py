"""broadcast_to: x repeated along axes where its length is 1, and along new leading axes.

Shapes: an axis of the new shape that is -1 has x's own length. Source: Keras 3 `keras.ops.broadcast_to`.
"""

from __future__ import annotations

import numpy as np

from striate.core.errors import ShapeError
from striate.ir.opdef import define_op
from striate.ir.ops._arrays import Array
from striate.ir.ops._checks import show
from striate.ir.ops._terms import Term, terms
from striate.ir.ops.attrs import ShapeAttrs
from striate.ir.types import Shape, TensorType


def resolve(x: Shape, target: tuple[int, ...]) -> Shape:
    extra = len(target) - len(x)
    good = extra >= 0 and all(n != -1 for n in target[: max(extra, 0)])
    result: list[int | None] = list(target[: max(extra, 0)])
    for own, wanted in zip(x, target[max(extra, 0) :], strict=False):
        good = good and (wanted == -1 or own in (None, 1, wanted))
        result.append(own if wanted == -1 else wanted)
    if not good:
        raise ShapeError(
            f"broadcast_to: x.shape={show(x)} cannot be repeated to the shape {show(target)}. "
            f"Expected each axis, counted from the last, to be equal or 1 in x. Reshape x, or insert axes of length 1."
        )
    return tuple(result)


def infer(x: TensorType, a: ShapeAttrs) -> TensorType:
    return TensorType(resolve(x.shape, a.shape), x.dtype)


def _slope(y: Term, g: Term, x: Term, a: ShapeAttrs) -> Term:
    return g.sum_to(x.type)


def reference(x: Array, a: ShapeAttrs) -> Array:
    return np.array(np.broadcast_to(x, [n or 0 for n in resolve(x.shape, a.shape)]))


define_op("broadcast_to", attrs=ShapeAttrs, infer=infer, vjp=terms(_slope), reference=reference)
