"""CallbackList: several callbacks as one, at next to no cost a batch for those that skip batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from striate.callbacks.base import Callback, Logs
from striate.callbacks.history import History
from striate.callbacks.progbar import ProgbarLogger
from striate.core import tree
from striate.core.errors import ArgumentError
from striate.core.registry import export

Hook = Callable[..., None]

#: Per-batch methods; the older names count for those that forward to them.
_BATCH_HOOKS: dict[str, tuple[str, ...]] = {
    "on_train_batch_begin": ("on_train_batch_begin", "on_batch_begin"),
    "on_train_batch_end": ("on_train_batch_end", "on_batch_end"),
    "on_test_batch_begin": ("on_test_batch_begin",),
    "on_test_batch_end": ("on_test_batch_end",),
    "on_predict_batch_begin": ("on_predict_batch_begin",),
    "on_predict_batch_end": ("on_predict_batch_end",),
}


def _overrides(callback: Any, names: tuple[str, ...]) -> bool:
    """Whether a callback has a method of its own for one of these moments (on its class or on the instance)."""
    for name in names:
        method = getattr(callback, name, None)
        if method is not None and getattr(method, "__func__", method) is not getattr(Callback, name):
            return True
    return False


def _check(callback: Any) -> None:
    """Refuse what is no callback: found later, it would be a missing method of a thing the user never wrote."""
    if isinstance(callback, type):
        raise ArgumentError(
            f"`callbacks` holds the class {callback.__name__}, not a callback. Write {callback.__name__}(...)."
        )
    if not hasattr(callback, "set_model"):
        raise ArgumentError(
            f"`callbacks` must hold callbacks. Received: {callback!r} (of type {type(callback).__name__}). Derive from "
            "striate.callbacks.Callback, or give functions by name, as in LambdaCallback(on_epoch_end=...)."
        )


@export("callbacks.CallbackList")
class CallbackList(Callback):
    """Calls several callbacks in order.

    Source: `keras.callbacks.CallbackList`.

    Args:
        callbacks: callbacks, or nested lists of them.
        add_history: add a `History` where none is given.
        add_progbar: add a `ProgbarLogger` where none is given.
        model: passed to every callback's `set_model`.
        **params: passed to every callback's `set_params`.
    """

    def __init__(
        self,
        callbacks: Any = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: Any = None,
        **params: Any,
    ) -> None:
        super().__init__()
        self.callbacks: list[Any] = [c for c in tree.flatten(callbacks) if c is not None]
        for callback in self.callbacks:
            _check(callback)
        self._history = next((c for c in self.callbacks if isinstance(c, History)), None)
        self._progbar = next((c for c in self.callbacks if isinstance(c, ProgbarLogger)), None)
        if self._progbar is None and add_progbar:
            self._progbar = ProgbarLogger()
            self.callbacks.append(self._progbar)
        if self._history is None and add_history:
            self._history = History()
            self.callbacks.append(self._history)
        self._hooks: dict[str, list[Hook]] = {}
        self._refresh()
        if model is not None:
            self.set_model(model)
        if params:
            self.set_params(params)

    def _refresh(self) -> None:
        self._hooks = {
            name: [getattr(c, name) for c in self.callbacks if _overrides(c, names)]
            for name, names in _BATCH_HOOKS.items()
        }

    def wants(self, hook: str) -> bool:
        """Whether any callback has a method for this per-batch moment."""
        return bool(self._hooks[hook])

    def append(self, callback: Any) -> None:
        """Add one at the end."""
        self.callbacks.append(callback)
        self._refresh()

    def set_params(self, params: dict[str, Any]) -> None:
        self.params = params
        for callback in self.callbacks:
            callback.set_params(params)

    def set_model(self, model: Any) -> None:
        super().set_model(model)
        if self._history is not None:
            model.history = self._history
        for callback in self.callbacks:
            callback.set_model(model)

    def __iter__(self) -> Any:
        return iter(self.callbacks)

    def __len__(self) -> int:
        return len(self.callbacks)

    def _each(self, name: str, *args: Any, logs: Logs) -> None:
        logs = logs or {}
        for callback in self.callbacks:
            getattr(callback, name)(*args, logs)

    def _each_batch(self, name: str, batch: int, logs: Logs) -> None:
        hooks = self._hooks[name]
        if hooks:
            logs = logs or {}
            for hook in hooks:
                hook(batch, logs)

    def on_batch_begin(self, batch: int, logs: Logs = None) -> None:
        self.on_train_batch_begin(batch, logs)

    def on_batch_end(self, batch: int, logs: Logs = None) -> None:
        self.on_train_batch_end(batch, logs)

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._each("on_epoch_begin", epoch, logs=logs)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self._each("on_epoch_end", epoch, logs=logs)

    def on_train_begin(self, logs: Logs = None) -> None:
        self._each("on_train_begin", logs=logs)

    def on_train_end(self, logs: Logs = None) -> None:
        self._each("on_train_end", logs=logs)

    def on_test_begin(self, logs: Logs = None) -> None:
        self._each("on_test_begin", logs=logs)

    def on_test_end(self, logs: Logs = None) -> None:
        self._each("on_test_end", logs=logs)

    def on_predict_begin(self, logs: Logs = None) -> None:
        self._each("on_predict_begin", logs=logs)

    def on_predict_end(self, logs: Logs = None) -> None:
        self._each("on_predict_end", logs=logs)

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        self._each_batch("on_train_batch_begin", batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        self._each_batch("on_train_batch_end", batch, logs)

    def on_test_batch_begin(self, batch: int, logs: Logs = None) -> None:
        self._each_batch("on_test_batch_begin", batch, logs)

    def on_test_batch_end(self, batch: int, logs: Logs = None) -> None:
        self._each_batch("on_test_batch_end", batch, logs)

    def on_predict_batch_begin(self, batch: int, logs: Logs = None) -> None:
        self._each_batch("on_predict_batch_begin", batch, logs)

    def on_predict_batch_end(self, batch: int, logs: Logs = None) -> None:
        self._each_batch("on_predict_batch_end", batch, logs)
