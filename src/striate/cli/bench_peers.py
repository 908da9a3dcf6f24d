"""The stacks that `striate bench` can time, and the process in which each runs."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import striate

WORKER = Path(__file__).with_name("peer_process.py")
#: seconds: the longest a stack may take for one answer (XLA compiles large training steps for minutes)
PATIENCE = 1800.0
OURS = "striate"


@dataclass(frozen=True)
class Peer:
    """One stack, in one form.

    Args:
        name: as --compare knows it.
        modules: that its Python has to have, the one that is asked first.
        packages: that pip installs them by.
        kind: what it reads: "keras", a `.keras` file, or "onnx".
        variables: of its environment.
        jit: False: `jit_compile=False` in Keras, which is the faster for some networks on TensorFlow.
    """

    name: str
    modules: tuple[str, ...]
    packages: str
    kind: str = "keras"
    variables: Mapping[str, str] = field(default_factory=dict)
    jit: bool = True


def _keras(backend: str, package: str, form: str = "", jit: bool = True) -> Peer:
    words = {"KERAS_BACKEND": backend, "JAX_PLATFORMS": "cpu", "TF_CPP_MIN_LOG_LEVEL": "3"}
    return Peer(f"keras-{backend}{form}", ("keras", backend), f"keras {package}", variables=words, jit=jit)


STRIATE = Peer(OURS, (OURS,), OURS)
PEERS = {
    peer.name: peer
    for peer in (
        _keras("tensorflow", "tensorflow-cpu"),
        _keras("tensorflow", "tensorflow-cpu", "-nojit", jit=False),
        _keras("jax", "jax"),
        _keras("torch", "torch"),
        Peer("onnxruntime", ("onnxruntime",), "onnxruntime", kind="onnx"),
        Peer("openvino", ("openvino",), "openvino", kind="onnx"),
    )
}


class PeerError(Exception):
    """A stack that takes no part: why, and what would mend it."""


@dataclass(frozen=True)
class Place:
    """Where all run: so many threads, and the cores they are held to (none where the system cannot)."""

    threads: int
    cpus: tuple[int, ...]

    def variables(self) -> dict[str, str]:
        """Of a process's environment: the same words for all."""
        count = str(self.threads)
        held = {f"{word}_NUM_THREADS": count for word in ("OMP", "MKL", "OPENBLAS", "STRIATE")}
        held |= {"TF_NUM_INTRAOP_THREADS": count, "TF_NUM_INTEROP_THREADS": count, "NPROC": count}
        return held | {"STRIATE_BENCH_CPUS": ",".join(map(str, self.cpus))}


class Contender:
    """A stack in its process; stopped between `pause` and `resume`, so that it takes nothing from who has its turn."""

    def __init__(self, peer: Peer, python: str, model: str, place: Place) -> None:
        self.peer, self.python = peer, python
        # Its libraries may say much, which is shown only where it fails.
        self._log = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115  closed by `end`
        words = {**os.environ, **place.variables(), **peer.variables}
        if peer is STRIATE:  # this one, whether it is installed or not
            paths = [str(Path(striate.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
            words["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
        try:
            self._process = subprocess.Popen(
                [python, str(WORKER)], env=words, text=True, encoding="utf-8",
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log,
            )  # fmt: skip
        except OSError as error:
            self._log.close()
            raise PeerError(f"the Python {python!r} cannot be run: {error.strerror}.") from error
        try:
            started = self.ask(
                "start", kind=peer.kind, modules=list(peer.modules), path=model, threads=place.threads, jit=peer.jit
            )
            if "missing" in started:
                raise PeerError(_not_installed(peer, python, started["missing"]))
        except BaseException:
            self.end()
            raise
        self.versions: dict[str, str] = started["versions"]
        #: bytes in memory after the imports; None where the system does not say
        self.resident: int | None = started["resident"]

    def ask(self, command: str, **arguments: Any) -> dict[str, Any]:
        """One command and its answer.

        Raises:
            PeerError: the stack raised, its process ended, or it took longer than `PATIENCE`.
        """
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None
        line = ""
        with contextlib.suppress(BrokenPipeError):
            stdin.write(json.dumps({"do": command, **arguments}) + "\n")
            stdin.flush()
            if sys.platform != "win32" and not select.select([stdout], [], [], PATIENCE)[0]:
                raise PeerError(f"no answer in {PATIENCE:.0f} s.")
            line = stdout.readline()
        if not line:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=10)  # its pipes close a moment before its status is there
            raise PeerError(f"its process ended with {self._process.returncode}: {self._said()}")
        answer = json.loads(line)
        if "error" in answer:
            raise PeerError(_shortened(answer["error"]))
        value: dict[str, Any] = answer["value"]
        return value

    def _said(self) -> str:
        self._log.seek(0)
        lines = [line.strip() for line in self._log.read()[-2000:].splitlines() if line.strip()]
        return _shortened(lines[-1]) if lines else "it said nothing."

    def _signal(self, name: str) -> None:
        if hasattr(signal, name) and self._process.poll() is None:
            self._process.send_signal(getattr(signal, name))

    def pause(self) -> None:
        """Stop the process: threads that wait by spinning would take a core from the next."""
        self._signal("SIGSTOP")

    def resume(self) -> None:
        """Let it go on."""
        self._signal("SIGCONT")

    def end(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._log):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()


def _not_installed(peer: Peer, python: str, missing: list[str]) -> str:
    return (
        f"{python} has no {' and no '.join(missing)}. Install it: {python} -m pip install {peer.packages} - or name a "
        f"Python that has it: --python {peer.name}=PATH."
    )


def _shortened(text: str, most: int = 300) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 3] + "..."
