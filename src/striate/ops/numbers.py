"""Functions about numbers as they are kept: signs, whole parts, what is not finite, real and imaginary parts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from striate import backend
from striate.backend import symbolic_op
from striate.core.errors import DTypeError
from striate.core.registry import export
from striate.ops import arithmetic, elementwise, reductions
from striate.ops._convert import Tensor, as_float, as_number, dtype_of, promote, tensor
from striate.ops.core import LARGEST

_NUMPY = "keras.src.ops.numpy"


@export("ops.trunc", "ops.numpy.trunc")
@symbolic_op(_NUMPY, "Trunc")
def trunc(x: Tensor) -> Tensor:
    """x without its fraction: the nearest whole number towards 0, in x's dtype. Source: `keras.ops.trunc`."""
    x = tensor(x)
    if not backend.is_float_dtype(dtype_of(x)):
        return backend.convert_to_tensor(x)
    return arithmetic.where(arithmetic.less(x, 0.0), elementwise.ceil(x), elementwise.floor(x))


@export("ops.fmod", "ops.numpy.fmod")
@symbolic_op(_NUMPY, "Fmod")
def fmod(x1: Tensor, x2: Tensor) -> Tensor:
    """x1 - trunc(x1 / x2) * x2: the remainder, with x1's sign. Source: `keras.ops.fmod`."""
    a, b = promote(x1, x2, numbers=True)
    rest = arithmetic.mod(elementwise.abs(a), elementwise.abs(b))
    return arithmetic.where(arithmetic.less(a, 0), elementwise.negative(rest), rest)


@export("ops.fmax", "ops.numpy.fmax")
@symbolic_op(_NUMPY, "Fmax")
def fmax(x1: Tensor, x2: Tensor) -> Tensor:
    """The larger of x1 and x2, the other one where one is NaN. Source: `keras.ops.fmax`."""
    return _that_is_a_number(arithmetic.maximum, x1, x2)


@export("ops.fmin", "ops.numpy.fmin")
@symbolic_op(_NUMPY, "Fmin")
def fmin(x1: Tensor, x2: Tensor) -> Tensor:
    """The smaller of x1 and x2, the other one where one is NaN. Source: `keras.ops.fmin`."""
    return _that_is_a_number(arithmetic.minimum, x1, x2)


def _that_is_a_number(choose: Any, x1: Tensor, x2: Tensor) -> Tensor:
    a, b = promote(x1, x2)
    if not backend.is_float_dtype(dtype_of(a)):
        return choose(a, b)
    no_a, no_b = elementwise.isnan(a), elementwise.isnan(b)
    return choose(arithmetic.where(no_a, b, a), arithmetic.where(no_b, a, b))


@export("ops.fabs", "ops.numpy.fabs")
@symbolic_op(_NUMPY, "Fabs")
def fabs(x: Tensor) -> Tensor:
    """|x|; of integers, as floatx. Source: `keras.ops.fabs`."""
    return elementwise.abs(as_float(x))


@export("ops.heaviside", "ops.numpy.heaviside")
@symbolic_op(_NUMPY, "Heaviside")
def heaviside(x1: Tensor, x2: Tensor) -> Tensor:
    """0 where x1 < 0, x2 where it is 0, 1 where it is above. Source: `keras.ops.heaviside`."""
    a, b = promote(x1, x2, floats=True)
    step = tensor(arithmetic.greater(a, 0.0), dtype_of(a))
    there = arithmetic.where(arithmetic.equal(a, 0.0), b, step)
    return arithmetic.where(elementwise.isnan(a), tensor(math.nan, dtype_of(a)), there)


@export("ops.signbit", "ops.numpy.signbit")
@symbolic_op(_NUMPY, "Signbit")
def signbit(x: Tensor) -> Tensor:
    """Whether x is below 0, or is -0.0, as bool. Source: `keras.ops.signbit`. Of NaN it is False."""
    x = as_number(x)
    below = arithmetic.less(x, 0)
    if not backend.is_float_dtype(dtype_of(x)):
        return below
    # 1 / -0.0 is -inf.
    minus_zero = arithmetic.logical_and(arithmetic.equal(x, 0.0), arithmetic.less(elementwise.reciprocal(x), 0.0))
    return arithmetic.logical_or(below, minus_zero)


@export("ops.nextafter", "ops.numpy.nextafter")
@symbolic_op(_NUMPY, "Nextafter")
def nextafter(x1: Tensor, x2: Tensor) -> Tensor:
    """The next number of its dtype from x1 towards x2. Source: `keras.ops.nextafter`."""
    return backend.apply("nextafter", *promote(x1, x2, floats=True))


@export("ops.ldexp", "ops.numpy.ldexp")
@symbolic_op(_NUMPY, "Ldexp")
def ldexp(x1: Tensor, x2: Tensor) -> Tensor:
    """x1 * 2**x2, without overflow on the way. Source: `keras.ops.ldexp`.

    Raises:
        TypeError: an x2 that is not of integers.
    """
    exponent = tensor(x2)
    if not backend.is_int_dtype(dtype_of(exponent)):
        raise DTypeError(
            f"ldexp exponent must be an integer type. Received: x2 dtype={dtype_of(exponent)}. "
            'Cast it first: ops.cast(x2, "int32"), or write x1 * 2.0**x2.'
        )
    return backend.apply("ldexp", as_float(x1), tensor(exponent, "int32"))


@export("ops.gcd", "ops.numpy.gcd")
@symbolic_op(_NUMPY, "Gcd")
def gcd(x1: Tensor, x2: Tensor) -> Tensor:
    """The greatest common divisor of integers. Source: `keras.ops.gcd`."""
    return backend.apply("gcd", *promote(x1, x2, numbers=True))


@export("ops.lcm", "ops.numpy.lcm")
@symbolic_op(_NUMPY, "Lcm")
def lcm(x1: Tensor, x2: Tensor) -> Tensor:
    """The least common multiple of integers. Source: `keras.ops.lcm`."""
    return backend.apply("lcm", *promote(x1, x2, numbers=True))


@export("ops.isposinf", "ops.numpy.isposinf")
@symbolic_op(_NUMPY, "Isposinf")
def isposinf(x: Tensor) -> Tensor:
    """Whether each element is inf, as bool. Source: `keras.ops.isposinf`."""
    return arithmetic.equal(as_float(x), math.inf)


@export("ops.isneginf", "ops.numpy.isneginf")
@symbolic_op(_NUMPY, "Isneginf")
def isneginf(x: Tensor) -> Tensor:
    """Whether each element is -inf, as bool. Source: `keras.ops.isneginf`."""
    return arithmetic.equal(as_float(x), -math.inf)


@export("ops.nan_to_num", "ops.numpy.nan_to_num")
@symbolic_op(_NUMPY, "NanToNum")
def nan_to_num(x: Tensor, nan: float = 0.0, posinf: Any = None, neginf: Any = None) -> Tensor:
    """x with numbers in place of NaN, inf and -inf; the latter become the largest and smallest of x's dtype.

    Source: `keras.ops.nan_to_num`.

    Example:
        >>> nan_to_num([1.0, float("nan"), float("-inf")], neginf=-9.0).tolist()
        [1.0, 0.0, -9.0]
    """
    x = tensor(x)
    dtype = dtype_of(x)
    if not backend.is_float_dtype(dtype):
        return backend.convert_to_tensor(x)
    for test, value in (
        (elementwise.isnan(x), nan),
        (isposinf(x), LARGEST[dtype] if posinf is None else posinf),
        (isneginf(x), -LARGEST[dtype] if neginf is None else neginf),
    ):
        x = arithmetic.where(test, tensor(value, dtype), x)
    return x


@export("ops.allclose", "ops.numpy.allclose")
@symbolic_op(_NUMPY, "AllClose")
def allclose(x1: Tensor, x2: Tensor, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Tensor:
    """Whether |x1 - x2| <= atol + rtol * |x2| everywhere, as bool. Source: `keras.ops.allclose`."""
    return reductions.all(arithmetic.isclose(x1, x2, rtol=rtol, atol=atol, equal_nan=equal_nan))


@export("ops.isreal", "ops.numpy.isreal")
@symbolic_op(_NUMPY, "Isreal")
def isreal(x: Tensor) -> Tensor:
    """True for each element: Striate has no complex numbers. Source: `keras.ops.isreal`."""
    x = backend.convert_to_tensor(x)
    return arithmetic.logical_or(arithmetic.equal(x, x), arithmetic.not_equal(x, x))  # NaN is no equal of its own


@export("ops.real", "ops.numpy.real")
@symbolic_op(_NUMPY, "Real")
def real(x: Tensor) -> Tensor:
    """x: Striate has no complex numbers. Source: `keras.ops.real`."""
    return backend.convert_to_tensor(x)


@export("ops.imag", "ops.numpy.imag")
@symbolic_op(_NUMPY, "Imag")
def imag(x: Tensor) -> Tensor:
    """Zeros: Striate has no complex numbers. Source: `keras.ops.imag`."""
    x = backend.convert_to_tensor(x)
    return arithmetic.where(isreal(x), backend.cast(0, backend.dtype_of(x)), x)


@export("ops.conjugate", "ops.numpy.conjugate")
@symbolic_op(_NUMPY, "Conjugate")
def conjugate(x: Tensor) -> Tensor:
    """x: Striate has no complex numbers. Source: `keras.ops.conjugate`."""
    return backend.convert_to_tensor(x)


@export("ops.conj", "ops.numpy.conj")
def conj(x: Tensor) -> Tensor:
    """x: Striate has no complex numbers. Source: `keras.ops.conj`."""
    return conjugate(x)


@export("ops.angle", "ops.numpy.angle")
@symbolic_op(_NUMPY, "Angle")
def angle(x: Tensor) -> Tensor:
    """pi where x is below 0, else 0: the angle of a real number in the complex plane. Source: `keras.ops.angle`."""
    x = as_float(x)
    return backend.apply("atan2", np.zeros((), backend.convert_to_tensor(0.0, dtype_of(x)).dtype), x)
