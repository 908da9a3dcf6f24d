"""The peers' environments, `.venv-bench-<name>`: each stack in one of its own, so that none brings another along."""

from __future__ import annotations

from pathlib import Path

from environment import ROOT, Trouble, is_done, locked, make_venv, pip_install, say, set_done, step

KERAS = "keras==3.15.1"
#: Pinned where a version is what is compared with; the rest is what PyPI has, and is named in every result.
REQUIREMENTS: dict[str, tuple[str, ...]] = {
    "torch": ("torch==2.13.0", KERAS, "numpy", "pnnx"),  # pnnx converts for ncnn, and would bring a torch of 5 GB
    "tensorflow": ("tensorflow-cpu", KERAS),
    "jax": ("jax", KERAS),
    "onnx": ("onnx", "numpy"),  # writes the files that the next ones read
    "onnxruntime": ("onnxruntime", "numpy"),
    "openvino": ("openvino", "numpy"),
    "ncnn": ("ncnn", "numpy"),
    "mnn": ("MNN", "numpy"),
    "litert": ("ai-edge-litert", "numpy"),
}


def folder(name: str) -> Path:
    return ROOT / f".venv-bench-{name}"


def make(python: str) -> None:
    """All of them. One that cannot be installed is named and left out: its rows then say so.

    Raises:
        Trouble: some could not be installed; the message names them.
    """
    failed = []
    with locked():
        for name, wanted in REQUIREMENTS.items():
            mark = repr(wanted)
            try:
                make_venv(folder(name), python)
                if not is_done(folder(name), "peers", mark):
                    with step(f"{folder(name).name}: {', '.join(wanted)}"):
                        pip_install(folder(name), *wanted)
                    set_done(folder(name), "peers", mark)
            except Trouble as error:
                say(str(error))
                failed.append(name)
    if failed:
        raise Trouble(
            f"no environment for {', '.join(failed)}; see above. The other peers are ready: "
            "`.venv/bin/python -m bench.compare --peers ...` compares with those named."
        )
