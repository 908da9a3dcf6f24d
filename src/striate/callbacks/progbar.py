"""The progress bar: one line, redrawn in place on a terminal, written once where there is none."""

from __future__ import annotations

import math
import os
import shutil
import sys
import time
from collections.abc import Iterable
from typing import Any

import numpy as np

from striate import backend
from striate.callbacks.base import Callback, Logs
from striate.core.errors import ArgumentError
from striate.core.registry import export

_BOLD, _GREEN, _DIM, _END, _ERASE = "\x1b[1m", "\x1b[32m", "\x1b[37m", "\x1b[0m", "\x1b[K"


def can_redraw() -> bool:
    """Whether what is printed can be overwritten: a terminal, or a notebook; a log cannot."""
    if not backend.is_interactive_logging_enabled():
        return False
    stream = sys.stdout
    is_terminal = bool(getattr(stream, "isatty", None) and stream.isatty())
    return is_terminal or "ipykernel" in sys.modules or "PYCHARM_HOSTED" in os.environ


def format_value(value: float) -> str:
    """Four decimals, or in powers of ten where that would show nothing."""
    return f"{value:.4f}" if abs(value) > 1e-3 else f"{value:.4e}"


def format_duration(seconds: float, unit: str) -> str:
    """Time a step: "12ms/step"."""
    if seconds >= 1 or seconds == 0:
        return f"{seconds:.0f}s/{unit}"
    if seconds >= 1e-3:
        return f"{seconds * 1e3:.0f}ms/{unit}"
    return f"{seconds * 1e6:.0f}us/{unit}"


def format_eta(seconds: float) -> str:
    """Time that is left: "8s", "1:05", "2:00:09"."""
    whole = int(seconds)
    if whole > 3600:
        return f"{whole // 3600}:{whole % 3600 // 60:02d}:{whole % 60:02d}"
    if whole > 60:
        return f"{whole // 60}:{whole % 60:02d}"
    return f"{whole}s"


@export("utils.Progbar")
class Progbar:
    """A progress bar with running values.

    On a terminal or in a notebook (verbose=1) one line is redrawn, at most every `interval` seconds; elsewhere, and
    with verbose=2, one line is written at the end. After `config.disable_interactive_logging()` that line goes to the
    log.

    Source: `keras.utils.Progbar`.

    Args:
        target: number of steps, None where it is not known.
        width: of the bar, in characters.
        verbose: 0 nothing, 1 the bar, 2 one line at the end.
        interval: least time between two drawings, in seconds.
        stateful_metrics: names of values that are shown as they are; others are averaged over steps.
        stateless_metrics: the other way round: names of values to average, all others are shown as they are.
        unit_name: "step" or "sample".

    Raises:
        ValueError: both of stateful_metrics and stateless_metrics.
    """

    def __init__(
        self,
        target: int | None,
        width: int = 20,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Iterable[str] | None = None,
        stateless_metrics: Iterable[str] | None = None,
        unit_name: str = "step",
    ) -> None:
        if stateful_metrics is not None and stateless_metrics is not None:
            raise ArgumentError(
                "Only one of `stateful_metrics` or `stateless_metrics` can be provided. Received both: "
                "`stateful_metrics` are shown as they are, `stateless_metrics` are averaged."
            )
        self.target = target
        self.width = width
        self.verbose = verbose
        self.interval = interval
        self.unit_name = unit_name
        self._averaged_only = set(stateless_metrics) if stateless_metrics is not None else None
        self._as_is = set(stateful_metrics or ())
        self._redraw = verbose == 1 and can_redraw()
        #: name -> [sum, count]
        self._values: dict[str, list[Any]] = {}
        self._seen = 0
        self._start = time.perf_counter()
        self._after_first: float | None = None
        self._drawn = -math.inf
        self._done = False

    def update(
        self, current: int, values: Iterable[tuple[str, Any]] | None = None, finalize: bool | None = None
    ) -> None:
        """Show that `current` steps are done, with the latest `values` as (name, value) pairs."""
        if finalize is None:
            finalize = self.target is not None and current >= self.target
        now = time.perf_counter()
        if current == 1 and self._after_first is None:
            self._after_first = now
        self._take(current, values or (), finalize)
        self._seen = current
        if self.verbose not in (1, 2) or self._done:
            return
        if self._redraw:
            if finalize or now - self._drawn >= self.interval:
                self._drawn = now
                parts = self._bar(current, now, finalize)
                # The last drawing stays as it is and may wrap; one that wraps could not be redrawn.
                line = "".join(parts) if finalize else self._fit(parts)
                backend.say(f"\r{line}{_ERASE}", end="\n" if finalize else "")
        elif finalize:
            backend.say(self._line(current, now))
        self._done = self._done or finalize

    def add(self, n: int, values: Iterable[tuple[str, Any]] | None = None) -> None:
        """Show that `n` more steps are done."""
        self.update(self._seen + n, values)

    def _take(self, current: int, values: Iterable[tuple[str, Any]], finalize: bool) -> None:
        for name, value in values:
            averaged = name not in self._as_is if self._averaged_only is None else name in self._averaged_only
            if averaged and not finalize:
                steps = max(current - self._seen, 1)
                held = self._values.setdefault(name, [0.0, 0])
                held[0] += value * steps
                held[1] += steps
            else:
                self._values[name] = [value, 1]

    def _step_seconds(self, current: int, now: float) -> float:
        """The first step is left out once there are others: it makes the program."""
        if not current:
            return 0.0
        if self._after_first is not None and current > 1:
            return (now - self._after_first) / (current - 1)
        return (now - self._start) / current

    def _numbers(self) -> list[str]:
        parts = []
        for name, (total, count) in self._values.items():
            mean = float(np.mean(total)) / max(1, count)
            parts.append(f" - {name}: {format_value(mean)}")
        return parts

    def _count(self, current: int) -> str:
        if not self.target:
            return f"{current:7d}/Unknown"
        return f"{current:{len(str(self.target))}d}/{self.target}"

    def _bar(self, current: int, now: float, finalize: bool) -> list[str]:
        per_step = self._step_seconds(current, now)
        parts = [_BOLD + self._count(current) + _END]
        if self.target:
            full = min(int(self.width * current / self.target), self.width)
            parts.append(f" {_GREEN}{'━' * full}{_END}{_DIM}{'━' * (self.width - full)}{_END}")
        left = now - self._start if finalize or not self.target else per_step * (self.target - current)
        shown = f"{left:.0f}s" if finalize or not self.target else format_eta(left)
        parts.append(f" {_BOLD}{shown}{_END} {format_duration(per_step, self.unit_name)}")
        return parts + self._numbers()

    @staticmethod
    def _fit(parts: list[str]) -> str:
        """As many parts as one line of the terminal holds."""
        room = shutil.get_terminal_size().columns - 1
        kept: list[str] = []
        for part in parts:
            visible = part
            for code in (_BOLD, _GREEN, _DIM, _END):
                visible = visible.replace(code, "")
            room -= len(visible)
            if room < 0 and kept:
                break
            kept.append(part)
        return "".join(kept)

    def _line(self, current: int, now: float) -> str:
        per_step = format_duration(self._step_seconds(current, now), self.unit_name)
        count = self._count(current) if self.target else f"{current}/{current}"
        return f"{count} - {now - self._start:.0f}s - {per_step}" + "".join(self._numbers())


@export("callbacks.ProgbarLogger")
class ProgbarLogger(Callback):
    """Shows the progress of `fit`, `evaluate` and `predict` on standard output; added by them unless verbose=0.

    Source: `keras.callbacks.ProgbarLogger`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.seen = 0
        self.progbar: Progbar | None = None
        self.target: int | None = None
        self.verbose = 1
        self.epochs = 1
        self._called_in_fit = False

    def set_params(self, params: dict[str, Any]) -> None:
        self.params = params
        verbose = params.get("verbose", "auto")
        self.verbose = 1 if verbose == "auto" else int(verbose)
        self.epochs = params.get("epochs", 1)
        self.target = params.get("steps")

    def _begin(self) -> None:
        self.seen = 0
        # Logged values are running means already.
        self.progbar = Progbar(target=self.target, verbose=self.verbose, stateless_metrics=())

    def _advance(self, batch: int, logs: Logs) -> None:
        if self.progbar is None:
            self._begin()
        assert self.progbar is not None
        self.seen = batch + 1
        # A line an epoch shows what the epoch's end is told, in its order: values of single batches are not wanted.
        shown = (logs or {}).items() if self.verbose == 1 else ()
        self.progbar.update(self.seen, shown, finalize=False)

    def _end(self, logs: Logs) -> None:
        if self.progbar is None:
            return
        if self.target is None:
            self.target = self.progbar.target = self.seen
        self.progbar.update(self.seen or self.target, (logs or {}).items(), finalize=True)
        self.progbar = None

    def on_train_begin(self, logs: Logs = None) -> None:
        self._called_in_fit = True

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._begin()
        if self.verbose and self.epochs > 1:
            backend.say(f"Epoch {epoch + 1}/{self.epochs}")

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        self._advance(batch, logs)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self._end(logs)

    def on_train_end(self, logs: Logs = None) -> None:
        self._called_in_fit = False

    def on_test_begin(self, logs: Logs = None) -> None:
        # Validation inside `fit` is silent.
        if not self._called_in_fit:
            self._begin()

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        if not self._called_in_fit:
            self._advance(batch, logs)

    def on_test_end(self, logs: Logs = None) -> None:
        if not self._called_in_fit:
            self._end(logs)

    def on_predict_begin(self, logs: Logs = None) -> None:
        self._begin()

    def on_predict_batch_end(self, batch: int, logs: Logs = None) -> None:
        self._advance(batch, None)

    def on_predict_end(self, logs: Logs = None) -> None:
        self._end(None)
