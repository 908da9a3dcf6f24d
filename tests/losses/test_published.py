"""Equations 8 and 9 of LeCun and others 1998, and the metric of penalties."""

from __future__ import annotations

import numpy as np
import pytest

import striate
from striate import losses, metrics

rng = np.random.default_rng(2)
PENALTIES = rng.uniform(0, 90, (6, 10)).astype("float32")
LABELS = np.array([3, 0, 9, 1, 1, 7])
RIGHT = PENALTIES[np.arange(6), LABELS].astype("float64")


@pytest.mark.parametrize("labels", [LABELS, LABELS[:, None], LABELS.astype("uint8"), LABELS.astype("float32")])
def test_equation_8_is_the_mean_penalty_of_the_right_class(labels):
    np.testing.assert_allclose(losses.SparsePenalty()(labels, PENALTIES), RIGHT.mean(), rtol=1e-6)


@pytest.mark.parametrize("j", [0.5, 10.0, 60.0])
@pytest.mark.parametrize("labels", [LABELS, LABELS[:, None]])
def test_equation_9_as_written(labels, j):
    y = PENALTIES.astype("float64")
    expected = (RIGHT + np.log(np.exp(-j) + np.exp(-y).sum(1))).mean()
    np.testing.assert_allclose(losses.SparsePenaltyCrossentropy(j)(labels, PENALTIES), expected, rtol=1e-5)


def test_equation_9_is_crossentropy_with_a_constant_logit():
    logits = np.concatenate([-PENALTIES, np.full((6, 1), -3.0, "float32")], 1)
    plain = losses.SparseCategoricalCrossentropy(from_logits=True)(LABELS, logits)
    assert losses.SparsePenaltyCrossentropy(3.0)(LABELS, PENALTIES) == plain


def test_equation_9_takes_penalties_whose_exponential_is_0():
    assert np.isfinite(losses.SparsePenaltyCrossentropy(2e3)(LABELS, PENALTIES * 100))


def test_fields_of_answers():
    y = np.stack([PENALTIES, PENALTIES[::-1]], axis=1)  # (6, 2, 10)
    labels = np.stack([LABELS, LABELS[::-1]], axis=1)
    np.testing.assert_allclose(losses.SparsePenalty()(labels, y), RIGHT.mean(), rtol=1e-6)


@pytest.mark.parametrize("labels", [PENALTIES.argmin(1), PENALTIES.argmin(1)[:, None]])
def test_the_smallest_penalty_is_the_answer(labels):
    metric = metrics.SparsePenaltyAccuracy()
    assert metric(labels, PENALTIES) == 1
    metric.reset_state()
    assert metric(PENALTIES.argmax(1), PENALTIES) == 0


def test_they_go_through_a_file(tmp_path):
    model = striate.Sequential([striate.layers.Input((4,)), striate.layers.EuclideanRBF(3)])
    model.compile("sgd", losses.SparsePenaltyCrossentropy(j=7.0), metrics=[metrics.SparsePenaltyAccuracy()])
    x, y = rng.normal(size=(8, 4)).astype("float32"), np.arange(8) % 3
    model.fit(x, y, verbose=0)
    model.save(tmp_path / "m.keras")
    again = striate.saving.load_model(tmp_path / "m.keras")
    assert again.loss.j == 7.0
    assert again.evaluate(x, y, verbose=0) == model.evaluate(x, y, verbose=0)
