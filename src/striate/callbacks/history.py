"""History: what `fit` returns."""

from __future__ import annotations

from typing import Any

from striate.callbacks.base import Callback, Logs
from striate.core.registry import export


@export("callbacks.History")
class History(Callback):
    """Keeps the logs of every epoch; every `fit` returns one.

    Source: `keras.callbacks.History`.

    Attributes:
        epoch: the numbers of the epochs, from 0.
        history: name -> a value an epoch: "loss", the metrics, and "val_..." where there was validation.

    Example:
        >>> model = Sequential([Dense(3, activation="softmax")])
        >>> model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
        >>> history = model.fit(np.ones((10, 4)), np.zeros(10), epochs=2, validation_split=0.1, verbose=0)
        >>> sorted(history.history)
        ['accuracy', 'loss', 'val_accuracy', 'val_loss']
        >>> history.epoch
        [0, 1]
    """

    def __init__(self) -> None:
        super().__init__()
        self.history: dict[str, list[Any]] = {}
        self.epoch: list[int] = []

    def on_train_begin(self, logs: Logs = None) -> None:
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
        # On the model already now, so that an interrupted training leaves its history behind.
        if self._model is not None:
            self._model.history = self
