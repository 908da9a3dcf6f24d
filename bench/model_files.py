"""The files that inference runtimes read, made of a network's spec outside of anything that is timed.

Kept in build/bench/models under a mark of the spec and of the writers, so that each is made once.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

from bench.contender import ROOT, PeerError
from bench.spec import Net

FOLDER = ROOT / "build" / "bench" / "models"
WRITERS = ("bench/spec.py", "bench/peers/onnx_file.py", "bench/peers/litert_file.py", "bench/peers/keras_peer.py")


def model_file(kind: str, net: Net, batch: int) -> Path:
    """The file of a network in a runtime's format ("onnx", "ncnn", "mnn", "litert") for a batch size.

    Raises:
        PeerError: a converter refused, or its environment is missing.
    """
    mark = hashlib.sha256(net.to_json().encode())
    for writer in WRITERS:
        mark.update((ROOT / writer).read_bytes())
    folder = FOLDER / f"{net.name}-{mark.hexdigest()[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    return {"onnx": _onnx, "ncnn": _ncnn, "mnn": _mnn, "litert": _litert}[kind](folder, net, batch)


def _run(environment: str, words: list[str], made: Path, spec: str = "", module: bool = True) -> Path:
    """A converter's command; its result is renamed into place when it is whole."""
    binaries = ROOT / f".venv-bench-{environment}" / "bin"
    if not binaries.exists():
        raise PeerError(f"no {binaries.parent.name}: make bench-env makes it")
    command = [str(binaries / "python"), "-m", *words] if module else [str(binaries / words[0]), *words[1:]]
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(command, cwd=ROOT, env=variables, input=spec, capture_output=True, text=True, check=False)
    if done.returncode or not made.exists():
        said = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        raise PeerError(f"{words[0]} could not convert it: {said[-1][:300] if said else done.returncode}")
    return made


def _written(environment: str, writer: str, path: Path, net: Net, batch: int) -> Path:
    if not path.exists():
        new = path.with_name(f"new-{os.getpid()}-{path.name}")
        _run(environment, [writer, str(new), str(batch)], new, net.to_json()).replace(path)
    return path


def _onnx(folder: Path, net: Net, batch: int) -> Path:
    return _written("onnx", "bench.peers.onnx_file", folder / f"{batch}.onnx", net, batch)


def _litert(folder: Path, net: Net, batch: int) -> Path:
    return _written("tensorflow", "bench.peers.litert_file", folder / f"{batch}.tflite", net, batch)


def _ncnn(folder: Path, net: Net, batch: int) -> Path:
    """By pnnx, which writes its files beside the one it reads. ncnn has no batch: its file is for one image."""
    path = folder / "1.ncnn.param"
    if not path.exists():
        source = _onnx(folder, net, 1)
        height, width, channels = net.input_shape
        words = ["pnnx", str(source), f"inputshape=[1,{channels},{height},{width}]", "fp16=0"]
        _run("torch", words, path, module=False)
    return path


def _mnn(folder: Path, net: Net, batch: int) -> Path:
    path = folder / f"{batch}.mnn"
    if not path.exists():
        source, new = _onnx(folder, net, batch), folder / f"new-{os.getpid()}-{batch}.mnn"
        words = ["mnnconvert", "-f", "ONNX", "--modelFile", str(source), "--MNNModel", str(new), "--bizCode", "bench"]
        _run("mnn", words, new, module=False).replace(path)
    return path
