"""Functions of one tensor, element by element: y[i] = f(x[i]). Shapes stay; integers become floatx unless said."""

from __future__ import annotations

from striate import backend
from striate.backend import symbolic_op
from striate.core.registry import export
from striate.ops._convert import Tensor, as_bool, as_float, as_number, dtype_of, tensor

_NUMPY = "keras.src.ops.numpy"
_MATH = "keras.src.ops.math"


@export("ops.absolute", "ops.numpy.absolute")
@symbolic_op(_NUMPY, "Absolute")
def absolute(x: Tensor) -> Tensor:
    """|x|, in x's dtype. Source: `keras.ops.absolute`."""
    x = tensor(x)
    return backend.convert_to_tensor(x) if dtype_of(x) == "bool" else backend.apply("abs", x)


@export("ops.abs", "ops.numpy.abs")
@symbolic_op(_NUMPY, "Abs")
def abs(x: Tensor) -> Tensor:
    """|x|, in x's dtype. Source: `keras.ops.abs`."""
    return absolute(x)


@export("ops.negative", "ops.numpy.negative")
@symbolic_op(_NUMPY, "Negative")
def negative(x: Tensor) -> Tensor:
    """-x, in x's dtype. Source: `keras.ops.negative`."""
    return backend.apply("neg", as_number(x))


@export("ops.sign", "ops.numpy.sign")
@symbolic_op(_NUMPY, "Sign")
def sign(x: Tensor) -> Tensor:
    """-1, 0 or 1, in x's dtype. Source: `keras.ops.sign`."""
    return backend.apply("sign", as_number(x))


@export("ops.square", "ops.numpy.square")
@symbolic_op(_NUMPY, "Square")
def square(x: Tensor) -> Tensor:
    """x * x, in x's dtype. Source: `keras.ops.square`."""
    return backend.apply("square", as_number(x))


@export("ops.exp", "ops.numpy.exp")
@symbolic_op(_NUMPY, "Exp")
def exp(x: Tensor) -> Tensor:
    """e to the power x. Source: `keras.ops.exp`."""
    return backend.apply("exp", as_float(x))


@export("ops.expm1", "ops.numpy.expm1")
@symbolic_op(_NUMPY, "Expm1")
def expm1(x: Tensor) -> Tensor:
    """exp(x) - 1, exact near 0. Source: `keras.ops.expm1`."""
    return backend.apply("expm1", as_float(x))


@export("ops.log", "ops.numpy.log")
@symbolic_op(_NUMPY, "Log")
def log(x: Tensor) -> Tensor:
    """The natural logarithm. Source: `keras.ops.log`."""
    return backend.apply("log", as_float(x))


@export("ops.log1p", "ops.numpy.log1p")
@symbolic_op(_NUMPY, "Log1p")
def log1p(x: Tensor) -> Tensor:
    """log(1 + x), exact near 0. Source: `keras.ops.log1p`."""
    return backend.apply("log1p", as_float(x))


@export("ops.sqrt", "ops.numpy.sqrt")
@symbolic_op(_NUMPY, "Sqrt")
def sqrt(x: Tensor) -> Tensor:
    """The square root. Source: `keras.ops.sqrt`."""
    return backend.apply("sqrt", as_float(x))


@export("ops.rsqrt")
@symbolic_op(_MATH, "Rsqrt")
def rsqrt(x: Tensor) -> Tensor:
    """1 / sqrt(x). Source: `keras.ops.rsqrt`."""
    return backend.apply("rsqrt", as_float(x))


@export("ops.reciprocal", "ops.numpy.reciprocal")
@symbolic_op(_NUMPY, "Reciprocal")
def reciprocal(x: Tensor) -> Tensor:
    """1 / x. Source: `keras.ops.reciprocal`."""
    return backend.apply("reciprocal", as_float(x))


@export("ops.sin", "ops.numpy.sin")
@symbolic_op(_NUMPY, "Sin")
def sin(x: Tensor) -> Tensor:
    """The sine, x in radians. Source: `keras.ops.sin`."""
    return backend.apply("sin", as_float(x))


@export("ops.cos", "ops.numpy.cos")
@symbolic_op(_NUMPY, "Cos")
def cos(x: Tensor) -> Tensor:
    """The cosine, x in radians. Source: `keras.ops.cos`."""
    return backend.apply("cos", as_float(x))


@export("ops.tan", "ops.numpy.tan")
@symbolic_op(_NUMPY, "Tan")
def tan(x: Tensor) -> Tensor:
    """The tangent, x in radians. Source: `keras.ops.tan`."""
    return backend.apply("tan", as_float(x))


@export("ops.arcsin", "ops.numpy.arcsin")
@symbolic_op(_NUMPY, "Arcsin")
def arcsin(x: Tensor) -> Tensor:
    """The angle in [-pi/2, pi/2] whose sine is x. Source: `keras.ops.arcsin`."""
    return backend.apply("asin", as_float(x))


@export("ops.arccos", "ops.numpy.arccos")
@symbolic_op(_NUMPY, "Arccos")
def arccos(x: Tensor) -> Tensor:
    """The angle in [0, pi] whose cosine is x. Source: `keras.ops.arccos`."""
    return backend.apply("acos", as_float(x))


@export("ops.arctan", "ops.numpy.arctan")
@symbolic_op(_NUMPY, "Arctan")
def arctan(x: Tensor) -> Tensor:
    """The angle in [-pi/2, pi/2] whose tangent is x. Source: `keras.ops.arctan`."""
    return backend.apply("atan", as_float(x))


@export("ops.sinh", "ops.numpy.sinh")
@symbolic_op(_NUMPY, "Sinh")
def sinh(x: Tensor) -> Tensor:
    """The hyperbolic sine. Source: `keras.ops.sinh`."""
    return backend.apply("sinh", as_float(x))


@export("ops.cosh", "ops.numpy.cosh")
@symbolic_op(_NUMPY, "Cosh")
def cosh(x: Tensor) -> Tensor:
    """The hyperbolic cosine. Source: `keras.ops.cosh`."""
    return backend.apply("cosh", as_float(x))


@export("ops.erf")
@symbolic_op(_MATH, "Erf")
def erf(x: Tensor) -> Tensor:
    """The error function, 2 / sqrt(pi) * integral of exp(-t**2) from 0 to x. Source: `keras.ops.erf`."""
    return backend.apply("erf", as_float(x))


@export("ops.floor", "ops.numpy.floor")
@symbolic_op(_NUMPY, "Floor")
def floor(x: Tensor) -> Tensor:
    """The largest whole number <= x, as a float. Source: `keras.ops.floor`."""
    return backend.apply("floor", as_float(x))


@export("ops.ceil", "ops.numpy.ceil")
@symbolic_op(_NUMPY, "Ceil")
def ceil(x: Tensor) -> Tensor:
    """The smallest whole number >= x, as a float. Source: `keras.ops.ceil`."""
    return backend.apply("ceil", as_float(x))


@export("ops.round", "ops.numpy.round")
@symbolic_op(_NUMPY, "Round")
def round(x: Tensor, decimals: int = 0) -> Tensor:
    """x to the nearest multiple of 10**-decimals, halves to the even neighbour.

    Source: `keras.ops.round`. Integers are whole already and stay.
    """
    x = as_number(x)
    if not backend.is_float_dtype(dtype_of(x)):
        return backend.convert_to_tensor(x)
    if decimals == 0:
        return backend.apply("round", x)
    factor = tensor(10.0**decimals, dtype_of(x))
    return backend.apply("divide", backend.apply("round", backend.apply("multiply", x, factor)), factor)


@export("ops.isnan", "ops.numpy.isnan")
@symbolic_op(_NUMPY, "Isnan")
def isnan(x: Tensor) -> Tensor:
    """Whether each element is NaN, as bool. Source: `keras.ops.isnan`."""
    return backend.apply("isnan", as_number(x))


@export("ops.isinf", "ops.numpy.isinf")
@symbolic_op(_NUMPY, "Isinf")
def isinf(x: Tensor) -> Tensor:
    """Whether each element is infinite, as bool. Source: `keras.ops.isinf`."""
    return backend.apply("isinf", as_number(x))


@export("ops.isfinite", "ops.numpy.isfinite")
@symbolic_op(_NUMPY, "Isfinite")
def isfinite(x: Tensor) -> Tensor:
    """Whether each element is neither NaN nor infinite, as bool. Source: `keras.ops.isfinite`."""
    return backend.apply("isfinite", as_number(x))


@export("ops.logical_not", "ops.numpy.logical_not")
@symbolic_op(_NUMPY, "LogicalNot")
def logical_not(x: Tensor) -> Tensor:
    """Whether each element is 0 (false), as bool. Source: `keras.ops.logical_not`."""
    return backend.apply("logical_not", as_bool(x))
