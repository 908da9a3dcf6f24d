"""TerminateOnNaN: end the training when the loss is no number."""

from __future__ import annotations

import math

from striate import backend
from striate.callbacks.base import Callback, Logs
from striate.core.errors import StriateError
from striate.core.registry import export


@export("callbacks.TerminateOnNaN")
class TerminateOnNaN(Callback):
    """Ends the training at the first batch whose loss is NaN or infinite.

    Source: `keras.callbacks.TerminateOnNaN`.

    Args:
        raise_error: raise a RuntimeError instead of ending quietly.
    """

    def __init__(self, raise_error: bool = False) -> None:
        super().__init__()
        self.raise_error = raise_error

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(loss):
            return
        message = f"Batch {batch}: Invalid loss ({loss}), terminating training."
        self._model.stop_training = True
        if self.raise_error:
            raise TrainingDivergedError(
                f"NaN or Inf loss encountered in batch {batch}: Invalid loss ({loss}), terminating training. "
                f"Lower the learning rate, or set clipnorm in the optimizer."
            )
        backend.say(message)


class TrainingDivergedError(StriateError, RuntimeError):
    """The loss is no longer a number."""
