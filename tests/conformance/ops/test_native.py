"""Every native kernel of every instruction set this CPU has, against its op's reference: by being registered.

Inputs and results lie between pages that may not be touched; each problem runs on noise and must leave none of it
(tests/support/kernel_runs.py). Errors are held to each family's stated bound, element by element
(tests/support/bounds.py).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from striate.engine import native
from striate.ir.opdef import OPS, run_reference
from tests.support.bounds import bounds
from tests.support.cases import Case, all_cases
from tests.support.kernel_runs import Array, assert_close, rows, run_kernel, spec_of
from tests.support.long import rounds
from tests.support.problems import PROBLEMS

CASES = all_cases()
NATIVE = sorted({row.op for row in native.kernels()})
BY_OP = {op: [c for c in CASES if c.op == op] for op in NATIVE}

#: filters are laid out for one instruction set: two of its vectors to a panel
PANELS = {"avx512": 32, "avx2": 16, "baseline": 8, "neon": 8}
WINOGRAD = ("winograd_filters", "winograd_conv2d", "winograd_conv2d_max_pool2d")

#: cases that no kernel takes, and why: these run as host steps, so none of them may be in a layer's way
NOT_NATIVE = {
    "softmax-middle": "takes the last axis",
    "log_softmax-middle": "takes the last axis",
    "softmax_grad-middle": "takes the last axis",
    "log_softmax_grad-middle": "takes the last axis",
}


def _exact(case: Case) -> list[Array]:
    """The reference in float64: what float32 results are measured against."""
    wide = tuple(x.astype(np.float64) if x.dtype == np.float32 else x for x in case.inputs)
    return list(run_reference(case.op, wide, case.attrs))


def _check(kernel: str, case: Case, exact: list[Array], allowed: list[Any], *, at_end: bool = True) -> list[Array]:
    results = [(r.shape, r.dtype.name) for r in run_reference(case.op, case.inputs, case.attrs)]
    got = run_kernel(kernel, list(case.inputs), results, case.attrs, at_end=at_end)
    try:
        for g, e, bound in zip(got, exact, allowed, strict=True):
            if g.dtype.kind == "f":
                assert_close(g, e, bound)
            else:
                decided = np.broadcast_to(np.asarray(bound) == 0, g.shape)
                np.testing.assert_array_equal(g[decided], e.astype(g.dtype)[decided])
    except AssertionError as error:
        raise AssertionError(f"{kernel} on {case}: {error}") from None
    return got


def _own(kernel: str, case: Case, exact: list[Array], allowed: list[Any]) -> list[Any]:
    """The bound of this kernel, where its algorithm states another than its op's others."""
    return bounds(case, exact, kernel) if "_winograd" in kernel else allowed


def _refusal(kernel: str, case: Case) -> str | None:
    results = [(r.shape, r.dtype.name) for r in run_reference(case.op, case.inputs, case.attrs)]
    return native.probe(kernel, spec_of(case.inputs, results, case.attrs))


def _laid_out_for(isa: str, attrs: Any) -> bool:
    return bool(attrs.panel == PANELS[isa] if attrs.transformed else isa == "avx512")


def _takes(kernel: str, case: Case) -> bool:
    return _refusal(kernel, case) is None


@pytest.mark.parametrize("case", [c for c in CASES if c.op in BY_OP], ids=str)
def test_case(case: Case) -> None:
    exact = _exact(case)
    with np.errstate(all="ignore"):
        allowed = bounds(case, exact)
    for row in rows(case.op):
        if _takes(row.name, case):
            own = _own(row.name, case, exact, allowed)
            _check(row.name, case, exact, own)
            _check(row.name, case, exact, own, at_end=False)


@pytest.mark.parametrize("row", native.kernels(), ids=lambda row: row.name)
def test_every_kernel_takes_some_case(row: Any) -> None:
    refusals = {str(c): _refusal(row.name, c) for c in BY_OP[row.op]}
    assert None in refusals.values(), (
        f"{row.name} takes no case of {row.op}, so nothing tests it: {refusals}. "
        "Add a case that it takes in tests/support/cases_*.py."
    )


@pytest.mark.parametrize("isa", sorted({row.isa for row in native.kernels()}))
def test_every_float32_case_has_a_kernel(isa: str) -> None:
    """Each instruction set can run a whole program: what no kernel takes is listed."""
    refused = {
        str(c)
        for op, cases in BY_OP.items()
        for c in cases
        if op not in WINOGRAD or _laid_out_for(isa, c.attrs)
        if any(x.dtype == np.float32 for x in c.inputs) and "empty" not in c.label and c.op != "cast"
        if not any(_takes(row.name, c) for row in rows(op) if row.isa == isa)
    }
    assert refused == set(NOT_NATIVE)


def test_an_op_has_kernels_or_a_reason_not_to() -> None:
    assert sorted(op for op, d in OPS.items() if not d.host) == NATIVE


@pytest.mark.parametrize("op", sorted(PROBLEMS))
def test_drawn_problems(op: str) -> None:
    """Shapes around the vector widths, odd strides, long and short axes."""

    @settings(max_examples=rounds(25, 500))
    @given(case=PROBLEMS[op])
    def check(case: Case) -> None:
        exact = _exact(case)
        with np.errstate(all="ignore"):
            allowed = bounds(case, exact)
        for row in rows(op):
            if _takes(row.name, case):
                _check(row.name, case, exact, _own(row.name, case, exact, allowed))

    check()


@pytest.mark.parametrize("op", sorted(PROBLEMS))
def test_threads_change_no_bit(op: str) -> None:
    """The pieces of a step depend on its shape alone."""

    @settings(max_examples=rounds(5, 100))
    @given(case=PROBLEMS[op], data=st.data())
    def check(case: Case, data: st.DataObject) -> None:
        row = data.draw(st.sampled_from(rows(op)))
        if not _takes(row.name, case):
            return
        results = [(r.shape, r.dtype.name) for r in run_reference(case.op, case.inputs, case.attrs)]
        runs = []
        for count in (1, 2, 3):
            native.set_threads(count)
            runs.append(run_kernel(row.name, list(case.inputs), results, case.attrs))
        for other in runs[1:]:
            assert [x.tobytes() for x in other] == [x.tobytes() for x in runs[0]], f"{row.name} on {case}"

    try:
        check()
    finally:
        native.set_threads(0)
