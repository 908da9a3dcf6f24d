"""The functions of `keras.ops.nn` that act element by element, and the softmaxes; integers become floatx."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from striate import backend
from striate.backend import symbolic_op
from striate.core.registry import export
from striate.ir.ops.attrs import AlphaAttrs, AxisAttrs, GeluAttrs
from striate.ops import shapes
from striate.ops._convert import Tensor, as_float, as_number, dtype_of, normalize_axes, shape_of, tensor

_NN = "keras.src.ops.nn"
_NUMPY = "keras.src.ops.numpy"

# Klambauer and others 2017: the fixed point of mean 0 and variance 1.
SELU_ALPHA = 1.6732632423543772848170429916717
SELU_SCALE = 1.0507009873554804934193349852946


@export("ops.relu", "ops.nn.relu")
@symbolic_op(_NN, "Relu")
def relu(x: Tensor) -> Tensor:
    """max(x, 0), in x's dtype. Source: `keras.ops.relu`."""
    x = as_number(x)
    if not backend.is_float_dtype(dtype_of(x)):
        return backend.apply("maximum", x, tensor(0, dtype_of(x)))
    return backend.apply("relu", x)


@export("ops.relu6", "ops.nn.relu6")
@symbolic_op(_NN, "Relu6")
def relu6(x: Tensor) -> Tensor:
    """min(max(x, 0), 6). Source: `keras.ops.relu6`."""
    return backend.apply("relu6", as_float(x))


@export("ops.sigmoid", "ops.nn.sigmoid")
@symbolic_op(_NN, "Sigmoid")
def sigmoid(x: Tensor) -> Tensor:
    """1 / (1 + exp(-x)). Source: `keras.ops.sigmoid`."""
    return backend.apply("sigmoid", as_float(x))


@export("ops.tanh", "ops.numpy.tanh")
@symbolic_op(_NUMPY, "Tanh")
def tanh(x: Tensor) -> Tensor:
    """The hyperbolic tangent. Source: `keras.ops.tanh`."""
    return backend.apply("tanh", as_float(x))


@export("ops.softplus", "ops.nn.softplus")
@symbolic_op(_NN, "Softplus")
def softplus(x: Tensor) -> Tensor:
    """log(1 + exp(x)). Source: `keras.ops.softplus`."""
    return backend.apply("softplus", as_float(x))


@export("ops.softsign", "ops.nn.softsign")
@symbolic_op(_NN, "Softsign")
def softsign(x: Tensor) -> Tensor:
    """x / (1 + |x|). Source: `keras.ops.softsign`."""
    return backend.apply("softsign", as_float(x))


@export("ops.silu", "ops.nn.silu", "ops.swish", "ops.nn.swish")
@symbolic_op(_NN, "Silu")
def silu(x: Tensor) -> Tensor:
    """x * sigmoid(x). Source: `keras.ops.silu`."""
    return backend.apply("silu", as_float(x))


@export("ops.log_sigmoid", "ops.nn.log_sigmoid")
@symbolic_op(_NN, "LogSigmoid")
def log_sigmoid(x: Tensor) -> Tensor:
    """log(sigmoid(x)). Source: `keras.ops.log_sigmoid`."""
    return backend.apply("log_sigmoid", as_float(x))


@export("ops.hard_sigmoid", "ops.nn.hard_sigmoid")
@symbolic_op(_NN, "HardSigmoid")
def hard_sigmoid(x: Tensor) -> Tensor:
    """relu6(x + 3) / 6. Source: `keras.ops.hard_sigmoid`."""
    return backend.apply("hard_sigmoid", as_float(x))


@export("ops.hard_silu", "ops.nn.hard_silu", "ops.hard_swish", "ops.nn.hard_swish")
@symbolic_op(_NN, "HardSilu")
def hard_silu(x: Tensor) -> Tensor:
    """x * hard_sigmoid(x). Source: `keras.ops.hard_silu`."""
    return backend.apply("hard_silu", as_float(x))


@export("ops.elu", "ops.nn.elu")
@symbolic_op(_NN, "Elu")
def elu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """x where x > 0, alpha * (exp(x) - 1) below. Source: `keras.ops.elu`."""
    return backend.apply("elu", as_float(x), attrs=AlphaAttrs(float(alpha)))


@export("ops.selu", "ops.nn.selu")
@symbolic_op(_NN, "Selu")
def selu(x: Tensor) -> Tensor:
    """1.0507 * elu(x, alpha=1.6733). Source: `keras.ops.selu`."""
    x = as_float(x)
    y = backend.apply("elu", x, attrs=AlphaAttrs(SELU_ALPHA))
    return backend.apply("multiply", y, tensor(SELU_SCALE, dtype_of(x)))


@export("ops.leaky_relu", "ops.nn.leaky_relu")
@symbolic_op(_NN, "LeakyRelu")
def leaky_relu(x: Tensor, negative_slope: float = 0.2) -> Tensor:
    """x where x > 0, negative_slope * x below. Source: `keras.ops.leaky_relu`."""
    return backend.apply("leaky_relu", as_float(x), attrs=AlphaAttrs(float(negative_slope)))


@export("ops.gelu", "ops.nn.gelu")
@symbolic_op(_NN, "Gelu")
def gelu(x: Tensor, approximate: bool = True) -> Tensor:
    """x * P(X <= x) for a standard normal X, by a tanh formula unless approximate=False. Source: `keras.ops.gelu`."""
    return backend.apply("gelu", as_float(x), attrs=GeluAttrs(bool(approximate)))


def _softmax(op: str, x: Tensor, axis: Any) -> Tensor:
    x = as_float(x)
    rank = len(shape_of(x))
    axes = normalize_axes(axis, rank)
    if axes == (rank - 1,):
        return backend.apply(op, x, attrs=AxisAttrs(rank - 1))
    # Others are moved to the end, where the kernels work, made into one, and back.
    order = [a for a in range(rank) if a not in axes] + list(axes)
    moved = shapes.transpose(x, order)
    free = shape_of(moved)[: rank - len(axes)]
    y = backend.apply(op, shapes.reshape_to(moved, (*free, -1)), attrs=AxisAttrs(len(free)))
    return shapes.transpose(shapes.reshape_to(y, shape_of(moved)), [order.index(a) for a in range(rank)])


@export("ops.softmax", "ops.nn.softmax")
@symbolic_op(_NN, "Softmax")
def softmax(x: Tensor, axis: Any = -1) -> Tensor:
    """exp(x) / sum(exp(x)) along `axis` (one, several, or None for all). Source: `keras.ops.softmax`.

    Along an axis of length 1 the result is 1 whatever x is: that warns.

    Example:
        >>> softmax([1.0, 1.0]).tolist()
        [0.5, 0.5]
    """
    lengths = np.shape(x)
    if isinstance(axis, int) and -len(lengths) <= axis < len(lengths) and lengths[axis] == 1:
        warnings.warn(
            f"You are using a softmax over axis {axis} of a tensor of shape {tuple(lengths)}. This axis has size 1. "
            "The softmax operation will always return the value 1, which is likely not what you intended. "
            "Did you mean to use a sigmoid instead?",
            stacklevel=2,
        )
    return _softmax("softmax", x, axis)


@export("ops.log_softmax", "ops.nn.log_softmax")
@symbolic_op(_NN, "LogSoftmax")
def log_softmax(x: Tensor, axis: Any = -1) -> Tensor:
    """x - log(sum(exp(x))) along `axis`. Source: `keras.ops.log_softmax`."""
    return _softmax("log_softmax", x, axis)


swish = silu
hard_swish = hard_silu
