"""OpenVINO on an ONNX file, in a process without torch; in float32, or as it comes (bfloat16 where the CPU has it)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import openvino

from bench.peers.base import Peer
from bench.spec import Net


class OpenVinoPeer(Peer):
    """`options["precision"]`: "f32", or "" for OpenVINO's own choice."""

    layout = "nchw"

    def versions(self) -> dict[str, str]:
        return {"openvino": openvino.__version__}

    def notes(self) -> dict[str, str]:
        return {"precision": self.model.get_property("INFERENCE_PRECISION_HINT").get_type_name()}

    def use_model_file(self, path: Path) -> None:
        self.path = path

    def load(self, net: Net, batch: int, *, training: bool, weights: dict[str, list[np.ndarray]] | None) -> None:
        core = openvino.Core()
        settings: dict[str, Any] = {
            "INFERENCE_NUM_THREADS": self.threads,
            "PERFORMANCE_HINT": "LATENCY",  # one stream, which takes all threads
            "ENABLE_CPU_PINNING": False,  # the process is pinned
        }
        if self.options["precision"]:
            settings["INFERENCE_PRECISION_HINT"] = self.options["precision"]
        self.model = core.compile_model(core.read_model(self.path), "CPU", settings)

    def call(self, x: np.ndarray) -> np.ndarray:
        made: np.ndarray = self.model(x, share_inputs=True)[0]
        return made


def make(threads: int, **options: Any) -> Peer:
    return OpenVinoPeer(threads, **options)
