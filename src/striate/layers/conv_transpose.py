"""Transposed convolutions: from few pixels to many, as decoders and generators need."""

from __future__ import annotations

from typing import Any

from striate import constraints, initializers, regularizers
from striate.core import args
from striate.core.errors import ArgumentError
from striate.core.registry import export
from striate.layers.conv_base import ConvBase, Shape
from striate.ops import transposed


class ConvTranspose(ConvBase):
    """What Conv1DTranspose, Conv2DTranspose and Conv3DTranspose share."""

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        output_padding: Any = None,
        data_format: str | None = None,
        dilation_rate: Any = 1,
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
        self.output_padding = (
            None
            if output_padding is None
            else args.int_tuple(output_padding, self.rank, "output_padding", allow_zero=True)
        )
        if any(more >= stride for more, stride in zip(self.output_padding or (), self.strides, strict=False)):
            raise ArgumentError(
                f"`output_padding` must be less than `strides` along each axis. Received: "
                f"output_padding={self.output_padding}, strides={self.strides}. Use larger strides, or None."
            )
        self._refuse_strides_with_dilation()
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)

    def _out_channels(self, channels: int) -> int:
        return self.filters

    def _add_kernels(self, channels: int) -> None:
        self.kernel = self.add_weight(
            name="kernel",
            shape=(*self.kernel_size, self.filters, channels),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )

    def _axes(self) -> list[transposed.Axis]:
        return transposed.axes(self.kernel_size, self.strides, self.padding, self.output_padding, self.dilation_rate)

    def convolve(self, x: Any, bias: Any, then: Any) -> Any:
        y = transposed.convolve(x, self._in_dtype(self.kernel), self._axes())
        y = y if bias is None else y + bias
        return y if then is None else then(y)

    def _convolved_shape(self, x: Shape, channels: int) -> Shape:
        return transposed.convolved_shape(x, self.filters, self._axes())


@export("layers.Conv1DTranspose", "layers.Convolution1DTranspose")
class Conv1DTranspose(ConvTranspose):
    """The transpose of `Conv1D`: every input step adds its multiple of the kernel to the output.

        y[n, t*S + u*D - P, k] += sum_c x[n, t, c] * kernel[u, k, c];  then bias and activation

    Source: `keras.layers.Conv1DTranspose`: same arguments, defaults, weights.

    Args:
        filters: number of feature maps of the result.
        kernel_size: length of the window, in steps.
        strides: steps of the output for one of the input.
        padding, output_padding, dilation_rate, ...: as for `Conv2DTranspose`.

    Input shape: (batch, steps, channels).
    Output shape: (batch, new_steps, filters).
    Weights: kernel (steps, filters, channels), bias (filters,).

    Raises:
        ValueError: as for `Conv2DTranspose`.

    Example:
        >>> Conv1DTranspose(4, 3, strides=2)(np.ones((1, 5, 2), "float32")).shape
        (1, 11, 4)
    """

    rank = 1


@export("layers.Conv2DTranspose", "layers.Convolution2DTranspose")
class Conv2DTranspose(ConvTranspose):
    """The transpose of `Conv2D`: every input pixel adds its multiple of the kernel to the output.

        y[n, i*SH + u*DH - PT, j*SW + v*DW - PL, k] += sum_c x[n, i, j, c] * kernel[u, v, k, c]

    then bias and activation. Its forward is a convolution's gradient for its input, and runs by that kernel.

    Source: `keras.layers.Conv2DTranspose`: same arguments, defaults, weights; Dumoulin and Visin 2016.

    Args:
        filters: number of feature maps of the result.
        kernel_size: int or (height, width), in pixels.
        strides: int or (vertical, horizontal): pixels of the output for one of the input.
        padding: "valid": (n - 1) * stride + max(window, stride) pixels; "same": n * stride.
        output_padding: None, or int or pair, less than the strides: the output has (n - 1) * stride + window ("valid")
            or (n - 1) * stride + window % 2 ("same") pixels and so many more, below and to the right.
        dilation_rate: int or pair: distance between the kernel's elements, in pixels.
        data_format, activation, use_bias, kernel_initializer, ...: as for `Conv2D`.

    Input shape: (batch, height, width, channels).
    Output shape: (batch, new_height, new_width, filters).
    Weights: kernel (height, width, filters, channels), bias (filters,).

    Raises:
        ValueError: an argument outside its range; strides and dilation both above 1; output_padding that is not less
            than the strides.

    Example:
        >>> Conv2DTranspose(4, 3, strides=2, padding="same")(np.ones((1, 5, 5, 2), "float32")).shape
        (1, 10, 10, 4)
    """

    rank = 2


@export("layers.Conv3DTranspose", "layers.Convolution3DTranspose")
class Conv3DTranspose(ConvTranspose):
    """The transpose of `Conv3D`: every input voxel adds its multiple of the kernel to the output.

    The taps along the depth are channels of one two-dimensional result, added up at their places.

    Source: `keras.layers.Conv3DTranspose`: same arguments in the same order (`output_padding` after `data_format`),
    defaults, weights.

    Args:
        filters: number of feature maps of the result.
        kernel_size: int or (depth, height, width), in pixels.
        strides: int or one for each axis: pixels of the output for one of the input.
        padding, data_format, output_padding, dilation_rate, ...: as for `Conv2DTranspose`.

    Input shape: (batch, depth, height, width, channels).
    Output shape: (batch, new_depth, new_height, new_width, filters).
    Weights: kernel (depth, height, width, filters, channels), bias (filters,).

    Raises:
        ValueError: as for `Conv2DTranspose`.

    Example:
        >>> Conv3DTranspose(4, 2, strides=2)(np.ones((1, 3, 4, 5, 2), "float32")).shape
        (1, 6, 8, 10, 4)
    """

    rank = 3

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = (1, 1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        output_padding: Any = None,
        dilation_rate: Any = (1, 1, 1),
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
            filters,
            kernel_size,
            strides,
            padding,
            output_padding,
            data_format,
            dilation_rate,
            activation,
            use_bias,
            kernel_initializer,
            bias_initializer,
            kernel_regularizer,
            bias_regularizer,
            activity_regularizer,
            kernel_constraint,
            bias_constraint,
            **kwargs,
        )
