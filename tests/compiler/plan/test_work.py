"""What a step computes by its formula, and what its kernel does of that."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import striate
from striate.backend import TracedFunction
from striate.compiler.plan.work import Work, work_of


def work(size: int, channels: int, filters: int, **arguments: Any) -> list[Work]:
    layer = striate.layers.Conv2D(filters, 3, **arguments)
    layer.build((None, size, size, channels))
    step = TracedFunction(lambda x: layer(x))
    return work_of(step.trace((np.zeros((2, size, size, channels), "float32"),)).executable.plan)


def of_convolution(steps: list[Work]) -> Work:
    (found,) = (w for w in steps if w.row.op in ("conv2d", "winograd_conv2d"))
    return found


@pytest.mark.parametrize(
    ("out", "products"),
    # Points of an axis: 6 for each four outputs; 5 for three left over; 4 for one or two.
    [(8, 12 * 12), (7, 11 * 11), (6, 10 * 10), (5, 10 * 10), (4, 6 * 6)],
)
def test_winograd_forms_fewer_products(out: int, products: int) -> None:
    step = of_convolution(work(out + 2, 32, 32))
    assert step.row.kernel is not None and "winograd" in step.row.kernel
    assert step.flops == 2 * 2 * out * out * 9 * 32 * 32
    assert step.done == 2 * 2 * products * 32 * 32


def test_direct_kernels_form_what_the_formula_has_inside_the_image() -> None:
    striate.config.set_convolution("direct")
    try:
        step = of_convolution(work(8, 32, 32, padding="same"))
    finally:
        striate.config.set_convolution("auto")
    inside = (3 * 8 - 2) ** 2  # of an axis' 24 pairs of output and tap, the first and last lie in the padding
    assert step.flops == step.done == 2 * 2 * inside * 32 * 32


def test_steps_of_no_products_count_none_and_are_those_of_the_program() -> None:
    step = TracedFunction(lambda x, w: striate.ops.tanh(striate.ops.matmul(x, w)))
    executable = step.trace((np.zeros((3, 4), "float32"), np.zeros((4, 5), "float32"))).executable
    steps = work_of(executable.plan)
    assert len(steps) == len(executable.program.steps)
    product, *rest = (w for w in steps)
    assert product.flops == product.done == 2 * 3 * 4 * 5
    assert all(w.flops == w.done == 0 for w in rest)
