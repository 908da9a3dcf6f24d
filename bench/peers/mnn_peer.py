"""MNN on a file that its converter has made of an ONNX file, in float32 ("high")."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

import MNN
import numpy as np

from bench.peers.base import Peer
from bench.spec import Net


class MnnPeer(Peer):
    layout = "nchw"

    def versions(self) -> dict[str, str]:
        return {"MNN": version("MNN")}

    def use_model_file(self, path: Path) -> None:
        self.path = path

    def load(self, net: Net, batch: int, *, training: bool, weights: dict[str, list[np.ndarray]] | None) -> None:
        settings = {"backend": "CPU", "numThread": self.threads, "precision": "high"}
        self.runtime = MNN.nn.create_runtime_manager((settings,))
        output = net.nodes[-1].name
        self.model = MNN.nn.load_module_from_file(
            str(self.path), ["input"], [output], runtime_manager=self.runtime, shape_mutable=False
        )

    def call(self, x: np.ndarray) -> np.ndarray:
        image = MNN.expr.const(x, list(x.shape), MNN.expr.NCHW)
        made = self.model.forward(image)
        return np.array(made.read())


def make(threads: int, **options: Any) -> Peer:
    return MnnPeer(threads, **options)
