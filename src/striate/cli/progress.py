"""Progress on stderr: one line that is redrawn on a terminal, one line an epoch where it goes into a file."""

from __future__ import annotations

import io
import math
import os
import sys
import time
from types import TracebackType
from typing import Any, TextIO

from striate.callbacks.base import Callback, Logs
from striate.callbacks.progbar import format_eta, format_value

_GREEN, _DIM, _END, _ERASE = "\x1b[32m", "\x1b[2m", "\x1b[0m", "\x1b[K"
#: Least seconds between two drawings: quick enough to look alive, and costs nothing.
INTERVAL = 0.1
_BAR = 24  # characters, less where the terminal is narrow


class Progress(Callback):
    """Shows training, or with `label` scoring, on `stream` (stderr); use it as a context, so that no line is left open.

    A stream that goes away (a closed pipe) silences it: a training must not end because nobody watches.

    Args:
        label: what is shown before the bar; "epoch 3/8" unless given.
        stream: where to; stderr unless given.
    """

    def __init__(self, label: str = "", stream: TextIO | None = None) -> None:
        super().__init__()
        self._label = label
        # A process may be started with stderr closed.
        self._stream: TextIO = stream or sys.stderr or io.StringIO()
        dumb = os.environ.get("TERM") == "dumb"
        self._redraws = self._stream.isatty() and not dumb
        self._colours = self._redraws and not os.environ.get("NO_COLOR")
        wide = (getattr(self._stream, "encoding", None) or "").lower().replace("-", "").startswith("utf")
        self._full, self._empty = ("━", "━" if self._colours else "─") if wide else ("#", ".")
        self._training = self._open = False
        self._done_before = self._done = 0
        self._began = self._epoch_began = time.perf_counter()
        self._drawn = -math.inf

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._open:
            self._write("\n")
            self._open = False

    def on_train_begin(self, logs: Logs = None) -> None:
        self._training = True
        self._began = time.perf_counter()

    def on_train_end(self, logs: Logs = None) -> None:
        self._training = False

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        epochs = self.params.get("epochs", 1)
        self._label = f"epoch {epoch + 1:{len(str(epochs))}d}/{epochs}"
        self._begin(epoch)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        self._step(batch + 1, logs)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self._end(logs)

    def on_test_begin(self, logs: Logs = None) -> None:
        if not self._training:
            self._began = time.perf_counter()
            self._begin(0)

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        if not self._training:
            self._step(batch + 1, logs)

    def on_test_end(self, logs: Logs = None) -> None:
        if not self._training:
            self._end(logs)

    def _begin(self, epoch: int) -> None:
        self._epoch, self._done = epoch, 0
        self._epoch_began = time.perf_counter()
        if self._redraws:
            self._draw(None)

    def _step(self, done: int, logs: Logs) -> None:
        self._done = done
        if self._redraws and time.perf_counter() - self._drawn >= INTERVAL:
            self._draw(logs)

    def _end(self, logs: Logs) -> None:
        took = time.perf_counter() - self._epoch_began
        count = f"{self._done} step{'s' if self._done != 1 else ''}"
        rest = [f"{took:.0f}s" if took >= 1 else f"{took * 1e3:.0f}ms", *_numbers(logs)]
        if self._redraws:
            self._write(f"\r{self._line(1.0, count, rest)}{_ERASE}\n")
        else:
            self._write("  ".join([self._label, count, *rest]) + "\n")
        self._open = False

    def _draw(self, logs: Logs) -> None:
        steps = self.params.get("steps")
        now = time.perf_counter()
        self._drawn = now
        share = min(self._done / steps, 1.0) if steps else 0.0
        count = f"{self._done:{len(str(steps))}d}/{steps}" if steps else f"{self._done}"
        parts = []
        epochs = self.params.get("epochs", 1) if self._training else 1
        # Of the whole training, not of this epoch: how long until there is a model.
        whole = (self._epoch + share) / epochs
        if whole > 0 and now - self._began > 1:
            parts.append(f"{format_eta(round((now - self._began) * (1 - whole) / whole))} left")
        self._open = True  # before it is: Ctrl-C may come in between, and what follows must begin a line of its own
        self._write(f"\r{self._line(share, count, parts + _numbers(logs))}{_ERASE}")

    def _line(self, share: float, count: str, parts: list[str]) -> str:
        """Label, bar, count, parts on one line, for one that wraps cannot be redrawn.

        Where the terminal is narrow the bar gives way first, then the count, then what stands last.
        """
        # A terminal adds "^C" when the user does.
        room = self._columns() - 3 - len(self._label)

        def width(shown: list[str]) -> int:
            return sum(len(p) + 2 for p in shown)

        if width([count, *parts]) <= room:
            parts = [count, *parts]
        while parts and width(parts) > room:
            parts = parts[:-1]
        length = min(_BAR, room - width(parts) - 2)
        bar = ""
        if length >= 6:
            full = int(length * share + 1e-9)
            done, left = self._full * full, self._empty * (length - full)
            bar = f"  {_GREEN}{done}{_END}{_DIM}{left}{_END}" if self._colours else f"  {done}{left}"
        return self._label[: max(self._columns() - 1, 0)] + bar + "".join("  " + p for p in parts)

    def _columns(self) -> int:
        try:
            # Of this very stream: stdout, which shutil asks, may well be a file.
            return os.get_terminal_size(self._stream.fileno()).columns or 80
        except (OSError, ValueError):  # no terminal, or one that does not say
            return 80

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):
            self._write = lambda text: None  # type: ignore[method-assign]


def _numbers(logs: Logs) -> list[str]:
    """Each metric with its value on the validation images: accuracy 0.8123 (val 0.7900)."""
    values: dict[str, Any] = dict(logs or {})
    parts = []
    for name, value in values.items():
        if name.startswith("val_") and name[4:] in values:
            continue
        held = f" (val {format_value(float(values[f'val_{name}']))})" if f"val_{name}" in values else ""
        parts.append(f"{name} {format_value(float(value))}{held}")
    return parts
