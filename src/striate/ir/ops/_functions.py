"""The activation functions on float64 arrays: one definition for the unary op, the fused epilogue and the gradients."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from striate.ir.ops._arrays import Array

#: gelu's tanh form: 0.5 x (1 + tanh(C (x + A x^3))). Source: Hendrycks and Gimpel, 2016.
GELU_C = math.sqrt(2 / math.pi)
GELU_A = 0.044715

_erf: Any = np.vectorize(math.erf, otypes=[np.float64])


def erf(x: Array) -> Array:
    return np.asarray(_erf(x)) if x.size else np.zeros_like(x)


def sigmoid(x: Array) -> Array:
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + e), e / (1 + e))


def relu(x: Array) -> Array:
    return np.maximum(x, 0)


def relu6(x: Array) -> Array:
    return np.asarray(np.minimum(np.maximum(x, 0), 6))


def softplus(x: Array) -> Array:
    return np.logaddexp(x, 0)


def softsign(x: Array) -> Array:
    return np.where(np.isinf(x), np.sign(x), x / (1 + np.abs(x)))


def silu(x: Array) -> Array:
    return np.where(np.isneginf(x), 0.0, x * sigmoid(x))


def hard_sigmoid(x: Array) -> Array:
    return relu6(x + 3) / 6


def hard_silu(x: Array) -> Array:
    return np.where(np.isneginf(x), 0.0, x * hard_sigmoid(x))


def log_sigmoid(x: Array) -> Array:
    return -softplus(-x)


def elu(x: Array, alpha: float) -> Array:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def leaky_relu(x: Array, negative_slope: float) -> Array:
    return np.where(x > 0, x, negative_slope * x)


def normal_cdf(x: Array) -> Array:
    """Of the standard normal, by erfc, so that the left tail keeps its digits."""
    return 0.5 * np.asarray(_erfc(-x / math.sqrt(2))) if x.size else np.zeros_like(x)


_erfc: Any = np.vectorize(math.erfc, otypes=[np.float64])


def gelu(x: Array, approximate: bool) -> Array:
    left = np.isneginf(x)
    x = np.where(left, 0.0, x)  # the limit at -inf is 0, not -inf * 0
    if approximate:
        return np.asarray(0.5 * x * (1 + np.tanh(GELU_C * (x + GELU_A * x**3))))
    return x * normal_cdf(x)


def gelu_slope(x: Array, approximate: bool) -> Array:
    """gelu'(x)."""
    if approximate:
        t = np.tanh(GELU_C * (x + GELU_A * x**3))
        return np.asarray(0.5 * (1 + t) + 0.5 * x * (1 - t * t) * GELU_C * (1 + 3 * GELU_A * x * x))
    return np.asarray(normal_cdf(x) + x * np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi))


def silu_slope(x: Array) -> Array:
    """silu'(x)."""
    s = sigmoid(x)
    return np.asarray(s * (1 + x * (1 - s)))


def softmax(x: Array, axis: int) -> Array:
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return np.asarray(e / e.sum(axis=axis, keepdims=True))


def log_softmax(x: Array, axis: int) -> Array:
    shifted = x - x.max(axis=axis, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True)))


def epilogue(y: Array, name: str, alpha: float) -> Array:
    """What a fused product applies as it stores; each name but `gelu_tanh` is a unary op's."""
    if name == "none":
        return y
    if name in ("elu", "leaky_relu"):
        return elu(y, alpha) if name == "elu" else leaky_relu(y, alpha)
    if name in ("gelu", "gelu_tanh"):
        return gelu(y, name == "gelu_tanh")
    plain: dict[str, Callable[[Array], Any]] = {
        "relu": relu,
        "relu6": relu6,
        "tanh": np.tanh,
        "sigmoid": sigmoid,
        "silu": silu,
        "hard_sigmoid": hard_sigmoid,
        "hard_silu": hard_silu,
    }
    return np.asarray(plain[name](y))
