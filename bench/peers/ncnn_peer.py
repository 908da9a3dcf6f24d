"""ncnn on files that pnnx has made of an ONNX file. It has no batches: images go one by one."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

import ncnn
import numpy as np

from bench.peers.base import Peer
from bench.spec import Net


class NcnnPeer(Peer):
    layout = "nchw"

    def versions(self) -> dict[str, str]:
        return {"ncnn": version("ncnn")}

    def use_model_file(self, path: Path) -> None:
        self.path = path

    def load(self, net: Net, batch: int, *, training: bool, weights: dict[str, list[np.ndarray]] | None) -> None:
        self.model = ncnn.Net()
        self.model.opt.num_threads = self.threads
        for name in ("use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic", "use_bf16_storage"):
            setattr(self.model.opt, name, False)
        if self.model.load_param(str(self.path)) or self.model.load_model(str(self.path.with_suffix(".bin"))):
            raise RuntimeError(f"ncnn cannot load {self.path.name}")

    def call(self, x: np.ndarray) -> np.ndarray:
        made = []
        for image in x:
            extractor = self.model.create_extractor()
            extractor.input("in0", ncnn.Mat(image))
            status, out = extractor.extract("out0")
            if status:
                raise RuntimeError(f"ncnn's extract gave {status}")
            made.append(np.array(out))
        return np.stack(made)


def make(threads: int, **options: Any) -> Peer:
    return NcnnPeer(threads, **options)
