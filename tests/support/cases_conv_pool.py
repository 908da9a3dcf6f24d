"""Cases and random problems of convolutions that take their neighbours along: a 2x2 max pool, a ReLU's mask."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
from hypothesis import strategies as st

from striate.ir.opdef import run_reference
from striate.ir.ops.attrs import ConvAttrs, WinogradConvAttrs, WinogradFilterAttrs
from tests.support.cases import Case, Draw, cases_for
from tests.support.cases_products import FLY, fly_attrs, out_shape

Shape = tuple[int, ...]
FORWARD = ("conv2d_max_pool2d", "conv2d_max_pool2d_indices")

#: x, w, attributes: what `few` takes (few channels, one group), and Winograd
FEW: dict[str, tuple[Shape, Shape, ConvAttrs]] = {
    "few": ((2, 8, 6, 3), (3, 3, 3, 4), ConvAttrs(padding="same", epilogue="relu")),
    "few-odd": ((1, 7, 9, 1), (5, 5, 1, 35), ConvAttrs(padding="same", epilogue="relu6")),
    "few-stride": ((2, 13, 12, 2), (3, 2, 2, 17), ConvAttrs((2, 1), "explicit", (2, 0, 1, 3))),
    "few-dilation": ((1, 11, 12, 3), (3, 2, 3, 64), ConvAttrs(dilation=(2, 3))),
    "few-strips": ((1, 45, 30, 1), (7, 7, 1, 20), ConvAttrs(padding="same", epilogue="relu")),
}
WINOGRAD: dict[str, tuple[Shape, Shape, ConvAttrs]] = {
    "same": ((2, 14, 14, 16), (3, 3, 16, 16), ConvAttrs(padding="same", epilogue="relu")),
    "odd": ((1, 15, 13, 19), (3, 3, 19, 35), ConvAttrs(padding="explicit", pads=(2, 0, 1, 3), epilogue="relu6")),
    "valid": ((3, 12, 19, 33), (3, 3, 33, 17), ConvAttrs()),
    "five": ((1, 13, 14, 19), (5, 5, 19, 17), ConvAttrs(padding="same", epilogue="relu")),
    "groups": ((1, 14, 13, 34), (3, 3, 17, 36), ConvAttrs(padding="same", groups=2)),
}


@cases_for(*FORWARD)
def conv_pool(op: str, draw: Draw) -> Iterator[Case]:
    for label, (x, w, attrs) in (FEW | WINOGRAD).items():
        for name, bias in ((label, ()), (f"{label}-bias", (draw.normal(w[3]),))):
            yield Case(op, name, (draw.normal(*x), draw.normal(*w), *bias), attrs, batched=(0,), smooth=False)


@cases_for("winograd_conv2d_max_pool2d")
def winograd_pool(op: str, draw: Draw) -> Iterator[Case]:
    for label, (x, w, a) in WINOGRAD.items():
        kernel, b = draw.normal(*w), draw.normal(w[3])
        for panel in (8, 16, 32):
            (u,) = run_reference("winograd_filters", (kernel,), WinogradFilterAttrs(panel, a.groups))
            attrs = WinogradConvAttrs(
                a.strides, a.padding, a.pads, a.dilation, a.groups, a.epilogue, a.alpha, w[3], panel, w[0]
            )
            inputs = (draw.normal(*x), u) if label == "valid" else (draw.normal(*x), u, b)
            yield Case(op, f"{label}-{panel}", inputs, attrs, batched=(0,), smooth=False)
    for label, (x, filters, a) in FLY.items():
        if a.epilogue == "tanh":  # not pooled: no clamp
            continue
        own, attrs = fly_attrs(a, filters)
        kernel, b = draw.normal(3, 3, x[3] // a.groups, filters), draw.normal(filters)
        (u,) = run_reference("winograd_filters", (kernel,), own)
        yield Case(op, f"{label}-fly", (draw.normal(*x), u, b), attrs, batched=(0,), smooth=False)


@cases_for("conv2d_grad_w_unpool")
def grad_w_unpool(op: str, draw: Draw) -> Iterator[Case]:
    for label, (x, w, attrs) in FEW.items():
        if attrs.dilation == (1, 1):  # what has such a kernel
            yield _unpool(op, label, draw, x, w, attrs)


def _unpool(op: str, label: str, draw: Draw, x: Shape, w: Shape, attrs: ConvAttrs) -> Case:
    n, rows, columns, filters = out_shape("conv2d", x, w, attrs)
    pooled = (n, rows // 2, columns // 2, filters)
    at = draw.integers(0, 4, *pooled, dtype="uint8")
    given = (draw.normal(*x), draw.normal(*pooled), at)
    return Case(op, label, given, attrs.plain().producing(w), smooth=False)


@cases_for("conv2d_grad_x_masked")
def grad_x_masked(op: str, draw: Draw) -> Iterator[Case]:
    for label, (x, w, attrs) in WINOGRAD.items():
        for epilogue in ("relu", "relu6"):
            y = 4 * draw.normal(*x)
            y[0, 0, 0, :2] = np.inf, np.nan
            given = (draw.normal(*out_shape("conv2d", x, w, attrs)), draw.normal(*w), y)
            a = dataclasses.replace(attrs.producing(x), epilogue=epilogue)  # type: ignore[arg-type]
            yield Case(op, f"{label}-{epilogue}", given, a, smooth=False)


def drawn(draw: st.DrawFn, op: str) -> Case:
    """Windows that fit; channels at the seams of vectors and panels; of the two kinds of kernels, either."""
    winograd = op == "conv2d_grad_x_masked" or (op != "conv2d_grad_w_unpool" and draw(st.booleans()))
    sizes = ((3, 3), (5, 5)) if winograd else ((3, 3), (5, 5), (7, 7), (3, 2), (1, 4))
    kernel = draw(st.sampled_from(sizes))
    hw = (draw(st.integers(2, 19)), draw(st.integers(2, 19)))
    strides = (1, 1) if winograd else draw(st.tuples(st.integers(1, 2), st.integers(1, 2)))
    fits = all((n - k) // s + 1 >= 2 for n, k, s in zip(hw, kernel, strides, strict=True))
    padding = draw(st.sampled_from(("same", "valid") if fits else ("same",)))
    if padding == "same":
        hw = (hw[0] + strides[0], hw[1] + strides[1])  # two outputs at least
    a = ConvAttrs(strides, padding, epilogue=draw(st.sampled_from(("none", "relu", "relu6"))))
    channels = draw(st.sampled_from((16, 17, 33) if winograd else (1, 2, 3, 4)))
    filters = draw(st.sampled_from((16, 17, 31, 32, 33, 65) if winograd else (1, 3, 8, 16, 31, 33, 65)))
    x, w = (draw(st.integers(1, 3)), *hw, channels), (*kernel, channels, filters)
    numbers = Draw(str(draw(st.integers(0, 2**20))))
    if op == "conv2d_grad_x_masked":
        given = (numbers.normal(*out_shape("conv2d", x, w, a)), numbers.normal(*w), np.maximum(numbers.normal(*x), 0))
        return Case(op, "drawn", given, dataclasses.replace(a.producing(x), epilogue="relu"))
    if op == "conv2d_grad_w_unpool":
        return _unpool(op, "drawn", numbers, x, w, a)
    bias = (numbers.normal(filters),) if draw(st.booleans()) else ()
    return Case(op, "drawn", (numbers.normal(*x), numbers.normal(*w), *bias), a)


def in_windows(z: np.ndarray) -> np.ndarray:
    """(n, rows // 2, columns // 2, channels, 4): the cells of each 2x2 window, in row-major order."""
    n, rows, columns, channels = z.shape
    rows, columns = rows // 2, columns // 2
    cells = z[:, : 2 * rows, : 2 * columns].reshape(n, rows, 2, columns, 2, channels)
    return cells.transpose(0, 1, 3, 5, 2, 4).reshape(n, rows, columns, channels, 4)
