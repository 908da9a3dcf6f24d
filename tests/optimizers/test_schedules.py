"""Schedules: rates of Keras 3.15.1, for numbers and for the count of a traced step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from striate import backend
from striate.backend import Variable
from striate.optimizers import schedules

STEPS = (0, 1, 3, 4, 7, 8, 13)
BASE = {"initial_learning_rate": 0.1}
GOLDEN: list[tuple[str, dict[str, Any], list[float]]] = [
    ("CosineDecay", {**BASE, "decay_steps": 10}, [0.1, 0.097553, 0.079389, 0.065451, 0.020611, 0.009549, 0.0]),
    (
        "CosineDecay",
        {**BASE, "decay_steps": 10, "alpha": 0.1, "warmup_target": 0.5, "warmup_steps": 4},
        [0.1, 0.2, 0.4, 0.5, 0.407252, 0.344529, 0.061012],
    ),
    ("CosineDecayRestarts", {**BASE, "first_decay_steps": 4}, [0.1, 0.085355, 0.014645, 0.1, 0.069134, 0.05, 0.099039]),
    (
        "CosineDecayRestarts",
        {**BASE, "first_decay_steps": 4, "t_mul": 1.0, "m_mul": 0.5, "alpha": 0.1},
        [0.1, 0.08682, 0.02318, 0.055, 0.01659, 0.0325, 0.019602],
    ),
    (
        "ExponentialDecay",
        {**BASE, "decay_steps": 4, "decay_rate": 0.7},
        [0.1, 0.091469, 0.076529, 0.07, 0.05357, 0.049, 0.031374],
    ),
    (
        "ExponentialDecay",
        {**BASE, "decay_steps": 4, "decay_rate": 0.7, "staircase": True},
        [0.1, 0.1, 0.1, 0.07, 0.07, 0.049, 0.0343],
    ),
    (
        "InverseTimeDecay",
        {**BASE, "decay_steps": 4, "decay_rate": 0.7},
        [0.1, 0.085106, 0.065574, 0.058824, 0.044944, 0.041667, 0.030534],
    ),
    (
        "InverseTimeDecay",
        {**BASE, "decay_steps": 4, "decay_rate": 0.7, "staircase": True},
        [0.1, 0.1, 0.1, 0.058824, 0.058824, 0.041667, 0.032258],
    ),
    ("PolynomialDecay", {**BASE, "decay_steps": 4}, [0.1, 0.075025, 0.025075, 0.0001, 0.0001, 0.0001, 0.0001]),
    (
        "PolynomialDecay",
        {**BASE, "decay_steps": 4, "power": 2.0, "cycle": True, "end_learning_rate": 0.01},
        [0.1, 0.060625, 0.015625, 0.01, 0.011406, 0.01, 0.013164],
    ),
    (
        "PiecewiseConstantDecay",
        {"boundaries": [3, 7], "values": [0.1, 0.05, 0.01]},
        [0.1, 0.1, 0.1, 0.05, 0.05, 0.01, 0.01],
    ),
]


@pytest.mark.parametrize(("name", "arguments", "wanted"), GOLDEN)
def test_rates_of_keras(name: str, arguments: dict[str, Any], wanted: list[float]) -> None:
    schedule = getattr(schedules, name)(**arguments)
    count = Variable(0, dtype="int32")
    traced = backend.TracedFunction(lambda: schedule(count))
    for step, rate in zip(STEPS, wanted, strict=True):
        count.assign(step)
        assert float(schedule(step)) == pytest.approx(rate, abs=2e-6)
        assert float(traced()) == pytest.approx(rate, abs=2e-6)
    again = schedules.deserialize(schedules.serialize(schedule))
    assert again.get_config() == schedule.get_config() == {**schedule.get_config(), **arguments}


def test_no_steps_is_an_error() -> None:
    with pytest.raises(ValueError, match="decay_steps"):
        schedules.CosineDecay(0.1, 0)
    with pytest.raises(ValueError, match="boundaries"):
        schedules.PiecewiseConstantDecay([1, 2], [0.1, 0.2])


def test_one_boundary() -> None:
    schedule = schedules.PiecewiseConstantDecay([3], [0.1, 0.05])
    assert [round(float(schedule(np.int32(t))), 6) for t in (3, 4)] == [0.1, 0.05]
