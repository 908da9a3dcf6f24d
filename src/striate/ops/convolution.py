"""Convolutions of one, two and three dimensions. The engine's layout is channels last; channels first is transposed at
the edge."""

from __future__ import annotations

from typing import Any, cast

from striate import backend
from striate.backend import symbolic_op
from striate.core import args
from striate.core.errors import ShapeError
from striate.core.registry import export
from striate.ops import transposed, windows
from striate.ops._convert import Tensor, promote, shape_of, tensor

_NN = "keras.src.ops.nn"


def kernel_like(kernel: Tensor, x: Tensor, n: int, name: str) -> Tensor:
    """A kernel (window..., in, out) with a window of n axes, in x's dtype.

    Raises:
        ValueError: a kernel of another rank.
    """
    kernel = tensor(kernel, backend.standardize_dtype(x.dtype))
    if len(shape_of(kernel)) != n + 2:
        raise ShapeError(
            f"{name}: the kernel must have one axis for each spatial axis of the inputs, then input and output "
            f"channels. Received kernel.shape={shape_of(kernel)}, inputs.shape={shape_of(x)}."
        )
    return kernel


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
    """Convolution of one to three dimensions: y[i, j, k] = sum_uvc x[i*s + u*d, j*s + v*d, c] * w[u, v, c, k].

    Source: `keras.ops.conv`. A cross-correlation: the kernel is not flipped. Where the inputs have more channels than
    the kernel's last axis but one, they are convolved in groups.

    Args:
        inputs: (batch, height, width, channels), (batch, steps, channels), or (batch, depth, height, width, channels).
        kernel: (height, width, channels / groups, filters), or with a window of one or three axes.
        strides: int or one for each spatial axis, in pixels.
        padding: "valid" (none) or "same" (zeros around, so that stride 1 keeps the size); for one dimension also
            "causal" (zeros before the first step).
        dilation_rate: distance of neighbouring kernel elements, in pixels.

    Example:
        >>> import numpy as np
        >>> conv(np.ones((1, 5, 5, 3)), np.ones((3, 3, 3, 8)), padding="same").shape
        (1, 5, 5, 8)
    """
    inputs, kernel = promote(inputs, kernel, floats=True)
    n = windows.spatial(inputs, "conv")

    def run(x: Tensor) -> Tensor:
        w = kernel_like(kernel, x, n, "conv")
        channels, group_channels = shape_of(x)[-1], shape_of(w)[-2]
        if channels is None or group_channels is None or channels % group_channels:
            raise ShapeError(
                f"conv: the input channels must match the kernel's, or be a multiple of it (groups). "
                f"Received inputs.shape={shape_of(inputs)}, kernel.shape={shape_of(kernel)}."
            )
        steps = args.int_tuple(strides, n, "strides")
        spread = args.int_tuple(dilation_rate, n, "dilation_rate")
        around = args.padding(padding, allow_causal=n == 1)
        return windows.convolve("conv2d", x, w, None, steps, around, spread, channels // group_channels)

    return windows.channels_last(inputs, data_format, "conv", run)


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

    Source: `keras.ops.depthwise_conv`. Arguments as for `conv`, of one or two dimensions; kernel (height, width,
    channels, multiplier).
    """
    inputs, kernel = promote(inputs, kernel, floats=True)
    n = windows.spatial(inputs, "depthwise_conv")
    if n == 3:
        raise ShapeError(
            f"depthwise_conv: takes signals and images. Received inputs.shape={shape_of(inputs)}, of three spatial "
            "axes. Use conv with as many groups as channels."
        )

    def run(x: Tensor) -> Tensor:
        steps = args.int_tuple(strides, n, "strides")
        spread = args.int_tuple(dilation_rate, n, "dilation_rate")
        w = kernel_like(kernel, x, n, "depthwise_conv")
        return windows.convolve("depthwise_conv2d", x, w, None, steps, args.padding(padding), spread)

    return windows.channels_last(inputs, data_format, "depthwise_conv", run)


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


@export("ops.conv_transpose", "ops.nn.conv_transpose")
@symbolic_op(_NN, "ConvTranspose")
def conv_transpose(
    inputs: Tensor,
    kernel: Tensor,
    strides: Any = 1,
    padding: str = "valid",
    output_padding: Any = None,
    data_format: str | None = None,
    dilation_rate: Any = 1,
) -> Tensor:
    """The transpose of a convolution: every input pixel adds its multiple of the kernel to the output.

    Source: `keras.ops.conv_transpose`.

    Args:
        inputs: (batch, height, width, channels), (batch, steps, channels), or (batch, depth, height, width, channels).
        kernel: (height, width, filters, channels): the last two axes the other way round than for `conv`.
        strides: int or one for each spatial axis: pixels of the output for one of the input.
        padding: "valid" gives (n - 1) * stride + max(window, stride) pixels, "same" n * stride.
        output_padding: None, or how many pixels more than (n - 1) * stride + window ("valid") or
            (n - 1) * stride + window % 2 ("same") the output has, below and to the right.
        dilation_rate: distance of neighbouring kernel elements, in pixels.

    Example:
        >>> import numpy as np
        >>> conv_transpose(np.ones((1, 4, 4, 3)), np.ones((3, 3, 8, 3)), strides=2, padding="same").shape
        (1, 8, 8, 8)
    """
    inputs, kernel = promote(inputs, kernel, floats=True)
    n = windows.spatial(inputs, "conv_transpose")

    def run(x: Tensor) -> Tensor:
        w = kernel_like(kernel, x, n, "conv_transpose")
        if shape_of(x)[-1] != shape_of(w)[-1]:
            raise ShapeError(
                f"conv_transpose: the input channels must match the kernel's last axis. Received "
                f"inputs.shape={shape_of(inputs)}, kernel.shape={shape_of(kernel)}."
            )
        more = None if output_padding is None else args.int_tuple(output_padding, n, "output_padding", allow_zero=True)
        axes = transposed.axes(
            cast(tuple[int, ...], shape_of(w)[:-2]),
            args.int_tuple(strides, n, "strides"),
            args.padding(padding),
            more,
            args.int_tuple(dilation_rate, n, "dilation_rate"),
        )
        return transposed.convolve(x, w, axes)

    return windows.channels_last(inputs, data_format, "conv_transpose", run)
