"""Every op's gradient rule against central differences of its reference, in float64. Since the gradients are ops of the
table themselves, their rules (second derivatives) go through the same test."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from striate.ir.opdef import OPS, run_reference
from tests.support.cases import Case, all_cases, words
from tests.support.single_op import gradients

STEP = 1e-5  # the error is about STEP^2 f'''/6 + 1e-16 |L| / STEP: 1e-10 for values near 1
TOLERANCE = 2e-7

CASES = [
    c for c in all_cases() if c.smooth and OPS[c.op].vjp is not None and any(x.dtype == np.float32 for x in c.inputs)
]

#: no gradient flows through these, and each has a reason
WITHOUT_GRADIENT = {
    "steps": words("sign floor ceil round floor_divide nextafter"),
    "truth values": words(
        "isnan isinf isfinite logical_not logical_and logical_or logical_xor equal not_equal greater greater_equal "
        "less less_equal reduce_any reduce_all in_top_k"
    ),
    "integers": words(
        "argmax argmin argsort one_hot ctc_greedy ctc_beams searchsorted last_write bitwise_and bitwise_or bitwise_xor "
        "bitwise_invert left_shift right_shift gcd lcm"
    ),
    "randomness": words("seed_next random_uniform random_normal random_bits"),
    "made after gradients": words(
        "sgd_update momentum_update adam_update rmsprop_update pack_panels winograd_filters winograd_conv2d "
        "sgd_update_dense momentum_update_dense adam_update_dense rmsprop_update_dense "
        "bottleneck_conv2d max_pool2d_indices max_unpool2d conv2d_max_pool2d conv2d_max_pool2d_indices "
        "winograd_conv2d_max_pool2d conv2d_grad_w_unpool conv2d_grad_x_masked "
        "conv2d_normed conv2d_normed_moments conv2d_normed_grad_w "
        "depthwise_conv2d_normed depthwise_conv2d_normed_moments depthwise_conv2d_normed_grad_w batch_norm_statistics"
    ),
    "by definition": ["stop_gradient"],
    "not written: solve and slogdet have theirs": ["lu_factor"],
}


def _double(x: np.ndarray) -> np.ndarray:
    return x.astype(np.float64) if x.dtype == np.float32 else x


def _loss(case: Case, inputs: tuple[np.ndarray, ...], weights: tuple[Any, ...]) -> float:
    results = run_reference(case.op, inputs, case.attrs)
    return float(sum((w * r).sum() for w, r in zip(weights, results) if w is not None))


def _slope(case: Case, inputs: tuple[np.ndarray, ...], weights: tuple[Any, ...], which: int) -> np.ndarray:
    slope = np.zeros(inputs[which].shape)
    for place in np.ndindex(slope.shape):
        ends = []
        for sign in (1, -1):
            moved = inputs[which].copy()
            moved[place] += sign * STEP
            ends.append(_loss(case, (*inputs[:which], moved, *inputs[which + 1 :]), weights))
        slope[place] = (ends[0] - ends[1]) / (2 * STEP)
    return slope


def _check(case: Case, weights: tuple[Any, ...], inputs: tuple[np.ndarray, ...]) -> None:
    got = gradients(case.op, inputs, case.attrs, weights)
    for which, x in enumerate(inputs):
        if x.dtype != np.float64:
            assert got[which] is None
            continue
        expected = _slope(case, inputs, weights, which)
        given = np.zeros(x.shape) if got[which] is None else got[which]
        scale = 1 + np.abs(expected).max(initial=0)
        np.testing.assert_allclose(given, expected, rtol=0, atol=TOLERANCE * scale, err_msg=f"input {which}")


@pytest.mark.parametrize("case", CASES, ids=str)
def test_gradient_is_the_slope(case: Case) -> None:
    inputs = tuple(_double(x) for x in case.inputs)
    results = run_reference(case.op, inputs, case.attrs)
    rng = np.random.default_rng(1)
    weights = tuple(rng.standard_normal(r.shape) if r.dtype == np.float64 else None for r in results)
    _check(case, weights, inputs)


@pytest.mark.parametrize("case", [c for c in CASES if len(run_reference(c.op, c.inputs, c.attrs)) > 1], ids=str)
def test_gradient_of_each_result_alone(case: Case) -> None:
    inputs = tuple(_double(x) for x in case.inputs)
    results = run_reference(case.op, inputs, case.attrs)
    rng = np.random.default_rng(2)
    for i, r in enumerate(results):
        if r.dtype == np.float64:
            weights = tuple(rng.standard_normal(r.shape) if j == i else None for j in range(len(results)))
            _check(case, weights, inputs)


def test_the_ops_without_gradient_are_listed() -> None:
    listed = sorted(op for ops in WITHOUT_GRADIENT.values() for op in ops)
    assert sorted(op for op, d in OPS.items() if d.vjp is None) == listed


def test_every_gradient_rule_is_tested() -> None:
    tested = {c.op for c in CASES}
    assert {op for op, d in OPS.items() if d.vjp is not None} == tested
