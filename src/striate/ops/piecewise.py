"""Activations of `keras.ops.nn` that are pieced together of other functions, and the sparse relatives of softmax."""

from __future__ import annotations

from typing import Any

from striate import backend
from striate.backend import symbolic_op
from striate.core.errors import ShapeError
from striate.core.registry import export
from striate.ops import activation, arithmetic, elementwise, reductions
from striate.ops._convert import Tensor, as_float, dtype_of, normalize_axis, shape_of, tensor
from striate.ops.core import stop_gradient
from striate.ops.joining import split

_NN = "keras.src.ops.nn"

#: Steps of bisection that bring an interval of length 1 below the spacing of float32 around 1, 2**-23.
_BISECTIONS = 24


@export("ops.hard_tanh", "ops.nn.hard_tanh")
@symbolic_op(_NN, "HardTanh")
def hard_tanh(x: Tensor) -> Tensor:
    """x between -1 and 1, the nearer of them outside. Source: `keras.ops.hard_tanh`."""
    return arithmetic.clip(as_float(x), -1.0, 1.0)


@export("ops.tanh_shrink", "ops.nn.tanh_shrink")
@symbolic_op(_NN, "TanhShrink")
def tanh_shrink(x: Tensor) -> Tensor:
    """x - tanh(x). Source: `keras.ops.tanh_shrink`."""
    x = as_float(x)
    return arithmetic.subtract(x, activation.tanh(x))


@export("ops.soft_shrink", "ops.nn.soft_shrink")
@symbolic_op(_NN, "SoftShrink")
def soft_shrink(x: Tensor, threshold: float = 0.5) -> Tensor:
    """x moved towards 0 by the threshold, 0 within it. Source: `keras.ops.soft_shrink`."""
    x = as_float(x)
    return arithmetic.subtract(x, arithmetic.clip(x, -threshold, threshold))


@export("ops.hard_shrink", "ops.nn.hard_shrink")
@symbolic_op(_NN, "HardShrink")
def hard_shrink(x: Tensor, threshold: float = 0.5) -> Tensor:
    """x where |x| > threshold, else 0. Source: `keras.ops.hard_shrink`."""
    x = as_float(x)
    return arithmetic.where(arithmetic.greater(elementwise.abs(x), threshold), x, tensor(0.0, dtype_of(x)))


@export("ops.threshold", "ops.nn.threshold")
@symbolic_op(_NN, "Threshold")
def threshold(x: Tensor, threshold: float, default_value: float) -> Tensor:
    """x where x > threshold, else default_value. Source: `keras.ops.threshold`."""
    x = as_float(x)
    return arithmetic.where(arithmetic.greater(x, threshold), x, tensor(default_value, dtype_of(x)))


@export("ops.squareplus", "ops.nn.squareplus")
@symbolic_op(_NN, "Squareplus")
def squareplus(x: Tensor, b: float = 4) -> Tensor:
    """(x + sqrt(x**2 + b)) / 2. Source: `keras.ops.squareplus`; Barron 2021."""
    x = as_float(x)
    root = elementwise.sqrt(arithmetic.add(elementwise.square(x), float(b)))
    return arithmetic.multiply(arithmetic.add(x, root), 0.5)


@export("ops.celu", "ops.nn.celu")
@symbolic_op(_NN, "Celu")
def celu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """x where x > 0, alpha * (exp(x / alpha) - 1) below. Source: `keras.ops.celu`; Barron 2017."""
    x = as_float(x)
    return arithmetic.multiply(activation.elu(arithmetic.divide(x, float(alpha))), float(alpha))


@export("ops.glu", "ops.nn.glu")
@symbolic_op(_NN, "Glu")
def glu(x: Tensor, axis: int = -1) -> Tensor:
    """The first half of x along `axis` times the sigmoid of the second.

    Source: `keras.ops.glu`; Dauphin and others 2017.

    Raises:
        ValueError: an axis of odd length.
    """
    x = as_float(x)
    place = normalize_axis(axis, len(shape_of(x)))
    length = shape_of(x)[place]
    if length is None or length % 2:
        raise ShapeError(
            f"glu takes an axis of even length, the first half for the values, the second for the gates. "
            f"Received: x.shape={shape_of(x)}, axis={axis}."
        )
    values, gates = split(x, 2, axis=place)
    return arithmetic.multiply(values, activation.sigmoid(gates))


@export("ops.sparse_plus", "ops.nn.sparse_plus")
@symbolic_op(_NN, "SparsePlus")
def sparse_plus(x: Tensor) -> Tensor:
    """0 up to -1, (x + 1)**2 / 4 up to 1, x above. Source: `keras.ops.sparse_plus`."""
    x = as_float(x)
    curve = arithmetic.multiply(elementwise.square(arithmetic.add(arithmetic.clip(x, -1.0, 1.0), 1.0)), 0.25)
    return arithmetic.where(arithmetic.greater_equal(x, 1.0), x, curve)


@export("ops.sparse_sigmoid", "ops.nn.sparse_sigmoid")
@symbolic_op(_NN, "SparseSigmoid")
def sparse_sigmoid(x: Tensor) -> Tensor:
    """0 up to -1, (x + 1) / 2 up to 1, 1 above. Source: `keras.ops.sparse_sigmoid`."""
    return arithmetic.multiply(arithmetic.add(arithmetic.clip(as_float(x), -1.0, 1.0), 1.0), 0.5)


@export("ops.sparsemax", "ops.nn.sparsemax")
@symbolic_op(_NN, "Sparsemax")
def sparsemax(x: Tensor, axis: int = -1) -> Tensor:
    """max(x - t, 0) with the t along `axis` for which that sums to 1: probabilities of which many are 0.

    t lies between max(x) - 1 and max(x). Halving that interval says which x lie above it; t follows exactly from them:
    (their sum - 1) / their number.

    Source: `keras.ops.sparsemax`; Martins and Astudillo 2016. Where two or more are above 0,
    those of Keras 3.15.1 do not sum to 1 (it adds up partial sums); these do.
    """
    x = as_float(x)

    def over(y: Tensor, below: Tensor) -> Tensor:
        return activation.relu(arithmetic.subtract(y, below))

    def total(y: Tensor) -> Any:
        return reductions.sum(y, axis=axis, keepdims=True)

    # Measured from the largest, so that the halves are as fine for large x.
    shifted = arithmetic.subtract(x, stop_gradient(reductions.max(x, axis=axis, keepdims=True)))
    fixed = stop_gradient(shifted)
    low = arithmetic.subtract(reductions.max(fixed, axis=axis, keepdims=True), 1.0)  # 0 - 1
    for step in range(1, _BISECTIONS + 1):
        middle = arithmetic.add(low, 0.5**step)
        low = arithmetic.where(arithmetic.greater_equal(total(over(fixed, middle)), 1.0), middle, low)
    held = backend.cast(arithmetic.greater(fixed, low), x.dtype)
    t = arithmetic.divide(arithmetic.subtract(total(arithmetic.multiply(shifted, held)), 1.0), total(held))
    return over(shifted, t)
