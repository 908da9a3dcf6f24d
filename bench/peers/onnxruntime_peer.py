"""ONNX Runtime on an ONNX file, in a process without torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from bench.peers.base import Peer
from bench.spec import Net


class OnnxRuntimePeer(Peer):
    layout = "nchw"

    def versions(self) -> dict[str, str]:
        return {"onnxruntime": onnxruntime.__version__}

    def use_model_file(self, path: Path) -> None:
        self.path = path

    def load(self, net: Net, batch: int, *, training: bool, weights: dict[str, list[np.ndarray]] | None) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        self.session = onnxruntime.InferenceSession(str(self.path), options, providers=["CPUExecutionProvider"])

    def call(self, x: np.ndarray) -> np.ndarray:
        made: np.ndarray = self.session.run(None, {"input": x})[0]
        return made


def make(threads: int, **options: Any) -> Peer:
    return OnnxRuntimePeer(threads, **options)
