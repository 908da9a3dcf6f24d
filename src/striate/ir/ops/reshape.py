"""reshape: the same elements, in the same row-major order, under another shape. In a program it is an alias, no copy.

Shapes: one entry of the new shape may be -1, and takes what is left over. While x has open axes, -1 stands for an open
axis, and several may: they get lengths when the graph is traced at concrete shapes.
Source: Keras 3 `keras.ops.reshape`.
"""

from __future__ import annotations

from striate.core.errors import ShapeError
from striate.ir.opdef import define_op
from striate.ir.ops._arrays import Array
from striate.ir.ops._checks import product, show
from striate.ir.ops._terms import Term, terms
from striate.ir.ops.attrs import ShapeAttrs
from striate.ir.types import Shape, TensorType


def resolve(x: Shape, target: tuple[int, ...]) -> Shape:
    """The new shape, with what is known of its -1 filled in."""
    holes = [i for i, n in enumerate(target) if n == -1]
    wanted = product([n for n in target if n != -1])
    if None in x:
        known = product(x)
        if not holes and (wanted % known if known else wanted):
            raise _misfit(x, target)
        return tuple(None if n == -1 else n for n in target)
    size = product(x)
    if len(holes) > 1:
        raise ShapeError(
            f"reshape: received the new shape {show(target)} for x.shape={show(x)}. "
            f"Expected at most one -1. Write out the other lengths."
        )
    if not holes:
        if wanted != size:
            raise _misfit(x, target)
        return target
    if wanted == 0 or size % wanted:
        raise _misfit(x, target)
    return tuple(size // wanted if n == -1 else n for n in target)


def _misfit(x: Shape, target: tuple[int, ...]) -> ShapeError:
    return ShapeError(
        f"reshape: x.shape={show(x)} has {product(x)} elements{' for each of the open axes' if None in x else ''}, "
        f"which do not fit the new shape {show(target)}. Expected a shape with as many elements. "
        f"Give one axis as -1 to have its length worked out."
    )


def infer(x: TensorType, a: ShapeAttrs) -> TensorType:
    return TensorType(resolve(x.shape, a.shape), x.dtype)


def _slope(y: Term, g: Term, x: Term, a: ShapeAttrs) -> Term:
    return g.reshape(*x.type.dims)


def reference(x: Array, a: ShapeAttrs) -> Array:
    return x.reshape(a.shape)


define_op("reshape", attrs=ShapeAttrs, infer=infer, vjp=terms(_slope), reference=reference)
