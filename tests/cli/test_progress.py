"""Progress: one line that is redrawn on a terminal, a line an epoch elsewhere."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest

from striate.cli import progress as module
from striate.cli.progress import Progress


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


class Clock:
    now = 100.0

    def perf_counter(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    return clock


def plain(text: str) -> str:
    return re.sub(r"\x1b\[\d*[mK]", "", text)


def train(shown: Progress, clock: Clock, epochs: int = 2, steps: int = 10, **extra: float) -> None:
    """What `fit` calls, at 0.25 s a step."""
    shown.set_params({"epochs": epochs, "steps": steps, "verbose": 0})
    shown.on_train_begin()
    for epoch in range(epochs):
        shown.on_epoch_begin(epoch)
        for step in range(steps):
            clock.now += 0.25
            shown.on_train_batch_end(step, {"accuracy": 0.5, "loss": 1.25})
        shown.on_test_begin()
        shown.on_test_batch_end(0, {"loss": 9.0})
        shown.on_test_end({"loss": 9.0})
        shown.on_epoch_end(epoch, {"accuracy": 0.5, "loss": 1.25, **extra})
    shown.on_train_end()


def test_a_line_an_epoch_where_nothing_can_be_redrawn(clock: Clock) -> None:
    stream = io.StringIO()
    with Progress(stream=stream) as shown:
        train(shown, clock, val_accuracy=0.25, val_loss=2.0)
    assert stream.getvalue().splitlines() == [
        "epoch 1/2  10 steps  2s  accuracy 0.5000 (val 0.2500)  loss 1.2500 (val 2.0000)",
        "epoch 2/2  10 steps  2s  accuracy 0.5000 (val 0.2500)  loss 1.2500 (val 2.0000)",
    ]


@pytest.mark.parametrize("columns", [20, 40, 80, 200])
def test_one_line_is_redrawn_and_never_wraps(columns: int, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Progress, "_columns", lambda self: columns)
    stream = Terminal()
    with Progress(stream=stream) as shown:
        train(shown, clock, epochs=12, val_accuracy=0.25, val_loss=2.0)
    text = stream.getvalue()
    assert text.count("\n") == 12 and text.endswith("\n")
    drawings = [plain(d).rstrip("\n") for d in text.split("\r")[1:]]
    assert len(drawings) == 12 * (1 + 10 + 1)
    assert max(map(len, drawings)) < columns
    if columns >= 80:
        assert drawings[-1].endswith("2s  accuracy 0.5000 (val 0.2500)  loss 1.2500 (val 2.0000)")
        assert "━" in drawings[5]


def test_what_is_left_is_that_of_the_whole_training(clock: Clock) -> None:
    stream = Terminal()
    with Progress(stream=stream) as shown:
        train(shown, clock)
    drawings = [plain(d) for d in stream.getvalue().split("\r")]
    # After 8 of 20 steps of 0.25 s, 3 s are left.
    assert any(d.startswith("epoch 1/2  ━") and "  8/10  3s left  accuracy 0.5000" in d for d in drawings)


def test_drawing_waits(clock: Clock) -> None:
    stream = Terminal()
    shown = Progress(stream=stream)
    shown.set_params({"epochs": 1, "steps": 1000})
    shown.on_train_begin()
    shown.on_epoch_begin(0)
    for step in range(100):
        clock.now += 0.011
        shown.on_train_batch_end(step, {})
    assert stream.getvalue().count("\r") == 1 + 10


def test_an_open_line_is_ended(clock: Clock) -> None:
    stream = Terminal()
    with pytest.raises(KeyboardInterrupt), Progress(stream=stream) as shown:
        shown.set_params({"epochs": 1, "steps": 2})
        shown.on_train_begin()
        shown.on_epoch_begin(0)
        raise KeyboardInterrupt
    assert stream.getvalue().endswith("\n")
    assert stream.getvalue().count("\n") == 1


def test_scoring_has_a_label(clock: Clock) -> None:
    stream = io.StringIO()
    with Progress("scoring", stream) as shown:
        shown.set_params({"steps": 1})
        shown.on_test_begin()
        clock.now += 0.5
        shown.on_test_batch_end(0, {"loss": 2.0})
        shown.on_test_end({"loss": 2.0})
    assert stream.getvalue() == "scoring  1 step  500ms  loss 2.0000\n"


def test_a_stream_that_goes_away_does_not_end_the_training(clock: Clock) -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    with Progress(stream=Gone()) as shown:
        train(shown, clock)


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_terminals_without_colours(name: str, value: str, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    stream = Terminal()
    with Progress(stream=stream) as shown:
        train(shown, clock)
    assert "\x1b[3" not in stream.getvalue()
    assert ("\r" in stream.getvalue()) == (name == "NO_COLOR")


def test_terminals_without_the_sign(clock: Clock) -> None:
    class Latin(Terminal):
        encoding: Any = "latin-1"

    stream = Latin()
    with Progress(stream=stream) as shown:
        train(shown, clock)
    stream.getvalue().encode("ascii")
    assert "#" in stream.getvalue()


def test_ctrl_c_right_after_a_line_was_drawn(clock: Clock) -> None:
    """What is said after it begins a line of its own."""

    class Interrupted(Terminal):
        def flush(self) -> None:
            if "epoch 1/2" in self.getvalue() and not self.getvalue().endswith("\n"):
                raise KeyboardInterrupt

    stream = Interrupted()
    with pytest.raises(KeyboardInterrupt), Progress(stream=stream) as shown:
        train(shown, clock)
    assert stream.getvalue().count("epoch") == 1 and stream.getvalue().endswith("\n")
