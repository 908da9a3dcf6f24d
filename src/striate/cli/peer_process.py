"""The process in which `striate bench` times one stack, Striate or a peer: run as a file, by the Python that has it.

It imports nothing of Striate's but where Striate itself is timed. One JSON object a line on standard input is answered
by one on what was standard output; what libraries print goes to standard error.
"""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

# Not the folder of this file, where `import train` would find a command; and the cores before anything makes threads.
if __name__ == "__main__":
    sys.path.pop(0)
    if os.environ.get("STRIATE_BENCH_CPUS") and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(cpu) for cpu in os.environ["STRIATE_BENCH_CPUS"].split(",")})


def resident(field: str) -> int | None:
    """Bytes of this process in memory now ("VmRSS") or at most ("VmHWM"); None where the system has no such file."""
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith(field + ":"):
                return 1024 * int(line.split()[1])
    return None


class KerasModel:
    """A `.keras` file, in Striate or in real Keras: `module` is the one of the two."""

    def __init__(self, module: str, path: str, threads: int, jit: bool) -> None:
        if os.environ.get("KERAS_BACKEND") == "torch":
            importlib.import_module("torch").set_num_threads(threads)
        self.keras = importlib.import_module(module)
        self.path, self.jit = path, jit

    def load(self, x: Any, batch: int, training: bool) -> None:
        self.model: Any = self.keras.models.load_model(self.path, compile=training)
        if not self.jit:
            self.model.jit_compile = False
        self.one_by_one = batch == 1 and not training
        if self.one_by_one:  # the faster of the two ways to ask for one image
            ways = (lambda one: self.model(one, training=False), self.model.predict_on_batch)
            self.call = min(ways, key=lambda way: _seconds(way, _rows(x, 0, 1)))

    def outputs(self, x: Any) -> Any:
        return self.model.predict_on_batch(x)

    def predict(self, x: Any, batch: int, count: int) -> None:
        if not self.one_by_one:
            self.model.predict(x, batch_size=batch, verbose=0)
            return
        for i in range(count):
            self.call(_rows(x, i, i + 1))

    def fit(self, x: Any, y: Any, batch: int) -> None:
        self.model.fit(x, y, batch_size=batch, epochs=1, verbose=0)


class OnnxModel:
    """An ONNX file of the same network, in onnxruntime or OpenVINO; predicts only."""

    call: Callable[[Any], Any]
    shape: list[Any]

    def __init__(self, module: str, path: str, threads: int, jit: bool) -> None:
        self.module = importlib.import_module(module)
        self.path, self.threads = path, threads

    def load(self, x: Any, batch: int, training: bool) -> None:
        if self.module.__name__ == "onnxruntime":
            options = self.module.SessionOptions()
            options.intra_op_num_threads, options.inter_op_num_threads = self.threads, 1
            session = self.module.InferenceSession(self.path, options, providers=["CPUExecutionProvider"])
            name, self.shape = session.get_inputs()[0].name, list(session.get_inputs()[0].shape)
            self.call = lambda x: session.run(None, {name: x})[0]
        else:
            settings = {
                "INFERENCE_NUM_THREADS": self.threads,
                "PERFORMANCE_HINT": "LATENCY",  # one stream, which takes all threads
                "ENABLE_CPU_PINNING": False,  # the process is pinned
                "INFERENCE_PRECISION_HINT": "f32",
            }
            core = self.module.Core()
            read = core.read_model(self.path)
            self.shape = [d.get_length() if d.is_static else None for d in read.inputs[0].get_partial_shape()]
            model = core.compile_model(read, "CPU", settings)
            self.call = lambda x: model(x, share_inputs=True)[0]

        self.x = self._placed(x, batch)

    def _placed(self, x: Any, batch: int) -> Any:
        """Images as the file takes them: as they are, or channels first; made before anything is timed."""
        wanted, given = self.shape[1:], list(x.shape[1:])

        def fits(dims: list[int]) -> bool:
            return len(wanted) == len(dims) and all(not isinstance(w, int) or w == d for w, d in zip(wanted, dims))

        turned = [given[-1], *given[:-1]]
        if not fits(given) and not fits(turned):
            raise ValueError(f"the ONNX file takes inputs of shape {wanted}; the model's are {given}")
        if isinstance(self.shape[0], int) and self.shape[0] != batch:
            raise ValueError(f"the ONNX file is made for batches of {self.shape[0]}")
        if fits(given):
            return x
        import numpy as np

        return np.ascontiguousarray(np.moveaxis(x, -1, 1))

    def outputs(self, x: Any) -> Any:
        return self.call(self.x[: len(x)])

    def predict(self, x: Any, batch: int, count: int) -> None:
        for i in range(0, count, batch):
            self.call(self.x[i : i + batch])

    def fit(self, x: Any, y: Any, batch: int) -> None:
        raise NotImplementedError("predicts only")


class Worker:
    """Each public method answers one command."""

    model: KerasModel | OnnxModel

    def start(self, kind: str, modules: list[str], path: str, threads: int, jit: bool) -> dict[str, Any]:
        """Import the stack; what it needs and this Python has not is named."""
        missing = [module for module in modules if importlib.util.find_spec(module) is None]
        if missing:
            return {"missing": missing}
        self.model = (KerasModel if kind == "keras" else OnnxModel)(modules[0], path, threads, jit)
        with suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak of memory counts from here
        versions = {m: str(getattr(importlib.import_module(m), "__version__", "?")) for m in modules}
        return {"versions": versions, "resident": resident("VmRSS")}

    def load(self, data: str, batch: int, training: bool) -> dict[str, Any]:
        """The model, and the user's arrays."""
        import numpy as np

        with np.load(data) as held:
            xs = [held[name] for name in sorted(held.files) if name[0] == "x"]
            ys = [held[name] for name in sorted(held.files) if name[0] == "y"]
        self.x, self.y = _one_or_all(xs), _one_or_all(ys)
        self.batch, self.count = batch, len(xs[0])
        self.model.load(self.x, batch, training)
        return {}

    def outputs(self, path: str) -> dict[str, Any]:
        """Of the first batch, written to a file."""
        import numpy as np

        made = self.model.outputs(_rows(self.x, 0, self.batch))
        made = made if isinstance(made, list | tuple) else [made]
        np.savez(path, *(np.asarray(one, np.float64) for one in made))
        return {}

    def round(self, training: bool, epochs: int) -> dict[str, Any]:
        """What is timed: all images, so many times."""
        begun = time.perf_counter()
        for _ in range(epochs):
            if training:
                self.model.fit(self.x, self.y, self.batch)
            else:
                self.model.predict(self.x, self.batch, self.count)
        return {"seconds": time.perf_counter() - begun}

    def peak(self) -> dict[str, Any]:
        return {"peak": resident("VmHWM")}


def _one_or_all(arrays: list[Any]) -> Any:
    return arrays[0] if len(arrays) == 1 else arrays


def _rows(x: Any, begin: int, end: int) -> Any:
    return [one[begin:end] for one in x] if isinstance(x, list) else x[begin:end]


def _seconds(call: Any, x: Any, times: int = 5) -> float:
    """Of the quickest of a few calls; the first, which may compile, does not count."""
    call(x)
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        call(x)
        taken.append(time.perf_counter() - begun)
    return min(taken)


def _end_with_parent() -> None:
    """A stopped process whose parent was killed would wait for ever: the kernel is to end it then (Linux)."""
    if sys.platform == "linux":
        die = 1  # PR_SET_PDEATHSIG
        ctypes.CDLL(None).prctl(die, signal.SIGKILL)


def main() -> None:
    _end_with_parent()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    worker = Worker()
    for line in sys.stdin:
        command = json.loads(line)
        try:
            answer = {"value": getattr(worker, command.pop("do"))(**command)}
        except Exception as error:  # whatever a stack raises is its row's error, named in the table
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
