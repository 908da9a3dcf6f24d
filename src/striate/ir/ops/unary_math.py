"""Elementwise functions of one tensor: y[i] = f(x[i]).

The third column is dL/dx from g = dL/dy; y stands for the result, so that no function is computed twice. floor, ceil,
round and sign have derivative 0 wherever they have one: no gradient flows.

Shapes: x and y alike, any. Float; neg, abs, sign and square take integers too.
Source: Keras 3 `keras.ops` (round goes to the even neighbour, as NumPy's).
"""

from __future__ import annotations

import math

import numpy as np

from striate.ir.ops._functions import erf
from striate.ir.ops._unary import define_unary

define_unary("neg", np.negative, lambda y, g, x: -g, integers=True)
define_unary("abs", np.abs, lambda y, g, x: g * x("sign"), integers=True)
define_unary("sign", np.sign, integers=True)
define_unary("square", np.square, lambda y, g, x: g * x * 2.0, integers=True)

define_unary("exp", np.exp, lambda y, g, x: g * y)
define_unary("expm1", np.expm1, lambda y, g, x: g * (y + 1.0))
define_unary("log", np.log, lambda y, g, x: g / x)
define_unary("log1p", np.log1p, lambda y, g, x: g / (x + 1.0))
define_unary("sqrt", np.sqrt, lambda y, g, x: g * 0.5 / y)
define_unary("rsqrt", lambda x: 1 / np.sqrt(x), lambda y, g, x: g * y / x * -0.5)
define_unary("reciprocal", lambda x: 1 / x, lambda y, g, x: -(g * y * y))

define_unary("sin", np.sin, lambda y, g, x: g * x("cos"))
define_unary("cos", np.cos, lambda y, g, x: -(g * x("sin")))
define_unary("tan", np.tan, lambda y, g, x: g * (y * y + 1.0))
define_unary("asin", np.arcsin, lambda y, g, x: g * (1.0 - x * x)("rsqrt"))
define_unary("acos", np.arccos, lambda y, g, x: -(g * (1.0 - x * x)("rsqrt")))
define_unary("atan", np.arctan, lambda y, g, x: g / (x * x + 1.0))
define_unary("sinh", np.sinh, lambda y, g, x: g * x("cosh"))
define_unary("cosh", np.cosh, lambda y, g, x: g * x("sinh"))
define_unary("erf", erf, lambda y, g, x: g * (-(x * x))("exp") * (2 / math.sqrt(math.pi)))

define_unary("floor", np.floor)
define_unary("ceil", np.ceil)
define_unary("round", np.rint)
