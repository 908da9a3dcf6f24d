"""SwapEMAWeights: validate with the weights' moving averages while training goes on with the weights."""

from __future__ import annotations

from typing import Any

from striate.callbacks.base import Callback, Logs
from striate.callbacks.single_optimizers import single_optimizers
from striate.core.errors import ArgumentError
from striate.core.registry import export


@export("callbacks.SwapEMAWeights")
class SwapEMAWeights(Callback):
    """Exchanges weights and moving averages before `evaluate`, validation and `predict`, and back after them.

    With `use_ema=True` the optimizer keeps average = ema_momentum * average + (1 - ema_momentum) * weight.

    Source: `keras.callbacks.SwapEMAWeights`.

    Args:
        swap_on_epoch: exchange at the end of each epoch too, and back when the next one begins, so that callbacks after
            this one (ModelCheckpoint) save the averages.

    Raises:
        ValueError: the optimizer keeps no averages.

    Example:
        >>> from striate import layers, models, optimizers
        >>> model = models.Sequential([layers.Input((2,)), layers.Dense(1)])
        >>> model.compile(optimizers.SGD(0.1, use_ema=True), "mse")
        >>> history = model.fit([[1.0, 2.0]], [[3.0]], verbose=0, callbacks=[SwapEMAWeights()])
    """

    def __init__(self, swap_on_epoch: bool = False) -> None:
        super().__init__()
        self.swap_on_epoch = swap_on_epoch
        self._swapped = False
        self._averages: list[Any] = []

    def _pairs(self) -> list[tuple[Any, Any]]:
        found = [one for _, one in single_optimizers(self._model) if getattr(one, "use_ema", False)]
        if not found:
            optimizer = self._model.optimizer
            raise ArgumentError(
                "SwapEMAWeights must be used when `use_ema=True` is set: it swaps an optimizer's moving "
                "averages. Received: "
                f"use_ema={getattr(optimizer, 'use_ema', None)} in {type(optimizer).__name__}. "
                "Compile with an optimizer made with use_ema=True."
            )
        return [
            (weight, average)
            for one in found
            for weight, average in zip(one._trainable_variables, one._model_variables_moving_average, strict=True)
            if average is not None
        ]

    def _swap(self, wanted: bool) -> None:
        if self._swapped == wanted:
            return
        for weight, average in self._pairs():
            held = weight.numpy().copy()
            weight.assign(average.numpy().copy())
            average.assign(held)
        self._swapped = wanted

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        if self.swap_on_epoch:
            self._swap(False)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if not self.swap_on_epoch:
            return
        self._swap(True)
        self._averages = [weight.numpy().copy() for weight, _ in self._pairs()]
        if epoch == self.params.get("epochs", 0) - 1 or self._model.stop_training:
            self._settle()

    def on_train_end(self, logs: Logs = None) -> None:
        # Stopped by a callback after this one: `fit` has put what it took for averages, the weights, in their place.
        if self._swapped:
            self._settle()

    def _settle(self) -> None:
        """The averages stay in the weights' place, and are their own averages from here."""
        for (weight, average), held in zip(self._pairs(), self._averages, strict=True):
            weight.assign(held)
            average.assign(held)
        self._swapped = False

    def on_test_begin(self, logs: Logs = None) -> None:
        self._swap(True)

    def on_test_end(self, logs: Logs = None) -> None:
        self._swap(False)

    def on_predict_begin(self, logs: Logs = None) -> None:
        self._swap(True)

    def on_predict_end(self, logs: Logs = None) -> None:
        self._swap(False)
