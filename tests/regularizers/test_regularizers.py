"""Regularizers: their formulas, names and errors."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from striate import backend, regularizers

W = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")


def _cosines(rows: np.ndarray) -> float:
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    pairs = np.abs(unit @ unit.T)[np.triu_indices(len(rows), 1)]
    return float(pairs.mean())


@pytest.mark.parametrize(
    "regularizer, expected",
    [
        (regularizers.L1(0.3), 0.3 * np.abs(W).sum()),
        (regularizers.L2(0.3), 0.3 * (W**2).sum()),
        (regularizers.L1L2(0.1, 0.2), 0.1 * np.abs(W).sum() + 0.2 * (W**2).sum()),
        (regularizers.L1L2(), 0.0),
        (regularizers.OrthogonalRegularizer(0.5), 0.5 * _cosines(W)),
        (regularizers.OrthogonalRegularizer(0.5, "columns"), 0.5 * _cosines(W.T)),
    ],
)
def test_formula(regularizer: Any, expected: float) -> None:
    assert float(regularizer(W)) == pytest.approx(expected, rel=1e-5)


def test_gradient_of_l2_is_two_l2_w() -> None:
    w = backend.Variable(W)
    _, (gradient,) = backend.value_and_grad(lambda: regularizers.L2(0.25)(w), [w])()
    np.testing.assert_allclose(gradient, 0.5 * W, rtol=1e-6)


@pytest.mark.parametrize("name", ["l1", "l2", "L1", "L2", "L1L2", "l1l2", "orthogonal_regularizer"])
def test_names(name: str) -> None:
    got = regularizers.get(name)
    described = json.loads(json.dumps(regularizers.serialize(got)))
    assert described["module"] == "keras.regularizers"
    assert regularizers.get(described).get_config() == got.get_config()


def test_none_stays_none_and_functions_pass() -> None:
    def penalty(w: Any) -> Any:
        return 0.0

    assert regularizers.get(None) is None
    assert regularizers.get(penalty) is penalty


@pytest.mark.parametrize(
    "call, text",
    [
        (lambda: regularizers.get("l3"), "identifier: 'l3'"),
        (lambda: regularizers.L2(-1.0), "`l2`: expected a non-negative float"),
        (lambda: regularizers.L1(float("nan")), "`l1`: expected a non-negative float"),
        (lambda: regularizers.L1("x"), "Received: l1='x'"),
        (lambda: regularizers.OrthogonalRegularizer(mode="diagonal"), "'rows' or 'columns'"),
        (lambda: regularizers.OrthogonalRegularizer()(np.ones((2, 2, 2), "float32")), r"shape \(2, 2, 2\)"),
    ],
)
def test_errors(call: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        call()
