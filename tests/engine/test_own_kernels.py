"""Kernels that move, draw and update, against their references, for every instruction set of this CPU."""

from __future__ import annotations

import numpy as np
import pytest

from striate.engine import _native
from striate.ir import ops as _ops  # noqa: F401
from striate.ir.attrs import NO_ATTRS, Attrs
from striate.ir.opdef import run_reference
from striate.ir.ops.attrs import (
    AdamAttrs,
    AxisAttrs,
    DropoutAttrs,
    MomentumAttrs,
    PadAttrs,
    PermAttrs,
    RMSpropAttrs,
    ShapeAttrs,
    SliceAttrs,
)
from tests.support.cases import all_cases
from tests.support.native import Array, kernels_of, refusal, run_kernel

EXACT = (
    "transpose",
    "broadcast_to",
    "slice",
    "slice_grad",
    "pad",
    "concat",
    "gather",
    "one_hot",
    "reshape",
    "pack_panels",
    "seed_next",
    "random_uniform",
)
ROUNDED = ("random_normal", "dropout", "sgd_update", "momentum_update", "adam_update", "rmsprop_update")
CASES = [case for case in all_cases() if case.op in EXACT + ROUNDED]
EPS = float(np.finfo(np.float32).eps)


def check(kernel: str, op: str, inputs: tuple[Array, ...], attrs: Attrs = NO_ATTRS) -> None:
    assert refusal(kernel, op, inputs, attrs) is None
    wanted = run_reference(op, inputs, attrs)
    for got, want in zip(run_kernel(kernel, op, inputs, attrs), wanted, strict=True):
        assert got.shape == want.shape
        assert got.dtype == want.dtype
        if op in EXACT:
            np.testing.assert_array_equal(got, want)
            continue
        # Updates: at most 8 roundings of values no larger than the largest operand. Normals: |z| < 5.8.
        magnitude = max((float(np.abs(x).max()) for x in inputs if x.dtype == np.float32 and x.size), default=5.8)
        assert (np.abs(got.astype(np.float64) - want) <= 8 * EPS * (np.abs(want) + magnitude)).all()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_matches_reference(case) -> None:  # type: ignore[no-untyped-def]
    rows = kernels_of(case.op)
    assert rows
    for _, kernel in rows:
        check(kernel, case.op, case.inputs, case.attrs)


def draw(*shape: int, dtype: str = "float32") -> Array:
    rng = np.random.default_rng(7)
    return rng.integers(0, 200, shape).astype(dtype) if dtype != "float32" else rng.standard_normal(shape).astype(dtype)


#: sizes around tiles and pieces (16 and 16,384 elements), every element size
LARGE = [
    ("transpose", (draw(300, 130),), PermAttrs((1, 0))),
    ("transpose", (draw(3, 33, 47, 17, dtype="int64"),), PermAttrs((0, 3, 1, 2))),
    ("transpose", (draw(2, 64, 31, 33, dtype="uint8"),), PermAttrs((0, 2, 3, 1))),
    ("transpose", (draw(5, 16, 3, 16, 40, dtype="float16"),), PermAttrs((4, 0, 3, 2, 1))),
    ("transpose", (draw(40, 30, 20),), PermAttrs((1, 0, 2))),
    ("transpose", (draw(0, 4),), PermAttrs((1, 0))),
    ("broadcast_to", (draw(33, 1, 65),), ShapeAttrs((5, 33, 17, 65))),
    ("broadcast_to", (draw(dtype="int64"),), ShapeAttrs((40_000,))),
    ("slice", (draw(70, 80, 9),), SliceAttrs((69, 3, 1), (-71, 80, 9), (-2, 1, 3))),
    ("slice", (draw(100_000, dtype="int32"),), SliceAttrs((5,), (99_000,), (1,))),
    ("pad", (draw(9, 30, 31, 8),), PadAttrs((0, 1, 2, 2, 1, 3, 0, 0), float("-inf"))),
    ("pad", (draw(200, 300, dtype="uint8"),), PadAttrs((3, 0, 1, 2), 255.0)),
    ("concat", tuple(draw(50, n, 7) for n in (1, 60, 0, 33)), AxisAttrs(1)),
    ("concat", (draw(40_000, dtype="uint8"), draw(30_001, dtype="uint8")), AxisAttrs(0)),
    ("gather", (draw(50, 40, 3, dtype="int64"), np.arange(-45, 45, dtype=np.int32)), AxisAttrs(1)),
    ("reshape", (draw(100, 400, dtype="bool"),), ShapeAttrs((40_000,))),
    ("random_uniform", (np.array([-3, 2**40 + 1]),), ShapeAttrs((70_001,))),
    ("random_normal", (np.array([2**35, -1]),), ShapeAttrs((70_001,))),
    ("dropout", (draw(70_001), np.array([1, 2])), DropoutAttrs(0.25)),
]


@pytest.mark.parametrize("op,inputs,attrs", LARGE, ids=[f"{i}-{c[0]}" for i, c in enumerate(LARGE)])
def test_large_and_odd_sizes(op: str, inputs: tuple[Array, ...], attrs: Attrs) -> None:
    for _, kernel in kernels_of(op):
        check(kernel, op, inputs, attrs)


LR, STEP = np.float32(0.01).reshape(()), np.float32(1000).reshape(())
UPDATES: list[tuple[str, int, tuple[Array, ...], Attrs]] = [
    ("sgd_update", 1, (LR,), NO_ATTRS),
    ("momentum_update", 2, (LR,), MomentumAttrs(0.9, True)),
    ("adam_update", 3, (LR, STEP), AdamAttrs(0.9, 0.999, 1e-7)),
    ("rmsprop_update", 2, (LR,), RMSpropAttrs(0.9, 1e-7)),
]


@pytest.mark.parametrize("op,results,scalars,attrs", UPDATES, ids=[u[0] for u in UPDATES])
def test_updates_in_place_give_the_same_bits(op: str, results: int, scalars: tuple[Array, ...], attrs: Attrs) -> None:
    n = 40_003
    tensors = [np.abs(draw(n)) + 0.1 for _ in range(results + 1)]
    inputs = (*tensors, *scalars)
    for _, kernel in kernels_of(op):
        check(kernel, op, inputs, attrs)
        apart = run_kernel(kernel, op, inputs, attrs)
        types = [(0, (n,))] * (results + 1) + [(0, ())] * len(scalars)
        ints, floats = attrs.encode()
        places = [(1 + i, 0) for i in range(len(inputs))]
        program = {
            "arena_bytes": 0,
            "externals": [(x.nbytes, i < results) for i, x in enumerate(inputs)],
            "steps": [(kernel, places + places[:results], (types, [(0, (n,))] * results, ints, floats), -1)],
        }
        held = [x.copy() for x in inputs]
        _native.run(_native.compile(program), held, b"")
        for got, want in zip(held, apart):
            np.testing.assert_array_equal(got, want)


def test_uniform_is_uniform_and_normal_is_normal() -> None:
    state = np.array([2024, 7])
    for _, kernel in kernels_of("random_uniform"):
        u = run_kernel(kernel, "random_uniform", (state,), ShapeAttrs((100_000,)))[0]
        assert u.min() >= 0
        assert u.max() < 1
        assert abs(u.mean() - 0.5) < 0.005
        assert abs(u.var() - 1 / 12) < 0.002
    for _, kernel in kernels_of("random_normal"):
        z = run_kernel(kernel, "random_normal", (state,), ShapeAttrs((100_000,)))[0]
        assert abs(z.mean()) < 0.01
        assert abs(z.var() - 1) < 0.02


def test_dropout_zeroes_even_nan_and_keeps_the_mean() -> None:
    x = np.ones(100_000, np.float32)
    x[::2] = np.nan
    for _, kernel in kernels_of("dropout"):
        y = run_kernel(kernel, "dropout", (x, np.array([5, 6])), DropoutAttrs(0.4))[0]
        assert abs((y == 0).mean() - 0.4) < 0.01
        assert np.isclose(np.nanmax(y), 1 / 0.6)


#: attributes that do not fit the shapes: a kernel must see it, for a plan that passed never leaves its buffers
LIES = [
    ("slice", [(0, (5,))], [(0, (4,))], [1, 3, 1, 5, 1, 1], []),
    ("slice", [(0, (5,))], [(0, (5,))], [1, 0, 1, 5, 1, 0], []),
    ("slice", [(0, (5,))], [(0, (5,))], [1, -3, 1, 5, 1, 1], []),
    ("slice", [(0, (5,))], [(0, (1,))], [1, 4, 1, -6, 1, -(2**62)], []),
    ("slice", [(0, (5,))], [(0, (5,))], [2**40, 0], []),
    ("slice_grad", [(0, (2,))], [(0, (5,))], [1, 0, 1, 5, 1, 1, 1, 5], []),
    ("slice_grad", [(0, (5,))], [(0, (5,))], [1, 0, 1, 5, 1, 1, 1, 6], []),
    ("transpose", [(0, (2, 3))], [(0, (2, 3))], [2, 1, 0], []),
    ("transpose", [(0, (2, 2))], [(0, (2, 2))], [2, 0, 0], []),
    ("transpose", [(0, (2, 2))], [(0, (2, 2))], [2, 0, 7], []),
    ("broadcast_to", [(0, (2,))], [(0, (3,))], [1, 3], []),
    ("broadcast_to", [(0, (1, 2))], [(0, (2,))], [1, 2], []),
    ("pad", [(0, (2,))], [(0, (9,))], [2, 1, 1], [0.0]),
    ("pad", [(0, (2,))], [(0, (0,))], [2, -1, -1], [0.0]),
    ("pad", [(3, (2,))], [(3, (4,))], [2, 1, 1], [-1.0]),
    ("concat", [(0, (2,)), (0, (3,))], [(0, (6,))], [0], []),
    ("concat", [(0, (2,)), (1, (3,))], [(0, (5,))], [0], []),
    ("concat", [(0, (2,))], [(0, (2,))], [1], []),
    ("gather", [(0, (4,)), (2, (3,))], [(0, (3,))], [0], []),
    ("gather", [(0, (4,)), (1, (3,))], [(0, (4,))], [0], []),
    ("one_hot", [(1, (4,))], [(0, (4, 3))], [4], []),
    ("reshape", [(0, (4,))], [(0, (5,))], [1, 5], []),
    ("pack_panels", [(0, (4, 5))], [(0, (32,))], [4, 6, 8], []),
    ("pack_panels", [(0, (4, 5))], [(0, (31,))], [4, 5, 8], []),
    ("pack_panels", [(0, (0,))], [(0, (0,))], [2**62, 0, 8], []),
    ("dropout", [(0, (4,)), (2, (2,))], [(0, (5,))], [], [0.5]),
    ("dropout", [(0, (4,)), (2, (1,))], [(0, (4,))], [], [0.5]),
    ("dropout", [(0, (4,)), (2, (2,))], [(0, (4,))], [], [float("nan")]),
    ("random_uniform", [(2, (2,))], [(5, (4,))], [1, 4], []),
    ("seed_next", [(2, (3,))], [(2, (2,))], [], []),
]


@pytest.mark.parametrize("op,inputs,outputs,ints,floats", LIES, ids=[f"{i}-{lie[0]}" for i, lie in enumerate(LIES)])
def test_attributes_that_do_not_fit_are_refused(op: str, inputs, outputs, ints, floats) -> None:  # type: ignore[no-untyped-def]
    for _, kernel in kernels_of(op):
        assert _native.probe(kernel, (inputs, outputs, ints, floats)) is not None
