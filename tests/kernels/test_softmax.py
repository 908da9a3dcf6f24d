"""Softmax and the losses that include it, of every instruction set, against the references in float64."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from striate.engine import native
from striate.ir.attrs import NO_ATTRS, Attrs
from striate.ir.opdef import OPS
from striate.ir.ops.attrs import AxisAttrs, TopKAttrs
from tests.support.kernel_runs import EPS, Array, assert_close, general, name_of, run_kernel

SHAPES = [(1,), (17,), (1, 1), (3, 2), (128, 10), (5, 15), (5, 16), (5, 31), (2, 3, 64), (3, 1000), (2, 9001), (0, 4)]
ALONG = ("softmax", "log_softmax", "softmax_grad", "log_softmax_grad")
LOSSES = (
    "sparse_softmax_crossentropy",
    "sparse_softmax_crossentropy_grad",
    "softmax_crossentropy",
    "softmax_crossentropy_grad",
)


@pytest.fixture(autouse=True, scope="module")
def _quiet() -> Iterator[None]:
    with np.errstate(all="ignore"):
        yield


def wide(x: Array) -> Array:
    return x.astype(np.float64) if x.dtype == np.float32 else x


def problem(op: str, shape: tuple[int, ...], seed: int = 0) -> tuple[tuple[Array, ...], Attrs]:
    """Inputs and attributes; logits are far apart, labels now and then out of range."""
    rng = np.random.default_rng(seed)
    x = np.asarray(rng.standard_normal(shape) * 8, np.float32)
    g = np.asarray(rng.standard_normal(shape), np.float32)
    each = np.asarray(rng.standard_normal(shape[:-1]), np.float32)
    labels = np.asarray(rng.integers(-1, shape[-1] + 1, shape[:-1])).astype(np.int32)
    targets = np.asarray(rng.uniform(0, 1, shape), np.float32)
    last = AxisAttrs(len(shape) - 1)
    if op in ("softmax", "log_softmax"):
        return (x,), last
    if op in ("softmax_grad", "log_softmax_grad"):
        y = OPS[op[:-5]].reference(x, last)
        return (g, y), last
    if op.startswith("sparse"):
        return ((each, x, labels) if op.endswith("grad") else (x, labels)), NO_ATTRS
    return ((each, x, targets) if op.endswith("grad") else (x, targets)), NO_ATTRS


def bounds(op: str, inputs: tuple[Array, ...], wants: tuple[Array, ...]) -> tuple[Any, ...]:
    """csrc/kernels/softmax/softmax.h has them in words."""
    x = wide(inputs[1] if op.endswith("crossentropy_grad") else inputs[0])
    if not x.size:
        return (0.0,) * len(wants)
    depth = x.max(axis=-1, keepdims=True) - x
    log_sum = np.log(np.exp(-depth).sum(axis=-1, keepdims=True))
    p = np.exp(-depth - log_sum)
    classes = x.shape[-1]
    adds = min(32, -(-classes // 4)) + classes // 128 + 5  # the longest chain of a sum, at 4 lanes
    log_error = EPS * (4 * (depth + log_sum + 1) + adds)
    p_error = EPS * (6 + depth + adds) * p
    if op == "softmax":
        return (p_error,)
    if op == "log_softmax":
        return (log_error,)
    if op.endswith("softmax_grad"):
        g, y = (wide(i) for i in inputs)
        if op == "softmax_grad":
            dot = np.abs(g * y).sum(axis=-1, keepdims=True)
            return (EPS * np.abs(y) * (3 * np.abs(g) + (3 + adds) * dot),)
        return (EPS * (np.abs(g) + np.exp(y) * (5 + adds) * np.abs(g).sum(axis=-1, keepdims=True)),)
    if op == "sparse_softmax_crossentropy":
        return (log_error.max(axis=-1),)
    if op == "sparse_softmax_crossentropy_grad":
        return (np.abs(wide(inputs[0]))[..., None] * (p_error + 2 * EPS * (p + 1)),)
    t = wide(inputs[-1])
    total = t.sum(axis=-1, keepdims=True)
    if op == "softmax_crossentropy":
        return ((t * (log_error + (3 + adds) * EPS * (depth + log_sum))).sum(axis=-1),)
    g = np.abs(wide(inputs[0]))[..., None]
    return g * (total * (p_error + (3 + adds) * EPS * p) + 2 * EPS * (t + p * total)), g * log_error


def result_of(op: str, wants: tuple[Array, ...]) -> list[tuple[tuple[int, ...], str]]:
    return [(w.shape, "float32") for w in wants]


def reference(op: str, inputs: tuple[Array, ...], attrs: Attrs) -> tuple[Array, ...]:
    got = OPS[op].reference(*(wide(x) for x in inputs), *(() if attrs is NO_ATTRS else (attrs,)))
    return got if isinstance(got, tuple) else (got,)


@pytest.mark.parametrize("row", general(*ALONG, *LOSSES), ids=name_of)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_values(row: Any, shape: tuple[int, ...]) -> None:
    inputs, attrs = problem(row.op, shape)
    wants = reference(row.op, inputs, attrs)
    got = run_kernel(row.name, inputs, result_of(row.op, wants), attrs, at_end=len(shape) != 3)
    for y, want, bound in zip(got, wants, bounds(row.op, inputs, wants)):
        assert_close(y, want, bound)


@pytest.mark.parametrize("row", general(*ALONG, *LOSSES), ids=name_of)
@pytest.mark.parametrize("shape", [(900, 10), (6, 33), (20, 1000)], ids=str)
def test_a_row_does_not_depend_on_its_batch(row: Any, shape: tuple[int, ...]) -> None:
    inputs, attrs = problem(row.op, shape)
    wants = reference(row.op, inputs, attrs)
    whole = run_kernel(row.name, inputs, result_of(row.op, wants), attrs)
    for at in (0, 1, shape[0] - 1):
        one = tuple(x[at : at + 1] for x in inputs)
        alone = run_kernel(row.name, one, [((1, *w.shape[1:]), "float32") for w in wants], attrs)
        assert [y.tobytes() for y in alone] == [y[at : at + 1].tobytes() for y in whole]


@pytest.mark.parametrize("row", general(*ALONG, *LOSSES), ids=name_of)
def test_in_place(row: Any) -> None:
    inputs, attrs = problem(row.op, (7, 37))
    wants = reference(row.op, inputs, attrs)
    apart = run_kernel(row.name, inputs, result_of(row.op, wants), attrs)
    fitting = [i for i, x in enumerate(inputs) if x.shape == (7, 37)]
    if wants[0].shape != (7, 37):
        return
    for i in fitting:
        over = {0: i} if len(wants) == 1 else {0: i, 1: next(j for j in fitting if j != i)}
        got = run_kernel(row.name, inputs, result_of(row.op, wants), attrs, in_place=over)
        assert [y.tobytes() for y in got] == [y.tobytes() for y in apart]


@pytest.mark.parametrize("row", general("softmax", "log_softmax"), ids=name_of)
def test_extremes(row: Any) -> None:
    x = np.array(
        [
            [1e4, 0, -1e4],
            [3e38, -3e38, 0],
            [-np.inf, 0, 1],
            [np.inf, 0, 1],
            [np.nan, 0, 1],
            [-np.inf] * 3,
            [-87, 0, -88],
        ],
        np.float32,
    )
    (got,) = run_kernel(row.name, (x,), [(x.shape, "float32")], AxisAttrs(1))
    want = reference(row.op, (x,), AxisAttrs(1))[0]
    assert_close(got, want, 200 * EPS * np.abs(want))


@pytest.mark.parametrize("row", general("sparse_softmax_crossentropy", "sparse_softmax_crossentropy_grad"), ids=name_of)
def test_labels_out_of_range(row: Any) -> None:
    x = np.zeros((4, 5), np.float32)
    labels = np.array([-1, 5, 2**31 - 1, -(2**31)], np.int32)
    if row.op.endswith("grad"):
        g = np.array([1, np.nan, np.inf, 1], np.float32)
        (got,) = run_kernel(row.name, (g, x, labels), [((4, 5), "float32")])
        np.testing.assert_array_equal(got, np.zeros((4, 5)))
    else:
        (got,) = run_kernel(row.name, (x, labels), [((4,), "float32")])
        assert np.isnan(got).all()


@pytest.mark.parametrize("row", general("in_top_k"), ids=name_of)
def test_in_top_k(row: Any) -> None:
    rng = np.random.default_rng(0)
    for shape in ((0, 3), (40, 5), (3000, 10)):
        p = rng.integers(0, 6, shape).astype(np.float32)  # many ties
        p[rng.uniform(size=shape) < 0.02] = np.inf
        p[rng.uniform(size=shape) < 0.02] = np.nan
        labels = rng.integers(-1, shape[1] + 1, shape[0]).astype(np.int32)
        for k in (0, 1, 3, 20):
            want = OPS[row.op].reference(labels, p, TopKAttrs(k))
            (got,) = run_kernel(row.name, (labels, p), [((shape[0],), "bool")], TopKAttrs(k))
            np.testing.assert_array_equal(got, want)


F, I32, I64, B = 0, 1, 2, 4


@pytest.mark.parametrize(
    "op, spec, why",
    [
        ("softmax", ([(F, (3, 4))], [(F, (3, 4))], [0], []), "takes the last axis only"),
        ("softmax", ([(F, ())], [(F, ())], [-1], []), "takes at least one axis"),
        ("softmax", ([(F, (3, 4))], [(F, (3, 5))], [1], []), "takes operands of one shape"),
        ("softmax", ([(I32, (3, 4))], [(I32, (3, 4))], [1], []), "takes float32 only"),
        (
            "sparse_softmax_crossentropy",
            ([(F, (3, 4)), (I64, (3,))], [(F, (3,))], [], []),
            "takes float32 logits and int32 labels only",
        ),
        (
            "sparse_softmax_crossentropy",
            ([(F, (3, 4)), (I32, (2,))], [(F, (3,))], [], []),
            "the targets' shape does not fit",
        ),
        (
            "sparse_softmax_crossentropy",
            ([(F, (3, 4)), (I32, (3,))], [(F, (4,))], [], []),
            "takes logits (..., C), and a loss of shape (...)",
        ),
        (
            "sparse_softmax_crossentropy_grad",
            ([(F, (3,)), (F, (3, 4)), (I32, (3,))], [(F, (3, 3))], [], []),
            "the result's shape is not that of the logits",
        ),
        ("softmax_crossentropy", ([(F, (3, 4)), (F, (3,))], [(F, (3,))], [], []), "the targets' shape does not fit"),
        ("in_top_k", ([(I32, (3,)), (F, (2, 4))], [(B, (3,))], [1], []), "takes labels (N) and predictions (N, C)"),
        ("in_top_k", ([(I64, (3,)), (F, (3, 4))], [(B, (3,))], [1], []), "takes int32 labels and float32 predictions"),
    ],
    ids=str,
)
def test_refusals(op: str, spec: Any, why: str) -> None:
    for row in general(op):
        assert native.probe(row.name, spec) == why
