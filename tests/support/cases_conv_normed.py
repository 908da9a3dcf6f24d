"""Cases and random problems of convolutions that normalise what they read."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from striate.ir.ops.attrs import ConvAttrs, NormedConvAttrs, NormedConvGradAttrs
from striate.ir.ops.conv2d_normed import NORMED
from tests.support.cases import Array, Case, Draw, cases_for
from tests.support.cases_products import out_shape

Shape = tuple[int, ...]
PLAIN = {op: plain for plain, op in NORMED.items()}

#: x, filters of a 1x1 kernel, attributes: few filters, where x is not packed; many; pixels left out
PRODUCTS: dict[str, tuple[Shape, int, ConvAttrs]] = {
    "small": ((2, 3, 2, 3), 4, ConvAttrs()),
    "odd": ((3, 17, 13, 19), 35, ConvAttrs()),
    "strided": ((2, 9, 12, 24), 72, ConvAttrs((2, 2), "same")),
    "deep": ((1, 7, 9, 300), 40, ConvAttrs()),
    "packed": ((2, 14, 15, 33), 270, ConvAttrs()),
    "deep-packed": ((1, 6, 9, 1100), 330, ConvAttrs()),
    "many-sums": ((1, 3, 4, 260), 1100, ConvAttrs()),
    "tall": ((1, 4, 5, 700), 70, ConvAttrs()),
    "streamed": ((1, 3, 4, 1056), 1000, ConvAttrs()),
}
#: x, w, attributes: Winograd's blocks of tiles, all together, few of them, of windows of five, groups
WINOGRAD: dict[str, tuple[Shape, Shape, ConvAttrs]] = {
    "tiles": ((2, 29, 31, 19), (3, 3, 19, 35), ConvAttrs(padding="same")),
    "tiles-together": ((9, 7, 7, 130), (3, 3, 130, 65), ConvAttrs(padding="same")),
    "tiles-few": ((3, 9, 10, 48), (3, 3, 48, 130), ConvAttrs(padding="explicit", pads=(2, 0, 1, 3))),
    "tiles-five": ((2, 21, 22, 19), (5, 5, 19, 17), ConvAttrs(padding="same")),
    "tiles-groups": ((2, 14, 13, 34), (3, 3, 17, 36), ConvAttrs(padding="same", groups=2)),
}
#: x, w (KH, KW, C, M), attributes
DEPTHWISE: dict[str, tuple[Shape, Shape, ConvAttrs]] = {
    "small": ((2, 3, 4, 3), (2, 2, 3, 2), ConvAttrs()),
    "same": ((2, 17, 13, 19), (3, 3, 19, 1), ConvAttrs(padding="same")),
    "strided": ((2, 15, 12, 72), (3, 3, 72, 1), ConvAttrs((2, 2), "same")),
    "wide": ((1, 11, 70, 33), (5, 5, 33, 1), ConvAttrs(padding="same", dilation=(2, 1))),
    "far-pads": ((1, 5, 6, 17), (3, 2, 17, 3), ConvAttrs((1, 2), "explicit", (4, 3, 0, 5))),
}


def _norm(draw: Draw, channels: int) -> tuple[Array, ...]:
    """gamma, beta, mean, variance: after them, elements on both sides of 0 and of 6."""
    gamma, beta = draw.uniform(1, 3, channels), draw.uniform(1, 4, channels)
    return gamma, beta, draw.normal(channels), draw.uniform(0.3, 2, channels)


def case_of(op: str, label: str, draw: Draw, x: Shape, w: Shape, a: ConvAttrs, act: Any, bias: bool) -> Case:
    plain = PLAIN[op]
    outputs = out_shape("depthwise_conv2d" if "depthwise" in op else "conv2d", x, w, a)
    if op.endswith("grad_w"):
        others, kind = (draw.normal(*outputs),), NormedConvGradAttrs
        own: dict[str, Any] = {f.name: getattr(a.producing(w), f.name) for f in dataclasses.fields(a.producing(w))}
    else:
        others, kind = (draw.normal(*w), *((draw.normal(outputs[-1]),) if bias else ())), NormedConvAttrs
        own = {f.name: getattr(a, f.name) for f in dataclasses.fields(a)}
        assert not plain.endswith("moments") or a.epilogue == "none"
    attrs = kind(**own, epsilon=1e-3, norm_epilogue=act)
    return Case(op, label, (draw.normal(*x), *others, *_norm(draw, x[-1])), attrs, smooth=False)


@cases_for(*PLAIN)
def conv_normed(op: str, draw: Draw) -> Iterator[Case]:
    problems = DEPTHWISE
    if "depthwise" not in op:  # Winograd's gradient of filters has no such form
        tiles = {} if op.endswith("grad_w") else WINOGRAD
        problems = {k: (x, (1, 1, x[-1], n), a) for k, (x, n, a) in PRODUCTS.items()} | tiles
    for label, (x, w, a) in problems.items():
        for act in ("none", "relu", "relu6") if label in ("odd", "same", "tiles") else ("relu6",):
            yield case_of(op, f"{label}-{act}", draw, x, w, a, act, bias=False)
    for label in () if op.endswith("grad_w") else ("same",) if "depthwise" in op else ("odd", "tiles-few"):
        x, w, a = problems[label]
        if op.endswith("_normed"):
            a = dataclasses.replace(a, epilogue="relu")
        yield case_of(op, f"{label}-bias", draw, x, w, a, "relu", bias=True)


_SEAMS = (1, 2, 3, 8, 15, 16, 17, 31, 33, 64, 65)


def drawn(draw: st.DrawFn, op: str) -> Case:
    """Channels at the seams of vectors and panels; more pixels than two."""
    numbers = Draw(str(draw(st.integers(0, 2**20))))
    strides = draw(st.tuples(st.integers(1, 2), st.integers(1, 2)))
    channels = draw(st.sampled_from((*_SEAMS, 300)))
    if "depthwise" in op:
        kernel = draw(st.sampled_from(((1, 1), (3, 3), (3, 3), (5, 5), (2, 3))))
        x = (draw(st.integers(1, 3)), draw(st.integers(5, 19)), draw(st.integers(5, 19)), channels)
        w = (*kernel, channels, draw(st.sampled_from((1, 1, 1, 2))))
        a = ConvAttrs(strides, draw(st.sampled_from(("same", "valid"))))
    elif not op.endswith("grad_w") and draw(st.booleans()):
        wide = st.sampled_from((16, 17, 31, 33))
        window, groups = draw(st.sampled_from((3, 3, 5))), draw(st.sampled_from((1, 1, 2)))
        x = (draw(st.integers(1, 4)), draw(st.integers(9, 21)), draw(st.integers(9, 21)), groups * draw(wide))
        w = (window, window, x[-1] // groups, groups * draw(wide))
        a = ConvAttrs(padding=draw(st.sampled_from(("same", "valid"))), groups=groups)
    else:
        x = (draw(st.integers(1, 3)), draw(st.integers(3, 19)), draw(st.integers(3, 19)), channels)
        w, a = (1, 1, channels, draw(st.sampled_from((*_SEAMS, 200)))), ConvAttrs(strides)
    return case_of(op, "drawn", numbers, x, w, a, draw(st.sampled_from(("none", "relu", "relu6"))), draw(st.booleans()))
