"""The process in which one stack runs: `python -m bench.peers.worker`, started by bench/contender.py.

One JSON object a line on standard input is answered by one on what was standard output; what libraries print goes to
standard error. Its first word sets the cores before anything that makes threads is imported.
"""

from __future__ import annotations

import os
import sys

if os.environ.get("BENCH_CPUS"):
    os.sched_setaffinity(0, {int(cpu) for cpu in os.environ["BENCH_CPUS"].split(",")})

import ctypes
import importlib
import json
import signal
import time
import traceback
from pathlib import Path
from typing import Any

import numpy as np

from bench.peers.base import Peer
from bench.spec import Net, images, labels, weights

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def resident(field: str = "VmRSS") -> int:
    """Bytes of this process in memory (VmHWM: the most there have been)."""
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(field + ":"))
    return 1024 * int(line.split()[1])


class Worker:
    """Each public method answers one command."""

    peer: Peer
    net: Net

    def start(self, module: str, threads: int, options: dict[str, Any]) -> dict[str, Any]:
        begun = time.perf_counter()
        made = importlib.import_module(module if "." in module else f"bench.peers.{module}")
        self.peer = made.make(threads, **options)
        return {"versions": {**self.peer.versions(), "numpy": np.__version__}, "seconds": time.perf_counter() - begun}

    def load(self, net: str, batch: int, training: bool, own_weights: bool, file: str | None) -> dict[str, Any]:
        self.net, self.batch = Net.from_json(net), batch
        if file is not None:
            self.peer.use_model_file(Path(file))
        made = None if own_weights or file is not None else weights(self.net)
        self.peer.load(self.net, batch, training=training, weights=made)
        return {"notes": self.peer.notes()}

    def data(self, net: str, batch: int, steps: int) -> dict[str, Any]:
        """The user's arrays: `steps` batches."""
        made, self.batch = Net.from_json(net), batch
        self.x = self.peer.place(images(made, batch * steps))
        self.y = labels(made, batch * steps)
        return {}

    def probabilities(self, how: str) -> dict[str, Any]:
        """Of one batch, for the comparison of results."""
        x = self.peer.place(images(self.net, self.batch))
        made = self.peer.call_compiled(x) if how == "call_compiled" else self.peer.call(x)
        return {"probabilities": np.asarray(made, np.float64).tolist()}

    def losses(self, steps: int) -> dict[str, Any]:
        """Of single steps on one batch, one after the other."""
        x, y = self.peer.place(images(self.net, self.batch)), labels(self.net, self.batch)
        return {"losses": [self.peer.fit(x, y, self.batch, 1, shuffle=False) for _ in range(steps)]}

    def round(self, how: str, steps: int, epochs: int) -> dict[str, Any]:
        """What is timed: `steps` batches, `epochs` times."""
        peer, batch = self.peer, self.batch
        x, y = self.x[: batch * steps], self.y[: batch * steps]
        loss = None
        cpu, begun = time.process_time(), time.perf_counter()
        if how == "fit":
            loss = peer.fit(x, y, batch, epochs)
        elif how == "predict" and batch > 1:
            for _ in range(epochs):
                peer.predict(x, batch)
        else:
            call = {"call": peer.call, "call_compiled": peer.call_compiled, "predict": lambda one: peer.predict(one, 1)}
            one_call = call[how]
            for _ in range(epochs):
                for i in range(0, batch * steps, batch):
                    one_call(x[i : i + batch])
        seconds = time.perf_counter() - begun
        return {"seconds": seconds, "cpu": time.process_time() - cpu, "loss": loss, "resident": resident()}

    def mark(self) -> dict[str, Any]:
        """From here on the peak of memory counts."""
        CLEAR.write_text("5")
        return {"resident": resident()}

    def peak(self) -> dict[str, Any]:
        return {"peak": resident("VmHWM")}


def end_with_parent() -> None:
    """A stopped worker whose parent was killed would wait for ever: the kernel is to end it then (Linux)."""
    die = 1  # PR_SET_PDEATHSIG
    ctypes.CDLL(None).prctl(die, signal.SIGKILL)


def main() -> None:
    end_with_parent()
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    worker = Worker()
    for line in sys.stdin:
        command = json.loads(line)
        try:
            answer = {"value": getattr(worker, command.pop("do"))(**command)}
        except Exception as error:  # whatever a stack raises is its row's error, named in the table
            traceback.print_exc()
            answer = {"error": f"{type(error).__name__}: {error}"[:600]}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
