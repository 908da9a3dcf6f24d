"""Layers of LeNet-5 as published, which Keras lacks."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from striate import activations, initializers, ops
from striate.core import args
from striate.core.errors import ArgumentError, ShapeError
from striate.core.registry import export
from striate.layers import layout
from striate.layers.base import Layer
from striate.layers.compute import in_dtype
from striate.layers.conv_base import PlainConvBase
from striate.layers.input_spec import InputSpec
from striate.layers.pool import PoolBase
from striate.ops import windows


@export("layers.Subsampling2D")
class Subsampling2D(PoolBase):
    """The sum of each window, times a trained coefficient, plus a trained bias, squashed; one pair for each map.

        y[n, i, j, c] = activation(coefficient[c] * sum_uv x[n, i*H + u, j*W + v, c] + bias[c])

    Not in Keras: average pooling that can be anything between a blur (small coefficients) and a logical or/and (large
    ones). Source: LeCun, Bottou, Bengio and Haffner 1998, section II.B, layers S2 and S4.

    Args:
        pool_size: int or (H, W) of the window, in pixels; windows do not overlap.
        activation: name or function applied to the result.
        data_format: "channels_last" or "channels_first"; None takes the configured one.
        coefficient_initializer, bias_initializer: how the weights start.

    Input shape: (batch, height, width, channels).
    Output shape: (batch, height // H, width // W, channels).
    Weights: coefficient (channels,), bias (channels,).

    Raises:
        ValueError: an argument outside its range; an image smaller than the window, or of an open number of channels.

    Example:
        >>> Subsampling2D(2)(np.ones((1, 4, 4, 1), "float32")).ravel().tolist()
        [4.0, 4.0, 4.0, 4.0]
    """

    rank = 2
    op = "avg_pool2d"
    _not_in_config = ("strides", "padding")

    def __init__(
        self,
        pool_size: Any = (2, 2),
        activation: Any = None,
        data_format: str | None = None,
        coefficient_initializer: Any = "ones",
        bias_initializer: Any = "zeros",
        **kwargs: Any,
    ) -> None:
        super().__init__(pool_size=pool_size, strides=None, padding="valid", data_format=data_format, **kwargs)
        self.activation = activations.get(activation)
        self.coefficient_initializer = initializers.get(coefficient_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.coefficient: Any = None
        self.bias: Any = None

    def build(self, input_shape: Any) -> None:
        channels = layout.shape_to_last(input_shape, self.data_format)[-1]
        if channels is None:
            raise ShapeError(
                f"Subsampling2D has weights for each channel: their number must be known. Received: "
                f"input_shape={input_shape} with data_format={self.data_format!r}. Give the input's channels a size."
            )
        self.coefficient = self.add_weight(
            name="coefficient", shape=(channels,), initializer=self.coefficient_initializer
        )
        self.bias = self.add_weight(name="bias", shape=(channels,), initializer=self.bias_initializer)

    def call(self, inputs: Any) -> Any:
        means = layout.to_last(super().call(inputs), self.data_format)
        coefficient, bias = (in_dtype(w, self.compute_dtype) for w in (self.coefficient, self.bias))
        y = means * (coefficient * (self.pool_size[0] * self.pool_size[1])) + bias
        return layout.from_last(self.activation(y), self.data_format)


@export("layers.TableConv2D")
class TableConv2D(PlainConvBase):
    """A convolution in which each feature map sees only the input maps that a table gives it.

        y[n, i, j, k] = activation(bias[k] + sum over u, v and the c in connections[k] of
                                             x[n, i*SH + u*DH - PT, j*SW + v*DW - PL, c] * kernel[u, v, (k, c)])

    Not in Keras. Only connections that exist have weights: `kernel` has them one after another, the first map's first.
    They are laid out into the kernel of a `Conv2D`, zeros where nothing is connected, by a product with a matrix of
    zeros and ones: gradients then flow to what exists alone, and prediction lays them out once.

    Source: LeCun, Bottou, Bengio and Haffner 1998, Table I: it breaks the symmetry of the maps, which have to find
    different features since they see different inputs, and saves weights.

    Args:
        connections: for each output map, the numbers of the input maps that it sees.
        kernel_size: int or (height, width), in pixels.
        strides, padding, data_format, dilation_rate, activation, use_bias: as for `Conv2D`.
        kernel_initializer, bias_initializer: how the weights start.
        activity_regularizer: penalty on the output, added to the loss.

    Input shape: (batch, height, width, channels).
    Output shape: (batch, new_height, new_width, len(connections)).
    Weights: kernel (height, width, connections in all), bias (len(connections),).

    Raises:
        ValueError: a map without connections, or connected twice to the same one, or to one that the input lacks.

    Example:
        >>> layer = TableConv2D([[0], [0, 2], [1, 2]], 3)
        >>> layer(np.ones((1, 5, 5, 3), "float32")).shape, layer.kernel.shape
        ((1, 3, 3, 3), (3, 3, 5))
    """

    rank = 2
    op = "conv2d"
    _not_in_config = ("bias_regularizer", "bias_constraint")

    def __init__(
        self,
        connections: Sequence[Sequence[int]],
        kernel_size: Any,
        strides: Any = (1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = (1, 1),
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        activity_regularizer: Any = None,
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
            bias_regularizer=None,
            activity_regularizer=activity_regularizer,
            bias_constraint=None,
            **kwargs,
        )
        self._refuse_strides_with_dilation()
        self.connections = [[int(c) for c in seen] for seen in connections]
        if not self.connections or any(not seen or min(seen) < 0 for seen in self.connections):
            raise ArgumentError(
                f"`connections` names, for each feature map, at least one input map, counted from 0. Received: "
                f"connections={connections}. Give e.g. [[0, 1], [1, 2]]."
            )
        twice = next((k for k, seen in enumerate(self.connections) if len(set(seen)) < len(seen)), None)
        if twice is not None:
            raise ArgumentError(
                f"A feature map is connected to an input map once. Received: connections[{twice}]="
                f"{self.connections[twice]}. Leave the second one out."
            )
        self.kernel_initializer = initializers.get(kernel_initializer)

    def _kernel_shape(self, channels: int) -> tuple[int, ...]:
        last = max(itertools.chain.from_iterable(self.connections))
        if last >= channels:
            raise ShapeError(
                f"`connections` names the input map {last} (counted from 0), but the input has {channels}. "
                f"Received: connections={self.connections}. Name maps below {channels}."
            )
        return (*self.kernel_size, channels, len(self.connections))

    def _out_channels(self, channels: int) -> int:
        return len(self.connections)

    def _add_kernels(self, channels: int) -> None:
        shape = self._kernel_shape(channels)
        pairs = [(c, k) for k, seen in enumerate(self.connections) for c in seen]
        places = np.zeros((len(pairs), shape[2], shape[3]), "float32")
        for place, (c, k) in enumerate(pairs):
            places[place, c, k] = 1
        self._places = places.reshape(len(pairs), -1)
        self._laid_out = shape
        self.kernel = self.add_weight(
            name="kernel", shape=(*self.kernel_size, len(pairs)), initializer=self.kernel_initializer
        )

    def full_kernel(self) -> Any:
        """The weights as a `Conv2D` has them: (height, width, channels, maps), 0 where nothing is connected."""
        packed = ops.reshape(in_dtype(self.kernel, self.compute_dtype), (-1, len(self._places)))
        return ops.reshape(ops.matmul(packed, self._places.astype(self.compute_dtype)), self._laid_out)

    def convolve(self, x: Any, bias: Any, then: Any) -> Any:
        return windows.convolve(
            self.op, x, self.full_kernel(), bias, self.strides, self.padding, self.dilation_rate, self.groups, then
        )


@export("layers.EuclideanRBF")
class EuclideanRBF(Layer):
    """The squared distance of the input from each of `units` points: penalties, of which the smallest is the answer.

        y[..., i] = sum_j (x[..., j] - centers[j, i])^2

    Not in Keras. Source: LeCun, Bottou, Bengio and Haffner 1998, section II.B, the output layer, whose points are fixed
    (`trainable=False`) codes. The differences are squared one by one: |x|^2 - 2 x.c + |c|^2 would lose the small
    distances, which decide, to rounding.

    Args:
        units: number of points.
        centers_initializer: how they start.

    Input shape: (batch, ..., inputs).
    Output shape: (batch, ..., units).
    Weights: centers (inputs, units).

    Raises:
        ValueError: units that are no positive integer; an input whose last axis is open.

    Example:
        >>> EuclideanRBF(1, centers_initializer="zeros")(np.array([[3.0, 4.0]], "float32")).tolist()
        [[25.0]]
    """

    def __init__(self, units: int, centers_initializer: Any = "glorot_uniform", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = args.positive_int(units, "units")
        self.centers_initializer = initializers.get(centers_initializer)
        self.centers: Any = None
        self.input_spec = InputSpec(min_ndim=2)

    def build(self, input_shape: Any) -> None:
        inputs = input_shape[-1]
        if inputs is None:
            raise ShapeError(
                f"The last axis of the input of an EuclideanRBF layer must have a known length. Received: "
                f"input_shape={input_shape}. Give the Input a full shape."
            )
        self.centers = self.add_weight(name="centers", shape=(inputs, self.units), initializer=self.centers_initializer)
        self.input_spec = InputSpec(min_ndim=2, axes={-1: inputs})

    def call(self, inputs: Any) -> Any:
        differences = ops.expand_dims(inputs, -1) - in_dtype(self.centers, self.compute_dtype)
        return ops.sum(ops.square(differences), axis=-2)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return (*input_shape[:-1], self.units)
