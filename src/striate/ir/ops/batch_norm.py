"""Batch normalisation over all axes but the last: in training by the batch's statistics, at inference by given ones.

    batch_norm_train   mean = sum x / m, variance = sum (x - mean)^2 / m, m elements a channel (biased variance)
                       y = gamma (x - mean) / sqrt(variance + epsilon) + beta
    batch_norm_infer   the same y from mean and variance given

With r = 1 / sqrt(variance + epsilon), xhat = (x - mean) r, batch_norm_train_grad is, sums over all axes but the last:

    dbeta = sum g        dgamma = sum g xhat        dx = gamma r (g - dbeta / m - xhat dgamma / m)

Shapes: x, y and g (..., C); gamma, beta, mean, variance (C,). Source: Keras 3 `keras.layers.BatchNormalization`;
Ioffe and Szegedy, 2015.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from striate.ir.opdef import define_op
from striate.ir.ops._arrays import Array, like, wide
from striate.ir.ops._checks import product, require_axis, require_floats, require_same_dtype, require_shape
from striate.ir.ops._compose import gradients_of
from striate.ir.ops._terms import Term, terms
from striate.ir.ops.attrs import EpsilonAttrs
from striate.ir.types import TensorType

Three = tuple[Any, Any, Any]


def _check(op: str, x: TensorType, **channels: TensorType) -> TensorType:
    require_floats(op, x, *channels.values())
    require_same_dtype(op, x, *channels.values())
    require_axis(op, x, max(x.rank - 1, 0))
    for what, t in channels.items():
        require_shape(op, what, t, x.shape[-1:])
    return TensorType(next(iter(channels.values())).shape, x.dtype)


def infer_train(x: TensorType, gamma: TensorType, beta: TensorType, a: EpsilonAttrs) -> Three:
    statistic = _check("batch_norm_train", x, gamma=gamma, beta=beta)
    return x, statistic, statistic


def reference_train(x: Array, gamma: Array, beta: Array, a: EpsilonAttrs) -> Three:
    axes = tuple(range(x.ndim - 1))
    mean, variance = wide(x).mean(axis=axes), wide(x).var(axis=axes)
    y = wide(gamma) * (wide(x) - mean) / np.sqrt(variance + a.epsilon) + wide(beta)
    return like(y, x), like(mean, x), like(variance, x)


def _slopes_train(y: Three, g: Three, x: Term, gamma: Term, beta: Term, a: EpsilonAttrs) -> Three:
    """Mean and variance go to the moving averages, which are not differentiated as a rule; where they are, dmean/dx =
    1/m and dvariance/dx = 2 (x - mean)/m."""
    _, mean, variance = y
    dx = dgamma = dbeta = None
    if g[0] is not None:
        given = (g[0], x, gamma, mean, variance)
        got = x.emit("batch_norm_train_grad", *(t.value for t in given), attrs=a)
        dx, dgamma, dbeta = (Term(x.emit, v) for v in got)
    share = 1.0 / max(product(x.type.dims[:-1]), 1)
    if g[1] is not None:
        part = (g[1] * share).broadcast_to(*x.type.dims)
        dx = part if dx is None else dx + part
    if g[2] is not None:
        part = (x - mean) * (g[2] * (2.0 * share))
        dx = part if dx is None else dx + part
    return dx, dgamma, dbeta


def infer_grad(
    g: TensorType, x: TensorType, gamma: TensorType, mean: TensorType, variance: TensorType, a: EpsilonAttrs
) -> Three:
    assert g == x, f"batch_norm_train_grad: g is {g}, x {x}"
    statistic = _check("batch_norm_train", x, gamma=gamma, mean=mean, variance=variance)
    return x, statistic, statistic


def reference_grad(g: Array, x: Array, gamma: Array, mean: Array, variance: Array, a: EpsilonAttrs) -> Three:
    axes = tuple(range(x.ndim - 1))
    m = max(product(x.shape[:-1]), 1)
    r = 1 / np.sqrt(wide(variance) + a.epsilon)
    xhat = (wide(x) - wide(mean)) * r
    dbeta, dgamma = wide(g).sum(axis=axes), (wide(g) * xhat).sum(axis=axes)
    dx = wide(gamma) * r * (wide(g) - dbeta / m - xhat * dgamma / m)
    return like(dx, x), like(dgamma, x), like(dbeta, x)


def _grad_by_parts(g: Term, x: Term, gamma: Term, mean: Term, variance: Term, a: EpsilonAttrs) -> Three:
    """batch_norm_train_grad spelled out in smaller ops."""
    axes = range(x.type.rank - 1)
    share = 1.0 / max(product(x.type.dims[:-1]), 1)
    r = (variance + a.epsilon)("rsqrt")
    xhat = (x - mean) * r
    dbeta, dgamma = g.sum(*axes, keepdims=False), (g * xhat).sum(*axes, keepdims=False)
    return gamma * r * (g - dbeta * share - xhat * (dgamma * share)), dgamma, dbeta


def infer_infer(
    x: TensorType, gamma: TensorType, beta: TensorType, mean: TensorType, variance: TensorType, a: EpsilonAttrs
) -> TensorType:
    _check("batch_norm_infer", x, gamma=gamma, beta=beta, mean=mean, variance=variance)
    return x


def reference_infer(x: Array, gamma: Array, beta: Array, mean: Array, variance: Array, a: EpsilonAttrs) -> Array:
    r = 1 / np.sqrt(wide(variance) + a.epsilon)
    return like((wide(x) - wide(mean)) * r * wide(gamma) + wide(beta), x)


def _infer_by_parts(x: Term, gamma: Term, beta: Term, mean: Term, variance: Term, a: EpsilonAttrs) -> Term:
    return (x - mean) * ((variance + a.epsilon)("rsqrt") * gamma) + beta


def _define(name: str, infer: Any, vjp: Any, reference: Any) -> None:
    define_op(name, attrs=EpsilonAttrs, infer=infer, vjp=vjp, reference=reference)


_define("batch_norm_train", infer_train, terms(_slopes_train), reference_train)
_define("batch_norm_train_grad", infer_grad, gradients_of(_grad_by_parts), reference_grad)
_define("batch_norm_infer", infer_infer, gradients_of(_infer_by_parts), reference_infer)
