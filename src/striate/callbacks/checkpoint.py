"""ModelCheckpoint: save the model, or its weights, as the training goes on."""

from __future__ import annotations

import os
import warnings
from typing import Any

from striate import backend
from striate.callbacks.base import Logs
from striate.callbacks.monitor import MonitorCallback
from striate.core.errors import ArgumentError
from striate.core.registry import export


@export("callbacks.ModelCheckpoint")
class ModelCheckpoint(MonitorCallback):
    """Saves the model or its weights after each epoch, or every so many batches.

    A file is written beside its place and then moved there, so a kill in the middle leaves the last one whole.

    Source: `keras.callbacks.ModelCheckpoint`.

    Args:
        filepath: where to; may hold names of logged values: "epoch{epoch:02d}-{val_loss:.3f}.keras". Ends in .keras,
            or in .weights.h5 with `save_weights_only`.
        monitor: the logged value to watch.
        verbose: 1 prints what it does.
        save_best_only: save only when the watched value has become better.
        save_weights_only: weights instead of the whole model.
        mode: "min", "max" or "auto".
        save_freq: "epoch", or a number of batches.
        initial_value_threshold: with `save_best_only`, what the first value has to beat.

    Raises:
        ValueError: another ending, or another `save_freq`.
    """

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
    ) -> None:
        super().__init__(monitor, mode, baseline=initial_value_threshold)
        self.filepath = os.fspath(filepath)
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.save_freq = save_freq
        self._batches_since_save = 0
        self._last_batch_seen = 0
        self._current_epoch = 0
        if save_freq != "epoch" and (isinstance(save_freq, bool) or not isinstance(save_freq, int) or save_freq < 1):
            raise ArgumentError(
                f"Unrecognized save_freq: {save_freq!r}. Expected save_freq are 'epoch' or integer values (batches)."
            )
        ending = ".weights.h5" if save_weights_only else ".keras"
        if not self.filepath.endswith(ending):
            raise ArgumentError(
                f"When using `save_weights_only={save_weights_only}` in `ModelCheckpoint`, the filepath provided must "
                f"end in `{ending}`. Received: filepath={self.filepath}"
            )

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        if self.save_freq == "epoch":
            return
        # batch counts from 0 in each epoch; with several steps an execution it moves by more than one.
        self._batches_since_save += batch + 1 if batch <= self._last_batch_seen else batch - self._last_batch_seen
        self._last_batch_seen = batch
        if self._batches_since_save >= int(self.save_freq):
            self._batches_since_save = 0
            self._save(self._current_epoch, batch, logs)

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._current_epoch = epoch
        self._last_batch_seen = -1

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if self.save_freq == "epoch":
            self._save(epoch, None, logs)

    def _path(self, epoch: int, batch: int | None, logs: dict[str, Any]) -> str:
        numbers: dict[str, Any] = {"epoch": epoch + 1, **logs}
        if batch is not None:
            numbers["batch"] = batch + 1
        try:
            return self.filepath.format(**numbers)
        except KeyError as missing:
            raise ArgumentError(
                f"Failed to format this callback filepath: {self.filepath!r}. There is no logged value named "
                f"{missing}; there are: {', '.join(sorted(numbers))}."
            ) from None

    def _save(self, epoch: int, batch: int | None, logs: Logs) -> None:
        logs = dict(logs or {})
        path = self._path(epoch, batch, logs)
        said = ""
        if self.save_best_only:
            if self.monitor in logs:
                self._set_monitor_op()
            current = self._monitored(logs, "Can save best model only, which is")
            if current is not None:
                if not self._better(current, epoch):
                    return
                before = "None" if self.best is None else f"{self.best:.5f}"
                said = f"{self.monitor} improved from {before} to {current:.5f}, "
                self.best = current
            # What cannot be compared is saved, as in Keras: better one too many than none.
        if self.verbose > 0:
            backend.say(f"\nEpoch {epoch + 1}: {said}saving model to {path}")
        directory = os.path.dirname(path)
        if directory:
            os.makedirs(directory, exist_ok=True)
        if self.save_weights_only:
            self._model.save_weights(path, overwrite=True)
        else:
            self._model.save(path, overwrite=True)
        if self.verbose > 0:
            backend.say(f"\nEpoch {epoch + 1}: finished saving model to {path}")

    def _better(self, current: float, epoch: int) -> bool:
        if self._is_improvement(current, self.best):
            return True
        if self.verbose > 0:
            backend.say(f"\nEpoch {epoch + 1}: {self.monitor} did not improve from {self.best:.5f}")
        if current != current:
            warnings.warn(f"{self.monitor} is NaN at epoch {epoch + 1}; the model is not saved.", stacklevel=4)
        return False
