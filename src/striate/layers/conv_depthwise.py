"""Depthwise convolutions: each channel has kernels of its own."""

from __future__ import annotations

from typing import Any

from striate import constraints, initializers, regularizers
from striate.core import args
from striate.core.registry import export
from striate.layers.conv_base import PlainConvBase


class DepthwiseConv(PlainConvBase):
    """What DepthwiseConv1D and DepthwiseConv2D share."""

    op = "depthwise_conv2d"

    def __init__(
        self,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
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
        self.depth_multiplier = args.positive_int(depth_multiplier, "depth_multiplier")
        self.depthwise_initializer = initializers.get(depthwise_initializer)
        self.depthwise_regularizer = regularizers.get(depthwise_regularizer)
        self.depthwise_constraint = constraints.get(depthwise_constraint)

    def _kernel_shape(self, channels: int) -> tuple[int, ...]:
        return (*self.kernel_size, channels, self.depth_multiplier)

    def _out_channels(self, channels: int) -> int:
        return channels * self.depth_multiplier

    def _add_kernels(self, channels: int) -> None:
        self.kernel = self.add_weight(
            name="kernel",
            shape=self._kernel_shape(channels),
            initializer=self.depthwise_initializer,
            regularizer=self.depthwise_regularizer,
            constraint=self.depthwise_constraint,
        )


@export("layers.DepthwiseConv1D")
class DepthwiseConv1D(DepthwiseConv):
    """Filters each channel of a signal with its own kernels; channels do not mix.

        y[n, t, c*M + m] = activation(bias[c*M + m] + sum_u x[n, t*S + u*D - P, c] * kernel[u, c, m])

    Source: `keras.layers.DepthwiseConv1D`: same arguments, defaults, weights.

    Args:
        kernel_size: length of the window, in steps.
        depth_multiplier: M, filters per input channel.
        strides, padding, data_format, dilation_rate, activation, use_bias: as for `Conv1D`; not "causal".
        depthwise_initializer, depthwise_regularizer, depthwise_constraint: those of the kernel.
        bias_initializer, bias_regularizer, bias_constraint: those of the bias.

    Input shape: (batch, steps, channels).
    Output shape: (batch, new_steps, channels * depth_multiplier).
    Weights: kernel (steps, channels, depth_multiplier), bias (channels * depth_multiplier,).

    Raises:
        ValueError: an argument outside its range; a signal shorter than the window with "valid".

    Example:
        >>> DepthwiseConv1D(3, padding="same")(np.ones((1, 8, 4), "float32")).shape
        (1, 8, 4)
    """

    rank = 1


@export("layers.DepthwiseConv2D")
class DepthwiseConv2D(DepthwiseConv):
    """Filters each channel with its own kernels; channels do not mix.

        y[n, i, j, c*M + m] = activation(bias[c*M + m] + sum_uv x[n, i*SH + u*DH - PT, j*SW + v*DW - PL, c]
                                                                  * kernel[u, v, c, m])

    Source: `keras.layers.DepthwiseConv2D`: same arguments, defaults, weights.

    Args:
        kernel_size: int or (height, width), in pixels.
        depth_multiplier: M, filters per input channel.
        strides, padding, data_format, dilation_rate, activation, use_bias: as for `Conv2D`.
        depthwise_initializer, depthwise_regularizer, depthwise_constraint: those of the kernel.
        bias_initializer, bias_regularizer, bias_constraint: those of the bias.

    Input shape: (batch, height, width, channels).
    Output shape: (batch, new_height, new_width, channels * depth_multiplier).
    Weights: kernel (height, width, channels, depth_multiplier), bias (channels * depth_multiplier,).

    Raises:
        ValueError: an argument outside its range; an image smaller than the window with "valid".

    Example:
        >>> DepthwiseConv2D(3, padding="same")(np.ones((1, 8, 8, 4), "float32")).shape
        (1, 8, 8, 4)
    """

    rank = 2
