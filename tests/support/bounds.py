"""How far a float32 kernel may be from the exact result, element by element: what each family states, in code.

    bound(case, exact) -> one array (or number) a result, of |got - exact|

`exact` are the results of the reference on the inputs as float64. A factor counts roundings of eps = 2^-24; magnitudes
are sums of absolute values, got by running references on |inputs|. Never a number made up to let a test pass.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from striate.ir.attrs import Attrs
from striate.ir.opdef import run_reference
from striate.ir.ops import bottleneck_conv2d, conv2d_normed, philox
from striate.ir.ops import winograd as winograd_ops
from striate.ir.ops.attrs import (
    AdamAttrs,
    ConvAttrs,
    DenseAttrs,
    NormAttrs,
    PoolAttrs,
    SampleAttrs,
    WinogradConvAttrs,
    WinogradFilterAttrs,
)
from tests.support.cases import Case, words
from tests.support.cases_conv_pool import in_windows
from tests.support.cases_products import out_shape
from tests.support.kernel_runs import EPS, ulp
from tests.support.winograd import FACTOR, winograd

Array = np.ndarray[Any, Any]
Bounds = list[Any]

#: the float32 nearest to the exact result
EXACT = words(
    "neg abs sign sqrt square reciprocal floor ceil round relu relu6 isnan isinf isfinite logical_not stop_gradient "
    "cast relu_grad relu6_grad add subtract multiply divide maximum minimum mod floor_divide equal not_equal greater "
    "greater_equal less less_equal logical_and logical_or logical_xor where reduce_max reduce_min reduce_any "
    "reduce_all argmax argmin in_top_k reshape transpose broadcast_to concat slice slice_grad pad gather one_hot "
    "pack_panels seed_next random_uniform max_pool2d max_pool2d_indices"
)
#: ulps of the result (base/simd_math.h, and the C library's for the rarer ones). Of one number: as measured over the
#: range of float32, and a margin. With a factor or alpha: from the parts. docs/numerics.md has the table.
ULPS = (
    {
        "exp": 1.1,
        "expm1": 1.6,
        "log": 0.9,
        "log1p": 1.5,
        "tanh": 1.4,
        "sigmoid": 2.5,
        "erf": 1.3,
        "rsqrt": 1.5,
        "softplus": 2.1,
        "log_sigmoid": 2.1,
        "softsign": 1.6,
        "silu": 3.0,
        "hard_sigmoid": 1.6,
        "hard_silu": 2.6,
        "leaky_relu": 1.5,  # alpha reaches the kernel as the nearest float32: up to an ulp
        "leaky_relu_grad": 1.5,
        "hard_sigmoid_grad": 1.1,
        "power": 1.0,
        "reduce_prod": 1.0,
        "elu": 4.7,
        "elu_grad": 4.7,
        "tanh_grad": 3.5,
        "sigmoid_grad": 3.0,
        "softplus_grad": 5.5,
    }
    | dict.fromkeys(words("sin cos asin acos atan"), 1.0)
    | dict.fromkeys(words("tan sinh cosh"), 2.0)
)


def _double(case: Case) -> list[Array]:
    return [x.astype(np.float64) if x.dtype == np.float32 else x for x in case.inputs]


def _absolute(op: str, inputs: list[Array], attrs: Attrs) -> Array:
    """The op on |inputs|: the sum of absolute values behind each element of a sum of products."""
    return run_reference(op, tuple(np.abs(x) if x.dtype == np.float64 else x for x in inputs), attrs)[0]


def _sums(case: Case, exact: list[Array]) -> Bounds:
    """At most 100 float32 additions deep (base/lines.h)."""
    return [100 * EPS * _absolute(case.op, _double(case), case.attrs) + EPS * np.abs(exact[0])]


def _activated(z: Array, error: Any, name: str, alpha: float) -> Any:
    """What an error of z, and the activation's own roundings, come to. hard_silu is 1.5 steep at 3, the others 1.13."""
    if name in ("none", "relu", "relu6"):
        return error
    return (1.5 if name == "hard_silu" else 1.13) * error + 8 * EPS * (np.abs(z) + 1)


def terms_of(case: Case) -> int:
    """Products in each element of the result."""
    a, b = case.inputs[0].shape, case.inputs[1].shape
    groups = case.attrs.groups if isinstance(case.attrs, ConvAttrs) else 1
    return {
        "matmul": a[-1] if case.op == "matmul" and not getattr(case.attrs, "transpose_a", False) else a[-2:][0],
        "dense": b[0],
        "conv2d": int(np.prod(b[:3])) if len(b) == 4 else 0,
        "conv2d_grad_x": int(np.prod(b[:2])) * b[-1] // groups,
        "conv2d_grad_w": int(np.prod(b[:3])),
        "depthwise_conv2d": int(np.prod(b[:2])),
        "depthwise_conv2d_grad_x": int(np.prod(b[:2])) * b[-1],
        "depthwise_conv2d_grad_w": int(np.prod(b[:3])),
    }[case.op]


def _products(case: Case, exact: list[Array]) -> Bounds:
    """Sums of products in any order, a rounding a term and a few at the ends: (terms + 3) eps sum |a||b|."""
    inputs = _double(case)
    attrs: Any = case.attrs
    plain = attrs
    if isinstance(attrs, DenseAttrs):
        plain = DenseAttrs()
    elif isinstance(attrs, ConvAttrs) and "grad" not in case.op:
        plain = attrs.plain()
    error = (terms_of(case) + 3) * EPS * _absolute(case.op, inputs, plain)
    if getattr(attrs, "epilogue", "none") == "none":
        return [error]
    (z,) = run_reference(case.op, tuple(inputs), plain)
    return [_activated(z, error, attrs.epilogue, attrs.alpha)]


def _grad_w_unpool(case: Case, exact: list[Array]) -> Bounds:
    """As the gradient of the whole image, most of which is zero."""
    inputs, shape = _double(case), case.attrs.shape  # type: ignore[attr-defined]
    size = _absolute(case.op, inputs, case.attrs)
    terms = int(np.prod(out_shape("conv2d", case.inputs[0].shape, shape, case.attrs)[:3]))  # type: ignore[arg-type]
    return [(terms + 3) * EPS * size]


def _conv_moments(case: Case, exact: list[Array]) -> Bounds:
    """The convolution's errors e, then those of the statistics: the mean is off by mean |e| more, the variance by
    2 s rms(e) + mean e^2."""
    return _with_moments(_products(_without_moments(case), exact[:1]), exact)


def _without_moments(case: Case) -> Case:
    return Case(case.op.removesuffix("_moments"), case.label, case.inputs, case.attrs)


def _with_moments(errors: Bounds, exact: list[Array]) -> Bounds:
    (error,), (y, mean, variance) = errors, exact
    mean_error, variance_error = moments_errors(y, mean, variance)
    square = np.square(error).mean(axis=(0, 1, 2))
    carried = 2 * np.sqrt(variance * square) + square
    return [error, mean_error + error.mean(axis=(0, 1, 2)), 1.001 * (variance_error + carried)]


def _pools(case: Case, exact: list[Array]) -> Bounds:
    """A rounding a cell, or a window."""
    assert isinstance(case.attrs, PoolAttrs)
    cells = case.attrs.pool[0] * case.attrs.pool[1] + 2
    inputs = _double(case)
    if case.op in ("max_pool2d_grad", "max_unpool2d"):
        magnitude = run_reference(case.op, (np.abs(inputs[0]), *inputs[1:]), case.attrs)[0]
    else:
        magnitude = _absolute(case.op, inputs, case.attrs)
    return [cells * EPS * magnitude]


def _adds(classes: int) -> int:
    """The longest chain of additions in a row's sum, and a few more (softmax.h)."""
    return min(32, -(-classes // 4)) + classes // 64 + 5


def _log_softmax_error(x: Array) -> Array:
    """(4 (d + L + 1) + adds) eps, d = max - x, L = log sum exp(x - max) (softmax.h)."""
    shifted = x - x.max(axis=-1, keepdims=True)
    log_sum = np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return np.asarray(EPS * (4 * (log_sum - shifted + 1) + _adds(x.shape[-1])))


def _softmax_error(x: Array) -> Array:
    """(6 + d + adds) eps relative (softmax.h)."""
    d = x.max(axis=-1, keepdims=True) - x
    e = np.exp(-d)
    return np.asarray((6 + d + _adds(x.shape[-1])) * EPS * e / e.sum(axis=-1, keepdims=True))


def _softmax(case: Case, exact: list[Array]) -> Bounds:
    x = _double(case)[0]
    return [_softmax_error(x) if case.op == "softmax" else _log_softmax_error(x)]


def _softmax_grad(case: Case, exact: list[Array]) -> Bounds:
    g, y = _double(case)
    adds = _adds(g.shape[-1])
    if case.op == "softmax_grad":
        return [EPS * np.abs(y) * (3 * np.abs(g) + (3 + adds) * np.abs(g * y).sum(axis=-1, keepdims=True))]
    return [EPS * (np.abs(g) + (5 + adds) * np.exp(y) * np.abs(g).sum(axis=-1, keepdims=True))]


def _crossentropy(case: Case, exact: list[Array]) -> Bounds:
    inputs = _double(case)
    logits, targets = inputs[-2:]
    log_error = _log_softmax_error(logits)
    if case.op.startswith("sparse"):
        targets = (targets[..., None] == np.arange(logits.shape[-1])).astype(np.float64)
    total = np.abs(targets).sum(axis=-1, keepdims=True)
    adds = 0 if case.op.startswith("sparse") else _adds(logits.shape[-1])
    if not case.op.endswith("grad"):
        logs = np.abs(run_reference("log_softmax", (logits,), _last(logits))[0])
        return [(np.abs(targets) * (log_error + (adds + 3) * EPS * logs)).sum(axis=-1)]
    g = np.abs(inputs[0])[..., None]
    y = run_reference("softmax", (logits,), _last(logits))[0]
    dlogits = g * ((_softmax_error(logits) + (adds + 5) * EPS * y) * total + 2 * EPS * np.abs(targets))
    return [dlogits, g * log_error + 2 * EPS * np.abs(exact[-1])][: len(exact)]


def _last(x: Array) -> Attrs:
    from striate.ir.ops.attrs import AxisAttrs

    return AxisAttrs(x.ndim - 1)


def _sigmoid_crossentropy(case: Case, exact: list[Array]) -> Bounds:
    *g, x, t = _double(case)
    if not g:
        tail = np.log1p(np.exp(-np.abs(x)))
        return [3 * EPS * (np.maximum(x, 0) + np.abs(x * t)) + 8 * EPS * tail]
    s = run_reference("sigmoid", (x,), case.attrs)[0]
    return [np.abs(g[0]) * (7 * EPS * s + 3 * EPS * np.abs(s - t)), EPS * np.abs(exact[1])]


def _batch_norm(case: Case, exact: list[Array]) -> Bounds:
    """Statistics and y as norm.h states them; y also carries the statistics' errors."""
    inputs, epsilon = _double(case), case.attrs.epsilon  # type: ignore[attr-defined]
    axes = tuple(range(inputs[0].ndim - 1))
    if case.op == "batch_norm_train_grad":
        return _batch_norm_grad(*inputs[:5], inputs[5:], case.attrs, axes)  # type: ignore[arg-type]
    x, gamma, beta = inputs[:3]
    mean, variance = exact[1:] if len(exact) == 3 else inputs[3:5]
    r = 1 / np.sqrt(variance + epsilon)
    own = 6 * EPS * (np.abs(x - mean) * np.abs(gamma) * r + np.abs(beta))
    if len(inputs) in (4, 6):
        own = own + 6 * EPS * np.abs(inputs[-1])
    if len(exact) == 1:
        return [own]
    mean_error, variance_error = moments_errors(x, mean, variance)
    carried = np.abs(gamma) * r * (mean_error + 0.5 * np.abs(x - mean) * r * r * variance_error)
    return [own + carried, mean_error, variance_error]


def moments_errors(x: Array, mean: Array, variance: Array) -> tuple[Array, Array]:
    """What norm.h states of the two statistics over all axes but the last."""
    deviation, reach = np.sqrt(variance), np.abs(x - mean).max(axis=tuple(range(x.ndim - 1)), initial=0)
    about = 70 * EPS * (deviation + reach)
    return EPS * np.abs(mean) + about, 220 * EPS * (variance + reach * deviation) + about**2


def _batch_norm_grad(
    g: Array,
    x: Array,
    gamma: Array,
    mean: Array,
    variance: Array,
    beta: list[Array],
    attrs: NormAttrs,
    axes: tuple[int, ...],
) -> Bounds:
    """The two sums at most 100 additions deep, xhat with 4 roundings; dx of 8 roundings over them. Where the
    activation's edge lies within y's error, g may go through or not."""
    m = max(x.size // max(x.shape[-1], 1), 1)
    r = 1 / np.sqrt(variance + attrs.epsilon)
    xhat = np.abs(x - mean) * r
    open_or_shut = np.zeros_like(g)
    for b in beta:
        y, error = gamma * (x - mean) * r + b, 6 * EPS * (np.abs(gamma) * xhat + np.abs(b))
        near = np.abs(y) <= error
        if attrs.epilogue == "relu6":
            near = near | (np.abs(y - 6) <= error)
        open_or_shut = np.where(near, np.abs(g), 0)
    beta_size, gamma_size = np.abs(g).sum(axis=axes), np.abs(g * xhat).sum(axis=axes)
    beta_error = 101 * EPS * beta_size + open_or_shut.sum(axis=axes)
    gamma_error = 106 * EPS * gamma_size + (open_or_shut * xhat).sum(axis=axes)
    parts = 8 * EPS * (np.abs(g) + beta_size / m + xhat * gamma_size / m) + beta_error / m + xhat * gamma_error / m
    parts = parts + open_or_shut
    return [np.abs(gamma) * r * parts, gamma_error, beta_error]


def _normal(case: Case, exact: list[Array]) -> Bounds:
    """4 ulp of the radius (random.h)."""
    count = exact[0].size
    pairs = (philox.words(case.inputs[0], -(-count // 4) * 4) >> np.uint64(8)).astype(np.float64).reshape(-1, 2)
    radius = np.sqrt(-2 * np.log((pairs[:, 0] + 1) * 2.0**-24))
    return [4 * ulp(np.repeat(radius, 2)[:count].reshape(exact[0].shape))]


def _updates(case: Case, exact: list[Array]) -> Bounds:
    """Few roundings of the largest part of each sum; a step carries the errors of its slots."""
    inputs = _double(case)
    slots = len(exact) - 1
    w, g, lr = inputs[0], np.abs(inputs[1 + slots]), inputs[2 + slots]
    step = np.abs(exact[0] - w)
    if case.op == "sgd_update":
        return [EPS * (np.abs(w) + 2 * np.abs(lr * g))]
    if case.op == "momentum_update":  # attributes reach the kernel as the nearest float32, a rounding too
        m, moved = np.abs(inputs[1]), np.abs(lr * g)
        return [EPS * (np.abs(w) + 7 * m + 9 * moved), 3 * EPS * (m + moved)]
    second = 4 * EPS * (np.abs(inputs[slots]) + g * g)
    if case.op == "rmsprop_update":
        return [2 * EPS * np.abs(w) + 12 * EPS * step, second]
    first = 4 * EPS * (np.abs(inputs[1]) + g)
    # m may cancel, so that the step's relative error is not small: m's error at the step's rate.
    rate = np.divide(step, np.abs(exact[1]), out=np.zeros_like(step), where=exact[1] != 0)
    return [2 * EPS * np.abs(w) + 12 * EPS * step + rate * first, first, second]


def _dense_updates(case: Case, exact: list[Array]) -> Bounds:
    """Those of the update, and what the gradient's own error, (rows + 3) eps sum |x||dy|, comes to through the rule."""
    inputs, slots, a = _double(case), len(exact) - 1, case.attrs
    x, dy, *scalars = inputs[slots + 1 :]
    w, g = inputs[0], (x.T @ dy).reshape(inputs[0].shape)
    off = (len(x) + 3) * EPS * (np.abs(x).T @ np.abs(dy)).reshape(w.shape)
    decayed, held = np.zeros_like(w), len(scalars) > (2 if case.op.startswith("adam") else 1)
    if held:
        decayed = EPS * (np.abs(w) + 2 * np.abs(w * scalars[-1]))
        w, scalars = w - w * scalars[-1], scalars[:-1]
    plain = Case(case.op.removesuffix("_dense"), case.label, (w, *inputs[1 : slots + 1], g, *scalars), a)
    own, lr = _updates(plain, exact), scalars[0]
    if case.op == "sgd_update_dense":
        return [own[0] + decayed + lr * off]
    if case.op == "momentum_update_dense":
        return [own[0] + decayed + 2 * lr * off, own[1] + lr * off]
    second = 2 * np.abs(g) * off + off * off  # of g g
    if case.op == "rmsprop_update_dense":
        v, second = exact[1], second * (1 - a.rho)  # type: ignore[attr-defined]
        most = 1 / np.sqrt(np.maximum(v - second, 0) + a.epsilon)  # type: ignore[attr-defined]
        least = 1 / np.sqrt(v + a.epsilon)  # type: ignore[attr-defined]
        return [own[0] + decayed + lr * (off * most + np.abs(g) * (most - least)), own[1] + second]
    assert isinstance(a, AdamAttrs)
    m, v, t = exact[1], exact[2], scalars[1]
    first, second = (1 - a.beta_1) * off, (1 - a.beta_2) * second
    rate = lr * np.sqrt(1 - a.beta_2**t) / (1 - a.beta_1**t)
    most, least = 1 / (np.sqrt(np.maximum(v - second, 0)) + a.epsilon), 1 / (np.sqrt(v) + a.epsilon)
    moved = rate * (first * most + np.abs(m) * (most - least))
    return [own[0] + decayed + moved, own[1] + first, own[2] + second]


def _near(case: Case, exact: list[Array]) -> Bounds:
    """gelu and the slopes of gelu and silu cancel where they are small: roundings of |x|, or of |g| (1 + |x|)."""
    *g, x = _double(case)
    if not g:
        return [3 * EPS * np.abs(x)]
    return [8 * EPS * np.abs(g[0]) * (1 + np.abs(x)) + EPS * np.abs(exact[0])]


def _dropout(case: Case, exact: list[Array]) -> Bounds:
    return [2.1 * EPS * np.abs(exact[0])]


def _scattered(case: Case, exact: list[Array]) -> Bounds:
    """Rows that go to one place are added one after the other, in float32, to a first 0."""
    g, indices = _double(case)
    (rows,) = run_reference("gather_grad", (np.ones_like(g), indices), case.attrs)
    return [rows * EPS * _absolute("gather_grad", [g, indices], case.attrs)]


def _sampled(case: Case, exact: list[Array]) -> Bounds:
    """Of each of 2**r corners: r weights, r products with them, and an addition; nearest copies."""
    assert isinstance(case.attrs, SampleAttrs)
    if not case.attrs.linear:
        return [0.0]
    x, *places = _double(case)
    attrs = replace(case.attrs, value=abs(case.attrs.value))
    (size,) = run_reference("sample", (np.abs(x), *places), attrs)
    return [(2 * len(places) + 2 ** len(places)) * EPS * size]


def _winograd_filters(case: Case, exact: list[Array]) -> Bounds:
    """Two passes of at most four roundings each, G's own among them."""
    assert isinstance(case.attrs, WinogradFilterAttrs)
    (w,) = _double(case)
    if not case.attrs.transformed:
        return [0.0]
    return [
        8
        * EPS
        * winograd_ops.transformed(np.abs(w), np.abs(winograd_ops.G[w.shape[0]]), case.attrs.panel, case.attrs.groups)
    ]


def _winograd_conv2d(case: Case, exact: list[Array]) -> Bounds:
    """That of Winograd's conv2d on the filters that were transformed: their own roundings are a part of it."""
    x, u, *bias = _double(case)
    a = case.attrs
    assert isinstance(a, WinogradConvAttrs)
    w = winograd_ops.kernel_of(u, x.shape[3], a)
    plain = ConvAttrs(a.strides, a.padding, a.pads, a.dilation, a.groups, a.epilogue, a.alpha)
    return winograd_bounds(Case("conv2d", case.label, (x, w, *bias), plain), exact)


def _bottleneck(case: Case, exact: list[Array]) -> Bounds:
    """Of each convolution what it alone may be off, and its sum over what the one before it was off."""
    inputs, a = bottleneck_conv2d.split((*_double(case), case.attrs))  # type: ignore[arg-type]
    value, error = inputs[0], np.zeros_like(inputs[0])
    for op, at, attrs in bottleneck_conv2d.stages(a):
        w, b = inputs[at], inputs[at + 1]
        terms = int(np.prod(w.shape[:3] if op == "conv2d" else w.shape[:2]))
        size = _absolute(op, [np.abs(value) + error, w, b], attrs.plain())
        error = (terms + 3) * EPS * size + _absolute(op, [error, w], attrs.plain())
        (z,) = run_reference(op, (value, w, b), attrs.plain())
        (value,) = run_reference(op, (value, w, b), attrs)
        error = np.asarray(_activated(z, error, attrs.epilogue, attrs.alpha))
    return [error]


FAMILIES: dict[str, Callable[[Case, list[Array]], Bounds]] = {
    **dict.fromkeys(words("reduce_sum reduce_mean"), _sums),
    **dict.fromkeys(words("matmul dense conv2d conv2d_grad_x conv2d_grad_w"), _products),
    **dict.fromkeys(words("depthwise_conv2d depthwise_conv2d_grad_x depthwise_conv2d_grad_w"), _products),
    **dict.fromkeys(words("avg_pool2d avg_pool2d_grad max_pool2d_grad max_unpool2d"), _pools),
    **dict.fromkeys(words("softmax log_softmax"), _softmax),
    **dict.fromkeys(words("softmax_grad log_softmax_grad"), _softmax_grad),
    **dict.fromkeys(words("sparse_softmax_crossentropy sparse_softmax_crossentropy_grad"), _crossentropy),
    **dict.fromkeys(words("softmax_crossentropy softmax_crossentropy_grad"), _crossentropy),
    **dict.fromkeys(words("sigmoid_crossentropy sigmoid_crossentropy_grad"), _sigmoid_crossentropy),
    **dict.fromkeys(words("batch_norm_train batch_norm_infer batch_norm_train_grad"), _batch_norm),
    **dict.fromkeys(words("sgd_update momentum_update adam_update rmsprop_update"), _updates),
    **dict.fromkeys(words("sgd_update_dense momentum_update_dense adam_update_dense"), _dense_updates),
    "rmsprop_update_dense": _dense_updates,
    **dict.fromkeys(words("gelu gelu_grad silu_grad hard_silu_grad"), _near),
    "gather_grad": _scattered,
    "batch_norm_statistics": lambda case, exact: list(moments_errors(_double(case)[0], *exact)),
    "sample": _sampled,
    "random_normal": _normal,
    "dropout": _dropout,
    "winograd_filters": _winograd_filters,
    "winograd_conv2d": _winograd_conv2d,
    "bottleneck_conv2d": _bottleneck,
    "conv2d_grad_w_unpool": _grad_w_unpool,
    "conv2d_moments": _conv_moments,
    "depthwise_conv2d_moments": _conv_moments,
}


def winograd_bounds(case: Case, exact: list[Array]) -> Bounds:
    """FACTOR roundings of what the tile's transforms add up to; an activation as in `_products`."""
    attrs = case.attrs
    assert isinstance(attrs, ConvAttrs)
    if case.op == "conv2d_moments":
        return _with_moments(winograd_bounds(_without_moments(case), exact[:1]), exact)
    error = FACTOR * EPS * winograd(case.op, list(case.inputs), attrs, exact[0].shape, absolute=True)
    if case.op != "conv2d":
        return [error]
    inputs = _double(case)
    if len(inputs) == 3:
        error = error + 2 * EPS * np.abs(inputs[2])
    (z,) = run_reference(case.op, tuple(inputs), attrs.plain())
    return [_activated(z, error + EPS * np.abs(z), attrs.epilogue, attrs.alpha)]


def _conv_pool(case: Case, exact: list[Array], kernel: str) -> Bounds:
    """A maximum is off by no more than its four outputs are; which it is, rounding decides where they are as near."""
    op = case.op[: case.op.index("_max_pool2d")]
    plain = Case(op, case.label, case.inputs, case.attrs)
    (z,) = run_reference(op, tuple(_double(case)), case.attrs)
    (error,) = bounds(plain, [z], kernel)
    cells, errors = in_windows(z), in_windows(error)
    most = errors.max(axis=-1)
    reach = cells + errors >= (cells - errors).max(axis=-1, keepdims=True)
    return [most, 3 * (reach.sum(axis=-1) > 1)][: len(exact)]


def _normed(case: Case, exact: list[Array], kernel: str) -> Bounds:
    """The convolution's of what is normalised, and what the batch norm's own bound sums up to."""
    (x, *others), norm, a = conv2d_normed.split((*_double(case), case.attrs))
    op = case.op.replace("_normed", "").removesuffix("_moments")
    assert getattr(a, "epilogue", "none") in ("none", "relu", "relu6"), "an activation that is no steeper than 1"
    (z,) = run_reference("batch_norm_infer", (x, *norm), a.norm())
    (error,) = _batch_norm(Case("batch_norm_infer", case.label, (x, *norm), a.norm()), [z])
    (own,) = bounds(Case(op, case.label, (z, *others), a.conv()), exact[:1], kernel)
    linear = a.conv() if op.endswith("grad_w") else a.plain()
    own = own + 1.01 * _absolute(op, [error, others[0]], linear)  # 1.01: roundings of the error's own sum
    return _with_moments([own], exact) if case.op.endswith("_moments") else [own]


def bounds(case: Case, exact: list[Array], kernel: str = "") -> Bounds:
    """Of |got - exact|, one a result; of any kernel of the op but those whose algorithm states its own.

    Of whole numbers: 0, or more where rounding decides.
    """
    if "_max_pool2d" in case.op and "conv2d" in case.op:
        return _conv_pool(case, exact, kernel)
    if "_normed" in case.op:
        return _normed(case, exact, kernel)
    if case.op == "conv2d_grad_x_masked":  # what goes through the mask is exact
        attrs = replace(case.attrs, epilogue="none")  # type: ignore[call-arg]
        return bounds(Case("conv2d_grad_x", case.label, case.inputs[:2], attrs), exact, kernel)
    if "_winograd" in kernel:
        return winograd_bounds(case, exact)
    if case.op in FAMILIES:
        return FAMILIES[case.op](case, exact)
    if case.op in ULPS:
        return [ULPS[case.op] * ulp(e) for e in exact]
    assert case.op in EXACT, f"no bound is stated for {case.op}: add it to tests/support/bounds.py"
    return [0.5 * ulp(e) if e.dtype == np.float64 else 0.0 for e in exact]
