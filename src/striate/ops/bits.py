"""Functions of the bits of integers; of truth values too where nothing is shifted."""

from __future__ import annotations

from striate import backend
from striate.backend import symbolic_op
from striate.core.registry import export
from striate.ops._convert import Tensor, promote, tensor

_NUMPY = "keras.src.ops.numpy"


@export("ops.bitwise_and", "ops.numpy.bitwise_and")
@symbolic_op(_NUMPY, "BitwiseAnd")
def bitwise_and(x: Tensor, y: Tensor) -> Tensor:
    """The bits that both have. Source: `keras.ops.bitwise_and`."""
    return backend.apply("bitwise_and", *promote(x, y))


@export("ops.bitwise_or", "ops.numpy.bitwise_or")
@symbolic_op(_NUMPY, "BitwiseOr")
def bitwise_or(x: Tensor, y: Tensor) -> Tensor:
    """The bits that at least one has. Source: `keras.ops.bitwise_or`."""
    return backend.apply("bitwise_or", *promote(x, y))


@export("ops.bitwise_xor", "ops.numpy.bitwise_xor")
@symbolic_op(_NUMPY, "BitwiseXor")
def bitwise_xor(x: Tensor, y: Tensor) -> Tensor:
    """The bits that exactly one has. Source: `keras.ops.bitwise_xor`."""
    return backend.apply("bitwise_xor", *promote(x, y))


@export("ops.bitwise_invert", "ops.numpy.bitwise_invert")
@symbolic_op(_NUMPY, "BitwiseInvert")
def bitwise_invert(x: Tensor) -> Tensor:
    """Every bit the other way: -x - 1 of signed integers. Source: `keras.ops.bitwise_invert`."""
    return backend.apply("bitwise_invert", tensor(x))


@export("ops.bitwise_not", "ops.numpy.bitwise_not")
@symbolic_op(_NUMPY, "BitwiseNot")
def bitwise_not(x: Tensor) -> Tensor:
    """Every bit the other way: -x - 1 of signed integers. Source: `keras.ops.bitwise_not`."""
    return bitwise_invert(x)


@export("ops.bitwise_left_shift", "ops.numpy.bitwise_left_shift")
@symbolic_op(_NUMPY, "BitwiseLeftShift")
def bitwise_left_shift(x: Tensor, y: Tensor) -> Tensor:
    """The bits of x moved y places up: x * 2**y. Source: `keras.ops.bitwise_left_shift`."""
    return backend.apply("left_shift", *promote(x, y, numbers=True))


@export("ops.left_shift", "ops.numpy.left_shift")
@symbolic_op(_NUMPY, "LeftShift")
def left_shift(x: Tensor, y: Tensor) -> Tensor:
    """The bits of x moved y places up: x * 2**y. Source: `keras.ops.left_shift`."""
    return bitwise_left_shift(x, y)


@export("ops.bitwise_right_shift", "ops.numpy.bitwise_right_shift")
@symbolic_op(_NUMPY, "BitwiseRightShift")
def bitwise_right_shift(x: Tensor, y: Tensor) -> Tensor:
    """The bits of x moved y places down: x // 2**y. Source: `keras.ops.bitwise_right_shift`."""
    return backend.apply("right_shift", *promote(x, y, numbers=True))


@export("ops.right_shift", "ops.numpy.right_shift")
@symbolic_op(_NUMPY, "RightShift")
def right_shift(x: Tensor, y: Tensor) -> Tensor:
    """The bits of x moved y places down: x // 2**y. Source: `keras.ops.right_shift`."""
    return bitwise_right_shift(x, y)
