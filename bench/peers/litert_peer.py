"""LiteRT (TensorFlow Lite) on a float32 file that TensorFlow's converter has made, with XNNPACK."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from bench.peers.base import Peer
from bench.spec import Net


class LiteRtPeer(Peer):
    def versions(self) -> dict[str, str]:
        return {"ai-edge-litert": version("ai-edge-litert")}

    def use_model_file(self, path: Path) -> None:
        self.path = path

    def load(self, net: Net, batch: int, *, training: bool, weights: dict[str, list[np.ndarray]] | None) -> None:
        self.model = Interpreter(model_path=str(self.path), num_threads=self.threads)
        self.model.allocate_tensors()
        self.input = self.model.get_input_details()[0]["index"]
        self.output = self.model.get_output_details()[0]["index"]

    def call(self, x: np.ndarray) -> np.ndarray:
        self.model.set_tensor(self.input, x)
        self.model.invoke()
        made: np.ndarray = self.model.get_tensor(self.output)
        return made


def make(threads: int, **options: Any) -> Peer:
    return LiteRtPeer(threads, **options)
