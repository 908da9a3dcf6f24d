"""Random problems for the ops that kernels matter most for: shapes are drawn by hypothesis, numbers from a drawn seed.

Lengths cluster around the vector widths (4, 8, 16 floats), the panels (32) and 1, where kernels have their seams.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import numpy as np
from hypothesis import strategies as st

from striate.ir.attrs import NO_ATTRS, Attrs
from striate.ir.opdef import run_reference
from striate.ir.ops.attrs import (
    AdamAttrs,
    ArgAttrs,
    AxesAttrs,
    AxisAttrs,
    ConvAttrs,
    DenseAttrs,
    DropoutAttrs,
    FillMode,
    GatherGradAttrs,
    MatmulAttrs,
    MomentumAttrs,
    NormAttrs,
    PadAttrs,
    PermAttrs,
    PoolAttrs,
    RMSpropAttrs,
    SampleAttrs,
    ShapeAttrs,
    SliceAttrs,
)
from tests.support import cases_bottleneck, cases_conv_normed, cases_conv_pool
from tests.support.cases import Case, words
from tests.support.cases_elementwise import ARITHMETIC, RANGES, UNARY
from tests.support.cases_products import EPILOGUES, out_shape

Array = np.ndarray[Any, Any]
Maker = Callable[[st.DrawFn, str], Case]

SEAMS = st.sampled_from([1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 35, 63, 64, 65])
SMALL = st.integers(1, 6)
#: channels of which a transform pays
_TRANSFORMED = st.sampled_from((16, 17, 31, 33, 40))


def _normal(draw: st.DrawFn, *shapes: tuple[int, ...]) -> tuple[Array, ...]:
    rng = np.random.default_rng(draw(st.integers(0, 2**20)))
    return tuple(rng.standard_normal(s).astype(np.float32) for s in shapes)


def _uniform(draw: st.DrawFn, low: float, high: float, *shapes: tuple[int, ...]) -> tuple[Array, ...]:
    rng = np.random.default_rng(draw(st.integers(0, 2**20)))
    return tuple(rng.uniform(low, high, s).astype(np.float32) for s in shapes)


@st.composite
def _shapes(draw: st.DrawFn, least: int = 0, most: int = 4) -> tuple[int, ...]:
    """Small leading axes, a last axis at a seam."""
    rank = draw(st.integers(least, most))
    return (*(draw(SMALL) for _ in range(rank - 1)), draw(SEAMS)) if rank else ()


def unary(draw: st.DrawFn, op: str) -> Case:
    low, high = RANGES.get(op, (-8.0, 8.0))
    return Case(op, "drawn", _uniform(draw, low, high, draw(_shapes())))


def binary(draw: st.DrawFn, op: str) -> Case:
    whole = draw(_shapes(1))
    sides = []
    for _ in range(2):
        ones = tuple(draw(st.sampled_from((n, n, 1))) for n in whole)
        sides.append(ones[draw(st.integers(0, len(whole))) :])
    low, high = (0.3, 3.0) if op in words("divide power mod floor_divide") else (-3.0, 3.0)
    return Case(op, "drawn", _uniform(draw, low, high, *sides))


def reduction(draw: st.DrawFn, op: str) -> Case:
    shape = draw(_shapes(1))
    if op.startswith("arg"):
        return Case(
            op, "drawn", _normal(draw, shape), ArgAttrs(draw(st.integers(0, len(shape) - 1)), draw(st.booleans()))
        )
    axes = tuple(i for i in range(len(shape)) if draw(st.booleans()))
    low, high = (0.8, 1.25) if op == "reduce_prod" else (-2.0, 2.0)
    return Case(op, "drawn", _uniform(draw, low, high, shape), AxesAttrs(axes, draw(st.booleans())))


def transpose(draw: st.DrawFn, op: str) -> Case:
    shape = draw(_shapes(1))
    return Case(op, "drawn", _normal(draw, shape), PermAttrs(tuple(draw(st.permutations(range(len(shape)))))))


def slices(draw: st.DrawFn, op: str) -> Case:
    shape = draw(_shapes(1))
    begin, end, step = [], [], []
    for n in shape:
        b, e = sorted((draw(st.integers(0, n)), draw(st.integers(0, n))))
        backwards = draw(st.booleans()) and b < n
        begin.append(max(e - 1, b) if backwards else b)
        end.append((b - 1 if b else -n - 1) if backwards else e)
        step.append(draw(st.integers(1, 3)) * (-1 if backwards else 1))
    return Case(op, "drawn", _normal(draw, shape), SliceAttrs(tuple(begin), tuple(end), tuple(step)))


def pad(draw: st.DrawFn, op: str) -> Case:
    shape = draw(_shapes(1))
    pads = tuple(draw(st.integers(0, 3)) for _ in range(2 * len(shape)))
    return Case(op, "drawn", _normal(draw, shape), PadAttrs(pads, draw(st.sampled_from((0.0, -1.5)))))


def concat(draw: st.DrawFn, op: str) -> Case:
    shape = draw(_shapes(1))
    axis = draw(st.integers(0, len(shape) - 1))
    parts = [(*shape[:axis], draw(SMALL), *shape[axis + 1 :]) for _ in range(draw(st.integers(1, 4)))]
    return Case(op, "drawn", _normal(draw, *parts), AxisAttrs(axis))


def broadcast_to(draw: st.DrawFn, op: str) -> Case:
    whole = draw(_shapes(1))
    given = tuple(draw(st.sampled_from((n, 1))) for n in whole)[draw(st.integers(0, len(whole))) :]
    return Case(op, "drawn", _normal(draw, given), ShapeAttrs(whole))


def matmul(draw: st.DrawFn, op: str) -> Case:
    m, k, n = draw(SEAMS), draw(SEAMS), draw(SEAMS)
    ta, tb = draw(st.booleans()), draw(st.booleans())
    batch = draw(st.sampled_from(((), (1,), (3,), (2, 2))))
    a, b = ((k, m) if ta else (m, k)), ((n, k) if tb else (k, n))
    shared = batch if draw(st.booleans()) else ()
    return Case(op, "drawn", _normal(draw, (*batch, *a), (*shared, *b)), MatmulAttrs(ta, tb))


def dense(draw: st.DrawFn, op: str) -> Case:
    rows, k, n = draw(_shapes(0, 2)), draw(SEAMS), draw(SEAMS)
    shapes = [(*rows, k), (k, n)] + [(n,)] * draw(st.integers(0, 1))
    return Case(op, "drawn", _normal(draw, *shapes), DenseAttrs(draw(st.sampled_from(EPILOGUES)), 0.3))  # type: ignore[arg-type]


@st.composite
def _windows(draw: st.DrawFn, kernel: tuple[int, int], hw: tuple[int, int]) -> ConvAttrs:
    strides = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    dilation = draw(st.tuples(st.integers(1, 2), st.integers(1, 2)))
    spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilation)]
    fits = all(s <= n for s, n in zip(spans, hw))
    padding = draw(st.sampled_from(("same", "valid", "explicit") if fits else ("same",)))
    pads = draw(st.tuples(*(st.integers(0, 3) for _ in range(4)))) if padding == "explicit" else (0, 0, 0, 0)
    return ConvAttrs(strides, padding, pads, dilation)  # type: ignore[arg-type]


def conv(draw: st.DrawFn, op: str) -> Case:
    forward = "depthwise_conv2d" if op.startswith("depthwise") else "conv2d"
    kernel = draw(st.sampled_from(((1, 1), (3, 3), (3, 3), (5, 5), (2, 3), (1, 4), (7, 7))))
    hw = (draw(st.integers(1, 11)), draw(st.integers(1, 11)))
    a = draw(_windows(kernel, hw))
    batch = draw(st.integers(1, 3))
    if forward == "conv2d":
        groups = draw(st.sampled_from((1, 1, 1, 2, 3)))
        inner, filters = (
            draw(st.sampled_from((1, 2, 3, 7, 8, 16, 17, 33))),
            draw(st.sampled_from((1, 3, 8, 16, 31, 33, 65))),
        )
        a = ConvAttrs(a.strides, a.padding, a.pads, a.dilation, groups)
        x, w = (batch, *hw, inner * groups), (*kernel, inner, filters * groups)
    else:
        channels = draw(SEAMS)
        x, w = (batch, *hw, channels), (*kernel, channels, draw(st.sampled_from((1, 1, 2, 3))))
    out = out_shape(forward, x, w, a)
    if op.endswith("_grad_x"):
        return Case(op, "drawn", _normal(draw, out, w), a.producing(x))
    if op.endswith("_grad_w"):
        return Case(op, "drawn", _normal(draw, x, out), a.producing(w))
    epilogue = draw(st.sampled_from(EPILOGUES))
    a = ConvAttrs(a.strides, a.padding, a.pads, a.dilation, a.groups, epilogue, 0.3)  # type: ignore[arg-type]
    return Case(op, "drawn", _normal(draw, x, w, *([out[-1:]] * draw(st.integers(0, 1)))), a)


def bottleneck(draw: st.DrawFn, op: str) -> Case:
    kernel = draw(st.sampled_from(((1, 1), (3, 3), (3, 3), (5, 5), (2, 3))))
    hw = (draw(st.integers(1, 20)), draw(st.integers(1, 11)))
    return cases_bottleneck.drawn(draw, op, kernel, hw, draw(_windows(kernel, hw)))


def conv_moments(draw: st.DrawFn, op: str) -> Case:
    """No activation; depthwise rows are no wider than a piece."""
    if op == "conv2d_moments" and draw(st.booleans()):
        return _window_moments(draw)
    x = (draw(st.integers(1, 3)), draw(st.integers(1, 20)), draw(st.integers(1, 20)), draw(SEAMS))
    strides = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    if op == "conv2d_moments":
        a, w = ConvAttrs(strides), (1, 1, x[-1], draw(st.sampled_from((1, 3, 8, 16, 31, 33, 65))))
    else:
        a, w = ConvAttrs(strides, "same"), (3, 3, x[-1], draw(st.sampled_from((1, 1, 2, 3))))
    outputs = w[-1] if op == "conv2d_moments" else w[-2] * w[-1]
    return Case(op, "drawn", _normal(draw, x, w, *([(outputs,)] * draw(st.integers(0, 1)))), a)


def _window_moments(draw: st.DrawFn) -> Case:
    """A 3x3 or 5x5 window at stride 1 with maps large enough for tiles, or any."""
    if draw(st.booleans()):
        case = conv(draw, "conv2d")
        assert isinstance(case.attrs, ConvAttrs)
        return Case("conv2d_moments", "drawn", case.inputs, case.attrs.plain())
    window, groups = draw(st.sampled_from((3, 3, 5))), draw(st.sampled_from((1, 1, 2)))
    x = (draw(st.integers(1, 4)), draw(st.integers(9, 21)), draw(st.integers(9, 21)), groups * draw(_TRANSFORMED))
    w = (window, window, x[-1] // groups, groups * draw(_TRANSFORMED))
    attrs = ConvAttrs(padding=draw(st.sampled_from(("same", "valid"))), groups=groups)  # type: ignore[arg-type]
    return Case("conv2d_moments", "drawn", _normal(draw, x, w, *([w[-1:]] * draw(st.integers(0, 1)))), attrs)


def pool(draw: st.DrawFn, op: str) -> Case:
    size = draw(st.sampled_from(((2, 2), (3, 3), (3, 2), (1, 4), (1, 1))))
    hw = (draw(st.integers(1, 12)), draw(st.integers(1, 12)))
    fits = size[0] <= hw[0] and size[1] <= hw[1]
    padding = draw(st.sampled_from(("same", "valid") if fits else ("same",)))
    a = PoolAttrs(size, draw(st.tuples(st.integers(1, 3), st.integers(1, 3))), padding)  # type: ignore[arg-type]
    shape = (draw(st.integers(1, 3)), *hw, draw(SEAMS))
    (x,) = _normal(draw, shape)
    x = np.round(x * 2) if draw(st.booleans()) else x  # ties
    if not op.endswith("grad") and op != "max_unpool2d":
        return Case(op, "drawn", (x,), a)
    y, at = run_reference("max_pool2d_indices", (x,), a)
    (g,) = _normal(draw, y.shape)
    if op == "max_unpool2d":
        return Case(op, "drawn", (g, at), a.producing(shape))
    return Case(op, "drawn", (g,), a.producing(shape)) if op == "avg_pool2d_grad" else Case(op, "drawn", (g, x, y), a)


def softmax(draw: st.DrawFn, op: str) -> Case:
    shape = draw(_shapes(1, 3))
    a = AxisAttrs(len(shape) - 1)
    x, g = _normal(draw, shape, shape)
    if not op.endswith("grad"):
        return Case(op, "drawn", (x * np.float32(3),), a)
    return Case(op, "drawn", (g, run_reference(op.removesuffix("_grad"), (x,), a)[0]), a)


def crossentropy(draw: st.DrawFn, op: str) -> Case:
    shape = draw(_shapes(1, 3))
    logits, g = _normal(draw, shape, shape[:-1])
    if op.startswith("sparse"):
        rng = np.random.default_rng(draw(st.integers(0, 2**20)))
        targets: Array = rng.integers(0, shape[-1], shape[:-1]).astype(np.int32)
    else:
        (targets,) = _uniform(draw, 0, 1, shape)
    return Case(op, "drawn", (g, logits, targets) if op.endswith("grad") else (logits, targets))


def batch_norm(draw: st.DrawFn, op: str) -> Case:
    shape = draw(_shapes(2, 4))
    x, g, gamma, beta, mean = _normal(draw, shape, shape, shape[-1:], shape[-1:], shape[-1:])
    (variance,) = _uniform(draw, 0.2, 2, shape[-1:])
    act: Any = draw(st.sampled_from(["none", "relu", "relu6"]))
    residual = (g,) if draw(st.booleans()) else ()
    given = {
        "batch_norm_statistics": (x,),
        "batch_norm_train": (x, gamma, beta, *residual),
        "batch_norm_infer": (x, gamma, beta, mean, variance, *residual),
        "batch_norm_train_grad": (g, x, gamma, mean, variance, *((beta,) if act != "none" else ())),
    }[op]
    return Case(op, "drawn", given, NO_ATTRS if op == "batch_norm_statistics" else NormAttrs(1e-3, act))


def scattered(draw: st.DrawFn, op: str) -> Case:
    """Few places for many rows, and many places (several pieces) for few; some indices lead nowhere."""
    axis, inner = draw(st.integers(0, 1)), draw(SEAMS)
    n, m = draw(st.sampled_from([1, 3, 40, 2000])), draw(st.sampled_from([1, 7, 300]))
    rng = np.random.default_rng(draw(st.integers(0, 2**20)))
    indices = rng.integers(-n - 2, n + 2, m).astype(np.int32)
    outer = (draw(SMALL),) * axis
    g = rng.standard_normal((*outer, m, inner)).astype(np.float32)
    return Case(op, "drawn", (g, indices), GatherGradAttrs(axis, (*outer, n, inner)))


def sample(draw: st.DrawFn, op: str) -> Case:
    axes = draw(st.integers(1, 3))
    batch, points = draw(SMALL), draw(st.sampled_from([1, 7, 3000]))
    lengths = [draw(SMALL) for _ in range(axes)]
    rng = np.random.default_rng(draw(st.integers(0, 2**20)))
    x = rng.standard_normal((batch, *lengths, draw(st.sampled_from([1, 2, 3, 4, 17])))).astype(np.float32)
    places = [rng.uniform(-9, 15, (batch, points)).astype(np.float32) for _ in range(axes)]
    attrs = SampleAttrs(draw(st.booleans()), draw(st.sampled_from(get_args(FillMode))), 0.75)
    return Case(op, "drawn", (x, *places), attrs)


def random_field(draw: st.DrawFn, op: str) -> Case:
    words64 = st.integers(-(2**63), 2**63 - 1)
    state = np.array([draw(words64), draw(words64)], np.int64)
    shape = draw(_shapes())
    if op == "dropout":
        rate = draw(st.sampled_from((0.0, 0.1, 0.5, 0.9, 1.0)))
        return Case(op, "drawn", (*_normal(draw, shape), state), DropoutAttrs(rate))
    return Case(op, "drawn", (state,), ShapeAttrs(shape))


#: slots, scalars and attributes of each rule
_RULES: dict[str, tuple[int, tuple[float, ...], Attrs]] = {
    "sgd_update_dense": (0, (0.05,), NO_ATTRS),
    "momentum_update_dense": (1, (0.05,), MomentumAttrs(0.9, True)),
    "adam_update_dense": (2, (0.05, 3.0), AdamAttrs(0.9, 0.999, 1e-7)),
    "rmsprop_update_dense": (1, (0.05,), RMSpropAttrs(0.9, 1e-7)),
}


def dense_update(draw: st.DrawFn, op: str) -> Case:
    """One block and several, either way; a batch of one row, and of more than are summed at once; decay or none."""
    rows, m, n = draw(st.sampled_from([1, 3, 16, 257])), draw(SEAMS | st.just(120)), draw(SEAMS | st.just(530))
    slots, scalars, attrs = _RULES[op]
    held = _uniform(draw, 0, 1, *[(m, n)] * (slots + 1))
    scalars = (*scalars, *draw(st.sampled_from([(), (0.02,)])))
    factors = _normal(draw, (rows, m), (rows, n))
    return Case(op, "drawn", (*held, *factors, *(np.asarray(s, np.float32) for s in scalars)), attrs)


_MAKERS: dict[Maker, list[str]] = {
    unary: [op for op in UNARY if op != "stop_gradient"],
    binary: [*ARITHMETIC, *words("equal greater less_equal")],
    reduction: words("reduce_sum reduce_mean reduce_max reduce_min reduce_prod argmax argmin"),
    transpose: ["transpose"],
    slices: ["slice"],
    pad: ["pad"],
    concat: ["concat"],
    broadcast_to: ["broadcast_to"],
    matmul: ["matmul"],
    dense: ["dense"],
    conv: [f"{kind}{part}" for kind in ("conv2d", "depthwise_conv2d") for part in ("", "_grad_x", "_grad_w")],
    bottleneck: ["bottleneck_conv2d"],
    cases_conv_pool.drawn: [*cases_conv_pool.FORWARD, "conv2d_grad_w_unpool", "conv2d_grad_x_masked"],
    cases_conv_normed.drawn: list(cases_conv_normed.PLAIN),
    conv_moments: words("conv2d_moments depthwise_conv2d_moments"),
    pool: words("max_pool2d avg_pool2d max_pool2d_grad avg_pool2d_grad max_pool2d_indices max_unpool2d"),
    softmax: words("softmax log_softmax softmax_grad log_softmax_grad"),
    crossentropy: [f"{kind}softmax_crossentropy{part}" for kind in ("", "sparse_") for part in ("", "_grad")],
    batch_norm: words("batch_norm_statistics batch_norm_train batch_norm_infer batch_norm_train_grad"),
    scattered: ["gather_grad"],
    dense_update: list(_RULES),
    sample: ["sample"],
    random_field: words("random_uniform random_normal dropout"),
}

#: op -> a strategy of cases
PROBLEMS: dict[str, st.SearchStrategy[Case]] = {
    op: st.composite(maker)(op) for maker, ops in _MAKERS.items() for op in ops
}
