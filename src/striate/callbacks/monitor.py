"""Watching one logged value: which way is better, and whether it has become better."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from striate import ops
from striate.callbacks.base import Callback, Logs
from striate.core.errors import ArgumentError

#: Endings of names of what should grow and of what should shrink, for metrics that do not say it themselves.
_UP = ("acc", "accuracy", "auc", "precision", "recall", "f1_score", "fbeta_score", "iou", "r2_score", "similarity")
_DOWN = ("loss", "error", "entropy", "crossentropy", "divergence", "mse", "mae", "mape", "msle", "hinge", "poisson")


def _metrics_of(model: Any) -> list[Any]:
    found: list[Any] = []
    for metric in getattr(model, "metrics", None) or []:
        found.append(metric)
        found.extend(getattr(metric, "metrics", None) or [])
    return found


class MonitorCallback(Callback):
    """Base of callbacks that watch one logged value.

    Args:
        monitor: its name, "val_loss" for example.
        mode: "min", "max", or "auto": told by the metric, or by its name.
        baseline: what the first value has to beat.
        min_delta: an improvement is a change by more than this.
    """

    def __init__(
        self, monitor: str = "val_loss", mode: str = "auto", baseline: float | None = None, min_delta: float = 0
    ) -> None:
        super().__init__()
        if mode not in ("auto", "min", "max"):
            warnings.warn(
                f"{type(self).__name__} mode {mode!r} is unknown, fallback to auto mode. "
                "Expected 'auto', 'min' or 'max'.",
                stacklevel=3,
            )
            mode = "auto"
        self.monitor = monitor
        self.mode = mode
        self.best = baseline
        self.min_delta = abs(min_delta)
        #: +1 where larger is better, -1 where smaller is, 0 until it is known.
        self._direction = {"max": 1, "min": -1}.get(mode, 0)

    @property
    def monitor_op(self) -> Any:
        """`ops.greater` where larger is better, `ops.less` where smaller is, None until it is known."""
        return {1: ops.greater, -1: ops.less}.get(self._direction)

    def _set_monitor_op(self) -> None:
        """Find out which way is better, at the first epoch's end (metrics are built then).

        Raises:
            ValueError: neither the metric nor its name tells.
        """
        if self._direction:
            return
        name = self.monitor.removeprefix("val_")
        for metric in _metrics_of(self._model):
            said = getattr(metric, "_direction", None)
            if said and (metric.name == name or name.endswith("_" + metric.name)):
                self._direction = 1 if said == "up" else -1
                return
        if name.endswith(_DOWN):
            self._direction = -1
        elif name.endswith(_UP):
            self._direction = 1
        else:
            raise ArgumentError(
                f"{type(self).__name__} callback received monitor={self.monitor}, but it cannot be told whether that "
                "metric should be maximized or minimized. Pass `mode='max'` or `mode='min'`."
            )

    def _is_improvement(self, value: float, reference: float | None) -> bool:
        if value != value:  # NaN is never better
            return False
        if reference is None:
            return True
        return (value - reference) * self._direction > self.min_delta

    def _monitored(self, logs: Logs, consequence: str) -> float | None:
        """The watched value, or None with a warning."""
        logs = logs or {}
        value = logs.get(self.monitor)
        if value is None:
            warnings.warn(
                f"{consequence} conditioned on metric `{self.monitor}` which is not available. "
                f"Available metrics are: {','.join(logs)}",
                stacklevel=4,
            )
            return None
        if np.size(value) != 1:
            raise ArgumentError(
                f"{type(self).__name__} watches one number. Received: {self.monitor} of shape {np.shape(value)}. "
                f"Watch another one, or let the metric average its classes (average='macro')."
            )
        return float(np.asarray(value).item())
