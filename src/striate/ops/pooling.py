"""Pooling of one, two and three dimensions."""

from __future__ import annotations

from typing import Any

from striate.backend import symbolic_op
from striate.core import args
from striate.core.registry import export
from striate.ops import windows
from striate.ops._convert import Tensor, tensor

_NN = "keras.src.ops.nn"


def _pool(op: str, inputs: Tensor, size: Any, strides: Any, padding: str, data_format: str | None) -> Tensor:
    inputs = tensor(inputs)
    n = windows.spatial(inputs, op)
    window = args.int_tuple(size, n, "pool_size")
    steps = window if strides is None else args.int_tuple(strides, n, "strides")
    around = args.padding(padding)
    return windows.channels_last(inputs, data_format, op, lambda x: windows.pool(op, x, window, steps, around))


@export("ops.max_pool", "ops.nn.max_pool")
@symbolic_op(_NN, "MaxPool")
def max_pool(
    inputs: Tensor, pool_size: Any, strides: Any = None, padding: str = "valid", data_format: str | None = None
) -> Tensor:
    """The largest value of each window. Source: `keras.ops.max_pool`.

    Args:
        inputs: (batch, height, width, channels), (batch, steps, channels), or (batch, depth, height, width, channels).
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


def _adaptive(op: str, inputs: Tensor, output_size: Any, data_format: str | None) -> Tensor:
    inputs = tensor(inputs)
    n = windows.spatial(inputs, op)
    sizes = args.int_tuple(output_size, n, "output_size")
    return windows.channels_last(inputs, data_format, op, lambda x: windows.pool_to(op, x, sizes))


@export("ops.adaptive_max_pool", "ops.nn.adaptive_max_pool")
@symbolic_op(_NN, "AdaptiveMaxPool")
def adaptive_max_pool(inputs: Tensor, output_size: Any, data_format: str | None = None) -> Tensor:
    """The largest value of each of `output_size` windows along each axis.

    Source: `keras.ops.adaptive_max_pool`. Window i goes from floor(i * n / size) up to ceil((i + 1) * n / size).

    Args:
        inputs: (batch, height, width, channels), (batch, steps, channels), or (batch, depth, height, width, channels).
        output_size: int or one for each spatial axis.

    Example:
        >>> adaptive_max_pool([[[1.0], [2.0], [3.0]]], 2).tolist()
        [[[2.0], [3.0]]]
    """
    return _adaptive("max_pool2d", inputs, output_size, data_format)


@export("ops.adaptive_average_pool", "ops.nn.adaptive_average_pool")
@symbolic_op(_NN, "AdaptiveAveragePool")
def adaptive_average_pool(inputs: Tensor, output_size: Any, data_format: str | None = None) -> Tensor:
    """The mean of each of `output_size` windows along each axis. Source: `keras.ops.adaptive_average_pool`.

    Arguments and windows as for `adaptive_max_pool`.
    """
    return _adaptive("avg_pool2d", inputs, output_size, data_format)
