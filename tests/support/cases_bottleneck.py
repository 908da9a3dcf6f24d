"""Cases and random problems of bottleneck_conv2d."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from hypothesis import strategies as st

from striate.ir.ops.attrs import BottleneckAttrs, ConvAttrs
from tests.support.cases import Case, Draw, cases_for
from tests.support.cases_products import EPILOGUES

Shape = tuple[int, ...]
#: which 1x1 convolutions there are: before, after
ENDS = {"both": (True, True), "expand": (True, False), "project": (False, True)}

#: x, kernel, channels of the wide map and of the result, attributes of the depthwise convolution
BOTTLENECKS: dict[str, tuple[Shape, Shape, int, int, ConvAttrs]] = {
    "same": ((2, 5, 6, 3), (3, 3), 5, 4, ConvAttrs(padding="same", epilogue="relu6")),
    "stride": ((1, 8, 7, 2), (3, 3), 3, 2, ConvAttrs((2, 2), "same", epilogue="silu")),
    "explicit": ((1, 5, 5, 2), (3, 2), 4, 3, ConvAttrs((2, 1), "explicit", (2, 0, 1, 3))),
    "dilation": ((1, 7, 8, 2), (3, 2), 3, 5, ConvAttrs(dilation=(2, 3))),
    "stride-over-kernel": ((1, 9, 9, 3), (2, 2), 4, 3, ConvAttrs((4, 3))),
    "odd": ((2, 11, 13, 19), (3, 3), 67, 35, ConvAttrs(padding="same", epilogue="relu6")),
    # Rows of 160 x 80 floats: several bands in each of two or four pieces.
    "bands": ((1, 33, 160, 7), (5, 5), 65, 33, ConvAttrs(padding="same", epilogue="relu")),
    "bands-stride": ((1, 41, 160, 7), (3, 3), 65, 17, ConvAttrs((2, 2), "same", epilogue="relu")),
}


def case_of(
    op: str, label: str, draw: Draw, shapes: tuple[Shape, Shape, int, int], attrs: BottleneckAttrs, smooth: bool = False
) -> Case:
    x, kernel, channels, filters = shapes
    inputs = [draw.normal(*x[:3], x[3] if attrs.expand else channels)]
    if attrs.expand:
        inputs += [draw.normal(1, 1, x[3], channels), draw.normal(channels)]
    inputs += [draw.normal(*kernel, channels, 1), draw.normal(channels)]
    if attrs.project:
        inputs += [draw.normal(1, 1, channels, filters), draw.normal(filters)]
    return Case(op, label, tuple(inputs), attrs, batched=(0,), smooth=smooth)


def attrs_of(a: ConvAttrs, ends: str, first: str = "relu6", last: str = "none") -> BottleneckAttrs:
    expand, project = ENDS[ends]
    of_depthwise = {f.name: getattr(a, f.name) for f in dataclasses.fields(ConvAttrs)}
    return BottleneckAttrs(
        **of_depthwise, expand=expand, expand_epilogue=first, project=project, project_epilogue=last,  # type: ignore[arg-type]
        expand_alpha=0.3, project_alpha=0.2,
    )  # fmt: skip


@cases_for("bottleneck_conv2d")
def bottleneck(op: str, draw: Draw) -> Iterator[Case]:
    for label, (*shapes, a) in BOTTLENECKS.items():
        for ends in ENDS:
            yield case_of(op, f"{label}-{ends}", draw, tuple(shapes), attrs_of(a, ends))  # type: ignore[arg-type]
    for epilogue in EPILOGUES:
        a = ConvAttrs(padding="same", epilogue=epilogue, alpha=0.3)  # type: ignore[arg-type]
        attrs = attrs_of(a, "both", epilogue, epilogue)
        yield case_of(op, epilogue, draw, ((1, 3, 3, 2), (2, 2), 3, 4), attrs)


def drawn(draw: st.DrawFn, op: str, kernel: tuple[int, int], hw: tuple[int, int], a: ConvAttrs) -> Case:
    """With windows that fit; channels at the seams of vectors and panels."""
    channels = st.sampled_from((1, 3, 8, 16, 17, 31, 33, 65))
    shapes = ((draw(st.integers(1, 3)), *hw, draw(channels)), kernel, draw(channels), draw(channels))
    names = [draw(st.sampled_from(EPILOGUES)) for _ in range(3)]
    a = dataclasses.replace(a, epilogue=names[0], alpha=0.3)
    numbers = Draw(str(draw(st.integers(0, 2**20))))
    return case_of(op, "drawn", numbers, shapes, attrs_of(a, draw(st.sampled_from(list(ENDS))), *names[1:]))
