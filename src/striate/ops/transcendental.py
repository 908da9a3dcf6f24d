"""Logarithms, angles and their inverses beyond what networks use daily: y[i] = f(x[i]); integers become floatx."""

from __future__ import annotations

import math

from striate import backend
from striate.backend import symbolic_op
from striate.core.registry import export
from striate.ops import activation, arithmetic, elementwise, reductions
from striate.ops._convert import Tensor, as_float, dtype_of, promote, tensor

_NUMPY = "keras.src.ops.numpy"
_MATH = "keras.src.ops.math"


@export("ops.arcsinh", "ops.numpy.arcsinh")
@symbolic_op(_NUMPY, "Arcsinh")
def arcsinh(x: Tensor) -> Tensor:
    """The number whose hyperbolic sine is x. Source: `keras.ops.arcsinh`."""
    return backend.apply("asinh", as_float(x))


@export("ops.arccosh", "ops.numpy.arccosh")
@symbolic_op(_NUMPY, "Arccosh")
def arccosh(x: Tensor) -> Tensor:
    """The number >= 0 whose hyperbolic cosine is x; NaN below 1. Source: `keras.ops.arccosh`."""
    return backend.apply("acosh", as_float(x))


@export("ops.arctanh", "ops.numpy.arctanh")
@symbolic_op(_NUMPY, "Arctanh")
def arctanh(x: Tensor) -> Tensor:
    """The number whose hyperbolic tangent is x; NaN outside [-1, 1]. Source: `keras.ops.arctanh`."""
    return backend.apply("atanh", as_float(x))


@export("ops.arctan2", "ops.numpy.arctan2")
@symbolic_op(_NUMPY, "Arctan2")
def arctan2(x1: Tensor, x2: Tensor) -> Tensor:
    """The angle in [-pi, pi] of the point with the coordinates x2 (to the right) and x1 (upwards).

    Source: `keras.ops.arctan2`.

    Example:
        >>> [round(a, 4) for a in arctan2([1.0, 0.0], [1.0, -1.0]).tolist()]
        [0.7854, 3.1416]
    """
    return backend.apply("atan2", *promote(x1, x2, floats=True))


@export("ops.log2", "ops.numpy.log2")
@symbolic_op(_NUMPY, "Log2")
def log2(x: Tensor) -> Tensor:
    """The logarithm to base 2. Source: `keras.ops.log2`."""
    return arithmetic.multiply(elementwise.log(x), 1 / math.log(2))


@export("ops.log10", "ops.numpy.log10")
@symbolic_op(_NUMPY, "Log10")
def log10(x: Tensor) -> Tensor:
    """The logarithm to base 10. Source: `keras.ops.log10`."""
    return arithmetic.multiply(elementwise.log(x), 1 / math.log(10))


@export("ops.exp2", "ops.numpy.exp2")
@symbolic_op(_NUMPY, "Exp2")
def exp2(x: Tensor) -> Tensor:
    """2 to the power x. Source: `keras.ops.exp2`."""
    x = as_float(x)
    return backend.apply("power", tensor(2.0, dtype_of(x)), x)


@export("ops.cbrt", "ops.numpy.cbrt")
@symbolic_op(_NUMPY, "Cbrt")
def cbrt(x: Tensor) -> Tensor:
    """The cube root, also of numbers below 0. Source: `keras.ops.cbrt`."""
    x = as_float(x)
    return arithmetic.multiply(elementwise.sign(x), arithmetic.power(elementwise.abs(x), 1 / 3))


@export("ops.erfc")
@symbolic_op(_MATH, "Erfc")
def erfc(x: Tensor) -> Tensor:
    """1 - erf(x), exact where that is small. Source: `keras.ops.erfc`."""
    return backend.apply("erfc", as_float(x))


@export("ops.erfinv")
@symbolic_op(_MATH, "Erfinv")
def erfinv(x: Tensor) -> Tensor:
    """The number whose `erf` is x: infinite at -1 and 1, NaN beyond. Source: `keras.ops.erfinv`."""
    return backend.apply("erfinv", as_float(x))


@export("ops.logaddexp", "ops.numpy.logaddexp")
@symbolic_op(_NUMPY, "Logaddexp")
def logaddexp(x1: Tensor, x2: Tensor) -> Tensor:
    """log(exp(x1) + exp(x2)), without overflow. Source: `keras.ops.logaddexp`."""
    a, b = promote(x1, x2, floats=True)
    # Equal infinities have no difference; there the sum is that infinity.
    known = arithmetic.logical_or(arithmetic.not_equal(a, b), elementwise.isfinite(a))
    apart = arithmetic.where(known, arithmetic.subtract(b, a), tensor(0.0, dtype_of(a)))
    # From the larger one, so that nothing is lost of it; either form has the gradient (softmax of x1 and x2).
    below = arithmetic.add(a, activation.softplus(apart))
    above = arithmetic.add(b, activation.softplus(elementwise.negative(apart)))
    return arithmetic.where(arithmetic.less_equal(apart, 0.0), below, above)


@export("ops.logaddexp2", "ops.numpy.logaddexp2")
@symbolic_op(_NUMPY, "Logaddexp2")
def logaddexp2(x1: Tensor, x2: Tensor) -> Tensor:
    """log2(2**x1 + 2**x2), without overflow. Source: `keras.ops.logaddexp2`."""
    a, b = promote(x1, x2, floats=True)
    total = logaddexp(arithmetic.multiply(a, math.log(2)), arithmetic.multiply(b, math.log(2)))
    return arithmetic.multiply(total, 1 / math.log(2))


@export("ops.hypot", "ops.numpy.hypot")
@symbolic_op(_NUMPY, "Hypot")
def hypot(x1: Tensor, x2: Tensor) -> Tensor:
    """sqrt(x1**2 + x2**2), without overflow; its gradient at (0, 0) is 0. Source: `keras.ops.hypot`."""
    a, b = promote(x1, x2, floats=True)
    zero, one = tensor(0.0, dtype_of(a)), tensor(1.0, dtype_of(a))
    largest = backend.apply("stop_gradient", arithmetic.maximum(elementwise.abs(a), elementwise.abs(b)))
    usable = arithmetic.logical_and(arithmetic.greater(largest, 0.0), elementwise.isfinite(largest))
    unit = arithmetic.where(usable, largest, one)
    squares = arithmetic.add(
        elementwise.square(arithmetic.divide(a, unit)), elementwise.square(arithmetic.divide(b, unit))
    )
    root = arithmetic.multiply(unit, elementwise.sqrt(arithmetic.where(usable, squares, one)))
    infinite = arithmetic.logical_or(elementwise.isinf(a), elementwise.isinf(b))
    # Where there is no unit: 0, NaN, or infinity, whatever stands beside it.
    return arithmetic.where(
        usable, root, arithmetic.where(infinite, tensor(math.inf, dtype_of(a)), arithmetic.multiply(largest, zero))
    )


@export("ops.sinc", "ops.numpy.sinc")
@symbolic_op(_NUMPY, "Sinc")
def sinc(x: Tensor) -> Tensor:
    """sin(pi x) / (pi x), and 1 at 0. Source: `keras.ops.sinc`."""
    x = as_float(x)
    is_zero = arithmetic.equal(x, 0.0)
    one = tensor(1.0, dtype_of(x))
    angle = arithmetic.multiply(arithmetic.where(is_zero, one, x), math.pi)
    return arithmetic.where(is_zero, one, arithmetic.divide(elementwise.sin(angle), angle))


@export("ops.deg2rad", "ops.numpy.deg2rad")
@symbolic_op(_NUMPY, "Deg2rad")
def deg2rad(x: Tensor) -> Tensor:
    """Degrees as radians: x pi / 180. Source: `keras.ops.deg2rad`."""
    return arithmetic.multiply(as_float(x), math.pi / 180)


@export("ops.rad2deg", "ops.numpy.rad2deg")
@symbolic_op(_NUMPY, "Rad2deg")
def rad2deg(x: Tensor) -> Tensor:
    """Radians as degrees: x 180 / pi. Source: `keras.ops.rad2deg`."""
    return arithmetic.multiply(as_float(x), 180 / math.pi)


@export("ops.cdist")
@symbolic_op(_MATH, "CDist")
def cdist(x: Tensor, y: Tensor) -> Tensor:
    """The Euclidean distance of every row of x and every row of y; leading axes broadcast.

    Its gradient at distance 0 is 0. Source: `keras.ops.cdist`.

    Shapes: x (..., P, M), y (..., R, M), result (..., P, R).
    """
    a, b = promote(x, y, floats=True)
    difference = arithmetic.subtract(a[..., :, None, :], b[..., None, :, :])
    squares = reductions.sum(elementwise.square(difference), axis=-1)
    apart = arithmetic.greater(squares, 0.0)
    root = elementwise.sqrt(arithmetic.where(apart, squares, tensor(1.0, dtype_of(squares))))
    # NaN is not greater than 0, and stays.
    return arithmetic.where(apart, root, squares)
