"""Convolutions that gather statistics: what they write has the bits of the convolution alone, whose choice stays.

Their errors are held to their bounds with all other kernels' (tests/conformance/ops/test_native.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from striate.compiler.plan.select import choose_kernel
from striate.engine import native
from striate.ir.graph import input_node
from striate.ir.opdef import infer_types, make_node
from striate.ir.ops.attrs import ConvAttrs
from striate.ir.types import TensorType
from tests.support.bounds import moments_errors
from tests.support.kernel_runs import Array, assert_close, name_of, rows, run_kernel, spec_of

ROWS = rows("conv2d_moments", "depthwise_conv2d_moments")
SAME, GROUPS = ConvAttrs(padding="same"), ConvAttrs(padding="same", groups=2)
#: x, w, attributes; each kernel, and each way in which its pieces are cut
PROBLEMS: dict[str, tuple[tuple[int, ...], tuple[int, ...], ConvAttrs]] = {
    "blocks of tiles": ((6, 30, 30, 16), (3, 3, 16, 33), SAME),
    "whole tiles in several runs": ((5, 32, 32, 24), (3, 3, 24, 70), SAME),
    "tiles together": ((9, 7, 7, 130), (3, 3, 130, 65), SAME),
    "tiles of one image together": ((3, 14, 14, 64), (3, 3, 64, 70), SAME),
    "few tiles": ((3, 9, 10, 48), (3, 3, 48, 130), SAME),
    "tiles of windows of five": ((2, 27, 26, 48), (5, 5, 48, 40), SAME),
    "groups of tiles": ((2, 27, 25, 64), (3, 3, 32, 80), GROUPS),
    "groups of tiles together": ((9, 14, 13, 80), (3, 3, 40, 66), GROUPS),
    "products": ((3, 20, 21, 24), (1, 1, 24, 40), ConvAttrs()),
    "first layer": ((3, 60, 61, 3), (7, 7, 3, 33), ConvAttrs((2, 2), "same")),
    "rows longer than a block": ((2, 3, 800, 3), (3, 3, 3, 24), SAME),
    "filters in parts": ((1, 9, 9, 1), (5, 5, 1, 130), SAME),
    "along rows": ((3, 33, 39, 3), (3, 3, 3, 3), SAME),
    "gathered": ((3, 21, 20, 33), (3, 3, 33, 67), ConvAttrs((2, 2), "same")),
    "gathered by groups": ((2, 12, 13, 24), (3, 2, 8, 51), ConvAttrs((1, 2), "same", groups=3)),
}
DEPTHWISE = {"depthwise": ((3, 20, 21, 24), (3, 3, 24, 1), SAME)}


def given(row: Any, label: str) -> tuple[list[Array], ConvAttrs]:
    """x, w, bias: results of deviation about 1 around 0."""
    x, w, attrs = {**PROBLEMS, **DEPTHWISE}[label]
    rng = np.random.default_rng(len(label))
    depthwise = row.op.startswith("depthwise")
    terms = w[0] * w[1] * (1 if depthwise else w[2])
    filters = w[2] * w[3] if depthwise else w[3]
    draw = [(x, 1.0), (w, terms**-0.5), ((filters,), 1.0)]
    return [np.asarray(rng.standard_normal(shape) * scale, np.float32) for shape, scale in draw], attrs


def results_of(row: Any, inputs: list[Array], attrs: ConvAttrs) -> list[tuple[tuple[int, ...], str]]:
    types = tuple(TensorType(x.shape) for x in inputs)
    return [(t.dims, t.dtype) for t in infer_types(row.op, types, attrs)]


def plain_of(row: Any) -> str:
    """The kernel that gathers nothing."""
    parts = {"conv2d_moments": "conv2d", "depthwise_conv2d_moments": "depthwise"}
    return str(row.name).replace("depthwise_moments" if row.op.startswith("depthwise") else row.op, parts[row.op])


def problems_of(row: Any) -> Iterator[tuple[str, list[Array], ConvAttrs, list[tuple[tuple[int, ...], str]]]]:
    """Those that the kernel takes."""
    for label in DEPTHWISE if row.op.startswith("depthwise") else PROBLEMS:
        inputs, attrs = given(row, label)
        results = results_of(row, inputs, attrs)
        if native.probe(row.name, spec_of(inputs, results, attrs)) is None:
            yield label, inputs, attrs, results


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_refuses_what_the_convolution_alone_refuses(row: Any) -> None:
    taken = set()
    for label in DEPTHWISE if row.op.startswith("depthwise") else PROBLEMS:
        inputs, attrs = given(row, label)
        results = results_of(row, inputs, attrs)
        why = native.probe(row.name, spec_of(inputs, results, attrs))
        assert why == native.probe(plain_of(row), spec_of(inputs, results[:1], attrs)), label
        taken |= {label} if why is None else set()
    assert taken, "nothing tests it"
    inputs, attrs = given(row, sorted(taken)[0])
    active = ConvAttrs(attrs.strides, attrs.padding, attrs.pads, attrs.dilation, attrs.groups, "relu")
    spec = spec_of(inputs, results_of(row, inputs, attrs), active)
    assert native.probe(row.name, spec) == "takes no activation"


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("label", PROBLEMS)
def test_the_algorithm_is_that_of_the_convolution_alone(label: str, training: bool) -> None:
    x, w, attrs = PROBLEMS[label]
    values = tuple(input_node(i, f"x{i}", TensorType(shape)).result() for i, shape in enumerate((x, w)))
    alone = choose_kernel(make_node("conv2d", values, attrs), training=training)
    gathering = choose_kernel(make_node("conv2d_moments", values, attrs), training=training)
    assert gathering.kernel == (alone.kernel or "").replace("conv2d_", "conv2d_moments_")


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_what_is_written_has_the_bits_of_the_convolution_alone(row: Any) -> None:
    for label, inputs, attrs, results in problems_of(row):
        for count in (2, 3):  # without and with a bias
            y, mean, variance = run_kernel(row.name, inputs[:count], results, attrs)
            (alone,) = run_kernel(plain_of(row), inputs[:count], results[:1], attrs)
            assert y.tobytes() == alone.tobytes(), label
            wide = y.astype(np.float64)
            exact = wide.mean(axis=(0, 1, 2)), wide.var(axis=(0, 1, 2))
            for got, want, error in zip((mean, variance), exact, moments_errors(wide, *exact), strict=True):
                assert_close(got, want, error)


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_the_variance_of_a_far_mean(row: Any) -> None:
    """Results of deviation about 1 around 10,000, from a bias: what the convolution itself rounds is a part of it."""
    for label, (x, w, bias), attrs, results in problems_of(row):
        bias = np.full_like(bias, 1e4)
        y, mean, variance = run_kernel(row.name, (x, w, bias), results, attrs)
        wide = y.astype(np.float64)
        exact = wide.var(axis=(0, 1, 2))
        assert (exact > 0.2).all(), label
        assert_close(mean, wide.mean(axis=(0, 1, 2)), 0.5001 * np.spacing(np.float32(1e4)))
        assert_close(variance, exact, 4e-6 * exact)


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_threads_change_no_bit(row: Any) -> None:
    before = native.threads()
    try:
        for label, inputs, attrs, results in problems_of(row):
            runs = set()
            for count in (1, 2, 3, 8):
                native.set_threads(count)
                runs.add(b"".join(r.tobytes() for r in run_kernel(row.name, inputs, results, attrs)))
            assert len(runs) == 1, label
    finally:
        native.set_threads(before)


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_a_nan_spoils_its_channel_alone(row: Any) -> None:
    for label, (x, w, bias), attrs, results in problems_of(row):
        bias = bias.copy()
        bias[1] = np.nan
        _, mean, variance = run_kernel(row.name, (x, w, bias), results, attrs)
        others = np.arange(bias.size) != 1
        assert np.isnan(mean[1]) and np.isnan(variance[1]), label
        assert np.isfinite(mean[others]).all() and np.isfinite(variance[others]).all(), label
