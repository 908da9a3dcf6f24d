"""Cases of matrix products, convolutions and pooling."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from striate.ir.opdef import infer_types
from striate.ir.ops.attrs import (
    ConvAttrs,
    DenseAttrs,
    MatmulAttrs,
    PoolAttrs,
    WinogradConvAttrs,
    WinogradFilterAttrs,
)
from striate.ir.types import TensorType
from tests.support.cases import Case, Draw, cases_for, words

EPILOGUES = words(
    "none relu relu6 tanh sigmoid elu leaky_relu gelu gelu_tanh silu hard_sigmoid hard_silu"
)  # the items of attrs.Epilogue; a test compares


@cases_for("matmul")
def matmul(op: str, draw: Draw) -> Iterator[Case]:
    for ta in (False, True):
        for tb in (False, True):
            a, b = ((4, 3) if ta else (3, 4)), ((5, 4) if tb else (4, 5))
            attrs = MatmulAttrs(ta, tb)
            yield Case(op, f"{'t' if ta else 'n'}{'t' if tb else 'n'}", (draw.normal(*a), draw.normal(*b)), attrs)
            stacked = (draw.normal(2, 1, *a), draw.normal(3, *b))
            yield Case(op, f"stack-{'t' if ta else 'n'}{'t' if tb else 'n'}", stacked, attrs, batched=(0,))
    yield Case(op, "odd", (draw.normal(7, 33), draw.normal(33, 19)), MatmulAttrs(), batched=(0,), smooth=False)
    yield Case(op, "row", (draw.normal(1, 9), draw.normal(9, 1)), MatmulAttrs(), batched=(0,))
    yield Case(op, "int32", (draw.integers(-4, 5, 3, 4), draw.integers(-4, 5, 4, 2)), MatmulAttrs(), smooth=False)


@cases_for("dense")
def dense(op: str, draw: Draw) -> Iterator[Case]:
    for epilogue in EPILOGUES:
        inputs = (draw.normal(3, 5), draw.normal(5, 4), draw.normal(4))
        yield Case(op, epilogue, inputs, DenseAttrs(epilogue, 0.3), batched=(0,))
    yield Case(op, "no-bias", (draw.normal(3, 5), draw.normal(5, 4)), DenseAttrs(), batched=(0,))
    yield Case(op, "rank3", (draw.normal(2, 3, 5), draw.normal(5, 4), draw.normal(4)), DenseAttrs(), batched=(0,))
    yield Case(op, "rank1", (draw.normal(5), draw.normal(5, 4), draw.normal(4)), DenseAttrs())
    yield Case(op, "odd", (draw.normal(9, 65), draw.normal(65, 37)), DenseAttrs("relu"), batched=(0,), smooth=False)


#: label -> x, w, attributes
CONVS: dict[str, tuple[tuple[int, ...], tuple[int, ...], ConvAttrs]] = {
    "valid": ((2, 5, 6, 3), (3, 3, 3, 4), ConvAttrs()),
    "same": ((2, 5, 6, 3), (3, 3, 3, 4), ConvAttrs(padding="same")),
    "same-even": ((1, 8, 5, 2), (4, 2, 2, 3), ConvAttrs(padding="same")),
    "same-stride": ((1, 6, 7, 2), (3, 3, 2, 3), ConvAttrs((2, 2), "same")),
    "stride": ((1, 7, 8, 2), (3, 2, 2, 3), ConvAttrs((3, 2))),
    "stride-over-kernel": ((1, 7, 7, 2), (1, 1, 2, 3), ConvAttrs((2, 3), "same")),
    "dilation": ((1, 7, 8, 2), (3, 2, 2, 3), ConvAttrs(dilation=(2, 3))),
    "dilation-same": ((1, 7, 8, 2), (3, 3, 2, 3), ConvAttrs(padding="same", dilation=(2, 2))),
    "explicit": ((1, 5, 5, 2), (3, 3, 2, 3), ConvAttrs((2, 1), "explicit", (2, 0, 1, 3))),
    "groups": ((2, 5, 5, 4), (3, 3, 2, 6), ConvAttrs(padding="same", groups=2)),
    "groups-all": ((1, 5, 5, 3), (3, 3, 1, 3), ConvAttrs(groups=3)),
    "one-by-one": ((2, 4, 5, 6), (1, 1, 6, 3), ConvAttrs()),
    "one-channel": ((1, 9, 9, 1), (7, 7, 1, 5), ConvAttrs(padding="same")),
    "window-over-image": ((1, 2, 3, 2), (5, 5, 2, 3), ConvAttrs(padding="same")),
    "whole-image": ((2, 4, 4, 3), (4, 4, 3, 5), ConvAttrs()),
}
#: too large for finite differences, but odd enough to reach every tail of a kernel
LARGE_CONVS: dict[str, tuple[tuple[int, ...], tuple[int, ...], ConvAttrs]] = {
    "odd": ((2, 11, 13, 19), (3, 3, 19, 35), ConvAttrs(padding="same")),
    "wide": ((1, 9, 10, 33), (3, 3, 33, 67), ConvAttrs((2, 2), "same")),
    "many": ((3, 7, 7, 64), (1, 1, 64, 32), ConvAttrs()),
    "many-sums": ((1, 4, 4, 256), (1, 1, 256, 256), ConvAttrs((2, 2))),
    "long-rows": ((2, 6, 40, 2), (3, 3, 2, 2), ConvAttrs(padding="same")),  # vectors of four along them pay, too
}
DEPTHWISE: dict[str, tuple[tuple[int, ...], tuple[int, ...], ConvAttrs]] = {
    "valid": ((2, 5, 6, 3), (3, 3, 3, 1), ConvAttrs()),
    "same": ((2, 5, 6, 3), (3, 3, 3, 2), ConvAttrs(padding="same")),
    "same-stride": ((1, 6, 7, 2), (3, 3, 2, 1), ConvAttrs((2, 2), "same")),
    "stride": ((1, 7, 8, 2), (3, 2, 2, 3), ConvAttrs((3, 2))),
    "dilation": ((1, 7, 8, 2), (3, 2, 2, 2), ConvAttrs(dilation=(2, 3))),
    "explicit": ((1, 5, 5, 2), (3, 3, 2, 1), ConvAttrs((2, 1), "explicit", (2, 0, 1, 3))),
}
LARGE_DEPTHWISE: dict[str, tuple[tuple[int, ...], tuple[int, ...], ConvAttrs]] = {
    "odd": ((2, 11, 13, 19), (3, 3, 19, 1), ConvAttrs(padding="same")),
    "wide": ((1, 9, 10, 67), (5, 5, 67, 1), ConvAttrs((2, 2), "same")),
    "multiplied": ((1, 9, 10, 17), (3, 3, 17, 3), ConvAttrs()),
}


def out_shape(op: str, x: tuple[int, ...], w: tuple[int, ...], attrs: ConvAttrs) -> tuple[int, ...]:
    return infer_types(op, (TensorType(x), TensorType(w)), attrs)[0].dims


@cases_for("conv2d", "depthwise_conv2d")
def conv(op: str, draw: Draw) -> Iterator[Case]:
    small, large = (CONVS, LARGE_CONVS) if op == "conv2d" else (DEPTHWISE, LARGE_DEPTHWISE)
    for label, (x, w, attrs) in (small | large).items():
        yield Case(op, label, (draw.normal(*x), draw.normal(*w)), attrs, batched=(0,), smooth=label in small)
    for epilogue in EPILOGUES:
        outputs = 4
        w = (2, 2, 3, 4) if op == "conv2d" else (2, 2, 2, 2)
        inputs = (draw.normal(1, 3, 3, 3 if op == "conv2d" else 2), draw.normal(*w), draw.normal(outputs))
        attrs = ConvAttrs(padding="same", epilogue=epilogue, alpha=0.3)
        yield Case(op, f"bias-{epilogue}", inputs, attrs, batched=(0,))
    last = LARGE_CONVS["odd"] if op == "conv2d" else LARGE_DEPTHWISE["odd"]
    inputs = (draw.normal(*last[0]), draw.normal(*last[1]), draw.normal(35 if op == "conv2d" else 19))
    yield Case(op, "bias-odd", inputs, ConvAttrs(padding="same", epilogue="relu"), batched=(0,), smooth=False)


#: label -> x, filters of a 1x1 kernel, attributes; depthwise 2x2
MOMENTS: dict[str, tuple[tuple[int, ...], int, ConvAttrs]] = {
    "small": ((2, 3, 2, 3), 4, ConvAttrs()),
    "odd": ((3, 17, 13, 19), 35, ConvAttrs()),
    "strided": ((2, 9, 12, 24), 72, ConvAttrs((2, 2), "same")),
    "blocks": ((2, 30, 31, 16), 24, ConvAttrs()),
}
#: label -> x, w, attributes: what the kernels of other windows take
CONV_MOMENTS: dict[str, tuple[tuple[int, ...], tuple[int, ...], ConvAttrs]] = {
    "winograd": ((2, 15, 13, 19), (3, 3, 19, 35), ConvAttrs(padding="same")),
    "winograd-five": ((3, 21, 22, 19), (5, 5, 19, 17), ConvAttrs(padding="same")),
    "winograd-groups": ((2, 14, 13, 34), (3, 3, 17, 36), ConvAttrs(padding="same", groups=2)),
    "first": ((2, 23, 21, 3), (7, 7, 3, 33), ConvAttrs((2, 2), "same")),
    "narrow": ((2, 19, 39, 3), (3, 3, 3, 3), ConvAttrs(padding="same")),
    "gathered": ((2, 17, 15, 24), (3, 3, 12, 70), ConvAttrs((2, 2), "same", groups=2)),
}


@cases_for("conv2d_moments", "depthwise_conv2d_moments")
def conv_moments(op: str, draw: Draw) -> Iterator[Case]:
    for label, (x, filters, attrs) in MOMENTS.items():
        depthwise = op.startswith("depthwise")
        w = (2, 2, x[-1], 2 if label == "small" else 1) if depthwise else (1, 1, x[-1], filters)
        outputs = w[-2] * w[-1] if depthwise else filters
        for name, bias in ((label, ()), (f"{label}-bias", (draw.normal(outputs),))):
            given = (draw.normal(*x), draw.normal(*w), *bias)
            yield Case(op, name, given, attrs, batched=(0,), smooth=label == "small")
    for label, (x, w, attrs) in CONV_MOMENTS.items() if op == "conv2d_moments" else ():
        given = (draw.normal(*x), draw.normal(*w), draw.normal(w[-1]))
        yield Case(op, label, given, attrs, batched=(0,), smooth=False)


@cases_for("conv2d_grad_x", "conv2d_grad_w", "depthwise_conv2d_grad_x", "depthwise_conv2d_grad_w")
def conv_grad(op: str, draw: Draw) -> Iterator[Case]:
    forward = op[:-7]
    small, large = (CONVS, LARGE_CONVS) if forward == "conv2d" else (DEPTHWISE, LARGE_DEPTHWISE)
    for label, (x, w, attrs) in (small | large).items():
        g = draw.normal(*out_shape(forward, x, w, attrs))
        inputs = (g, draw.normal(*w)) if op.endswith("x") else (draw.normal(*x), g)
        producing = attrs.producing(x if op.endswith("x") else w)
        yield Case(op, label, inputs, producing, smooth=label in small)


#: label -> x, filters, attributes, window
WINOGRAD: dict[str, tuple[tuple[int, ...], int, ConvAttrs, int]] = {
    "same": ((2, 14, 14, 16), 16, ConvAttrs(padding="same"), 3),
    "odd": ((1, 15, 13, 19), 35, ConvAttrs(padding="explicit", pads=(2, 0, 1, 3), epilogue="relu"), 3),
    "valid": ((1, 11, 18, 33), 17, ConvAttrs(epilogue="tanh"), 3),
    "five": ((1, 13, 14, 19), 17, ConvAttrs(padding="same"), 5),
    "groups": ((1, 14, 13, 34), 36, ConvAttrs(padding="same", groups=2), 3),
}
#: maps of up to four tiles, whose filters may come as they are
FLY: dict[str, tuple[tuple[int, ...], int, ConvAttrs]] = {
    "seven": ((1, 7, 7, 35), 50, ConvAttrs(padding="same", epilogue="relu")),
    "six-eight": ((1, 6, 8, 16), 33, ConvAttrs(padding="same", epilogue="tanh")),
    "groups": ((1, 10, 7, 48), 80, ConvAttrs(groups=2)),
    "images": ((2, 4, 3, 20), 40, ConvAttrs(padding="same")),
}
FLY_PANEL = 16


@cases_for("winograd_filters", "winograd_conv2d")
def winograd(op: str, draw: Draw) -> Iterator[Case]:
    from striate.ir.opdef import run_reference

    for label, (shape, filters, a, window) in WINOGRAD.items():
        w = draw.normal(window, window, shape[3] // a.groups, filters)
        x, b = draw.normal(*shape), draw.normal(filters)
        for panel in (8, 16, 32):
            own = WinogradFilterAttrs(panel, a.groups)
            if op == "winograd_filters":
                yield Case(op, f"{label}-{panel}", (w,), own)
                continue
            (u,) = run_reference("winograd_filters", (w,), own)
            attrs = WinogradConvAttrs(
                a.strides, a.padding, a.pads, a.dilation, a.groups, a.epilogue, a.alpha, filters, panel, window
            )
            inputs = (x, u) if label == "valid" else (x, u, b)
            yield Case(op, f"{label}-{panel}", inputs, attrs, batched=(0,), smooth=False)
    for label, (shape, filters, a) in FLY.items():
        w = draw.normal(3, 3, shape[3] // a.groups, filters)
        x, b = draw.normal(*shape), draw.normal(filters)
        own, attrs = fly_attrs(a, filters)
        if op == "winograd_filters":
            yield Case(op, f"{label}-fly", (w,), own)
        else:
            inputs = (x, *run_reference("winograd_filters", (w,), own), b)
            yield Case(op, f"{label}-fly", inputs, attrs, batched=(0,), smooth=False)


def fly_attrs(a: ConvAttrs, filters: int) -> tuple[WinogradFilterAttrs, WinogradConvAttrs]:
    """Of filters that are laid out and not transformed."""
    conv = WinogradConvAttrs(
        a.strides, a.padding, a.pads, a.dilation, a.groups, a.epilogue, a.alpha, filters, FLY_PANEL, 3, False
    )
    return WinogradFilterAttrs(FLY_PANEL, a.groups, False), conv


POOLS: dict[str, tuple[tuple[int, ...], PoolAttrs]] = {
    "two": ((2, 4, 6, 3), PoolAttrs((2, 2), (2, 2))),
    "two-odd": ((1, 5, 7, 2), PoolAttrs((2, 2), (2, 2))),
    "two-odd-same": ((1, 5, 7, 2), PoolAttrs((2, 2), (2, 2), "same")),
    "three-two-same": ((1, 6, 7, 2), PoolAttrs((3, 3), (2, 2), "same")),
    "overlapping": ((1, 5, 5, 2), PoolAttrs((3, 2), (1, 1))),
    "sparse": ((1, 7, 7, 2), PoolAttrs((1, 2), (3, 3))),
    "uneven": ((1, 7, 8, 2), PoolAttrs((3, 2), (2, 3), "same")),
    "wide": ((1, 6, 6, 35), PoolAttrs((2, 2), (2, 2))),
}


@cases_for("max_pool2d_indices", "max_unpool2d")
def pool_indices(op: str, draw: Draw) -> Iterator[Case]:
    from striate.ir.opdef import run_reference

    for label, (shape, attrs) in POOLS.items():
        for kind, x in ((label, draw.normal(*shape)), (f"{label}-ties", draw.integers(0, 2, *shape, dtype="float32"))):
            if op == "max_pool2d_indices":
                yield Case(op, kind, (x,), attrs, batched=(0,), smooth=False)
                continue
            y, at = run_reference("max_pool2d_indices", (x,), attrs)
            yield Case(op, kind, (draw.normal(*y.shape), at), attrs.producing(shape), smooth=False)


@cases_for("max_pool2d", "avg_pool2d", "max_pool2d_grad", "avg_pool2d_grad")
def pool(op: str, draw: Draw) -> Iterator[Case]:
    forward = op.removesuffix("_grad")
    for label, (shape, attrs) in POOLS.items():
        smooth = label != "wide"
        x = draw.normal(*shape)
        if op == forward:
            yield Case(op, label, (x,), attrs, batched=(0,), smooth=smooth)
            continue
        out = infer_types(forward, (TensorType(shape),), attrs)[0].dims
        if op == "avg_pool2d_grad":
            yield Case(op, label, (draw.normal(*out),), attrs.producing(shape), smooth=smooth)
        else:
            yield Case(op, label, (draw.normal(*out), x, max_pool(x, attrs)), attrs, smooth=smooth)
    if "max" in op:
        attrs = PoolAttrs((3, 3), (2, 2), "same")
        x = draw.integers(0, 2, 1, 6, 7, 5, dtype="float32")
        y = max_pool(x, attrs)
        inputs = (x,) if op == forward else (draw.normal(*y.shape), x, y)
        yield Case(op, "ties", inputs, attrs, smooth=False)


def max_pool(x: np.ndarray, attrs: PoolAttrs) -> np.ndarray:
    from striate.ir.opdef import run_reference

    return run_reference("max_pool2d", (x,), attrs)[0]
