"""Where messages go: standard output, or the logger "striate"."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Iterator

import numpy as np
import pytest

import striate as keras
from striate import callbacks, layers, models
from striate.backend import say


@pytest.fixture(autouse=True)
def _back_to_output() -> Iterator[None]:
    yield
    keras.config.enable_interactive_logging()


def model() -> models.Sequential:
    made = models.Sequential([layers.Input((2,)), layers.Dense(1)])
    made.compile("sgd", "mse")
    return made


def train(**options: object) -> None:
    scheduler = callbacks.LearningRateScheduler(lambda epoch: 0.5, verbose=1)
    model().fit(np.ones((4, 2)), np.ones((4, 1)), batch_size=2, epochs=2, callbacks=[scheduler], **options)


def test_output_unless_it_is_turned_off(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    assert keras.config.is_interactive_logging_enabled() and keras.utils.is_interactive_logging_enabled()
    with caplog.at_level(logging.INFO):
        train()
    assert "setting learning rate to 0.5" in capsys.readouterr().out and not caplog.records


def test_the_log_takes_all_of_it(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    keras.config.disable_interactive_logging()
    assert not keras.utils.is_interactive_logging_enabled()
    with caplog.at_level(logging.INFO):
        train()
        model().summary()
    assert capsys.readouterr().out == ""
    assert {(r.name, r.levelname) for r in caplog.records} == {("striate", "INFO")}
    said = [r.getMessage() for r in caplog.records]
    assert said[:2] == ["Epoch 1: LearningRateScheduler setting learning rate to 0.5.", "Epoch 1/2"]
    assert [s.startswith("2/2 - 0s") and "loss:" in s for s in said[2:6:3]] == [True, True]  # one line an epoch
    assert said[6].startswith('Model: "sequential') and "Total params: 3" in said[6] and len(said) == 7


def test_nobody_listens(capsys: pytest.CaptureFixture[str]) -> None:
    keras.config.disable_interactive_logging()
    train()
    assert capsys.readouterr() == ("", "")


def test_verbose_0_says_nothing_to_the_log_either(caplog: pytest.LogCaptureFixture) -> None:
    keras.config.disable_interactive_logging()
    with caplog.at_level(logging.INFO):
        model().fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
    assert not caplog.records


def test_a_terminal_of_few_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    held = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(held, encoding="ascii"))
    say("5/10 ━━ é")
    assert held.getvalue() == b"5/10 == ?\n"
