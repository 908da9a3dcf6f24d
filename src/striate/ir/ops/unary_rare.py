"""Elementwise functions that few networks use; NumPy computes them.

    asinh acosh atanh      the inverse hyperbolic functions
    erfc                   1 - erf(x), exact where that is small
    erfinv                 the y with erf(y) = x: +-inf at +-1, NaN beyond

The third column is dL/dx from g = dL/dy. Shapes: x and y alike, any. Float. Source: Keras 3 `keras.ops`.
"""

from __future__ import annotations

import math

import numpy as np

from striate.ir.ops._arrays import Array
from striate.ir.ops._functions import erf
from striate.ir.ops._unary import HOST_RARE, define_unary

_SLOPE = 2 / math.sqrt(math.pi)


def _erfc(x: Array) -> Array:
    return np.vectorize(math.erfc, otypes=[np.float64])(x) if x.size else np.zeros_like(x)


def _erfinv(x: Array) -> Array:
    """Halley's steps on erf (on erfc in the tails, where erf is flat) from Winitzki's closed form, 0.2% off at most.

    Each step cubes the error: two reach float64.
    """
    size = np.minimum(np.abs(x), np.nextafter(1.0, 0.0))
    log = np.log1p(-size * size)
    a = 0.147  # Winitzki 2008
    half = 2 / (math.pi * a) + log / 2
    y = np.sqrt(np.sqrt(half * half - log / a) - half)
    for _ in range(3):
        miss = np.where(size < 0.5, erf(y) - size, (1 - size) - _erfc(y))
        step = miss / (_SLOPE * np.exp(-y * y))
        y = y - step / (1 + y * step)
    y = np.where(np.abs(x) < 1, y, np.where(np.abs(x) == 1, np.inf, np.nan))
    return np.copysign(y, x)


define_unary("asinh", np.arcsinh, lambda y, g, x: g * (x * x + 1.0)("rsqrt"), host=HOST_RARE)
define_unary("acosh", np.arccosh, lambda y, g, x: g * (x * x - 1.0)("rsqrt"), host=HOST_RARE)
define_unary("atanh", np.arctanh, lambda y, g, x: g / (1.0 - x * x), host=HOST_RARE)
define_unary("erfc", _erfc, lambda y, g, x: g * (-(x * x))("exp") * -_SLOPE, host=HOST_RARE)
define_unary("erfinv", _erfinv, lambda y, g, x: g * (y * y)("exp") / _SLOPE, host=HOST_RARE)
