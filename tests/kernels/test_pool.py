"""Pooling, every kernel of every instruction set, against the references.

The maximum and its gradient are exact but for the adding up of gradients where windows overlap; the average of n cells
is within n eps of the mean of |x|.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import striate.ir.ops  # noqa: F401
from striate.core.errors import ShapeError
from striate.engine import native
from striate.ir.opdef import infer_types, run_reference
from striate.ir.ops.attrs import ConvAttrs, PoolAttrs
from striate.ir.types import TensorType
from tests.kernels.test_products import CHANNELS, SEEDS, broken, exact, normal
from tests.support.kernel_runs import EPS, Array, assert_close, general, name_of, rows, run_kernel, spec_of

OPS = ("max_pool2d", "max_pool2d_grad", "avg_pool2d", "avg_pool2d_grad", "max_pool2d_indices", "max_unpool2d")
Results = list[tuple[tuple[int, ...], str]]


def step(op: str, x: Array, g: Array, attrs: PoolAttrs) -> tuple[list[Array], Results, PoolAttrs]:
    """(inputs, results, attributes) of an op on image x, or on a gradient g."""
    image, pooled = (x.shape, "float32"), (g.shape, "float32")
    y, at = run_reference("max_pool2d_indices", (x,), attrs) if x.size else (g, g.astype(np.uint8))
    return {
        "max_pool2d": ([x], [pooled], attrs),
        "avg_pool2d": ([x], [pooled], attrs),
        "max_pool2d_indices": ([x], [pooled, (g.shape, "uint8")], attrs),
        "max_pool2d_grad": ([g, x, y], [image], attrs),
        "avg_pool2d_grad": ([g], [image], attrs.producing(x.shape)),
        "max_unpool2d": ([g, at], [image], attrs.producing(x.shape)),
    }[op]  # type: ignore[return-value]


@st.composite
def problems(draw: st.DrawFn) -> tuple[Array, Array, PoolAttrs]:
    """(x, g, attributes)"""
    pool = (draw(st.integers(1, 5)), draw(st.integers(1, 4)))
    strides = draw(st.sampled_from([pool, (2, 2), (1, 1), (draw(st.integers(1, 3)), draw(st.integers(1, 3)))]))
    attrs = PoolAttrs(pool, strides, draw(st.sampled_from(["valid", "same"])))  # type: ignore[arg-type]
    shape = (draw(st.integers(1, 3)), draw(st.integers(1, 15)), draw(st.integers(1, 15)), draw(CHANNELS))
    try:
        y = infer_types("max_pool2d", (TensorType(shape),), attrs)[0].dims
    except ShapeError:
        assume(False)
    x, g = normal(draw(SEEDS), shape, y)
    if draw(st.booleans()):
        x = np.round(x)  # many equal maxima
    return x, g, attrs


@pytest.mark.parametrize("row", general(*OPS), ids=name_of)
@given(problems(), st.booleans())
def test_matches_the_reference(row: Any, problem: tuple[Array, Array, PoolAttrs], at_end: bool) -> None:
    x, g, attrs = problem
    cells = attrs.pool[0] * attrs.pool[1]
    inputs, results, given_attrs = step(row.op, x, g, attrs)
    got = run_kernel(row.name, inputs, results, given_attrs, at_end=at_end)
    wanted = run_reference(row.op, tuple(inputs), given_attrs)
    if row.op in ("max_pool2d", "max_pool2d_indices"):
        assert all((a == b).all() for a, b in zip(got, wanted, strict=True))
    elif row.op == "avg_pool2d":
        most = exact("avg_pool2d", [np.abs(x)], attrs)
        assert_close(got[0], exact("avg_pool2d", [x], attrs), cells * EPS * most + EPS)
    else:
        most = exact(row.op, [np.abs(g), *inputs[1:]], given_attrs)  # the sum of |g| that reach an element
        assert_close(got[0], exact(row.op, inputs, given_attrs), (cells + 1) * EPS * most)


MAXIMA = general("max_pool2d", "max_pool2d_grad", "max_pool2d_indices", "max_unpool2d")


@pytest.mark.parametrize("row", MAXIMA, ids=name_of)
@pytest.mark.parametrize("pool,strides", [((2, 2), (2, 2)), ((3, 2), (2, 2)), ((3, 3), (1, 1))])
def test_nan_and_infinity(row: Any, pool: tuple[int, int], strides: tuple[int, int]) -> None:
    """A NaN makes its windows NaN, and takes their gradient; -inf everywhere is a maximum like another."""
    attrs = PoolAttrs(pool, strides)
    x = normal(2, (2, 7, 8, 19))[0]
    x[0, 2:4, 3, ::3] = np.nan
    x[1, :, :, 5] = -np.inf
    x[0, 0, 0, 7] = np.inf
    y = run_reference("max_pool2d", (x,), attrs)[0]
    g = np.round(normal(3, y.shape)[0] * 8)  # whole numbers add up without rounding
    inputs, results, given_attrs = step(row.op, x, g, attrs)
    wanted = run_reference(row.op, tuple(inputs), given_attrs)
    for got, want in zip(run_kernel(row.name, inputs, results, given_attrs), wanted, strict=True):
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("row", general("max_pool2d_grad", "max_unpool2d"), ids=name_of)
def test_the_first_of_equals_takes_the_gradient(row: Any) -> None:
    x = np.zeros((1, 2, 4, 17), np.float32)
    g = np.full((1, 1, 2, 17), 3, np.float32)
    inputs, results, attrs = step(row.op, x, g, PoolAttrs((2, 2), (2, 2)))
    got = run_kernel(row.name, inputs, results, attrs)[0]
    assert (got[0, 0, [0, 2]] == 3).all() and got.sum() == 3 * 2 * 17


FUSED = rows("conv2d_max_pool2d", "conv2d_max_pool2d_indices", "conv2d_grad_w_unpool")


@pytest.mark.parametrize("row", FUSED, ids=name_of)
@pytest.mark.parametrize("kind", ["normal", "ties", "nan"])
def test_a_convolution_with_its_pool_gives_the_bits_of_both(row: Any, kind: str) -> None:
    """Of equal outputs, and of NaN, the first takes the gradient, as where the kernel of the same name runs alone."""
    channels, two = (16 if "_winograd" in row.name else 3), PoolAttrs((2, 2), (2, 2))
    x, w, b = normal(6, (2, 13, 14, channels), (3, 3, channels, 35), (35,))
    if kind == "ties":
        w[..., ::2] = 0
        x[1] = 0
    if kind == "nan":
        x[0, 4, 5, 1] = x[1, 12, 13, 0] = np.nan
    conv, z = ConvAttrs(padding="same"), ((2, 13, 14, 35), "float32")
    if row.op == "conv2d_grad_w_unpool":
        (g,), at = normal(7, (2, 6, 7, 35)), np.random.default_rng(8).integers(0, 4, (2, 6, 7, 35)).astype(np.uint8)
        attrs, result = conv.producing(w.shape), [(w.shape, "float32")]
        (dz,) = run_reference("max_unpool2d", (g, at), two.producing(z[0]))
        plain = row.name.replace("_unpool", "")
        (want,) = run_kernel(plain, [x, dz], result, attrs)
        assert run_kernel(row.name, [x, g, at], result, attrs)[0].tobytes() == want.tobytes()
        return
    (outputs,) = run_kernel(row.name.replace(row.op, "conv2d"), [x, w, b], [z], conv)
    wanted = run_reference("max_pool2d_indices", (outputs,), two)
    pooled = (2, 6, 7, 35)
    results = [(pooled, "float32"), (pooled, "uint8")] if row.op.endswith("indices") else [(pooled, "float32")]
    for got, want in zip(run_kernel(row.name, [x, w, b], results, conv), wanted, strict=False):
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("row", general(*OPS), ids=name_of)
def test_empty_batch(row: Any) -> None:
    attrs = PoolAttrs((2, 2), (2, 2))
    x, y = np.empty((0, 4, 4, 3), np.float32), np.empty((0, 2, 2, 3), np.float32)
    inputs, results, given_attrs = step(row.op, x, y, attrs)
    assert run_kernel(row.name, inputs, results, given_attrs)[0].shape == results[0][0]


@pytest.mark.parametrize("row", general(*OPS), ids=name_of)
def test_threads_and_batch_change_no_bit(row: Any) -> None:
    before = native.threads()
    attrs = PoolAttrs((3, 3), (2, 2), "same")
    x = normal(4, (3, 13, 13, 70))[0]
    g = normal(5, run_reference("max_pool2d", (x,), attrs)[0].shape)[0]

    def run(n: int) -> list[Array]:
        inputs, results, given_attrs = step(row.op, x[:n], g[:n], attrs)
        return run_kernel(row.name, inputs, results, given_attrs)

    try:
        native.set_threads(1)
        one = run(3)
        native.set_threads(3)
        for got, want in zip(run(3), one, strict=True):
            assert got.tobytes() == want.tobytes()
        for got, want in zip(run(1), one, strict=True):
            assert got.tobytes() == want[:1].tobytes()
    finally:
        native.set_threads(before)


@pytest.mark.parametrize("row", general(*OPS), ids=name_of)
def test_refuses_what_does_not_fit(row: Any) -> None:
    attrs = PoolAttrs((2, 2), (2, 2))
    x, y = np.zeros((2, 8, 10, 3), np.float32), np.zeros((2, 4, 5, 3), np.float32)
    inputs, results, given_attrs = step(row.op, x, y, attrs)
    spec = spec_of(inputs, results, given_attrs)
    assert native.probe(row.name, spec) is None
    for what, bad in broken(spec):
        # One row or column more, left over at the edge, pools to the same shape: that fits where no gradient says else.
        if inputs[0] is x and what in ("axis 1 of operand 0", "axis 2 of operand 0"):
            continue
        assert native.probe(row.name, bad), f"{row.name} takes a step with {what} wrong"
