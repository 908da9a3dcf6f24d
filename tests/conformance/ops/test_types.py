"""Shape rules against references: what is promised is what comes, also where the batch is open."""

from __future__ import annotations

import numpy as np
import pytest

import striate.ir.ops  # noqa: F401
from striate.ir.opdef import OPS, infer_types, run_reference
from striate.ir.ops._checks import fits
from striate.ir.types import TensorType, numpy_dtype
from tests.support.cases import MAKERS, Case, all_cases
from tests.support.single_op import gradients, type_of

CASES = all_cases()


def test_every_op_has_cases() -> None:
    assert set(MAKERS) == set(OPS), "each op needs a maker of cases in tests/support/cases_*.py"


def test_labels_are_unique() -> None:
    names = [str(c) for c in CASES]
    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_reference_gives_what_infer_promises(case: Case) -> None:
    promised = infer_types(case.op, tuple(map(type_of, case.inputs)), case.attrs)
    got = run_reference(case.op, case.inputs, case.attrs)
    assert [type_of(r) for r in got] == list(promised)


@pytest.mark.parametrize("case", [c for c in CASES if c.batched], ids=str)
def test_infer_keeps_an_open_batch_open(case: Case) -> None:
    concrete = infer_types(case.op, tuple(map(type_of, case.inputs)), case.attrs)
    opened = tuple(
        TensorType((None, *x.shape[1:]), x.dtype.name) if i in case.batched else type_of(x)
        for i, x in enumerate(case.inputs)
    )
    promised = infer_types(case.op, opened, case.open_attrs or case.attrs)
    for known, open_type in zip(concrete, promised):
        assert open_type.dtype == known.dtype
        assert fits(open_type.shape, known.shape), f"{open_type} against {known}"
    batch = case.inputs[case.batched[0]].shape[0]
    if (
        len(case.batched) == len([x for x in case.inputs if x.ndim])
        and concrete[0].shape[:1] == (batch,)
        and batch != 1
    ):
        assert promised[0].shape[0] is None


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_other_floats_go_through_ops_and_gradients(dtype: str) -> None:
    """Results and gradients have the type of the inputs; values are those of float32, to the type's own precision."""
    for case in CASES:
        if not any(x.dtype == np.float32 for x in case.inputs):
            continue
        with np.errstate(over="ignore"):  # of places far outside an image: float16 ends at 65504
            inputs = tuple(x.astype(numpy_dtype(dtype)) if x.dtype == np.float32 else x for x in case.inputs)
        results = run_reference(case.op, inputs, case.attrs)
        promised = infer_types(case.op, tuple(map(type_of, inputs)), case.attrs)
        assert [type_of(r) for r in results] == list(promised), str(case)
        weights = tuple(r if r.dtype.name == dtype else None for r in results)
        determined = case.smooth or case.op not in ("qr", "svd")  # else it is refused, which their own tests read
        if OPS[case.op].vjp is not None and any(w is not None for w in weights) and determined:
            gradients(case.op, inputs, case.attrs, weights)


@pytest.mark.parametrize("case", [c for c in CASES if all(x.dtype != np.float64 for x in c.inputs)], ids=str)
def test_references_work_in_float64_and_leave_inputs_alone(case: Case) -> None:
    """Finite differences need float64 all the way through; and a reference that wrote its inputs would be a fault."""
    inputs = tuple(x.astype(np.float64) if x.dtype == np.float32 else x.copy() for x in case.inputs)
    before = [x.copy() for x in inputs]
    for x in inputs:
        x.setflags(write=False)
    wide = run_reference(case.op, inputs, case.attrs)
    narrow = run_reference(case.op, case.inputs, case.attrs)
    for x, kept in zip(inputs, before):
        np.testing.assert_array_equal(x, kept)
    for w, n in zip(wide, narrow):
        assert w.shape == n.shape
        if n.dtype == np.float32:
            with np.errstate(over="ignore", invalid="ignore"):
                scale = np.abs(w[np.isfinite(w)]).max(initial=1e-30)
                np.testing.assert_allclose(n, w.astype(np.float32), rtol=1e-6, atol=1e-7 * scale)
