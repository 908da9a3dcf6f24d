"""Reductions of every instruction set, over any axes, against NumPy in float64."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.engine import native
from striate.ir.opdef import OPS
from striate.ir.ops.attrs import ArgAttrs, AxesAttrs
from tests.support.kernel_runs import EPS, Array, assert_close, general, name_of, run_kernel

OPS_ALL = ("reduce_sum", "reduce_mean", "reduce_max", "reduce_min", "reduce_prod", "reduce_any", "reduce_all")
ISAS = [row.isa for row in general("reduce_sum")]
DTYPES_OF = {
    "reduce_sum": ("float32", "int32", "int64"),
    "reduce_max": ("float32", "int32", "int64"),
    "reduce_min": ("float32", "int32", "int64"),
    "reduce_mean": ("float32",),
    "reduce_prod": ("float32",),
    "reduce_any": ("bool",),
    "reduce_all": ("bool",),
}


@pytest.fixture(autouse=True, scope="module")
def _quiet() -> Iterator[None]:
    with np.errstate(all="ignore"):
        yield


def values(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> Array:
    if dtype == "float32":
        return np.asarray(rng.standard_normal(shape) + 0.5, np.float32)
    if dtype == "bool":
        return np.asarray(rng.uniform(size=shape) < rng.choice([0.01, 0.5, 0.99]))
    limits = np.iinfo(dtype)
    return np.asarray(rng.integers(limits.min, limits.max, shape, dtype=dtype, endpoint=True))


def check(name: str, op: str, x: Array, axes: tuple[int, ...], keepdims: bool = False, at_end: bool = True) -> Array:
    attrs = AxesAttrs(axes, keepdims)
    wide = x.astype(np.float64) if x.dtype == np.float32 else x
    want = OPS[op].reference(wide, attrs)
    (got,) = run_kernel(name, (x,), [(want.shape, x.dtype.name)], attrs, at_end=at_end)
    if x.dtype != np.float32:
        np.testing.assert_array_equal(got, want)
        return got
    size = np.sum(np.abs(wide), axis=axes, keepdims=keepdims)
    count = max(1, int(np.prod([x.shape[a] for a in axes])))
    bound = {
        "reduce_sum": 100 * EPS * size,
        "reduce_mean": 102 * EPS * size / count,
        "reduce_prod": 1.01 * EPS * np.abs(want),
    }.get(op, 0.0)
    assert_close(got, want, bound)
    return got


@st.composite
def problems(draw: Any) -> tuple[tuple[int, ...], tuple[int, ...], bool]:
    shape = draw(st.lists(st.sampled_from([0, 1, 1, 2, 3, 5, 8, 15, 16, 17, 40, 64]), max_size=6))
    while int(np.prod(shape)) > 60000:
        shape.pop()
    axes = [i for i in range(len(shape)) if draw(st.booleans())]
    return tuple(shape), tuple(axes), draw(st.booleans())


@pytest.mark.filterwarnings("ignore:Mean of empty slice:RuntimeWarning")
@pytest.mark.parametrize("op", OPS_ALL)
@given(problem=problems(), seed=st.integers(0, 1000), data=st.data())
def test_any_axes(op: str, problem: Any, seed: int, data: Any) -> None:
    shape, axes, keepdims = problem
    if op in ("reduce_max", "reduce_min") and any(shape[a] == 0 for a in axes):
        shape = tuple(max(1, d) for d in shape)
    x = values(np.random.default_rng(seed), shape, data.draw(st.sampled_from(DTYPES_OF[op])))
    for isa in ISAS:
        check(f"{op}_{isa}", op, x, axes, keepdims)


# Bias gradients, global average pools, whole sums, rows: blocks and pieces, columns around vectors, 64 and 1024.
SHAPES: list[tuple[tuple[int, ...], tuple[int, ...]]] = [
    *(
        ((rows_, columns), (0,))
        for rows_ in (1, 7, 8, 9, 600, 3000)
        for columns in (1, 2, 3, 10, 16, 17, 20, 63, 65, 100)
    ),
    ((40, 1024), (0,)),
    ((70, 1030), (0,)),
    ((33, 2500), (0,)),
    ((200000,), (0,)),
    ((3, 70000), (1,)),
    ((999, 13), (1,)),
    ((5, 16384), (1,)),
    ((2, 16385), (1,)),
    ((3, 7, 7, 20), (1, 2)),
    ((2, 30, 30, 48), (1, 2)),
    ((2, 2000, 5), (1,)),
    ((4, 6, 9, 33), (0, 2)),
    ((4, 6, 9, 33), (1, 3)),
]


@pytest.mark.parametrize("row", general("reduce_sum", "reduce_mean", "reduce_max", "reduce_min"), ids=name_of)
def test_lines_and_columns(row: Any) -> None:
    rng = np.random.default_rng(0)
    for i, (shape, axes) in enumerate(SHAPES):
        check(row.name, row.op, values(rng, shape, "float32"), axes, at_end=i % 2 == 0)


@pytest.mark.parametrize("row", general("reduce_sum", "reduce_mean"), ids=name_of)
def test_sums_are_accurate(row: Any) -> None:
    """Half a million equal numbers, where adding them one after the other would be off by about 1e-3."""
    for shape, axes in (((1 << 19,), (0,)), ((1 << 16, 8), (0,)), ((1 << 15, 16), (0,)), ((1, 1 << 19, 1), (1, 2))):
        x = np.full(shape, np.float32(0.1))
        attrs = AxesAttrs(axes)
        want = OPS[row.op].reference(x.astype(np.float64), attrs)
        (got,) = run_kernel(row.name, (x,), [(want.shape, "float32")], attrs)
        assert_close(got, want, 16 * EPS * np.abs(want))


@pytest.mark.parametrize("row", general("reduce_sum", "reduce_mean", "reduce_max"), ids=name_of)
@pytest.mark.parametrize(
    "shape, axes", [((6, 7, 7, 33), (1, 2)), ((6, 40, 40, 64), (1, 2)), ((6, 20001), (1,)), ((6, 4, 5, 3), (1, 3))]
)
def test_an_image_does_not_depend_on_its_batch(row: Any, shape: tuple[int, ...], axes: tuple[int, ...]) -> None:
    x = values(np.random.default_rng(0), shape, "float32")
    whole = check(row.name, row.op, x, axes)
    for i in range(len(x)):
        alone = check(row.name, row.op, x[i : i + 1], axes)
        assert alone.tobytes() == whole[i : i + 1].tobytes()


@pytest.mark.parametrize("row", general("reduce_sum", "reduce_max", "reduce_mean"), ids=name_of)
def test_the_number_of_threads_changes_no_bit(row: Any) -> None:
    x = values(np.random.default_rng(0), (3000, 65), "float32")
    threads = native._native.threads()
    try:
        seen = set()
        for n in (1, 2, 5):
            native._native.set_threads(n)
            seen.add(check(row.name, row.op, x, (0,)).tobytes())
            seen.add(check(row.name, row.op, x.reshape(-1), (0,)).tobytes())
    finally:
        native._native.set_threads(threads)
    assert len(seen) == 2


@pytest.mark.parametrize(
    "row", general("reduce_sum", "reduce_mean", "reduce_max", "reduce_min", "reduce_prod"), ids=name_of
)
def test_nan_and_infinity(row: Any) -> None:
    for shape, axes in (((4, 100), (1,)), ((100, 4), (0,)), ((20, 4, 5), (0, 2)), ((100, 32), (0,))):
        x = values(np.random.default_rng(0), shape, "float32")
        x.reshape(-1)[5] = np.nan
        x.reshape(-1)[30] = np.inf
        x.reshape(-1)[131] = -np.inf
        check(row.name, row.op, x, axes)
    x = np.full((3, 50), -np.inf, np.float32)
    check(row.name, row.op, x, (1,))
    check(row.name, row.op, -x, (0,))


@pytest.mark.parametrize("row", general("reduce_any", "reduce_all"), ids=name_of)
def test_any_byte_but_zero_is_true(row: Any) -> None:
    x = np.array([[0, 2], [255, 128]], np.uint8).view(bool)
    (got,) = run_kernel(row.name, (x,), [((2,), "bool")], AxesAttrs((1,)))
    assert got.view(np.uint8).tolist() == ([1, 1] if row.op == "reduce_any" else [0, 1])


@pytest.mark.parametrize("row", general("argmax", "argmin"), ids=name_of)
@pytest.mark.parametrize("dtype", ["float32", "int32", "int64"])
def test_arg(row: Any, dtype: str) -> None:
    rng = np.random.default_rng(0)
    for shape, axis in (
        ((5,), 0),
        ((7, 10), 1),
        ((10, 7), 0),
        ((3, 9, 4), 1),
        ((0, 3), 1),
        ((20000, 2), 1),
        ((1,), 0),
        ((9, 65), 1),
    ):
        x = np.asarray(rng.integers(-3, 3, shape)).astype(dtype)
        for keepdims in (False, True):
            attrs = ArgAttrs(axis, keepdims)
            want = OPS[row.op].reference(x, attrs)
            (got,) = run_kernel(row.name, (x,), [(want.shape, "int32")], attrs)
            np.testing.assert_array_equal(got, want)
    if dtype == "float32":
        x = np.array([[1, np.nan, 5, np.nan], [np.nan, 0, 9, -9], [-np.inf, np.inf, 0, np.inf]], np.float32)
        (got,) = run_kernel(row.name, (x,), [((3,), "int32")], ArgAttrs(1))
        for place in (0, 63, 64, 65, 128, 199):
            row_of_zeros = np.zeros((1, 200), np.float32)
            row_of_zeros[0, place:] = 1 if row.op == "argmax" else -1
            (there,) = run_kernel(row.name, (row_of_zeros,), [((1,), "int32")], ArgAttrs(1))
            row_of_zeros[0, place] = np.nan
            (nan_there,) = run_kernel(row.name, (row_of_zeros,), [((1,), "int32")], ArgAttrs(1))
            assert there[0] == place and nan_there[0] == place
        np.testing.assert_array_equal(got, OPS[row.op].reference(x, ArgAttrs(1)))


F, I32, B, F64 = 0, 1, 4, 5


@pytest.mark.parametrize(
    "op, spec, why",
    [
        ("reduce_sum", ([(F64, (3,))], [(F64, ())], [1, 0, 0], []), "takes float32, int32 and int64 only"),
        ("reduce_sum", ([(F, (3,))], [(I32, ())], [1, 0, 0], []), "the result's dtype is not the input's"),
        ("reduce_sum", ([(F, (3,))], [(F, ())], [1, 1, 0], []), "an axis is out of range or given twice"),
        ("reduce_sum", ([(F, (3,))], [(F, ())], [2, 0, 0, 0], []), "an axis is out of range or given twice"),
        ("reduce_sum", ([(F, (3,))], [(F, ())], [1, 0], []), "unknown attributes"),
        ("reduce_sum", ([(F, (3,))], [(F, (3,))], [1, 0, 0], []), "the result's shape is not the reduced one"),
        ("reduce_sum", ([(F, (3, 2))], [(F, (1,))], [1, 0, 1], []), "the result's shape is not the reduced one"),
        ("reduce_max", ([(F, (0,))], [(F, ())], [1, 0, 0], []), "no elements have no maximum or minimum"),
        ("reduce_mean", ([(I32, (3,))], [(I32, ())], [1, 0, 0], []), "takes float32 only"),
        ("reduce_any", ([(F, (3,))], [(F, ())], [1, 0, 0], []), "takes bool only"),
        ("argmax", ([(F, (3,))], [(F, ())], [0, 0], []), "gives int32"),
        ("argmax", ([(F, (3,))], [(I32, ())], [1, 0], []), "an axis is out of range or given twice"),
        ("argmax", ([(F, (0,))], [(I32, ())], [0, 0], []), "no elements have no maximum or minimum"),
        ("gather_grad", ([(F64, (3,)), (I32, (3,))], [(F64, (5,))], [0, 1, 5], []), "takes float32 only"),
        ("gather_grad", ([(F, (3,)), (F, (3,))], [(F, (5,))], [0, 1, 5], []), "takes int32 indices"),
        ("gather_grad", ([(F, (3,)), (I32, (3,))], [(F, (5,))], [1, 1, 5], []), "the axis is outside the rank"),
        ("gather_grad", ([(F, (3,)), (I32, (3,))], [(F, (5,))], [0, 1, 4], []), "shape does not fit the result"),
        ("gather_grad", ([(F, (3,)), (I32, (3,))], [(F, (5,))], [0, 2, 5, 1], []), "shape does not fit the result"),
        ("gather_grad", ([(F, (2,)), (I32, (3,))], [(F, (5,))], [0, 1, 5], []), "the gradient's shape does not fit"),
        ("gather_grad", ([(F, (3, 1)), (I32, (3,))], [(F, (5,))], [0, 1, 5], []), "the gradient's rank does not fit"),
    ],
    ids=str,
)
def test_refusals(op: str, spec: Any, why: str) -> None:
    for row in general(op):
        assert native.probe(row.name, spec) == why
