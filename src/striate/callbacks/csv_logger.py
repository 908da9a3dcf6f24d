"""CSVLogger: a line an epoch in a file."""

from __future__ import annotations

import csv
import os
from typing import IO, Any

import numpy as np

from striate.callbacks.base import Callback, Logs
from striate.core.registry import export


@export("callbacks.CSVLogger")
class CSVLogger(Callback):
    """Writes the logs of each epoch as a line of a CSV file, flushed at once.

    The first column is the epoch, the others are the logged names in alphabetical order. A name that an epoch lacks
    (validation that runs every other epoch) is written NA.

    Source: `keras.callbacks.CSVLogger`.

    Args:
        filename: path of the file.
        separator: between columns.
        append: go on in an existing file, without a second header.
    """

    def __init__(self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False) -> None:
        super().__init__()
        self.filename = os.fspath(filename)
        self.sep = separator
        self.append = append
        self.keys: list[str] | None = None
        self._file: IO[str] | None = None
        self._header = True

    def on_train_begin(self, logs: Logs = None) -> None:
        self._header = not (self.append and os.path.exists(self.filename) and os.path.getsize(self.filename) > 0)
        self._close()
        self._file = open(self.filename, "a" if self.append else "w", newline="", encoding="utf-8")  # noqa: SIM115
        self.keys = None

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        logs = logs or {}
        assert self._file is not None, "on_train_begin opens the file"
        if self.keys is None:
            self.keys = sorted(logs)
            validation = [k for k in self.keys if k.startswith("val_")]
            if not validation:
                # Validation may come in a later epoch; its columns are there from the start.
                self.keys += [f"val_{k}" for k in self.keys]
            if self._header:
                csv.writer(self._file, delimiter=self.sep, lineterminator="\n").writerow(["epoch", *self.keys])
        row = [epoch, *(_cell(logs.get(k, "NA")) for k in self.keys)]
        csv.writer(self._file, delimiter=self.sep, lineterminator="\n").writerow(row)
        self._file.flush()

    def on_train_end(self, logs: Logs = None) -> None:
        self._close()

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def _cell(value: Any) -> Any:
    if isinstance(value, str) or np.ndim(value) == 0:
        return value
    return f'"[{", ".join(map(str, np.asarray(value).tolist()))}]"'
