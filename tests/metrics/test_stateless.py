"""Metrics as pure functions of their state, and what counts as their state."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import striate as keras
from striate import metrics


class Halves(keras.Metric):
    """A metric with state of its own, in a list and in a dictionary."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.parts = [keras.Variable(0.0), {"inside": metrics.Sum()}]

    def update_state(self, value: Any) -> None:
        self.parts[0].assign_add(value / 2)
        self.parts[1]["inside"].update_state(value / 2)

    def result(self) -> dict[str, Any]:
        return {"first": self.parts[0].value, "second": self.parts[1]["inside"].result()}


def test_state_in_lists_and_dictionaries_is_found() -> None:
    metric = Halves()
    assert len(metric.variables) == 2
    metric.update_state(3.0)
    assert [float(v.numpy()) for v in metric.variables] == [1.5, 1.5]
    metric.reset_state()
    assert [float(v.numpy()) for v in metric.variables] == [0.0, 0.0]


def test_an_update_without_a_change() -> None:
    metric = metrics.Mean()
    metric.update_state([10.0])
    values = metric.stateless_update_state([0.0, 0.0], [1.0, 3.0])
    values = metric.stateless_update_state(values, [5.0])
    assert float(metric.stateless_result(values)) == 3.0
    assert float(metric.result()) == 10.0
    assert [float(v) for v in metric.stateless_reset_state()] == [0.0, 0.0]
    assert float(metric.result()) == 10.0


def test_the_state_stays_when_an_update_fails() -> None:
    metric = metrics.Mean()
    metric.update_state([10.0])
    with pytest.raises(ValueError):
        metric.stateless_update_state([1.0, 1.0], np.zeros((3, 4)), sample_weight=np.ones((7, 2)))
    assert float(metric.result()) == 10.0


def test_a_result_of_several_numbers() -> None:
    assert {k: float(v) for k, v in Halves().stateless_result([1.0, 2.0]).items()} == {"first": 1.0, "second": 2.0}


def test_one_value_a_variable() -> None:
    with pytest.raises(ValueError, match=r"all 2 variables.*Received 1 values"):
        metrics.Mean().stateless_result([1.0])
