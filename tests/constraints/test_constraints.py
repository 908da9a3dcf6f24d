"""Constraints: what they project to, their names and errors."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from striate import constraints

W = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")


def _norms(w: np.ndarray, axis: Any = 0) -> np.ndarray:
    return np.sqrt((w.astype("float64") ** 2).sum(axis=axis, keepdims=True))


def test_max_norm_shortens_only_what_is_too_long() -> None:
    longest = float(np.median(_norms(W)))
    got = constraints.MaxNorm(longest)(W)
    np.testing.assert_allclose(got, W * np.minimum(1, longest / _norms(W)), rtol=1e-5)


def test_min_max_norm_with_a_rate() -> None:
    norms = _norms(W, 1)
    desired = 0.7 * np.clip(norms, 0.5, 1.2) + 0.3 * norms
    np.testing.assert_allclose(constraints.MinMaxNorm(0.5, 1.2, 0.7, axis=1)(W), W * desired / norms, rtol=1e-5)


def test_non_neg_and_unit_norm() -> None:
    np.testing.assert_array_equal(constraints.NonNeg()(W), np.maximum(W, 0))
    np.testing.assert_allclose(constraints.UnitNorm(axis=[0, 1])(W), W / np.linalg.norm(W), rtol=1e-5)


def test_zeros_stay_zeros() -> None:
    zeros = np.zeros((3, 2), "float32")
    for constraint in (constraints.MaxNorm(), constraints.MinMaxNorm(), constraints.UnitNorm()):
        np.testing.assert_array_equal(constraint(zeros), zeros)


@pytest.mark.parametrize("name", ["max_norm", "min_max_norm", "non_neg", "unit_norm", "MaxNorm", "NonNeg"])
def test_names(name: str) -> None:
    got = constraints.get(name)
    described = json.loads(json.dumps(constraints.serialize(got)))
    assert described["module"] == "keras.constraints"
    assert constraints.get(described).get_config() == got.get_config()


def test_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(ValueError, match=r"Did you mean 'max_norm'\?"):
        constraints.get("maxnorm")
    assert constraints.get(None) is None
