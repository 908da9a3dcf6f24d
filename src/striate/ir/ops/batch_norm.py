"""Batch normalisation over all axes but the last: in training by the batch's statistics, at inference by given ones.

    batch_norm_train   mean = sum x / m, variance = sum (x - mean)^2 / m, m elements a channel (biased variance)
                       y = act(gamma (x - mean) / sqrt(variance + epsilon) + beta [+ residual])
    batch_norm_infer   the same y from mean and variance given

With r = 1 / sqrt(variance + epsilon), xhat = (x - mean) r, h = g where act's slope is 1 at gamma xhat + beta, else 0,
batch_norm_train_grad is, sums over all axes but the last:

    dbeta = sum h        dgamma = sum h xhat        dx = gamma r (h - dbeta / m - xhat dgamma / m)

It takes beta where there is an activation. A residual's activation is not undone here: its gradient h is the
residual's too.

Shapes: x, residual, y and g (..., C); gamma, beta, mean, variance (C,). act: none, relu or relu6. Source: Keras 3
`keras.layers.BatchNormalization`; Ioffe and Szegedy, 2015.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from striate.ir.opdef import define_op
from striate.ir.ops import _functions
from striate.ir.ops._arrays import Array, like, wide
from striate.ir.ops._checks import product, require_axis, require_floats, require_same_dtype, require_shape
from striate.ir.ops._compose import gradients_of
from striate.ir.ops._terms import Term, terms
from striate.ir.ops.attrs import NormAttrs
from striate.ir.types import TensorType

Three = tuple[Any, Any, Any]


def _check(op: str, x: TensorType, **channels: TensorType) -> TensorType:
    require_floats(op, x, *channels.values())
    require_same_dtype(op, x, *channels.values())
    require_axis(op, x, max(x.rank - 1, 0))
    for what, t in channels.items():
        require_shape(op, what, t, x.shape[-1:])
    return TensorType(next(iter(channels.values())).shape, x.dtype)


def _result(op: str, x: TensorType, a: NormAttrs) -> TensorType:
    assert a.epilogue in ("none", "relu", "relu6"), f"{op}: no epilogue {a.epilogue}"
    return x


def infer_train(x: TensorType, gamma: TensorType, beta: TensorType, *rest: TensorType | NormAttrs) -> Three:
    *residual, a = rest
    statistic = _check("batch_norm_train", x, gamma=gamma, beta=beta)
    assert all(t == x for t in residual), f"batch_norm_train: the residual is {residual}, x {x}"
    assert isinstance(a, NormAttrs)
    return _result("batch_norm_train", x, a), statistic, statistic


def reference_train(x: Array, gamma: Array, beta: Array, *rest: Array | NormAttrs) -> Three:
    *residual, a = rest
    assert isinstance(a, NormAttrs)
    axes = tuple(range(x.ndim - 1))
    mean, variance = wide(x).mean(axis=axes), wide(x).var(axis=axes)
    y = wide(gamma) * (wide(x) - mean) / np.sqrt(variance + a.epsilon) + wide(beta)
    for t in residual:
        assert isinstance(t, np.ndarray)
        y = y + wide(t)
    return like(_functions.epilogue(y, a.epilogue, 0.0), x), like(mean, x), like(variance, x)


def _slopes_train(y: Three, g: Three, x: Term, gamma: Term, beta: Term, *rest: Term | NormAttrs) -> tuple[Any, ...]:
    """Mean and variance go to the moving averages, which are not differentiated as a rule; where they are, dmean/dx =
    1/m and dvariance/dx = 2 (x - mean)/m."""
    *residual, a = rest
    assert isinstance(a, NormAttrs)
    out, mean, variance = y
    dx = dgamma = dbeta = through = None
    if g[0] is not None:
        through = g[0] if a.epilogue == "none" else g[0](f"{a.epilogue}_grad", out)
        given = (through, x, gamma, mean, variance)
        got = x.emit("batch_norm_train_grad", *(t.value for t in given), attrs=NormAttrs(a.epsilon))
        dx, dgamma, dbeta = (Term(x.emit, v) for v in got)
    share = 1.0 / max(product(x.type.dims[:-1]), 1)
    if g[1] is not None:
        part = (g[1] * share).broadcast_to(*x.type.dims)
        dx = part if dx is None else dx + part
    if g[2] is not None:
        part = (x - mean) * (g[2] * (2.0 * share))
        dx = part if dx is None else dx + part
    return dx, dgamma, dbeta, *(through for _ in residual)


def infer_grad(
    g: TensorType,
    x: TensorType,
    gamma: TensorType,
    mean: TensorType,
    variance: TensorType,
    *rest: TensorType | NormAttrs,
) -> Three:
    *beta, a = rest
    assert isinstance(a, NormAttrs)
    assert g == x, f"batch_norm_train_grad: g is {g}, x {x}"
    assert len(beta) == (a.epilogue != "none"), "batch_norm_train_grad takes beta for an activation"
    statistic = _check("batch_norm_train", x, gamma=gamma, mean=mean, variance=variance)
    assert all(t == statistic for t in beta), f"batch_norm_train_grad: beta is {beta}, gamma {statistic}"
    return _result("batch_norm_train_grad", x, a), statistic, statistic


def reference_grad(g: Array, x: Array, gamma: Array, mean: Array, variance: Array, *rest: Array | NormAttrs) -> Three:
    *beta, a = rest
    assert isinstance(a, NormAttrs)
    axes = tuple(range(x.ndim - 1))
    m = max(product(x.shape[:-1]), 1)
    r = 1 / np.sqrt(wide(variance) + a.epsilon)
    xhat = (wide(x) - wide(mean)) * r
    h = wide(g)
    for b in beta:
        assert isinstance(b, np.ndarray)
        y = xhat * wide(gamma) + wide(b)
        h = np.where((y > 0) & ((y < 6) | (a.epilogue == "relu")), h, 0.0)
    dbeta, dgamma = h.sum(axis=axes), (h * xhat).sum(axis=axes)
    dx = wide(gamma) * r * (h - dbeta / m - xhat * dgamma / m)
    return like(dx, x), like(dgamma, x), like(dbeta, x)


def _grad_by_parts(g: Term, x: Term, gamma: Term, mean: Term, variance: Term, *rest: Term | NormAttrs) -> Three:
    """batch_norm_train_grad spelled out in smaller ops."""
    *beta, a = rest
    assert isinstance(a, NormAttrs)
    axes = range(x.type.rank - 1)
    share = 1.0 / max(product(x.type.dims[:-1]), 1)
    r = (variance + a.epsilon)("rsqrt")
    xhat = (x - mean) * r
    for b in beta:
        assert isinstance(b, Term)
        g = g(f"{a.epilogue}_grad", (xhat * gamma + b)(a.epilogue))
    dbeta, dgamma = g.sum(*axes, keepdims=False), (g * xhat).sum(*axes, keepdims=False)
    return gamma * r * (g - dbeta * share - xhat * (dgamma * share)), dgamma, dbeta


def infer_infer(
    x: TensorType,
    gamma: TensorType,
    beta: TensorType,
    mean: TensorType,
    variance: TensorType,
    *rest: TensorType | NormAttrs,
) -> TensorType:
    *residual, a = rest
    assert isinstance(a, NormAttrs)
    assert all(t == x for t in residual), f"batch_norm_infer: the residual is {residual}, x {x}"
    _check("batch_norm_infer", x, gamma=gamma, beta=beta, mean=mean, variance=variance)
    return _result("batch_norm_infer", x, a)


def reference_infer(
    x: Array, gamma: Array, beta: Array, mean: Array, variance: Array, *rest: Array | NormAttrs
) -> Array:
    *residual, a = rest
    assert isinstance(a, NormAttrs)
    y = (wide(x) - wide(mean)) / np.sqrt(wide(variance) + a.epsilon) * wide(gamma) + wide(beta)
    for t in residual:
        assert isinstance(t, np.ndarray)
        y = y + wide(t)
    return like(_functions.epilogue(y, a.epilogue, 0.0), x)


def _infer_by_parts(x: Term, gamma: Term, beta: Term, mean: Term, variance: Term, *rest: Term | NormAttrs) -> Term:
    *residual, a = rest
    assert isinstance(a, NormAttrs)
    y = (x - mean) * ((variance + a.epsilon)("rsqrt") * gamma) + beta
    for t in residual:
        assert isinstance(t, Term)
        y = y + t
    return y if a.epilogue == "none" else y(a.epilogue)


def _define(name: str, infer: Any, vjp: Any, reference: Any) -> None:
    define_op(name, attrs=NormAttrs, infer=infer, vjp=vjp, reference=reference)


_define("batch_norm_train", infer_train, terms(_slopes_train), reference_train)
_define("batch_norm_train_grad", infer_grad, gradients_of(_grad_by_parts), reference_grad)
_define("batch_norm_infer", infer_infer, gradients_of(_infer_by_parts), reference_infer)
