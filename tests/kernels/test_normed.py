"""Convolutions that normalise what they read have the bits of a batch norm that is written and read, and refuse what
the convolution alone refuses.

Their errors are held to their bounds with all other kernels' (tests/conformance/ops/test_native.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from striate.engine import native
from striate.ir.opdef import infer_types
from striate.ir.ops.conv2d_normed import NORMED, split
from striate.ir.types import TensorType
from tests.support.cases import Case, Draw
from tests.support.cases_conv_normed import PLAIN, conv_normed
from tests.support.kernel_runs import Array, name_of, rows, run_kernel, spec_of

ROWS = rows(*NORMED.values())
Results = list[tuple[tuple[int, ...], str]]


def results_of(case: Case) -> Results:
    types = infer_types(case.op, tuple(TensorType(x.shape) for x in case.inputs), case.attrs)
    return [(t.dims, t.dtype) for t in types]


def plain_of(row: Any) -> str:
    """The kernel that reads x as it is."""
    before, after = (op.replace("depthwise_conv2d", "depthwise") for op in (row.op, PLAIN[row.op]))
    return str(row.name).replace(before, after)


def norm_of(row: Any) -> str:
    """The batch norm of the same instruction set."""
    return next(r.name for r in native.kernels() if r.op == "batch_norm_infer" and r.isa == row.isa)


def problems_of(row: Any) -> Iterator[tuple[Case, Results]]:
    """Those that the kernel takes."""
    taken = 0
    for case in conv_normed(row.op, Draw(row.op)):
        results = results_of(case)
        if native.probe(row.name, spec_of(case.inputs, results, case.attrs)) is None:
            taken += 1
            yield case, results
    assert taken, "nothing tests it"


def apart(row: Any, inputs: tuple[Array, ...], attrs: Any, results: Results) -> list[Array]:
    """By a batch norm that is written."""
    (x, *others), norm, a = split((*inputs, attrs))
    (z,) = run_kernel(norm_of(row), (x, *norm), [(x.shape, "float32")], a.norm())
    return run_kernel(plain_of(row), (z, *others), results, a.conv())


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_refuses_what_the_convolution_alone_refuses(row: Any) -> None:
    for case in conv_normed(row.op, Draw(row.op)):
        results = results_of(case)
        (x, *others), _, a = split((*case.inputs, case.attrs))
        alone = native.probe(plain_of(row), spec_of((x, *others), results, a.conv()))
        assert native.probe(row.name, spec_of(case.inputs, results, case.attrs)) == alone, case


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_the_bits_are_those_of_a_batch_norm_that_is_written(row: Any) -> None:
    for case, results in problems_of(row):
        together = run_kernel(row.name, case.inputs, results, case.attrs)
        for got, want in zip(together, apart(row, case.inputs, case.attrs, results), strict=True):
            assert got.tobytes() == want.tobytes(), case


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_a_far_mean(row: Any) -> None:
    """x of deviation 1 around 10,000: x * scale + shift would be off in the fourth digit."""
    for case, results in problems_of(row):
        (x, *others), (gamma, beta, mean, variance), _ = split((*case.inputs, case.attrs))
        far, mean = x + np.float32(1e4), mean + np.float32(1e4)
        inputs = (far, *others, gamma, beta, mean, variance)
        near = (far - mean, *others, gamma, beta, np.zeros_like(mean), variance)  # the difference is exact
        together = run_kernel(row.name, inputs, results, case.attrs)
        for got, want in zip(together, run_kernel(row.name, near, results, case.attrs), strict=True):
            assert got.tobytes() == want.tobytes(), case


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_a_nan_reaches_what_reads_it_alone(row: Any) -> None:
    for case, results in problems_of(row):
        x = case.inputs[0].copy()
        x[0, 1, 1, 0] = np.nan
        inputs = (x, *case.inputs[1:])
        together = run_kernel(row.name, inputs, results, case.attrs)
        for got, want in zip(together, apart(row, inputs, case.attrs, results), strict=True):
            np.testing.assert_array_equal(np.isnan(got), np.isnan(want), str(case))


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_threads_change_no_bit(row: Any) -> None:
    before = native.threads()
    try:
        for case, results in problems_of(row):
            runs = set()
            for count in (1, 2, 3, 8):
                native.set_threads(count)
                runs.add(b"".join(r.tobytes() for r in run_kernel(row.name, case.inputs, results, case.attrs)))
            assert len(runs) == 1, case
    finally:
        native.set_threads(before)


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_refusals(row: Any) -> None:
    case, results = next(problems_of(row))
    first = len(case.inputs) - 4
    for wrong, why in (
        (case.inputs[first][:-1], "takes gamma, beta, mean and variance of shape (C,)"),
        (case.inputs[first].astype(np.float64), "takes gamma, beta, mean and variance of shape (C,)"),
    ):
        given = (*case.inputs[:first], wrong, *case.inputs[first + 1 :])
        assert native.probe(row.name, spec_of(given, results, case.attrs)) == why
    kinds, shapes, ints, floats = spec_of(case.inputs, results, case.attrs)
    active = (kinds, shapes, [*ints[:-1], 3], floats)
    assert native.probe(row.name, active) == "takes no activation but relu and relu6"
