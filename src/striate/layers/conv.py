"""Convolutions of images."""

from __future__ import annotations

from typing import Any

from striate import activations, backend, constraints, initializers, regularizers
from striate.core import args
from striate.core.errors import ArgumentError, ShapeError
from striate.core.registry import export
from striate.ir.opdef import infer_types
from striate.ir.ops.attrs import ConvAttrs
from striate.ir.types import TensorType
from striate.layers import layout
from striate.layers.base import Layer
from striate.layers.compute import in_dtype
from striate.layers.input_spec import InputSpec


class ConvBase(Layer):
    """What convolutions of images share: window, layout, bias, activation.

    Subclasses name the op and say the kernel's shape and the arguments that fill it.
    """

    op: str
    groups: int = 1

    def __init__(
        self,
        *,
        kernel_size: Any,
        strides: Any,
        padding: Any,
        data_format: Any,
        dilation_rate: Any,
        activation: Any,
        use_bias: bool,
        bias_initializer: Any,
        bias_regularizer: Any,
        activity_regularizer: Any,
        bias_constraint: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.kernel_size = args.int_tuple(kernel_size, 2, "kernel_size")
        self.strides = args.int_tuple(strides, 2, "strides")
        self.padding = args.padding(padding)
        self.data_format = backend.standardize_data_format(data_format)
        self.dilation_rate = args.int_tuple(dilation_rate, 2, "dilation_rate")
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.bias_initializer = initializers.get(bias_initializer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.bias_constraint = constraints.get(bias_constraint)
        self.kernel: Any = None
        self.bias: Any = None
        self.input_spec = InputSpec(min_ndim=4)

    def kernel_shape(self, channels: int) -> tuple[int, ...]:
        """Shape of the kernel for an input of so many channels."""
        raise NotImplementedError

    def _add_kernel(self, shape: tuple[int, ...]) -> Any:
        raise NotImplementedError

    def _attrs(self) -> ConvAttrs:
        return ConvAttrs(
            strides=(self.strides[0], self.strides[1]),
            padding="same" if self.padding == "same" else "valid",
            dilation=(self.dilation_rate[0], self.dilation_rate[1]),
            groups=self.groups,
        )

    def _channels(self, input_shape: Any) -> int:
        shape = layout.shape_to_last(input_shape, self.data_format)
        if len(shape) != 4 or shape[-1] is None:
            raise ShapeError(
                f"{type(self).__name__} takes images (batch, height, width, channels), or channels second for "
                f"channels_first, of a known number of channels. Received: input_shape={input_shape} "
                f"with data_format={self.data_format!r}. Give the input's channels a size."
            )
        return int(shape[-1])

    def build(self, input_shape: Any) -> None:
        channels = self._channels(input_shape)
        if channels % self.groups:
            raise ShapeError(
                f"The number of input channels must be evenly divisible by the number of groups. Received: "
                f"groups={self.groups}, but the input has {channels} channels (input_shape={input_shape}). "
                f"Choose groups that divide {channels}."
            )
        shape = self.kernel_shape(channels)
        self.compute_output_shape(input_shape)
        self.kernel = self._add_kernel(shape)
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(self._out_channels(channels),),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        axis = -1 if self.data_format == "channels_last" else 1
        self.input_spec = InputSpec(min_ndim=4, axes={axis: channels})

    def _out_channels(self, channels: int) -> int:
        raise NotImplementedError

    def call(self, inputs: Any) -> Any:
        x = layout.to_last(backend.cast(inputs, self.compute_dtype), self.data_format)
        weights = [self.kernel] if self.bias is None else [self.kernel, self.bias]
        y = backend.apply(self.op, x, *(in_dtype(w, self.compute_dtype) for w in weights), attrs=self._attrs())
        return layout.from_last(self.activation(y), self.data_format)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        x = TensorType(layout.shape_to_last(input_shape, self.data_format))
        w = TensorType(self.kernel_shape(self._channels(input_shape)))
        return layout.shape_from_last(infer_types(self.op, (x, w), self._attrs())[0].shape, self.data_format)


@export("layers.Conv2D", "layers.Convolution2D")
class Conv2D(ConvBase):
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

    op = "conv2d"

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
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
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ArgumentError(
                f"`strides > 1` is not supported together with `dilation_rate > 1`. Received: strides={self.strides}, "
                f"dilation_rate={self.dilation_rate}. Set one of them to 1."
            )
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)

    def kernel_shape(self, channels: int) -> tuple[int, ...]:
        return (*self.kernel_size, channels // self.groups, self.filters)

    def _out_channels(self, channels: int) -> int:
        return self.filters

    def _add_kernel(self, shape: tuple[int, ...]) -> Any:
        return self.add_weight(
            name="kernel",
            shape=shape,
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )


@export("layers.DepthwiseConv2D")
class DepthwiseConv2D(ConvBase):
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

    op = "depthwise_conv2d"

    def __init__(
        self,
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
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

    def kernel_shape(self, channels: int) -> tuple[int, ...]:
        return (*self.kernel_size, channels, self.depth_multiplier)

    def _out_channels(self, channels: int) -> int:
        return channels * self.depth_multiplier

    def _add_kernel(self, shape: tuple[int, ...]) -> Any:
        return self.add_weight(
            name="kernel",
            shape=shape,
            initializer=self.depthwise_initializer,
            regularizer=self.depthwise_regularizer,
            constraint=self.depthwise_constraint,
        )
