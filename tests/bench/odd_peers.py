"""Peers that do something wrong, for the tests of what notices."""

from __future__ import annotations

import os
import sys
import time
from typing import Any

import numpy as np
from bench.peers.base import Peer
from bench.peers.keras_peer import KerasPeer
from bench.spec import Net


class WrongWeights(KerasPeer):
    """One bias is another."""

    def load(self, net: Net, batch: int, *, training: bool, weights: dict[str, list[np.ndarray]] | None) -> None:
        if weights is not None:
            weights = {**weights, "conv_1": [weights["conv_1"][0], weights["conv_1"][1] + 0.5]}
        super().load(net, batch, training=training, weights=weights)


class WrongGradient(KerasPeer):
    """Its results are right; its steps are half as long."""

    def load(self, net: Net, batch: int, *, training: bool, weights: dict[str, list[np.ndarray]] | None) -> None:
        super().load(net, batch, training=training, weights=weights)
        self.model.optimizer.learning_rate = float(self.model.optimizer.learning_rate) / 2


class Raises(KerasPeer):
    def load(self, net: Net, batch: int, *, training: bool, weights: dict[str, list[np.ndarray]] | None) -> None:
        raise NotImplementedError("this stack has no convolutions")


class Dies(KerasPeer):
    def load(self, net: Net, batch: int, *, training: bool, weights: dict[str, list[np.ndarray]] | None) -> None:
        print("it was all too much", file=sys.stderr, flush=True)
        os._exit(3)


class Chatty(KerasPeer):
    """Prints where answers go."""

    def call(self, x: np.ndarray) -> np.ndarray:
        print("a progress bar")
        os.write(1, b"and a library written in C\n")
        return super().call(x)


class Spins(KerasPeer):
    """Keeps a core busy for ever, as some thread pools do."""

    def load(self, net: Net, batch: int, *, training: bool, weights: dict[str, list[np.ndarray]] | None) -> None:
        super().load(net, batch, training=training, weights=weights)
        if os.fork() == 0:
            end = time.monotonic() + 60
            while time.monotonic() < end:
                pass
            os._exit(0)


def make(threads: int, **options: Any) -> Peer:
    kind = {c.__name__: c for c in (WrongWeights, WrongGradient, Raises, Dies, Chatty, Spins)}[options.pop("kind")]
    return kind(threads, **options)
