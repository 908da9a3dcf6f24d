"""Convolutions and pooling. The engine's layout is channels last; channels first is transposed at the edge.

Two dimensions are the engine's own; one dimension runs as images one pixel high.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, cast

from striate import backend
from striate.backend import symbolic_op
from striate.core.args import int_tuple, one_of
from striate.core.args import padding as padding_argument
from striate.core.errors import ArgumentError, ShapeError
from striate.core.registry import export
from striate.ir.ops.attrs import ConvAttrs, PoolAttrs
from striate.ops import shapes
from striate.ops._convert import Tensor, as_float, promote, shape_of, tensor

_NN = "keras.src.ops.nn"

Padding = Literal["valid", "same"]
Pair = tuple[int, int]


def _pair(value: Any, n: int, name: str, missing: int = 1) -> Pair:
    """An argument for n spatial axes as one for two; the axis a one-dimensional input lacks gets `missing`."""
    items = int_tuple(value, n, name)
    return cast(Pair, items if n == 2 else (missing, *items))


def _in_two_dimensions(x: Tensor, data_format: str | None, name: str, run: Callable[[Tensor], Tensor]) -> Tensor:
    """`run` on x as (batch, height, width, channels), its result back in x's own layout."""
    x = as_float(x)
    rank = len(shape_of(x))
    if rank not in (3, 4):
        raise ShapeError(
            f"{name}: takes inputs of rank 3 (batch, steps, channels) or 4 (batch, height, width, channels). "
            f"Received inputs.shape={shape_of(x)}."
        )
    first = backend.standardize_data_format(data_format) == "channels_first"
    if first:
        x = shapes.moveaxis(x, 1, -1)
    if rank == 3:
        x = shapes.expand_dims(x, 1)
    y = run(x)
    if rank == 3:
        y = shapes.squeeze(y, 1)
    return shapes.moveaxis(y, -1, 1) if first else y


def _spatial(x: Tensor) -> int:
    return len(shape_of(tensor(x))) - 2


def _kernel(kernel: Tensor, x: Tensor, name: str) -> Tensor:
    """A kernel (window..., in, out) with a window of two axes, in x's dtype."""
    kernel = tensor(kernel, backend.standardize_dtype(x.dtype))
    rank = len(shape_of(kernel))
    if rank == 3:
        kernel = shapes.expand_dims(kernel, 0)
    elif rank != 4:
        raise ShapeError(
            f"{name}: the kernel must have one axis for each spatial axis of the inputs, then input and output "
            f"channels. Received kernel.shape={shape_of(kernel)}."
        )
    return kernel


def _check_strides(strides: Pair, dilation: Pair, name: str) -> None:
    if max(strides) > 1 and max(dilation) > 1:
        raise ArgumentError(
            f"{name}: `strides > 1` not supported in conjunction with `dilation_rate > 1`. "
            f"Received: strides={strides} and dilation_rate={dilation}."
        )


@export("ops.conv", "ops.nn.conv")
@symbolic_op(_NN, "Conv")
def conv(
    inputs: Tensor,
    kernel: Tensor,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Tensor:
    """Convolution of one or two dimensions: y[i, j, k] = sum_uvc x[i*s + u*d, j*s + v*d, c] * w[u, v, c, k].

    Source: `keras.ops.conv`. A cross-correlation: the kernel is not flipped. Where the inputs have more channels than
    the kernel's third axis, they are convolved in groups.

    Args:
        inputs: (batch, height, width, channels), or (batch, steps, channels).
        kernel: (height, width, channels / groups, filters), or (steps, channels / groups, filters).
        strides: int or one for each spatial axis, in pixels.
        padding: "valid" (none) or "same" (zeros around, so that stride 1 keeps the size).
        dilation_rate: distance of neighbouring kernel elements, in pixels.

    Example:
        >>> import numpy as np
        >>> conv(np.ones((1, 5, 5, 3)), np.ones((3, 3, 3, 8)), padding="same").shape
        (1, 5, 5, 8)
    """
    inputs, kernel = promote(inputs, kernel, floats=True)
    n = _spatial(inputs)

    def run(x: Tensor) -> Tensor:
        w = _kernel(kernel, x, "conv")
        channels, group_channels = shape_of(x)[-1], shape_of(w)[-2]
        if channels is None or group_channels is None or channels % group_channels:
            raise ShapeError(
                f"conv: the number of input channels must be a multiple of the kernel's. "
                f"Received inputs.shape={shape_of(inputs)}, kernel.shape={shape_of(kernel)}."
            )
        attrs = ConvAttrs(
            strides=_pair(strides, n, "strides"),
            padding=cast(Padding, padding_argument(padding)),
            dilation=_pair(dilation_rate, n, "dilation_rate"),
            groups=channels // group_channels,
        )
        _check_strides(attrs.strides, attrs.dilation, "conv")
        return backend.apply("conv2d", x, w, attrs=attrs)

    return _in_two_dimensions(inputs, data_format, "conv", run)


@export("ops.depthwise_conv", "ops.nn.depthwise_conv")
@symbolic_op(_NN, "DepthwiseConv")
def depthwise_conv(
    inputs: Tensor,
    kernel: Tensor,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Tensor:
    """Each channel filtered on its own by `multiplier` kernels: output channel c * multiplier + m.

    Source: `keras.ops.depthwise_conv`. Arguments as for `conv`; kernel (height, width, channels, multiplier).
    """
    inputs, kernel = promote(inputs, kernel, floats=True)
    n = _spatial(inputs)

    def run(x: Tensor) -> Tensor:
        # Strides of one dimension are given to both axes: a depthwise kernel takes equal ones, and one row stays one.
        attrs = ConvAttrs(
            strides=_pair(strides, n, "strides"),
            padding=cast(Padding, padding_argument(padding)),
            dilation=_pair(dilation_rate, n, "dilation_rate"),
        )
        return backend.apply("depthwise_conv2d", x, _kernel(kernel, x, "depthwise_conv"), attrs=attrs)

    return _in_two_dimensions(inputs, data_format, "depthwise_conv", run)


@export("ops.separable_conv", "ops.nn.separable_conv")
@symbolic_op(_NN, "SeparableConv")
def separable_conv(
    inputs: Tensor,
    depthwise_kernel: Tensor,
    pointwise_kernel: Tensor,
    strides: Any = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Tensor:
    """A depthwise convolution, then a convolution of window 1 that mixes the channels.

    Source: `keras.ops.separable_conv`. Arguments as for `conv`.
    """
    y = depthwise_conv(inputs, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return conv(y, pointwise_kernel, 1, "valid", data_format, 1)


def _pool(op: str, inputs: Tensor, size: Any, strides: Any, padding: str, data_format: str | None) -> Tensor:
    n = _spatial(inputs)
    window = _pair(size, n, "pool_size")
    attrs = PoolAttrs(
        pool=window,
        strides=window if strides is None else _pair(strides, n, "strides"),
        padding=cast(Padding, one_of(padding, "padding", ("valid", "same"))),
    )
    return _in_two_dimensions(inputs, data_format, op, lambda x: backend.apply(op, x, attrs=attrs))


@export("ops.max_pool", "ops.nn.max_pool")
@symbolic_op(_NN, "MaxPool")
def max_pool(
    inputs: Tensor, pool_size: Any, strides: Any = None, padding: str = "valid", data_format: str | None = None
) -> Tensor:
    """The largest value of each window. Source: `keras.ops.max_pool`.

    Args:
        inputs: (batch, height, width, channels), or (batch, steps, channels).
        pool_size: the window, in pixels.
        strides: from window to window, in pixels; the window's size unless given.
        padding: "valid" or "same" (cells outside do not count).
    """
    return _pool("max_pool2d", inputs, pool_size, strides, padding, data_format)


@export("ops.average_pool", "ops.nn.average_pool")
@symbolic_op(_NN, "AveragePool")
def average_pool(
    inputs: Tensor, pool_size: Any, strides: Any = None, padding: str = "valid", data_format: str | None = None
) -> Tensor:
    """The mean of each window, over the cells that lie inside. Source: `keras.ops.average_pool`.

    Arguments as for `max_pool`.
    """
    return _pool("avg_pool2d", inputs, pool_size, strides, padding, data_format)
