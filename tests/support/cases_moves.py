"""Cases of ops that move elements, of sorting, and of random fields."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

import numpy as np

from striate.ir.ops.attrs import (
    AxisAttrs,
    DepthAttrs,
    DropoutAttrs,
    FillMode,
    GatherGradAttrs,
    PackAttrs,
    PadAttrs,
    PermAttrs,
    SampleAttrs,
    ShapeAttrs,
    SliceAttrs,
    SliceGradAttrs,
    TopKAttrs,
)
from tests.support.cases import Case, Draw, cases_for


@cases_for("reshape")
def reshape(op: str, draw: Draw) -> Iterator[Case]:
    yield Case(op, "flatten", (draw.normal(4, 3, 5),), ShapeAttrs((-1, 15)), batched=(0,))
    yield Case(
        op, "split", (draw.normal(4, 6),), ShapeAttrs((4, 2, 3)), batched=(0,), open_attrs=ShapeAttrs((-1, 2, 3))
    )
    yield Case(op, "scalar", (draw.normal(1),), ShapeAttrs(()))
    yield Case(op, "ints", (draw.integers(0, 9, 4, 3),), ShapeAttrs((12,)))


@cases_for("transpose")
def transpose(op: str, draw: Draw) -> Iterator[Case]:
    for perm in ((0, 2, 1, 3), (0, 3, 1, 2), (0, 2, 3, 1), (3, 2, 1, 0), (0, 1, 2, 3)):
        batched = (0,) if perm[0] == 0 else ()
        yield Case(op, "".join(map(str, perm)), (draw.normal(2, 3, 4, 5),), PermAttrs(perm), batched=batched)
    yield Case(op, "matrix", (draw.normal(17, 35),), PermAttrs((1, 0)))
    yield Case(op, "int32", (draw.integers(0, 99, 5, 7),), PermAttrs((1, 0)))
    yield Case(op, "uint8", (draw.integers(0, 99, 5, 7, dtype="uint8"),), PermAttrs((1, 0)))


@cases_for("broadcast_to")
def broadcast_to(op: str, draw: Draw) -> Iterator[Case]:
    opened = ShapeAttrs((-1, 5, 7))
    yield Case(op, "middle", (draw.normal(3, 1, 7),), ShapeAttrs((3, 5, 7)), batched=(0,), open_attrs=opened)
    yield Case(op, "leading", (draw.normal(7),), ShapeAttrs((3, 5, 7)))
    yield Case(op, "scalar", (draw.normal(),), ShapeAttrs((3, 19)))
    yield Case(op, "last", (draw.normal(3, 1),), ShapeAttrs((3, 19)))
    yield Case(op, "own", (draw.normal(3, 1),), ShapeAttrs((2, -1, 4)))


@cases_for("concat")
def concat(op: str, draw: Draw) -> Iterator[Case]:
    for axis in (0, 1, 2):
        shapes = [[2, 3, 4], [2, 3, 4], [2, 3, 4]]
        shapes[1][axis], shapes[2][axis] = 1, 5
        inputs = tuple(draw.normal(*s) for s in shapes)
        yield Case(op, f"axis{axis}", inputs, AxisAttrs(axis), batched=(0, 1, 2))
    yield Case(op, "one", (draw.normal(2, 3),), AxisAttrs(1), batched=(0,))
    yield Case(op, "int32", (draw.integers(0, 9, 2, 3), draw.integers(0, 9, 2, 2)), AxisAttrs(1))


SLICES = {
    "crop": ((0, 1, 2), (3, 4, 7), (1, 1, 1)),
    "strided": ((0, 0, 1), (3, 5, 7), (1, 2, 3)),
    "flip": ((0, 0, 6), (3, 5, -8), (1, 1, -1)),
    "backwards": ((2, 4, 5), (-4, 0, 1), (-1, -2, -2)),
    "whole": ((0, 0, 0), (-1, -1, -1), (1, 1, 1)),
    "nothing": ((0, 2, 0), (3, 2, 7), (1, 1, 1)),
}


@cases_for("slice")
def slices(op: str, draw: Draw) -> Iterator[Case]:
    for label, (begin, end, step) in SLICES.items():
        opened = SliceAttrs(begin, (-1, *end[1:]), step)
        batched = (0,) if label != "backwards" else ()
        attrs = SliceAttrs(begin, end, step)
        yield Case(op, label, (draw.normal(3, 5, 7),), attrs, batched=batched, open_attrs=opened)


@cases_for("slice_grad")
def slice_grad(op: str, draw: Draw) -> Iterator[Case]:
    for label, (begin, end, step) in SLICES.items():
        parts = [slice(b, None if e < 0 else e, s) for b, e, s in zip(begin, end, step)]
        shape = np.zeros((3, 5, 7))[tuple(parts)].shape
        yield Case(op, label, (draw.normal(*shape),), SliceGradAttrs(begin, end, step, (3, 5, 7)))


@cases_for("pad")
def pad(op: str, draw: Draw) -> Iterator[Case]:
    yield Case(op, "image", (draw.normal(2, 3, 4, 2),), PadAttrs((0, 0, 1, 2, 3, 0, 0, 0)), batched=(0,))
    yield Case(op, "value", (draw.normal(3, 5),), PadAttrs((1, 0, 0, 2), -1.5))
    yield Case(op, "none", (draw.normal(3, 5),), PadAttrs((0, 0, 0, 0)), batched=(0,))
    yield Case(op, "int32", (draw.integers(0, 9, 3),), PadAttrs((2, 1), 7.0))


@cases_for("gather")
def gather(op: str, draw: Draw) -> Iterator[Case]:
    for axis in (0, 1, 2):
        indices = draw.integers(0, 3, 2, 4)
        yield Case(
            op, f"axis{axis}", (draw.normal(3, 4, 5), indices), AxisAttrs(axis), batched=(1,) if axis == 0 else ()
        )
    yield Case(op, "strays", (draw.normal(3, 4), np.array([-1, 0, -4, 3, 2], np.int32)), AxisAttrs(0), smooth=False)
    yield Case(op, "ints", (draw.integers(0, 9, 3, 4), draw.integers(0, 3, 6)), AxisAttrs(0))


@cases_for("gather_grad")
def gather_grad(op: str, draw: Draw) -> Iterator[Case]:
    yield Case(op, "axis0", (draw.normal(2, 5, 4), draw.integers(0, 3, 2)), GatherGradAttrs(0, (3, 5, 4)))
    yield Case(op, "axis1", (draw.normal(3, 2, 4, 4), draw.integers(0, 5, 2, 4)), GatherGradAttrs(1, (3, 5, 4)))
    strays = np.array([-1, 0, -4, 3, 0], np.int32)
    yield Case(op, "strays", (draw.normal(5, 4), strays), GatherGradAttrs(0, (3, 4)), smooth=False)
    far = draw.integers(0, 12000, 40)
    yield Case(op, "several pieces", (draw.normal(40, 3), far), GatherGradAttrs(0, (12000, 3)), smooth=False)


@cases_for("sample")
def sample(op: str, draw: Draw) -> Iterator[Case]:
    """Places stay off whole numbers and halves, so that finite differences say what the gradient is."""
    lengths = (4, 5, 3)

    def places(n: int) -> Iterator[np.ndarray]:
        rng = np.random.default_rng(n)
        for length in lengths[:n]:
            whole, part = rng.integers(-2 * length, 3 * length, (2, 6)), rng.uniform(0.1, 0.4, (2, 6))
            yield (whole + part).astype(np.float32)

    for n, channels in ((1, 5), (2, 3), (3, 1)):
        for fill in get_args(FillMode):
            for linear in (True, False):
                x = draw.normal(2, *lengths[:n], channels)
                kind = "linear" if linear else "nearest"
                attrs = SampleAttrs(linear, fill, 0.75)
                yield Case(op, f"{n} axes, {fill}, {kind}", (x, *places(n)), attrs, batched=tuple(range(n + 1)))
    odd = np.array([[0, -0.0, 0.5, 1.5, 2.5, -0.5, -1.5, 3, 1e9, -1e9, np.nan, np.inf]], np.float32)
    for linear in (True, False):
        for fill in get_args(FillMode):
            attrs = SampleAttrs(linear, fill, 0.75)
            yield Case(op, f"odd places, {fill}, {linear}", (draw.normal(1, 4, 2), odd), attrs, smooth=False)
    one = np.array([[-3.25, 0.25, 2.0]], np.float32)
    for fill in get_args(FillMode):
        yield Case(op, f"one pixel, {fill}", (draw.normal(1, 1, 2), one), SampleAttrs(True, fill, 0.75), smooth=False)
    far = np.random.default_rng(0).uniform(-5, 9, (1, 5000)).astype(np.float32)
    both = (far, far[:, ::-1].copy())
    yield Case(op, "several pieces", (draw.normal(1, 4, 4, 4), *both), SampleAttrs(True, "wrap", 0.0), smooth=False)


@cases_for("one_hot")
def one_hot(op: str, draw: Draw) -> Iterator[Case]:
    yield Case(op, "rows", (draw.integers(-1, 6, 3, 4),), DepthAttrs(5), batched=(0,))
    yield Case(op, "flat", (draw.integers(0, 19, 7),), DepthAttrs(19), batched=(0,))


@cases_for("cumsum", "sort", "argsort")
def along_axis(op: str, draw: Draw) -> Iterator[Case]:
    for axis in (0, 1, 2):
        yield Case(op, f"axis{axis}", (draw.normal(3, 4, 5),), AxisAttrs(axis), batched=(0,))


@cases_for("top_k")
def top_k(op: str, draw: Draw) -> Iterator[Case]:
    yield Case(op, "k3", (draw.normal(4, 7),), TopKAttrs(3), batched=(0,))
    yield Case(op, "ties", (draw.integers(0, 2, 4, 7, dtype="float32"),), TopKAttrs(5), smooth=False)


def state(draw: Draw) -> np.ndarray:
    return draw.integers(-(2**62), 2**62, 2, dtype="int64")


@cases_for("seed_next")
def seed_next(op: str, draw: Draw) -> Iterator[Case]:
    yield Case(op, "state", (state(draw),))


@cases_for("random_uniform", "random_normal", "random_bits")
def random_field(op: str, draw: Draw) -> Iterator[Case]:
    for shape in ((), (3,), (4, 5), (2, 3, 37), (0, 4)):
        yield Case(op, "x".join(map(str, shape)) or "scalar", (state(draw),), ShapeAttrs(shape))


@cases_for("dropout")
def dropout(op: str, draw: Draw) -> Iterator[Case]:
    for rate in (0.0, 0.3, 0.5, 1.0):
        yield Case(op, f"rate{rate}", (draw.normal(3, 41), state(draw)), DropoutAttrs(rate), batched=(0,))


@cases_for("pack_panels")
def pack_panels(op: str, draw: Draw) -> Iterator[Case]:
    for k, n, panel in ((5, 16, 8), (5, 13, 8), (1, 3, 32), (7, 1, 16)):
        yield Case(op, f"{k}x{n}by{panel}", (draw.normal(k, n),), PackAttrs(k, n, panel))
    yield Case(op, "kernel", (draw.normal(3, 3, 2, 5),), PackAttrs(18, 5, 4))
