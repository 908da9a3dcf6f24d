"""LambdaCallback: functions as a callback."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from striate.callbacks.base import Callback
from striate.core.errors import ArgumentError
from striate.core.registry import export


@export("callbacks.LambdaCallback")
class LambdaCallback(Callback):
    """A callback made of functions.

    Source: `keras.callbacks.LambdaCallback`.

    Args:
        on_epoch_begin, on_epoch_end: take `epoch, logs`.
        on_train_begin, on_train_end: take `logs`.
        on_train_batch_begin, on_train_batch_end: take `batch, logs`.
        **kwargs: functions for any other method of `Callback`; under a name without "on_" in front, an attribute
            of the callback.

    Raises:
        ValueError: a name that begins with "on_" and is no method of `Callback`.

    Example:
        >>> callback = LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch, logs["loss"]))
        >>> callback.on_epoch_end(0, {"loss": 0.5})
        0 0.5
    """

    def __init__(
        self,
        on_epoch_begin: Callable[..., Any] | None = None,
        on_epoch_end: Callable[..., Any] | None = None,
        on_train_begin: Callable[..., Any] | None = None,
        on_train_end: Callable[..., Any] | None = None,
        on_train_batch_begin: Callable[..., Any] | None = None,
        on_train_batch_end: Callable[..., Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        given = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
            **kwargs,
        }
        for name, function in given.items():
            if name.startswith("on_") and not hasattr(Callback, name):
                known = ", ".join(n for n in dir(Callback) if n.startswith("on_"))
                raise ArgumentError(f"LambdaCallback has no moment {name!r}. Expected one of: {known}.")
            if function is not None:
                setattr(self, name, function)
