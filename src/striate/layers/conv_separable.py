"""Separable convolutions: a depthwise one, then one of window 1 that mixes the channels."""

from __future__ import annotations

from typing import Any

from striate import constraints, initializers, regularizers
from striate.core import args
from striate.core.registry import export
from striate.layers.conv_base import ConvBase, Shape
from striate.ops import windows


class SeparableConv(ConvBase):
    """What SeparableConv1D and SeparableConv2D share."""

    depthwise_kernel: Any = None
    pointwise_kernel: Any = None

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            kernel_size=kernel_size,
            strides=strides,
            padding=padding,
            data_format=data_format,
            dilation_rate=dilation_rate,
            activation=activation,
            use_bias=use_bias,
            bias_initializer=bias_initializer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            bias_constraint=bias_constraint,
            **kwargs,
        )
        self.filters = args.positive_int(filters, "filters")
        self.depth_multiplier = args.positive_int(depth_multiplier, "depth_multiplier")
        self.depthwise_initializer = initializers.get(depthwise_initializer)
        self.pointwise_initializer = initializers.get(pointwise_initializer)
        self.depthwise_regularizer = regularizers.get(depthwise_regularizer)
        self.pointwise_regularizer = regularizers.get(pointwise_regularizer)
        self.depthwise_constraint = constraints.get(depthwise_constraint)
        self.pointwise_constraint = constraints.get(pointwise_constraint)

    def _out_channels(self, channels: int) -> int:
        return self.filters

    def _depthwise_shape(self, channels: int) -> tuple[int, ...]:
        return (*self.kernel_size, channels, self.depth_multiplier)

    def _add_kernels(self, channels: int) -> None:
        self.depthwise_kernel = self.add_weight(
            name="depthwise_kernel",
            shape=self._depthwise_shape(channels),
            initializer=self.depthwise_initializer,
            regularizer=self.depthwise_regularizer,
            constraint=self.depthwise_constraint,
        )
        self.pointwise_kernel = self.add_weight(
            name="pointwise_kernel",
            shape=(*(1,) * self.rank, channels * self.depth_multiplier, self.filters),
            initializer=self.pointwise_initializer,
            regularizer=self.pointwise_regularizer,
            constraint=self.pointwise_constraint,
        )

    def convolve(self, x: Any, bias: Any, then: Any) -> Any:
        one = (1,) * self.rank
        depthwise, pointwise = self._in_dtype(self.depthwise_kernel), self._in_dtype(self.pointwise_kernel)
        y = windows.convolve("depthwise_conv2d", x, depthwise, None, self.strides, self.padding, self.dilation_rate)
        return windows.convolve("conv2d", y, pointwise, bias, one, "valid", one, 1, then)

    def _convolved_shape(self, x: Shape, channels: int) -> Shape:
        kernel = self._depthwise_shape(channels)
        y = windows.convolved_shape("depthwise_conv2d", x, kernel, self.strides, self.padding, self.dilation_rate)
        return (*y[:-1], self.filters)


@export("layers.SeparableConv1D", "layers.SeparableConvolution1D")
class SeparableConv1D(SeparableConv):
    """A depthwise convolution of a signal, then a convolution of window 1 that mixes the channels.

        z[n, t, c*M + m] = sum_u x[n, t*S + u*D - P, c] * depthwise_kernel[u, c, m]
        y[n, t, k] = activation(bias[k] + sum_q z[n, t, q] * pointwise_kernel[0, q, k])

    Source: `keras.layers.SeparableConv1D`: same arguments, defaults, weights; not "causal" (nor in Keras 3.15).

    Args:
        filters: number of feature maps of the result.
        kernel_size: length of the depthwise window, in steps.
        strides, padding, data_format, dilation_rate, activation, use_bias: as for `Conv1D`.
        depth_multiplier: M, depthwise filters per input channel.
        depthwise_initializer, ..., pointwise_initializer, ..., bias_initializer, ...: those of the three weights.

    Input shape: (batch, steps, channels).
    Output shape: (batch, new_steps, filters).
    Weights: depthwise_kernel (steps, channels, depth_multiplier), pointwise_kernel (1, channels * depth_multiplier,
        filters), bias (filters,).

    Raises:
        ValueError: an argument outside its range; a signal shorter than the window with "valid".

    Example:
        >>> SeparableConv1D(6, 3)(np.ones((1, 8, 4), "float32")).shape
        (1, 6, 6)
    """

    rank = 1


@export("layers.SeparableConv2D", "layers.SeparableConvolution2D")
class SeparableConv2D(SeparableConv):
    """A depthwise convolution of an image, then a 1x1 convolution that mixes the channels.

        z[n, i, j, c*M + m] = sum_uv x[n, i*SH + u*DH - PT, j*SW + v*DW - PL, c] * depthwise_kernel[u, v, c, m]
        y[n, i, j, k] = activation(bias[k] + sum_q z[n, i, j, q] * pointwise_kernel[0, 0, q, k])

    Source: `keras.layers.SeparableConv2D`: same arguments, defaults, weights; Chollet 2017 (Xception).

    Args:
        filters: number of feature maps of the result.
        kernel_size: int or (height, width) of the depthwise window, in pixels.
        strides, padding, data_format, dilation_rate, activation, use_bias: as for `Conv2D`.
        depth_multiplier: M, depthwise filters per input channel.
        depthwise_initializer, ..., pointwise_initializer, ..., bias_initializer, ...: those of the three weights.

    Input shape: (batch, height, width, channels).
    Output shape: (batch, new_height, new_width, filters).
    Weights: depthwise_kernel (height, width, channels, depth_multiplier), pointwise_kernel (1, 1, channels *
        depth_multiplier, filters), bias (filters,).

    Raises:
        ValueError: an argument outside its range; an image smaller than the window with "valid".

    Example:
        >>> SeparableConv2D(6, 3)(np.ones((1, 8, 8, 4), "float32")).shape
        (1, 6, 6, 6)
    """

    rank = 2
