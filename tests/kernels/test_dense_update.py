"""Updates by the product that makes the gradient have the bits of product, decay and update one after another."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from striate.ir.ops.attrs import MatmulAttrs
from tests.support.cases import Case
from tests.support.kernel_runs import Array, general, name_of, rows, run_kernel
from tests.support.long import rounds
from tests.support.problems import PROBLEMS

DENSE = rows(*(op for op in PROBLEMS if op.endswith("_update_dense")))


def one_after_another(row: Any, case: Case, results: int) -> list[Array]:
    """By the kernels that a program without the pass would run."""

    def run(op: str, *inputs: Array, like: Array, attrs: Any = None, count: int = 1) -> list[Array]:
        (kernel,) = (k for k in general(op) if k.isa == row.isa)
        return run_kernel(kernel.name, inputs, [(like.shape, "float32")] * count, *([attrs] if attrs else []))

    w, *slots = case.inputs[:results]
    x, dy, *scalars = case.inputs[results:]
    if len(scalars) > (2 if row.op.startswith("adam") else 1):
        (taken,) = run("multiply", w, scalars.pop(), like=w)
        (w,) = run("subtract", w, taken, like=w)
    (g,) = run("matmul", x, dy, like=w, attrs=MatmulAttrs(True, False))
    op = row.op.removesuffix("_dense")
    return run(op, w, *slots, g, *scalars, like=w, attrs=case.attrs, count=results)


@pytest.mark.parametrize("row", DENSE, ids=name_of)
def test_bits_are_those_of_the_steps_it_stands_for(row: Any) -> None:
    @settings(max_examples=rounds(12, 300))
    @given(case=PROBLEMS[row.op], zeros=st.booleans(), scale=st.sampled_from([1.0, 1e-25]))
    def check(case: Case, zeros: bool, scale: float) -> None:
        results = {"sgd": 1, "momentum": 2, "adam": 3, "rmsprop": 2}[row.op.split("_")[0]]
        inputs = list(case.inputs)
        inputs[results + 1] = inputs[results + 1] * np.float32(scale)  # gradients whose terms are denormal
        if zeros:  # zeros of either sign
            inputs[results] = np.where(inputs[results] > 0, np.float32(-0.0), inputs[results])
        case = Case(case.op, case.label, tuple(inputs), case.attrs)
        got = run_kernel(row.name, case.inputs, [(inputs[0].shape, "float32")] * results, case.attrs)
        for g, want in zip(got, one_after_another(row, case, results), strict=True):
            assert g.tobytes() == want.tobytes()

    check()
