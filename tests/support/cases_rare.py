"""Cases of ops that NumPy computes: rare functions, whole numbers, looking up, matrices."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from striate.ir.ops.attrs import DepthAttrs
from striate.ir.ops.lookup import SideAttrs
from tests.support.cases import Case, Draw, cases_for, words

#: where the function is defined and calm
RANGES = {"asinh": (-3.0, 3.0), "acosh": (1.2, 5.0), "atanh": (-0.9, 0.9), "erfc": (-3.0, 3.0), "erfinv": (-0.9, 0.9)}


@cases_for(*RANGES)
def unary(op: str, draw: Draw) -> Iterator[Case]:
    low, high = RANGES[op]
    yield Case(op, "matrix", (draw.uniform(low, high, 3, 7),), batched=(0,))
    yield Case(op, "scalar", (draw.uniform(low, high),))
    yield Case(op, "empty", (draw.uniform(low, high, 0, 4),), smooth=False)
    edges = np.array([-np.inf, -1.0, -0.0, 0.0, 1.0, np.inf, np.nan], np.float32)
    yield Case(op, "edges", (edges,), smooth=False)


@cases_for("atan2")
def angles(op: str, draw: Draw) -> Iterator[Case]:
    yield Case(op, "alike", (draw.normal(3, 5), draw.normal(3, 5)), batched=(0, 1))
    yield Case(op, "spread", (draw.normal(3, 1), draw.normal(4)), batched=(0,))
    zeros = np.array([0.0, -0.0, 0.0, -0.0], np.float32)
    yield Case(op, "zeros", (zeros, np.array([1, 1, -1, -1], np.float32)), smooth=False)


@cases_for("nextafter")
def neighbours(op: str, draw: Draw) -> Iterator[Case]:
    yield Case(op, "alike", (draw.normal(3, 5), draw.normal(3, 5)), batched=(0, 1))
    yield Case(op, "spread", (draw.normal(3, 1), draw.normal(4)), batched=(0,))


@cases_for("ldexp")
def powers(op: str, draw: Draw) -> Iterator[Case]:
    yield Case(op, "alike", (draw.normal(3, 5), draw.integers(-4, 5, 3, 5)), batched=(0, 1))
    yield Case(op, "spread", (draw.normal(4), draw.integers(-4, 5, 3, 1)), batched=(1,))


@cases_for(*words("bitwise_and bitwise_or bitwise_xor left_shift right_shift gcd lcm"))
def whole_numbers(op: str, draw: Draw) -> Iterator[Case]:
    low = 0 if op.endswith("shift") else -20
    for dtype in ("int32", "uint8", "int64"):
        a, b = (draw.integers(max(low, 0 if dtype == "uint8" else low), 7, *s, dtype=dtype) for s in ((3, 5), (5,)))
        yield Case(op, dtype, (a, b), batched=(0,))
    if op.startswith("bitwise"):
        yield Case(op, "bool", (draw.bools(3, 4), draw.bools(3, 4)), batched=(0, 1))


@cases_for("bitwise_invert")
def inverted(op: str, draw: Draw) -> Iterator[Case]:
    yield Case(op, "int32", (draw.integers(-20, 20, 3, 5),), batched=(0,))
    yield Case(op, "uint8", (draw.integers(0, 255, 4, dtype="uint8"),))
    yield Case(op, "bool", (draw.bools(3, 4),), batched=(0,))


@cases_for("searchsorted")
def places(op: str, draw: Draw) -> Iterator[Case]:
    edges = np.array([-1.0, 0.0, 0.0, 0.5, 2.0], np.float32)
    values = np.array([[-2.0, 0.0, 0.4], [2.0, 3.0, np.nan]], np.float32)
    for right in (False, True):
        yield Case(op, f"right{right}", (edges, values), SideAttrs(right), batched=(1,))
    yield Case(op, "none", (edges[:0], values), SideAttrs(False))
    yield Case(op, "int32", (np.arange(5, dtype=np.int32), draw.integers(-2, 8, 6)), SideAttrs(False))


@cases_for("last_write")
def writes(op: str, draw: Draw) -> Iterator[Case]:
    yield Case(op, "some", (np.array([2, 0, 2, -1, 7], np.int32),), DepthAttrs(4))
    yield Case(op, "none", (np.zeros(0, np.int32),), DepthAttrs(3))
