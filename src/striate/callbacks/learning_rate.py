"""Callbacks that change the learning rate between epochs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from striate import backend
from striate.callbacks.base import Callback, Logs
from striate.callbacks.monitor import MonitorCallback
from striate.callbacks.single_optimizers import learning_rates, single_optimizers
from striate.core.errors import ArgumentError, StateError
from striate.core.registry import export


def _optimizers_of(model: Any, who: str) -> list[tuple[str, Any]]:
    found = single_optimizers(model)
    if any(optimizer is None or not hasattr(optimizer, "learning_rate") for _, optimizer in found):
        raise StateError(f"{who} needs a model whose optimizer has a `learning_rate`. Compile it with an optimizer.")
    return found


@export("callbacks.LearningRateScheduler")
class LearningRateScheduler(Callback):
    """Sets the learning rate before each epoch, of each optimizer in a MultiOptimizer.

    Source: `keras.callbacks.LearningRateScheduler`.

    Args:
        schedule: function of (epoch, learning rate) that gives the new learning rate.
        verbose: 1 prints it.
    """

    def __init__(self, schedule: Callable[..., Any], verbose: int = 0) -> None:
        super().__init__()
        self.schedule = schedule
        self.verbose = verbose

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        for suffix, optimizer in _optimizers_of(self._model, "LearningRateScheduler"):
            try:
                rate = self.schedule(epoch, float(np.asarray(optimizer.learning_rate)))
            except TypeError:  # schedules of the epoch alone
                rate = self.schedule(epoch)
            if not isinstance(rate, float | np.floating | np.ndarray) or np.ndim(rate):
                raise ArgumentError(f"The output of the `schedule` function should be a float. Received: {rate!r}.")
            optimizer.learning_rate = float(rate)
            if self.verbose > 0:
                whose = f"{optimizer.name} learning rate" if suffix else "learning rate"
                backend.say(f"\nEpoch {epoch + 1}: LearningRateScheduler setting {whose} to {float(rate)}.")

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if logs is not None:
            logs.update(learning_rates(self._model))


@export("callbacks.ReduceLROnPlateau")
class ReduceLROnPlateau(MonitorCallback):
    """Multiplies the learning rate (each one in a MultiOptimizer) by `factor` when a watched value stops improving.

    Source: `keras.callbacks.ReduceLROnPlateau`.

    Args:
        monitor: the logged value to watch.
        factor: new rate = rate * factor; below 1.
        patience: epochs without improvement before the rate falls.
        verbose: 1 prints it.
        mode: "min", "max" or "auto".
        min_delta: a change of at most this much is no improvement.
        cooldown: epochs after a fall that are not counted.
        min_lr: the rate does not fall below this.

    Raises:
        ValueError: factor of 1 or more.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 10,
        verbose: int = 0,
        mode: str = "auto",
        min_delta: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(monitor, mode, min_delta=min_delta)
        if factor >= 1.0:
            raise ArgumentError(f"ReduceLROnPlateau does not support a factor >= 1.0. Received: factor={factor}.")
        if kwargs:
            raise ArgumentError(f"ReduceLROnPlateau has no argument {', '.join(map(repr, kwargs))}.")
        self.factor = factor
        self.min_lr = min_lr
        self.patience = patience
        self.verbose = verbose
        self.cooldown = cooldown
        self.cooldown_counter = 0
        self.wait = 0

    def on_train_begin(self, logs: Logs = None) -> None:
        self.best = None
        self.wait = 0
        self.cooldown_counter = 0

    def in_cooldown(self) -> bool:
        """Whether epochs are not counted just now."""
        return self.cooldown_counter > 0

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        optimizers = _optimizers_of(self._model, "ReduceLROnPlateau")
        if logs is not None:
            logs.update(learning_rates(self._model))
        self._set_monitor_op()
        current = self._monitored(logs, "Learning rate reduction")
        if current is None:
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self._is_improvement(current, self.best):
            self.best = current
            self.wait = 0
        elif not self.in_cooldown():
            self.wait += 1
            if self.wait >= self.patience:
                reduced = [self._reduce(suffix, optimizer, epoch) for suffix, optimizer in optimizers]
                if any(reduced):
                    self.cooldown_counter = self.cooldown
                    self.wait = 0

    def _reduce(self, suffix: str, optimizer: Any, epoch: int) -> bool:
        old = float(np.asarray(optimizer.learning_rate))
        if old <= np.float32(self.min_lr):
            return False
        new = max(old * self.factor, self.min_lr)
        optimizer.learning_rate = new
        if self.verbose > 0:
            whose = f"{optimizer.name} learning rate" if suffix else "learning rate"
            backend.say(f"\nEpoch {epoch + 1}: ReduceLROnPlateau reducing {whose} to {new}.")
        return True
