"""Running combinations of rows in ceil(log2(n)) steps, each of which combines every row with the one 1, 2, 4, ... rows
before it (Hillis and Steele 1986): plain ops, so that gradients hold also where a factor is 0."""

from __future__ import annotations

from collections.abc import Callable

from striate.ops import arithmetic, joining
from striate.ops._convert import Tensor, shape_of
from striate.ops.indexing import slice_axis


def running(
    combine: Callable[[Tensor, Tensor], Tensor], x: Tensor, axis: int, segments: Tensor | None = None
) -> Tensor:
    """y_i = x_0 combined with ... x_i along a non-negative axis of known length.

    Args:
        segments: int32 numbers of segments, ascending, that broadcast against x along the axis: combined is only what
            lies in one.
    """
    n = shape_of(x)[axis]
    assert n is not None
    distance = 1
    while distance < n:
        first, earlier = slice_axis(x, axis, 0, distance), slice_axis(x, axis, 0, n - distance)
        later = slice_axis(x, axis, distance, n)
        both = combine(later, earlier)
        if segments is not None:
            own, before = slice_axis(segments, axis, distance, n), slice_axis(segments, axis, 0, n - distance)
            both = arithmetic.where(arithmetic.equal(own, before), both, later)
        x = joining.concatenate([first, both], axis=axis)
        distance *= 2
    return x
