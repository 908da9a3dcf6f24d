"""EarlyStopping: end the training when it no longer gets better."""

from __future__ import annotations

from typing import Any

from striate import backend
from striate.callbacks.base import Logs
from striate.callbacks.monitor import MonitorCallback
from striate.core.registry import export


@export("callbacks.EarlyStopping")
class EarlyStopping(MonitorCallback):
    """Ends the training when a watched value has not become better for `patience` epochs.

    Source: `keras.callbacks.EarlyStopping`.

    Args:
        monitor: the logged value to watch.
        min_delta: a change of at most this much is no improvement.
        patience: epochs without improvement after which to stop.
        verbose: 1 prints what it does.
        mode: "min", "max" or "auto".
        baseline: the value has to become better than this.
        restore_best_weights: give the model the weights of its best epoch, also when the training runs to its end.
        start_from_epoch: epochs at the start that are not watched.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta=min_delta)
        self.patience = patience
        self.verbose = verbose
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self.wait = 0
        self.stopped_epoch = 0
        self.best_epoch = 0
        self.best_weights: list[Any] | None = None

    def on_train_begin(self, logs: Logs = None) -> None:
        self.wait = 0
        self.stopped_epoch = 0
        self.best = None
        self.best_epoch = 0
        self.best_weights = None

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self._set_monitor_op()
        current = self._monitored(logs, "Early stopping")
        if current is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            # Something to go back to, even if nothing ever gets better.
            self.best_weights = self._model.get_weights()
            self.best_epoch = epoch
        self.wait += 1
        if self._is_improvement(current, self.best):
            self.best = current
            self.best_epoch = epoch
            if self.restore_best_weights:
                self.best_weights = self._model.get_weights()
            if self.baseline is None or self._is_improvement(current, self.baseline):
                self.wait = 0
                return
        if self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self._model.stop_training = True

    def on_train_end(self, logs: Logs = None) -> None:
        if self.stopped_epoch > 0 and self.verbose > 0:
            backend.say(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose > 0:
                backend.say(f"Restoring model weights from the end of the best epoch: {self.best_epoch + 1}.")
            self._model.set_weights(self.best_weights)
