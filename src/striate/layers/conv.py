"""Convolutions of signals, images and volumes."""

from __future__ import annotations

from typing import Any

from striate import constraints, initializers, regularizers
from striate.core import args
from striate.core.errors import ArgumentError
from striate.core.registry import export
from striate.layers.conv_base import PlainConvBase


class Conv(PlainConvBase):
    """What Conv1D, Conv2D and Conv3D share: all but the number of axes."""

    op = "conv2d"

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        groups: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
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
        self.groups = args.positive_int(groups, "groups")
        if self.filters % self.groups:
            raise ArgumentError(
                f"The number of filters must be evenly divisible by the number of groups. Received: "
                f"groups={groups}, filters={filters}. Choose groups that divide {filters}."
            )
        self._refuse_strides_with_dilation()
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)

    def _may_be_causal(self) -> bool:
        return self.rank == 1

    def _kernel_shape(self, channels: int) -> tuple[int, ...]:
        return (*self.kernel_size, channels // self.groups, self.filters)

    def _out_channels(self, channels: int) -> int:
        return self.filters

    def _add_kernels(self, channels: int) -> None:
        self.kernel = self.add_weight(
            name="kernel",
            shape=self._kernel_shape(channels),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )


@export("layers.Conv1D", "layers.Convolution1D")
class Conv1D(Conv):
    """Slides `filters` kernels along a signal; each gives one feature map.

        y[n, t, k] = activation(bias[k] + sum_uc x[n, t*S + u*D - P, c] * kernel[u, c, k])

    Source: `keras.layers.Conv1D`: same arguments, defaults, weights.

    Args:
        filters: number of feature maps of the result.
        kernel_size: length of the window, in steps.
        strides: from window to window, in steps.
        padding: "valid" (none), "same" (zeros so that stride 1 keeps the length; the odd one after) or "causal" (all
            zeros before, so that no output sees a later input).
        dilation_rate: distance between the kernel's elements, in steps.
        data_format, groups, activation, use_bias, ...: as for `Conv2D`.

    Input shape: (batch, steps, channels).
    Output shape: (batch, new_steps, filters).
    Weights: kernel (steps, channels / groups, filters), bias (filters,).

    Raises:
        ValueError: as for `Conv2D`.

    Example:
        >>> Conv1D(4, 3, padding="causal", dilation_rate=2)(np.ones((1, 10, 2), "float32")).shape
        (1, 10, 4)
    """

    rank = 1


@export("layers.Conv2D", "layers.Convolution2D")
class Conv2D(Conv):
    """Slides `filters` kernels over an image; each gives one feature map.

        y[n, i, j, k] = activation(bias[k] + sum_uvc x[n, i*SH + u*DH - PT, j*SW + v*DW - PL, c] * kernel[u, v, c, k])

    A cross-correlation: the kernel is not flipped.

    Source: `keras.layers.Conv2D`: same arguments, defaults, weights.

    Args:
        filters: number of feature maps of the result.
        kernel_size: int or (height, width), in pixels.
        strides: int or (vertical, horizontal) step, in pixels.
        padding: "valid" (none) or "same" (zeros so that stride 1 keeps the size; the odd one right and below).
        data_format: "channels_last" or "channels_first"; None takes the configured one.
        dilation_rate: int or pair: distance between the kernel's elements, in pixels.
        groups: the channels are split into so many groups, convolved apart.
        activation: name or function applied to the result.
        use_bias: whether a bias is added.
        kernel_initializer, bias_initializer: how the weights start.
        kernel_regularizer, bias_regularizer, activity_regularizer: penalties added to the loss.
        kernel_constraint, bias_constraint: projections applied after each step.

    Input shape: (batch, height, width, channels).
    Output shape: (batch, new_height, new_width, filters).
    Weights: kernel (height, width, channels / groups, filters), bias (filters,).

    Raises:
        ValueError: an argument outside its range; strides and dilation both above 1; groups that do not divide filters
            and channels; an image smaller than the window with "valid".

    Example:
        >>> Conv2D(8, 3, padding="same")(np.ones((1, 5, 5, 3), "float32")).shape
        (1, 5, 5, 8)
    """

    rank = 2


@export("layers.Conv3D", "layers.Convolution3D")
class Conv3D(Conv):
    """Slides `filters` kernels through a volume (or a sequence of images); each gives one feature map.

        y[n, h, i, j, k] = activation(bias[k] + sum_tuvc x[n, h*SD + t*DD - PD, i*SH + u*DH - PT, j*SW + v*DW - PL, c]
                                                              * kernel[t, u, v, c, k])

    The taps along the depth run as channels of one two-dimensional convolution, so its input is held as often as the
    kernel is deep.

    Source: `keras.layers.Conv3D`: same arguments, defaults, weights.

    Args:
        filters: number of feature maps of the result.
        kernel_size: int or (depth, height, width), in pixels.
        strides: int or one for each axis, in pixels.
        padding: "valid" or "same".
        dilation_rate: int or one for each axis: distance between the kernel's elements, in pixels.
        data_format, groups, activation, use_bias, ...: as for `Conv2D`.

    Input shape: (batch, depth, height, width, channels).
    Output shape: (batch, new_depth, new_height, new_width, filters).
    Weights: kernel (depth, height, width, channels / groups, filters), bias (filters,).

    Raises:
        ValueError: as for `Conv2D`.

    Example:
        >>> Conv3D(4, 3, strides=2)(np.ones((1, 7, 9, 9, 2), "float32")).shape
        (1, 3, 4, 4, 4)
    """

    rank = 3
