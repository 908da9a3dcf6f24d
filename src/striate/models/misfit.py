"""Targets that do not fit an output: what losses and metrics raise, in the user's words."""

from __future__ import annotations

from typing import Any

from striate import backend
from striate.core.errors import ShapeError


def misfit(error: ShapeError, what: str, output: str | None, y_true: Any, y_pred: Any) -> ShapeError:
    """The error with what the user knows: names and shapes of targets and output, not of ops inside.

    Args:
        what: "loss 'mse'", "metric 'accuracy'".
        output: name of the model's output, where it has one.
    """
    targets, outputs = (backend.open_batch(tuple(backend.shape(t))) for t in (y_true, y_pred))
    several = f" of output {output!r}" if output is not None else ""
    hint = ""
    if len(outputs) == 4 and len(targets) <= 2:
        hint = (
            " The output still has rows and columns: put Flatten() or GlobalAveragePooling2D() before the last Dense."
        )
    return ShapeError(f"{error} In {what}{several}: targets `y` of shape {targets}, output of shape {outputs}.{hint}")
