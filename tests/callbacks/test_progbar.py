"""The progress bar: what it draws, when, and where it keeps silent."""

from __future__ import annotations

import io
import re
import sys
from types import SimpleNamespace

import pytest

from striate.backend import messages
from striate.callbacks import Progbar, ProgbarLogger
from striate.callbacks import progbar as module
from striate.callbacks.progbar import format_duration, format_eta, format_value


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    """Time that moves when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def perf_counter(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    return clock


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    stream = Terminal()
    # The module's own view of sys: pytest puts its capture into the real one between fixture and test.
    seen = SimpleNamespace(stdout=stream, modules={})
    monkeypatch.setattr(module, "sys", seen)
    monkeypatch.setattr(messages, "sys", seen)
    monkeypatch.setenv("COLUMNS", "100")
    return stream


def _plain(text: str) -> str:
    return re.sub(r"\x1b\[\d*[mK]", "", text)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.5, "0.5000"), (0.001, "1.0000e-03"), (0.0011, "0.0011"), (-2.0, "-2.0000"), (0.0, "0.0000e+00")],
)
def test_values(value: float, text: str) -> None:
    assert format_value(value) == text


def test_durations() -> None:
    assert [format_duration(s, "step") for s in (2.4, 0.0125, 0.000042, 0)] == [
        "2s/step",
        "12ms/step",
        "42us/step",
        "0s/step",
    ]
    assert [format_eta(s) for s in (8.7, 65, 7209)] == ["8s", "1:05", "2:00:09"]


def test_one_line_is_redrawn_on_a_terminal(clock: Clock, terminal: Terminal) -> None:
    bar = Progbar(10, stateful_metrics=["loss"])
    for step in range(1, 11):
        clock.now += 0.01
        bar.update(step, [("loss", 1.0 / step)])
    drawings = terminal.getvalue().split("\r")[1:]
    # At most every 0.05 s: the first step, some in between, the last.
    assert len(drawings) == 3
    assert terminal.getvalue().count("\n") == 1 and terminal.getvalue().endswith("\n")
    assert _plain(drawings[-1]) == "10/10 ━━━━━━━━━━━━━━━━━━━━ 0s 10ms/step - loss: 0.1000\n"
    assert _plain(drawings[0]).startswith(" 1/10 ━━━━━━━━━━━━━━━━━━━━ ")


def test_the_line_never_wraps_before_the_end(clock: Clock, terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    bar = Progbar(1000)
    bar.update(1, [(f"a_metric_with_a_long_name_{i}", 1.0) for i in range(5)])
    assert len(_plain(terminal.getvalue()).strip("\r")) < 60
    bar.update(1000, [], finalize=True)
    assert _plain(terminal.getvalue()).count("a_metric_with_a_long_name_4") == 1  # the end leaves nothing out


@pytest.mark.parametrize("verbose", [1, 2])
def test_a_log_file_gets_one_line(clock: Clock, capsys: pytest.CaptureFixture[str], verbose: int) -> None:
    bar = Progbar(3, verbose=verbose, stateless_metrics=[])
    for step in (1, 2, 3):
        clock.now += 0.5
        bar.update(step, [("loss", step)])
    assert capsys.readouterr().out == "3/3 - 2s - 500ms/step - loss: 3.0000\n"


def test_verbose_0_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    Progbar(1, verbose=0).update(1, [("loss", 1.0)])
    assert capsys.readouterr().out == ""


def test_values_are_averaged_over_steps_unless_told_otherwise(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    bar = Progbar(2, verbose=2, stateful_metrics=["last"])
    bar.update(1, [("mean", 1.0), ("last", 1.0)])
    bar.add(1, [])
    assert "mean: 1.0000 - last: 1.0000" in capsys.readouterr().out


def test_an_unknown_number_of_steps(clock: Clock, terminal: Terminal) -> None:
    bar = Progbar(None)
    bar.update(7, [])
    assert "7/Unknown" in _plain(terminal.getvalue())


def test_stateful_and_stateless_exclude_each_other() -> None:
    with pytest.raises(ValueError, match="Only one of"):
        Progbar(1, stateful_metrics=[], stateless_metrics=[])


def test_the_logger_is_silent_in_validation(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    logger = ProgbarLogger()
    logger.set_params({"verbose": 2, "epochs": 2, "steps": 1})
    logger.on_train_begin()
    logger.on_epoch_begin(0)
    logger.on_train_batch_end(0, {"loss": 2.0})
    logger.on_test_begin()
    logger.on_test_batch_end(0, {"loss": 9.0})
    logger.on_test_end({"loss": 9.0})
    logger.on_epoch_end(0, {"loss": 2.0, "val_loss": 9.0})
    assert capsys.readouterr().out == "Epoch 1/2\n1/1 - 0s - 0s/step - loss: 2.0000 - val_loss: 9.0000\n"


def test_a_line_an_epoch_is_in_the_order_of_its_logs(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    """Names that sort after "val_" stand there, as with Keras; a bar shows the training's first."""
    for verbose, names in ((2, "loss val_loss worst"), (1, "loss worst val_loss")):
        logger = ProgbarLogger()
        logger.set_params({"verbose": verbose, "epochs": 1, "steps": 1})
        logger.on_epoch_begin(0)
        logger.on_train_batch_end(0, {"loss": 2.0, "worst": 0.5})
        logger.on_epoch_end(0, {"loss": 2.0, "val_loss": 9.0, "worst": 0.5})
        assert re.findall(r"- (\w+):", capsys.readouterr().out) == names.split()


def test_the_logger_learns_the_number_of_steps(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    logger = ProgbarLogger()
    logger.set_params({"verbose": 2, "epochs": 1, "steps": None})
    logger.on_train_begin()
    for _ in range(2):
        logger.on_epoch_begin(0)
        logger.on_train_batch_end(0, {})
        logger.on_train_batch_end(1, {})
        logger.on_epoch_end(0, {"loss": 1.0})
    assert [line[:3] for line in capsys.readouterr().out.splitlines()] == ["2/2", "2/2"]
