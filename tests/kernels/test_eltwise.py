"""Elementwise kernels of every instruction set against their ops' references in float64."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import striate.ir.ops  # noqa: F401
from striate.engine import native
from striate.ir.attrs import NO_ATTRS, Attrs
from striate.ir.opdef import OPS
from striate.ir.ops.attrs import AlphaAttrs, CastAttrs, GeluAttrs
from tests.support.kernel_runs import EPS, TINY, Array, assert_close, general, name_of, run_kernel, ulp

Bound = Callable[..., Any]  # bound(exact, *inputs), of |got - exact|

SPECIAL = [0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, math.nan, 3.0, -3.0, 6.0, 0.5, 1.5, 2.5, -0.5, 88.72283, 88.73]
SPECIAL += [-87.3, -88.73, -103.0, -200.0, 0.625, 0.921875, 4.0, 8388607.5, -8388608.0, 3e38, -3e38, 1.2e-38, -1.2e-38]


@pytest.fixture(autouse=True, scope="module")
def _quiet() -> Iterator[None]:
    """Overflow, NaN and division by zero are what these tests are about."""
    with np.errstate(all="ignore"):
        yield


def ulps(n: float, tiny: Callable[[Array], Any] = lambda x: 0.0) -> Bound:
    """n ulp of the result; `tiny`: what a factor multiplies that was flushed to 0, told from the last input."""

    def bound(exact: Array, *inputs: Array) -> Any:
        return n * ulp(exact) + np.nan_to_num(tiny(np.abs(inputs[-1].astype(np.float64)))) * TINY

    return bound


def near(n: float) -> Bound:
    """n eps of |x|, for sums that cancel."""
    return lambda exact, x: n * EPS * np.nan_to_num(np.abs(x.astype(np.float64)))


def sloped(n: float) -> Bound:
    """n eps of |g|: of a gradient g f'(x), |f'| about 1, whose small values are small by cancelling."""
    return lambda exact, g, x: n * EPS * np.abs(g.astype(np.float64))


EXACT = ulps(0.5)  # the rounded result
# docs/numerics.md has the bounds with their reasons; some are held tighter here.
UNARY: dict[str, list[tuple[Attrs, Bound]]] = {
    **{
        op: [(NO_ATTRS, EXACT)]
        for op in ("neg", "abs", "sign", "sqrt", "square", "reciprocal", "floor", "ceil", "round")
    },
    **{op: [(NO_ATTRS, EXACT)] for op in ("relu", "relu6")},
    **{op: [(NO_ATTRS, ulps(1.0))] for op in ("sin", "cos", "tan", "asin", "acos", "atan")},
    **{op: [(NO_ATTRS, ulps(2.0))] for op in ("sinh", "cosh")},
    "exp": [(NO_ATTRS, ulps(1.1))],
    "expm1": [(NO_ATTRS, ulps(1.6))],
    "log": [(NO_ATTRS, ulps(0.9))],
    "log1p": [(NO_ATTRS, ulps(1.5))],
    "rsqrt": [(NO_ATTRS, ulps(1.5))],
    "erf": [(NO_ATTRS, ulps(1.3))],
    "tanh": [(NO_ATTRS, ulps(1.4))],
    "sigmoid": [(NO_ATTRS, ulps(2.5))],
    "softplus": [(NO_ATTRS, ulps(2.1))],
    "log_sigmoid": [(NO_ATTRS, ulps(2.1))],
    "softsign": [(NO_ATTRS, ulps(1.6))],
    "silu": [(NO_ATTRS, ulps(3.0, lambda x: x))],
    "hard_sigmoid": [(NO_ATTRS, ulps(1.6))],
    "hard_silu": [(NO_ATTRS, ulps(2.6, lambda x: x))],
    "elu": [(AlphaAttrs(0.3), ulps(2.6)), (AlphaAttrs(1.0), ulps(1.6))],
    "leaky_relu": [(AlphaAttrs(0.2), ulps(1.1))],
    "gelu": [(GeluAttrs(False), near(2.2)), (GeluAttrs(True), near(2.6))],
}
GRADIENTS: dict[str, list[tuple[Attrs, Bound]]] = {
    "relu_grad": [(NO_ATTRS, EXACT)],
    "relu6_grad": [(NO_ATTRS, EXACT)],
    "tanh_grad": [(NO_ATTRS, ulps(2.5))],
    "sigmoid_grad": [(NO_ATTRS, sloped(2.0))],
    "softplus_grad": [(NO_ATTRS, sloped(4.0))],
    "silu_grad": [(NO_ATTRS, sloped(6.0))],
    "hard_sigmoid_grad": [(NO_ATTRS, ulps(1.1))],
    "hard_silu_grad": [(NO_ATTRS, sloped(5.0))],
    "elu_grad": [(AlphaAttrs(0.3), sloped(3.0))],
    "leaky_relu_grad": [(AlphaAttrs(0.2), ulps(1.1))],
    "gelu_grad": [(GeluAttrs(False), sloped(6.0)), (GeluAttrs(True), sloped(8.0))],
}
FLAT = [*UNARY, *GRADIENTS]
ALL = {**UNARY, **GRADIENTS}


def numbers(count: int = 3000, seed: int = 0) -> Array:
    """Every kind of float but denormals, which the engine flushes."""
    rng = np.random.default_rng(seed)
    bits = rng.integers(0, 2**32, count, dtype=np.uint64).astype(np.uint32).view(np.float32)
    parts = [
        SPECIAL,
        bits,
        rng.standard_normal(count) * 3,
        rng.uniform(-110, 110, count),
        rng.uniform(-1.2, 1.2, count),
    ]
    x = np.concatenate([np.asarray(p, np.float32) for p in parts])
    x[np.abs(x) < TINY] = 0
    return x


def exact(op: str, inputs: tuple[Array, ...], attrs: Attrs) -> Array:
    """The op in float64."""
    wide = [x.astype(np.float64) if x.dtype == np.float32 else x for x in inputs]
    return np.asarray(OPS[op].reference(*wide, *(() if attrs is NO_ATTRS else (attrs,))))


def operands(op: str, x: Array) -> tuple[Array, ...]:
    if op in UNARY:
        return (x,)
    g = np.random.default_rng(1).standard_normal(x.shape).astype(np.float32)
    if op == "tanh_grad":
        return g, np.tanh(x)
    if op == "sigmoid_grad":
        return g, np.clip(np.nan_to_num(x) * np.float32(0.25) % 1, 0, 1)
    # The derivative's formulas have no limit at infinity, the kernels do.
    return g, x[:] if op.startswith("relu") else np.where(np.isinf(x), np.float32(2.0), x)


@pytest.mark.parametrize("row", general(*FLAT), ids=name_of)
def test_values(row: Any) -> None:
    inputs = operands(row.op, numbers())
    for attrs, bound in ALL[row.op]:
        (got,) = run_kernel(row.name, inputs, [(inputs[0].shape, "float32")], attrs)
        want = exact(row.op, inputs, attrs)
        assert_close(got, want, bound(want, *inputs))


@pytest.mark.parametrize("row", general(*FLAT), ids=name_of)
def test_an_element_s_bits_depend_on_its_value_alone(row: Any) -> None:
    inputs = operands(row.op, numbers(5000)[: 16384 + 21])
    attrs = ALL[row.op][0][0]
    (whole,) = run_kernel(row.name, inputs, [(inputs[0].shape, "float32")], attrs)
    for n in (0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 47, 100):
        for start in (0, 16384 - n):
            part = tuple(x[start : start + n].copy() for x in inputs)
            (got,) = run_kernel(row.name, part, [((n,), "float32")], attrs, at_end=start == 0)
            assert got.tobytes() == whole[start : start + n].tobytes(), (n, start)


@pytest.mark.parametrize("row", general(*FLAT), ids=name_of)
def test_in_place(row: Any) -> None:
    inputs = operands(row.op, numbers(100)[:201])
    attrs = ALL[row.op][0][0]
    (want,) = run_kernel(row.name, inputs, [(inputs[0].shape, "float32")], attrs)
    for i in range(len(inputs)):
        (got,) = run_kernel(row.name, inputs, [(inputs[0].shape, "float32")], attrs, in_place={0: i})
        assert got.tobytes() == want.tobytes()


# ---- Two tensors

ARITHMETIC = ("add", "subtract", "multiply", "maximum", "minimum")
FLOAT_ONLY = ("divide", "power", "mod", "floor_divide")
COMPARISONS = ("equal", "not_equal", "greater", "greater_equal", "less", "less_equal")
LOGIC = ("logical_and", "logical_or", "logical_xor")
ISAS = [row.isa for row in general("add")]


def kernel(op: str, isa: str) -> Any:
    return next(row for row in general(op) if row.isa == isa)


def draw_values(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> Array:
    """Few enough different values that equals meet."""
    if dtype == "bool":
        return np.asarray(rng.integers(0, 2, shape)).astype(bool)
    if dtype == "float32":
        return np.asarray(rng.choice(np.array([-2.5, -1, 0, 0.5, 1, 3, 7.25], np.float32), shape)).astype(np.float32)
    if dtype == "uint8":
        return np.asarray(rng.choice([0, 1, 2, 127, 128, 255], shape)).astype(dtype)
    limits = np.iinfo(dtype)
    return np.asarray(rng.choice(np.array([limits.min, -3, -1, 0, 1, 2, 7000, limits.max], dtype), shape)).astype(dtype)


@st.composite
def broadcast_shapes(draw: Any, n: int) -> tuple[tuple[int, ...], ...]:
    """n shapes that broadcast, of rank 0 to 5, some with leading axes missing; sizes around vectors and joined rows."""
    whole = draw(st.lists(st.sampled_from([0, 1, 2, 3, 5, 8, 16, 17, 33, 70]), max_size=5))
    while int(np.prod(whole)) > 40000:
        whole.pop()
    shapes = []
    for _ in range(n):
        own = [1 if draw(st.booleans()) and draw(st.booleans()) else d for d in whole]
        missing = draw(st.integers(0, len(whole))) if draw(st.booleans()) else 0
        shapes.append(tuple(own[missing:]))
    return tuple(shapes)


DTYPES_OF = {
    **dict.fromkeys(ARITHMETIC, ("float32", "int32", "int64")),
    **dict.fromkeys(FLOAT_ONLY, ("float32",)),
    **dict.fromkeys(COMPARISONS, ("float32", "int32", "int64", "uint8", "bool")),
    **dict.fromkeys(LOGIC, ("bool",)),
}


@pytest.mark.parametrize("op", list(DTYPES_OF))
@given(shapes=broadcast_shapes(2), seed=st.integers(0, 1000), data=st.data())
def test_broadcasting(op: str, shapes: tuple[tuple[int, ...], ...], seed: int, data: Any) -> None:
    dtype = data.draw(st.sampled_from(DTYPES_OF[op]))
    rng = np.random.default_rng(seed)
    a, b = (draw_values(rng, s, dtype) for s in shapes)
    want = exact(op, (a, b), NO_ATTRS)
    result = "bool" if want.dtype == bool else dtype
    for isa in ISAS:
        (got,) = run_kernel(kernel(op, isa).name, (a, b), [(want.shape, result)])
        if dtype == "float32" and result == "float32":
            assert_close(got, want, ulps(1.0 if op == "power" else 0.5)(want, want))
        else:
            np.testing.assert_array_equal(got, want)


@given(
    shapes=broadcast_shapes(3), seed=st.integers(0, 1000), dtype=st.sampled_from(["float32", "int64", "bool", "int16"])
)
def test_where(shapes: tuple[tuple[int, ...], ...], seed: int, dtype: str) -> None:
    rng = np.random.default_rng(seed)
    condition = draw_values(rng, shapes[0], "bool")
    a, b = (draw_values(rng, s, dtype) for s in shapes[1:])
    want = np.where(condition, a, b)
    for isa in ISAS:
        (got,) = run_kernel(kernel("where", isa).name, (condition, a, b), [(want.shape, dtype)])
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("shapes", [((40000,), ()), ((300, 200), (200,)), ((7, 9, 64), (7, 1, 64)), ((20000, 3), (3,)),
                                    ((2, 900, 3), (2, 1, 3)), ((5000, 10), (5000, 1)), ((3, 20000), (3, 1)),
                                    ((2, 1, 2, 1, 2, 1, 2, 5), (1, 2, 1, 2, 1, 2, 1, 5))], ids=str)  # fmt: skip
@pytest.mark.parametrize("isa", ISAS)
def test_many_pieces(isa: str, shapes: tuple[tuple[int, ...], ...]) -> None:
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal(s).astype(np.float32) for s in shapes)
    for x, y in ((a, b), (b, a)):
        (got,) = run_kernel(kernel("subtract", isa).name, (x, y), [((x - y).shape, "float32")])
        np.testing.assert_array_equal(got, x - y)
        (less,) = run_kernel(kernel("greater", isa).name, (x, y), [((x - y).shape, "bool")])
        np.testing.assert_array_equal(less, x > y)


@pytest.mark.parametrize("row", general(*ARITHMETIC, *FLOAT_ONLY, *COMPARISONS), ids=name_of)
def test_special_values(row: Any) -> None:
    a, b = (x.reshape(-1).copy() for x in np.meshgrid(np.array(SPECIAL, np.float32), np.array(SPECIAL, np.float32)))
    want = exact(row.op, (a, b), NO_ATTRS)
    if want.dtype == bool:
        (flags,) = run_kernel(row.name, (a, b), [(a.shape, "bool")])
        np.testing.assert_array_equal(flags, want)
        return
    (got,) = run_kernel(row.name, (a, b), [(a.shape, "float32")])
    assert_close(got, want, ulps(1.0 if row.op == "power" else 0.5)(want, want))
    if row.op in ("mod", "floor_divide"):  # zeros have the sign that Python gives them
        zeros = (want == 0) & (got == 0)
        np.testing.assert_array_equal(np.signbit(got[zeros]), np.signbit(want[zeros]))


@pytest.mark.parametrize("row", general("mod", "floor_divide"), ids=name_of)
def test_division_rounds_down(row: Any) -> None:
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal(500) * 10 ** rng.uniform(-3, 3, 500) for _ in range(2))
    a, b = a.astype(np.float32), b.astype(np.float32)
    want = exact(row.op, (a, b), NO_ATTRS)
    (got,) = run_kernel(row.name, (a, b), [(a.shape, "float32")])
    assert_close(got, want, ulps(0.5)(want, want))


@pytest.mark.parametrize("row", general("add", "less", "where"), ids=name_of)
def test_two_in_place(row: Any) -> None:
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal((5, 7, 33)).astype(np.float32) for _ in range(2))
    if row.op == "less":
        a, b = a > 0, b > 0
    inputs = (a > 0, a, b) if row.op == "where" else (a, b)
    result = [(a.shape, inputs[-1].dtype.name)]
    (want,) = run_kernel(row.name, inputs, result)
    for i in range(len(inputs)):
        if inputs[i].dtype == want.dtype:
            (got,) = run_kernel(row.name, inputs, result, in_place={0: i})
            assert got.tobytes() == want.tobytes()
    per_channel = (inputs[0], b[0, 0] if row.op != "where" else b, *inputs[2:])
    (want,) = run_kernel(row.name, per_channel, result)
    (got,) = run_kernel(row.name, per_channel, result, in_place={0: len(inputs) - 1 if row.op == "where" else 0})
    assert got.tobytes() == want.tobytes()


# ---- One tensor, other types

CASTS = ("float32", "int32", "int64", "uint8", "bool")


@pytest.mark.parametrize("row", general("cast"), ids=name_of)
def test_cast(row: Any) -> None:
    rng = np.random.default_rng(0)
    for source in CASTS:
        for target in CASTS:
            for n in (0, 1, 15, 64, 333):
                x = rng.integers(0, 2 if source == "bool" else 200, n).astype(source)
                if source == "float32":
                    x = x * np.float32(0.75)
                elif source in ("int32", "int64") and target != "uint8":
                    x = (x * 123457 - 4000000).astype(source)
                if target == "float32" and source == "int64":
                    x = x * 1000003
                attrs: Any = CastAttrs(target)
                (got,) = run_kernel(row.name, (x,), [((n,), target)], attrs)
                np.testing.assert_array_equal(got, x.astype(target))


@pytest.mark.parametrize("row", general("stop_gradient"), ids=name_of)
@pytest.mark.parametrize("dtype", ["float32", "bool", "float64", "int16"])
def test_stop_gradient_copies(row: Any, dtype: str) -> None:
    x = np.random.default_rng(0).integers(0, 2, (3, 1, 77)).astype(dtype)
    for in_place in ({}, {0: 0}):
        (got,) = run_kernel(row.name, (x,), [(x.shape, dtype)], in_place=in_place)
        assert got.tobytes() == x.tobytes()


@pytest.mark.parametrize("row", general("isnan", "isinf", "isfinite", "logical_not"), ids=name_of)
def test_tests(row: Any) -> None:
    for n in (0, 1, 17, 200):
        x = numbers(100)[:n] if row.op != "logical_not" else numbers(100)[:n] > 0
        (got,) = run_kernel(row.name, (x,), [(x.shape, "bool")])
        np.testing.assert_array_equal(got, exact(row.op, (x,), NO_ATTRS))


# ---- sigmoid_crossentropy


@pytest.mark.parametrize("row", general("sigmoid_crossentropy", "sigmoid_crossentropy_grad"), ids=name_of)
@pytest.mark.parametrize("shape", [(), (0, 3), (1,), (17,), (3, 5, 7), (20000,)], ids=str)
def test_sigmoid_crossentropy(row: Any, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    x = np.asarray(rng.standard_normal(shape) * 30, np.float32)
    z, g = np.asarray(rng.uniform(0, 1, shape), np.float32), np.asarray(rng.standard_normal(shape), np.float32)
    wide = np.abs(x.astype(np.float64))
    if row.op == "sigmoid_crossentropy":
        (got,) = run_kernel(row.name, (x, z), [(shape, "float32")])
        want = exact(row.op, (x, z), NO_ATTRS)
        assert_close(got, want, EPS * (2 * wide + 3 * wide * z + 3))
        return
    result = [(shape, "float32")] * 2
    got2 = run_kernel(row.name, (g, x, z), result)
    want2 = OPS[row.op].reference(g.astype(np.float64), x.astype(np.float64), z.astype(np.float64))
    assert_close(got2[0], want2[0], 5 * EPS * np.abs(g))
    assert_close(got2[1], want2[1], ulps(0.5)(want2[1], want2[1]))
    over = run_kernel(row.name, (g, x, z), result, in_place={0: 1, 1: 2})
    assert [o.tobytes() for o in over] == [o.tobytes() for o in got2]


# ---- Refusals

F, I32, I64, U8, B, F64 = 0, 1, 2, 3, 4, 5


@pytest.mark.parametrize(
    "op, spec, why",
    [
        ("exp", ([(F64, (3,))], [(F64, (3,))], [], []), "takes float32 only"),
        ("exp", ([(F, (1,))], [(F, (3,))], [], []), "takes operands of one shape"),
        ("exp", ([(F, (3,)), (F, (3,))], [(F, (3,))], [], []), "wrong number of inputs or results"),
        ("elu", ([(F, (3,))], [(F, (3,))], [], []), "unknown attributes"),
        ("relu_grad", ([(F, (3,)), (F, (1,))], [(F, (3,))], [], []), "takes operands of one shape"),
        ("add", ([(F, (3,)), (I32, (3,))], [(F, (3,))], [], []), "takes operands of one dtype"),
        ("add", ([(F64, (3,)), (F64, (3,))], [(F64, (3,))], [], []), "takes float32, int32 and int64 only"),
        ("add", ([(F, (3,)), (F, (2,))], [(F, (3,))], [], []), "the inputs' shapes do not broadcast to the result's"),
        ("add", ([(F, (1,)), (F, (1,))], [(F, (3,))], [], []), "the inputs' shapes do not broadcast to the result's"),
        ("add", ([(F, (1, 3)), (F, (3,))], [(F, (3,))], [], []), "the inputs' shapes do not broadcast to the result's"),
        ("divide", ([(I32, (3,)), (I32, (3,))], [(I32, (3,))], [], []), "takes float32 only"),
        ("equal", ([(F, (3,)), (F, (3,))], [(F, (3,))], [], []), "gives bool"),
        ("logical_and", ([(U8, (3,)), (U8, (3,))], [(B, (3,))], [], []), "takes bool only"),
        ("where", ([(F, (3,)), (F, (3,)), (F, (3,))], [(F, (3,))], [], []), "takes a bool condition"),
        ("where", ([(B, (3,)), (F, (3,)), (I32, (3,))], [(F, (3,))], [], []), "takes a and b of the result's dtype"),
        ("cast", ([(F, (3,))], [(I32, (3,))], [I64], []), "the result's dtype is not the attribute's"),
        ("cast", ([(F, (3,))], [(F64, (3,))], [F64], []), "casts between float32, int32, int64, uint8 and bool only"),
        ("isnan", ([(F, (3,))], [(B, (2,))], [], []), "the result's shape is not the input's"),
    ],
    ids=str,
)  # fmt: skip
def test_refusals(op: str, spec: Any, why: str) -> None:
    for row in general(op):
        assert native.probe(row.name, spec) == why


def test_every_elementwise_op_has_a_kernel() -> None:
    ops = {*FLAT, *DTYPES_OF, "where", "cast", "stop_gradient", "isnan", "isinf", "isfinite", "logical_not"}
    for op in {*ops, "sigmoid_crossentropy", "sigmoid_crossentropy_grad"}:
        assert len(general(op)) == len(ISAS), op
