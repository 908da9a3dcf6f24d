"""config.set_max_epochs and set_max_steps_per_epoch: a script tried quickly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import striate as keras
from striate import layers, models
from striate.backend import settings

X, Y = np.ones((10, 2), "float32"), np.ones((10, 1), "float32")


@pytest.fixture(autouse=True)
def _no_limits_after() -> Iterator[None]:
    yield
    settings._limits.clear()


@pytest.fixture
def model() -> models.Sequential:
    made = models.Sequential([layers.Input((2,)), layers.Dense(1)])
    made.compile("sgd", "mse")
    return made


def test_epochs(model: models.Sequential) -> None:
    keras.config.set_max_epochs(2)
    with pytest.warns(UserWarning, match="Limiting epochs to 2"):
        assert model.fit(X, Y, epochs=9, verbose=0).epoch == [0, 1]
    assert model.fit(X, Y, epochs=1, verbose=0).epoch == [0]  # fewer than the limit: nothing to say
    keras.config.set_max_epochs(None)
    assert keras.config.max_epochs() is None and len(model.fit(X, Y, epochs=3, verbose=0).epoch) == 3


def test_steps(model: models.Sequential) -> None:
    keras.config.set_max_steps_per_epoch(3)
    with pytest.warns(UserWarning, match=r"Limiting steps_per_epoch to 3"):
        model.fit(X, Y, batch_size=2, verbose=0)
    assert int(model.optimizer.iterations) == 3
    with pytest.warns(UserWarning, match="steps_per_epoch to 3"):
        assert model.predict(X, batch_size=2, verbose=0).shape == (6, 1)
    assert model.predict(X, batch_size=4, verbose=0).shape == (10, 1)
    assert model.evaluate(X, Y, batch_size=5, verbose=0) >= 0


def test_by_the_environment(model: models.Sequential, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_MAX_EPOCHS", "1")
    monkeypatch.setenv("KERAS_MAX_STEPS_PER_EPOCH", "4")
    assert (keras.config.max_epochs(), keras.config.max_steps_per_epoch()) == (1, 4)
    with pytest.warns(UserWarning, match="Limiting epochs to 1"):
        model.fit(X, Y, epochs=2, verbose=0)
    monkeypatch.setenv("KERAS_MAX_EPOCHS", "few")
    with pytest.raises(ValueError, match=r"KERAS_MAX_EPOCHS.*'few'"):
        model.fit(X, Y, verbose=0)


@pytest.mark.parametrize("given", [0, -1, 1.5, True, "2"])
def test_refused(given: Any) -> None:
    with pytest.raises(ValueError, match=r"max_epochs.*at least 1"):
        keras.config.set_max_epochs(given)
    with pytest.raises(ValueError, match=r"max_steps_per_epoch.*at least 1"):
        keras.config.set_max_steps_per_epoch(given)
