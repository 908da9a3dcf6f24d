"""What a worker asks of a stack. One file a stack beside this one; `bench/peers/__init__.py` has the table of them."""

from __future__ import annotations

import abc
from pathlib import Path
from typing import Any

import numpy as np

from bench.spec import Net

#: small, so that the first steps of a deep network do not run away from each other by rounding alone
LEARNING_RATE = 0.001


class Peer(abc.ABC):
    """One stack in one form, in a process of its own. Importing its file imports the stack.

    A peer gets images as NumPy arrays in the layout it asks for with `layout`, and gives NumPy arrays back: what it
    takes to get from one to the other is part of what is timed, for all.
    """

    #: "nhwc", or "nchw" where the stack is at its best with channels first
    layout = "nhwc"

    def __init__(self, threads: int, **options: Any) -> None:
        self.threads = threads
        self.options = options

    @abc.abstractmethod
    def versions(self) -> dict[str, str]:
        """Versions of what is measured."""

    def notes(self) -> dict[str, str]:
        """What the stack has chosen by itself for the loaded network and should stand beside its figures."""
        return {}

    @abc.abstractmethod
    def load(self, net: Net, batch: int, *, training: bool, weights: dict[str, list[np.ndarray]] | None) -> None:
        """Build a network for batches of this size; without weights, with the stack's own initial ones."""

    @abc.abstractmethod
    def call(self, x: np.ndarray) -> np.ndarray:
        """Probabilities of one batch: the stack's shortest way."""

    def predict(self, x: np.ndarray, batch: int) -> None:
        """All of `x`, batch by batch, as its users do it; what has a `predict` of its own overrides this."""
        for i in range(0, len(x), batch):
            self.call(x[i : i + batch])

    def call_compiled(self, x: np.ndarray) -> np.ndarray:
        """As `call`, by what compiles first (Keras: `predict_on_batch`)."""
        raise NotImplementedError

    def fit(self, x: np.ndarray, y: np.ndarray, batch: int, epochs: int, shuffle: bool = True) -> float:
        """Train as its users do: SGD, crossentropy, mean loss and accuracy of the epoch; gives the last mean loss."""
        raise NotImplementedError

    def use_model_file(self, path: Path) -> None:
        """Before `load`, for stacks that read a file: where it is."""
        raise NotImplementedError

    def place(self, x: np.ndarray) -> np.ndarray:
        """The user's images in this stack's layout, made before anything is timed."""
        return np.ascontiguousarray(x.transpose(0, 3, 1, 2)) if self.layout == "nchw" else x
