"""What convolutions share: window, layout, bias, activation."""

from __future__ import annotations

from typing import Any

from striate import activations, backend, constraints, initializers, regularizers
from striate.core import args
from striate.core.errors import ArgumentError, ShapeError
from striate.layers import layout
from striate.layers.compute import in_dtype
from striate.layers.input_spec import InputSpec
from striate.layers.ranked import Ranked
from striate.ops import windows

Shape = tuple[int | None, ...]

#: what an input is called by its number of spatial axes
INPUTS = {
    1: "signals (batch, steps, channels)",
    2: "images (batch, height, width, channels)",
    3: "volumes (batch, depth, height, width, channels)",
}


class ConvBase(Ranked):
    """Base of convolutions; a subclass says the kernels' shapes, and computes with channels last in `convolve`."""

    _one_an_axis = ("strides", "dilation_rate")
    groups: int = 1
    kernel: Any = None
    bias: Any = None

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
        self.kernel_size = args.int_tuple(kernel_size, self.rank, "kernel_size")
        self.strides = args.int_tuple(strides, self.rank, "strides")
        self.padding = args.padding(padding, allow_causal=self._may_be_causal())
        self.data_format = backend.standardize_data_format(data_format)
        self.dilation_rate = args.int_tuple(dilation_rate, self.rank, "dilation_rate")
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.bias_initializer = initializers.get(bias_initializer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.bias_constraint = constraints.get(bias_constraint)
        self.input_spec = InputSpec(min_ndim=self.rank + 2)

    def _may_be_causal(self) -> bool:
        return False

    def _refuse_strides_with_dilation(self) -> None:
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ArgumentError(
                f"`strides > 1` is not supported together with `dilation_rate > 1`. Received: strides={self.strides}, "
                f"dilation_rate={self.dilation_rate}. Set one of them to 1."
            )

    def _channels(self, input_shape: Any) -> int:
        shape = layout.shape_to_last(input_shape, self.data_format)
        if len(shape) != self.rank + 2 or shape[-1] is None:
            raise ShapeError(
                f"{type(self).__name__} takes {INPUTS[self.rank]}, or channels second for channels_first, of a known "
                f"number of channels. Received: input_shape={input_shape} with data_format={self.data_format!r}. "
                f"Give the input's channels a size."
            )
        return int(shape[-1])

    def _add_kernels(self, channels: int) -> None:
        """Make the kernels for an input of so many channels."""
        raise NotImplementedError

    def _out_channels(self, channels: int) -> int:
        raise NotImplementedError

    def build(self, input_shape: Any) -> None:
        channels = self._channels(input_shape)
        if channels % self.groups:
            raise ShapeError(
                f"The number of input channels must be evenly divisible by the number of groups. Received: "
                f"groups={self.groups}, but the input has {channels} channels (input_shape={input_shape}). "
                f"Choose groups that divide {channels}."
            )
        self.compute_output_shape(input_shape)
        self._add_kernels(channels)
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(self._out_channels(channels),),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        axis = -1 if self.data_format == "channels_last" else 1
        self.input_spec = InputSpec(min_ndim=self.rank + 2, axes={axis: channels})

    def convolve(self, x: Any, bias: Any, then: Any) -> Any:
        """The convolution of x (channels last) with the bias added, and `then` of it."""
        raise NotImplementedError

    def _in_dtype(self, weight: Any) -> Any:
        return None if weight is None else in_dtype(weight, self.compute_dtype)

    def call(self, inputs: Any) -> Any:
        x = layout.to_last(backend.cast(inputs, self.compute_dtype), self.data_format)
        # Next to the convolution an activation is fused with it, which is why it is applied before any change of shape;
        # one that looks at an axis or comes from the user sees the shape that it sees in Keras.
        early = activations.is_elementwise(self.activation)
        y = self.convolve(x, self._in_dtype(self.bias), self.activation if early else None)
        y = layout.from_last(y, self.data_format)
        return y if early else self.activation(y)

    def _convolved_shape(self, x: Shape, channels: int) -> Shape:
        """The shape of `convolve`'s result."""
        raise NotImplementedError

    def compute_output_shape(self, input_shape: Any) -> Shape:
        channels = self._channels(input_shape)
        y = self._convolved_shape(layout.shape_to_last(input_shape, self.data_format), channels)
        return layout.shape_from_last(y, self.data_format)


class PlainConvBase(ConvBase):
    """Base of convolutions with one kernel whose window slides over the input."""

    op: str

    def _kernel_shape(self, channels: int) -> tuple[int, ...]:
        raise NotImplementedError

    def convolve(self, x: Any, bias: Any, then: Any) -> Any:
        kernel = self._in_dtype(self.kernel)
        return windows.convolve(
            self.op, x, kernel, bias, self.strides, self.padding, self.dilation_rate, self.groups, then
        )

    def _convolved_shape(self, x: Shape, channels: int) -> Shape:
        kernel = self._kernel_shape(channels)
        return windows.convolved_shape(self.op, x, kernel, self.strides, self.padding, self.dilation_rate, self.groups)
