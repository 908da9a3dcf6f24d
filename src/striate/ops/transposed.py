"""Transposed convolutions: the forward is a convolution's gradient for its input, which has kernels of its own.

    y[n, i*SH + u*DH - T, j*SW + v*DW - L, k] += x[n, i, j, c] * w[u, v, k, c]

T and L are rows and columns cut off at the top and the left. The gradients of conv2d_grad_x are a convolution (for x)
and conv2d_grad_w (for w). Over three axes, the taps along the depth are channels of one two-dimensional result, and are
added up at their places.
"""

from __future__ import annotations

from typing import NamedTuple, cast

from striate import backend
from striate.core.errors import ShapeError
from striate.ir.ops._windows import extent
from striate.ir.ops.attrs import ConvGradAttrs, SliceGradAttrs
from striate.ops import shapes, windows
from striate.ops._convert import Tensor, dtype_of, shape_of

Ints = tuple[int, ...]


class Axis(NamedTuple):
    """One spatial axis of a transposed convolution; `before` and `after` are cut off what all taps reach (where
    negative, `after` are zeros added)."""

    taps: int
    stride: int
    dilation: int
    before: int
    after: int

    def reach(self, n: int) -> int:
        """How long the result is before anything is cut off."""
        return (n - 1) * self.stride + extent(self.taps, self.dilation)

    def length(self, n: int | None) -> int | None:
        return None if n is None else self.reach(n) - self.before - self.after


def _axis(taps: int, stride: int, padding: str, more: int | None, dilation: int) -> Axis:
    """Keras's lengths: see `ops.conv_transpose`. "same" cuts the window's overhang, the smaller half at the start."""
    span = extent(taps, dilation)
    if padding == "valid":
        return Axis(taps, stride, dilation, 0, -(max(span, stride) - span if more is None else more))
    kept = stride + span - 2 if more is None else span + span % 2 - 2 + more
    left = min((kept + 1) // 2, span - 1)
    return Axis(taps, stride, dilation, span - 1 - left, span - 1 - (kept - left))


def axes(window: Ints, strides: Ints, padding: str, more: Ints | None, dilation: Ints) -> list[Axis]:
    """One Axis for each spatial axis."""
    added = (None,) * len(window) if more is None else more
    return [_axis(w, s, padding, m, d) for w, s, m, d in zip(window, strides, added, dilation, strict=True)]


def convolved_shape(x: windows.Shape, filters: int, along: list[Axis]) -> windows.Shape:
    """The shape that `convolve` gives, of a shape with the channels last; open axes stay open.

    Raises:
        ValueError: nothing is left of an axis.
    """
    lengths = [axis.length(n) for axis, n in zip(along, x[1:-1], strict=True)]
    if any(n is not None and n < 1 for n in lengths):
        raise ShapeError(
            f"conv_transpose: nothing is left of the output. Received inputs.shape={tuple(x)}, for which it would have "
            f"the lengths {lengths}. Use a larger `output_padding` or larger inputs."
        )
    return (x[0], *lengths, filters)


def convolve(x: Tensor, kernel: Tensor, along: list[Axis]) -> Tensor:
    """The transposed convolution.

    Args:
        x: (batch, spatial..., channels).
        kernel: (window..., filters, channels), of x's dtype.
    """
    filters = cast(int, shape_of(kernel)[-2])
    shape = convolved_shape(shape_of(x), filters, along)
    if windows.is_open(x):
        return backend.KerasTensor(shape, dtype_of(x))
    if len(along) == 3:
        return _convolve_volume(x, kernel, along)
    if len(along) == 1:
        x = shapes.reshape_to(x, windows.with_height(shape_of(x)))
        kernel = shapes.reshape_to(kernel, windows.kernel_with_height(shape_of(kernel)))
        return shapes.squeeze(_convolve_image(x, kernel, [Axis(1, 1, 1, 0, 0), *along]), 1)
    return _convolve_image(x, kernel, along)


def _convolve_image(x: Tensor, kernel: Tensor, along: list[Axis]) -> Tensor:
    n, *lengths, _ = cast(Ints, shape_of(x))
    # What lies beyond the last window's reach by a stride or more is no input of the convolution: zeros, put on after.
    beyond = [-a.after if -a.after >= a.stride else 0 for a in along]
    inside = [a._replace(after=a.after + b) for a, b in zip(along, beyond, strict=True)]
    sizes = [cast(int, a.length(m)) for a, m in zip(inside, lengths, strict=True)]
    cuts = [max(c, 0) for a in inside for c in (a.before, a.after)]
    attrs = ConvGradAttrs(
        strides=(along[0].stride, along[1].stride),
        padding="explicit",
        pads=(cuts[0], cuts[1], cuts[2], cuts[3]),
        dilation=(along[0].dilation, along[1].dilation),
        shape=(n, *sizes, cast(int, shape_of(kernel)[-2])),
    )
    y = backend.apply("conv2d_grad_x", x, kernel, attrs=attrs)
    for axis, rows in enumerate(beyond):
        y = windows.pad_axis(y, axis + 1, 0, rows)
    return y


def _convolve_volume(x: Tensor, kernel: Tensor, along: list[Axis]) -> Tensor:
    deep = along[0]
    taps, height, width, filters, channels = cast(Ints, shape_of(kernel))
    n, depth, *image, _ = cast(Ints, shape_of(x))
    flat = shapes.reshape_to(windows.taps_as_channels(kernel), (height, width, taps * filters, channels))
    y = _convolve_image(shapes.reshape_to(x, (n * depth, *image, channels)), flat, along[1:])
    _, rows, columns, _ = cast(Ints, shape_of(y))
    whole = (n, deep.reach(depth), rows, columns, filters)
    total: Tensor = None
    for tap in range(taps):
        part = windows.cut(y, 3, tap * filters, (tap + 1) * filters)
        part = shapes.reshape_to(part, (n, depth, rows, columns, filters))
        if whole[1] != depth:
            begin = tap * deep.dilation
            ends = (n, begin + (depth - 1) * deep.stride + 1, rows, columns, filters)
            attrs = SliceGradAttrs((0, begin, 0, 0, 0), ends, (1, deep.stride, 1, 1, 1), whole)
            part = backend.apply("slice_grad", part, attrs=attrs)
        total = part if total is None else backend.apply("add", total, part)
    kept = windows.cut(total, 1, deep.before, whole[1] - max(deep.after, 0))
    return windows.pad_axis(kept, 1, 0, max(-deep.after, 0))
