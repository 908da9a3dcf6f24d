"""Convolutions and pooling over one, two or three spatial axes, channels last, by the engine's two-dimensional kernels.

    one axis      an image one pixel high
    three axes    convolution: the taps along the depth lie side by side as channels of one two-dimensional convolution
                  pooling: over height and width, then over the depth; the largest value and the mean are separable

Public functions (`convolution`, `transposed`, `pooling`) and the layers of the same names end here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import cast

from striate import backend
from striate.core.errors import ShapeError
from striate.ir.opdef import infer_types
from striate.ir.ops._windows import Hw, extent, out_hw, pads
from striate.ir.ops.attrs import AxisAttrs, ConvAttrs, PadAttrs, Padding, PermAttrs, PoolAttrs, SliceAttrs
from striate.ir.types import TensorType
from striate.ops import shapes
from striate.ops._convert import Tensor, as_float, dtype_of, shape_of

Ints = tuple[int, ...]
Shape = tuple[int | None, ...]
#: what is done with a result while it still has the engine's shape, where that makes no difference
Then = Callable[[Tensor], Tensor]


def spatial(x: Tensor, name: str) -> int:
    """How many spatial axes x has.

    Raises:
        ValueError: none, or more than three.
    """
    n = len(shape_of(x)) - 2
    if n not in (1, 2, 3):
        raise ShapeError(
            f"{name}: takes inputs of rank 3 (batch, steps, channels), 4 (batch, height, width, channels) or 5 "
            f"(batch, depth, height, width, channels). Received inputs.shape={shape_of(x)}."
        )
    return n


def channels_last(x: Tensor, data_format: str | None, name: str, run: Then) -> Tensor:
    """`run` on x with the channels last, its result back in x's own layout."""
    x = as_float(x)
    spatial(x, name)
    first = backend.standardize_data_format(data_format) == "channels_first"
    y = run(shapes.moveaxis(x, 1, -1) if first else x)
    return shapes.moveaxis(y, -1, 1) if first else y


def pair(values: Ints, missing: int) -> tuple[int, int]:
    """One value an axis, for two axes: the height that a signal lacks has `missing`."""
    return cast(tuple[int, int], values if len(values) == 2 else (missing, *values))


def conv_attrs(kernel: Ints, strides: Ints, padding: str, dilation: Ints, groups: int) -> ConvAttrs:
    """Attributes of a convolution over one or two axes; causal padding has all its zeros before the first step."""
    steps, spread = pair(strides, 1), pair(dilation, 1)
    if padding == "causal":
        return ConvAttrs(steps, "explicit", (0, 0, extent(kernel[-1], spread[1]) - 1, 0), spread, groups)
    return ConvAttrs(steps, cast(Padding, padding), dilation=spread, groups=groups)


def with_height(shape: Shape) -> Shape:
    """A signal's shape, or its kernel's, as an image's: where the spatial axes begin is told by the rank."""
    return shape if len(shape) != 3 else (shape[0], 1, *shape[1:])


def kernel_with_height(shape: Shape) -> Shape:
    return shape if len(shape) != 3 else (1, *shape)


def along_depth(window: Ints, strides: Ints, padding: str, dilation: Ints = (1, 1, 1)) -> ConvAttrs:
    """The first of three axes as the height of an image one pixel wide."""
    return ConvAttrs((strides[0], 1), cast(Padding, padding), dilation=(dilation[0], 1))


def convolved_shape(
    op: str, x: Shape, kernel: Shape, strides: Ints, padding: str, dilation: Ints, groups: int = 1
) -> Shape:
    """The shape that `convolve` gives, of shapes with the channels last; open axes stay open.

    Raises:
        ValueError: a window that does not fit, channels that are not the kernel's.
    """
    n, window = len(strides), kernel[:-2]
    known = cast(Ints, window)
    if n == 3:
        flat = convolved_shape(op, (x[0], *x[2:]), kernel[1:], strides[1:], padding, dilation[1:], groups)
        depth = out_hw(op, along_depth(known, strides, padding, dilation), (x[1], 1), (known[0], 1))[0]
        return (flat[0], depth, *flat[1:])
    attrs = conv_attrs(known, strides, padding, dilation, groups)
    types = TensorType(with_height(x)), TensorType(kernel_with_height(kernel))
    y = infer_types(op, types, attrs)[0].shape
    return y if n == 2 else (y[0], *y[2:])


def convolve(
    op: str,
    x: Tensor,
    kernel: Tensor,
    bias: Tensor | None,
    strides: Ints,
    padding: str,
    dilation: Ints,
    groups: int = 1,
    then: Then | None = None,
) -> Tensor:
    """conv2d or depthwise_conv2d over as many axes as there are strides, bias added; `then` element by element.

    Args:
        x: (batch, spatial..., channels).
        kernel: (window..., in, out), of x's dtype.
        padding: "valid", "same", or for one axis "causal".
    """
    n = len(strides)
    if n != 2 and is_open(x):
        shape = convolved_shape(op, shape_of(x), shape_of(kernel), strides, padding, dilation, groups)
        return backend.KerasTensor(shape, dtype_of(x))
    if n == 3:
        return _convolve_volume(x, kernel, bias, strides, padding, dilation, groups, then)
    if op == "conv2d" and groups > 1 and shape_of(kernel)[-2] == 1 and not is_open(x):
        # A group for each channel: the same sums, by kernels made for them. ConvNeXt's 7x7 windows on 96 maps of 56x56
        # took 34 ms of CPU time and take 0.7.
        op, kernel, groups = "depthwise_conv2d", _of_each_channel(kernel, groups), 1
    attrs = conv_attrs(cast(Ints, shape_of(kernel)[:-2]), strides, padding, dilation, groups)
    if n == 1:
        x = shapes.reshape_to(x, with_height(shape_of(x)))
        kernel = shapes.reshape_to(kernel, kernel_with_height(shape_of(kernel)))
    y = backend.apply(op, x, kernel, *([] if bias is None else [bias]), attrs=attrs)
    y = y if then is None else then(y)
    return shapes.squeeze(y, 1) if n == 1 else y


def _of_each_channel(kernel: Tensor, channels: int) -> Tensor:
    """(window..., 1, channels * m), one group after the other, as (window..., channels, m)."""
    *window, _, out = cast(Ints, shape_of(kernel))
    return shapes.reshape_to(kernel, (*window, channels, out // channels))


def is_open(x: Tensor) -> bool:
    """Whether x is only a type: its shape is worked out, since reshapes cannot follow several open axes."""
    return bool(backend.is_keras_tensor(x))


def _convolve_volume(
    x: Tensor,
    kernel: Tensor,
    bias: Tensor | None,
    strides: Ints,
    padding: str,
    dilation: Ints,
    groups: int,
    then: Then | None,
) -> Tensor:
    taps, height, width, inner, filters = cast(Ints, shape_of(kernel))
    attrs = along_depth((taps, height, width), strides, padding, dilation)
    seen = _seen_along_depth(x, attrs, taps)
    n, depth, rows, columns, channels = cast(Ints, shape_of(seen[0]))
    frames = [shapes.reshape_to(s, (n * depth, rows, columns, groups, inner)) for s in seen]
    joined = shapes.reshape_to(
        frames[0] if taps == 1 else backend.apply("concat", *frames, attrs=AxisAttrs(4)),
        (n * depth, rows, columns, taps * channels),
    )
    flat = shapes.reshape_to(taps_as_channels(kernel), (height, width, taps * inner, filters))
    y = convolve("conv2d", joined, flat, bias, strides[1:], padding, dilation[1:], groups, then)
    return shapes.reshape_to(y, (n, depth, *shape_of(y)[1:]))


def taps_as_channels(kernel: Tensor) -> Tensor:
    """(depth, height, width, a, b) as (height, width, depth, a, b)."""
    return backend.apply("transpose", kernel, attrs=PermAttrs((1, 2, 0, 3, 4)))


def cut(x: Tensor, axis: int, begin: int, end: int, step: int = 1) -> Tensor:
    """x from `begin` up to `end` along one axis."""
    lengths = cast(Ints, shape_of(x))
    if (begin, step) == (0, 1) and end == lengths[axis]:
        return x
    begins, ends, steps = [0] * len(lengths), list(lengths), [1] * len(lengths)
    begins[axis], ends[axis], steps[axis] = begin, end, step
    return backend.apply("slice", x, attrs=SliceAttrs(tuple(begins), tuple(ends), tuple(steps)))


def pad_axis(x: Tensor, axis: int, before: int, after: int) -> Tensor:
    """x with zeros before and after along one axis."""
    if not before and not after:
        return x
    around = [0] * (2 * len(shape_of(x)))
    around[2 * axis], around[2 * axis + 1] = before, after
    return backend.apply("pad", x, attrs=PadAttrs(tuple(around)))


def _seen_along_depth(x: Tensor, a: ConvAttrs, taps: int) -> list[Tensor]:
    """What each tap along the depth sees, for all windows: (batch, windows, height, width, channels) each."""
    deep = cast(int, shape_of(x)[1])
    count = cast(int, out_hw("conv2d", a, (deep, 1), (taps, 1))[0])
    x = pad_axis(x, 1, *pads(a, (deep, 1), (taps, 1))[0])
    starts = [tap * a.dilation[0] for tap in range(taps)]
    return [cut(x, 1, start, start + (count - 1) * a.strides[0] + 1, a.strides[0]) for start in starts]


def _pool_attrs(window: Ints, strides: Ints, padding: str) -> PoolAttrs:
    return PoolAttrs(pair(window, 1), pair(strides, 1), "same" if padding == "same" else "valid")


def pooled_shape(op: str, x: Shape, window: Ints, strides: Ints, padding: str) -> Shape:
    """The shape that `pool` gives, of a shape with the channels last; open axes stay open.

    Raises:
        ValueError: a window that does not fit.
    """
    lengths: list[int | None] = []
    for n, size, stride in zip(x[1:-1], window, strides, strict=True):
        lengths.append(out_hw(op, _pool_attrs((size,), (stride,), padding), _across(n), (1, size))[1])
    return (x[0], *lengths, x[-1])


def _across(n: int | None) -> Hw:
    return 1, n


def pool(op: str, x: Tensor, window: Ints, strides: Ints, padding: str) -> Tensor:
    """max_pool2d or avg_pool2d over as many axes as `window` has.

    Args:
        x: (batch, spatial..., channels).
        padding: "valid" or "same".
    """
    if is_open(x):
        return backend.KerasTensor(pooled_shape(op, shape_of(x), window, strides, padding), dtype_of(x))
    if len(window) == 3:
        return _pool_volume(op, x, window, strides, padding)
    y = shapes.reshape_to(x, with_height(shape_of(x))) if len(window) == 1 else x
    y = backend.apply(op, y, attrs=_pool_attrs(window, strides, padding))
    return shapes.squeeze(y, 1) if len(window) == 1 else y


def _pool_volume(op: str, x: Tensor, window: Ints, strides: Ints, padding: str) -> Tensor:
    n, depth, rows, columns, channels = cast(Ints, shape_of(x))
    y = shapes.reshape_to(x, (n * depth, rows, columns, channels))
    y = pool(op, y, window[1:], strides[1:], padding)
    _, rows, columns, _ = cast(Ints, shape_of(y))
    y = shapes.reshape_to(y, (n, depth, rows * columns, channels))
    y = pool(op, y, (window[0], 1), (strides[0], 1), padding)
    return shapes.reshape_to(y, (n, shape_of(y)[1], rows, columns, channels))


def pool_to(op: str, x: Tensor, sizes: Ints) -> Tensor:
    """max_pool2d or avg_pool2d to `sizes` results along the spatial axes, by windows that share them out evenly."""
    if is_open(x):
        return backend.KerasTensor((shape_of(x)[0], *sizes, shape_of(x)[-1]), dtype_of(x))
    lengths = cast(Ints, shape_of(x)[1:-1])
    if all(n % size == 0 for n, size in zip(lengths, sizes, strict=True)):
        window = tuple(n // size for n, size in zip(lengths, sizes, strict=True))
        return pool(op, x, window, window, "valid")
    for axis, size in enumerate(sizes, 1):
        x = _pool_axis_to(op, x, axis, size)
    return x


def _pool_axis_to(op: str, x: Tensor, axis: int, size: int) -> Tensor:
    shape = cast(Ints, shape_of(x))
    n, before, after = shape[axis], math.prod(shape[:axis]), math.prod(shape[axis + 1 :])
    if n == size:
        return x
    flat = shapes.reshape_to(x, (before, n, 1, after))
    parts = []
    for i in range(size):
        begin, end = i * n // size, -(-(i + 1) * n // size)
        parts.append(pool(op, cut(flat, 1, begin, end), (end - begin, 1), (1, 1), "valid"))
    y = parts[0] if size == 1 else backend.apply("concat", *parts, attrs=AxisAttrs(1))
    return shapes.reshape_to(y, (*shape[:axis], size, *shape[axis + 1 :]))
