"""A worker process seen from outside: started, asked, stopped between its turns, ended."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.peers import Row

ROOT = Path(__file__).resolve().parent.parent
#: seconds: the longest a worker may take for one answer (XLA compiles ResNet-50's step for minutes on a busy machine)
PATIENCE = 1800.0
AVX2 = {
    "STRIATE_ISA": "avx2",
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    "XLA_FLAGS": "--xla_cpu_max_isa=AVX2",
    "BENCH_ISA": "avx2",
}


class PeerError(Exception):
    """A peer that failed: what it said."""


@dataclass(frozen=True)
class Place:
    """Where all contenders run: the same cores, as many threads as cores, and the widest vectors allowed."""

    cpus: tuple[int, ...]
    isa: str = ""

    @classmethod
    def of(cls, threads: int, isa: str = "") -> Place:
        """The first `threads` cores that this process may use.

        Raises:
            ValueError: there are fewer.
        """
        allowed = sorted(os.sched_getaffinity(0))
        if not 1 <= threads <= len(allowed):
            raise ValueError(f"{threads} threads asked for; this process may use the cores {allowed}")
        return cls(tuple(allowed[:threads]), isa)

    def variables(self) -> dict[str, str]:
        count = str(len(self.cpus))
        words = ("OMP", "MKL", "OPENBLAS", "STRIATE", "NUMEXPR")
        held = {f"{word}_NUM_THREADS": count for word in words}
        held |= {"TF_NUM_INTRAOP_THREADS": count, "TF_NUM_INTEROP_THREADS": count, "NPROC": count}
        return held | {"BENCH_CPUS": ",".join(map(str, self.cpus))} | (AVX2 if self.isa == "avx2" else {})


def python_of(row: Row) -> Path:
    """The Python of a row's environment.

    Raises:
        PeerError: there is none; the message says how to make it.
    """
    if not row.environment:
        return Path(sys.executable)
    python = ROOT / f".venv-bench-{row.environment}" / "bin" / "python"
    if not python.exists():
        raise PeerError(f"no {python.parent.parent.name}: make bench-env makes it")
    return python


def environment(row: Row, place: Place) -> dict[str, str]:
    """A worker's environment variables: ours, less what would make it another."""
    dropped = ("STRIATE_", "KERAS_", "TF_", "OMP_", "MKL_", "XLA_", "THP_", "PYTHON", "GLIBC_TUNABLES")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    kept |= {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "1", "JAX_PLATFORMS": "cpu"}
    kept |= {"PYTHONPATH": str(ROOT), **place.variables(), **row.variables}
    return kept


class Contender:
    """One worker. Between `pause` and `resume` it is stopped, and takes nothing from whoever has its turn."""

    def __init__(self, row: Row, place: Place) -> None:
        self.row, self.place = row, place
        self._process: subprocess.Popen[str] | None = None
        self._log: Any = None

    @property
    def running(self) -> bool:
        return self._process is not None

    def start(self) -> dict[str, Any]:
        """Start the process and import its stack; the versions it runs."""
        python = python_of(self.row)
        self._log = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115  closed by `end`
        self._process = subprocess.Popen(
            [str(python), "-m", "bench.peers.worker"], cwd=ROOT, env=environment(self.row, self.place), text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, start_new_session=True,
        )  # fmt: skip
        options: Mapping[str, Any] = self.row.options
        return self.ask("start", module=self.row.module, threads=len(self.place.cpus), options=dict(options))

    def ask(self, command: str, **arguments: Any) -> dict[str, Any]:
        """One command and its answer.

        Raises:
            PeerError: the stack raised, the process ended, or it took longer than `PATIENCE`.
        """
        process = self._process
        assert process is not None and process.stdin is not None and process.stdout is not None
        try:
            process.stdin.write(json.dumps({"do": command, **arguments}) + "\n")
            process.stdin.flush()
            ready, _, _ = select.select([process.stdout], [], [], PATIENCE)
            line = process.stdout.readline() if ready else None
        except BrokenPipeError:
            line = ""
        if line is None:
            self.end()
            raise PeerError(f"{command}: no answer in {PATIENCE:.0f} s")
        if not line:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=10)  # its pipes close a moment before its status is there
            said = self._said()
            self.end()
            raise PeerError(f"{command}: the process ended with {process.returncode}: {said}")
        answer = json.loads(line)
        if "error" in answer:
            raise PeerError(f"{command}: {answer['error']}")
        value: dict[str, Any] = answer["value"]
        return value

    def _said(self) -> str:
        self._log.seek(0)
        lines = [line.strip() for line in self._log.read()[-2000:].splitlines() if line.strip()]
        return lines[-1][:300] if lines else "it said nothing"

    def _signal(self, number: int) -> None:
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, number)

    def pause(self) -> None:
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def end(self) -> None:
        if self._process is None:
            return
        self._signal(signal.SIGKILL)
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._log):
            stream.close()
        self._process = None


def busy_ticks() -> float:
    """CPU seconds that the whole machine has spent since it started, stolen ones too."""
    fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    user, nice, system, _, _, irq, softirq, steal = (int(field) for field in fields[:8])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def available_bytes() -> int:
    line = next(x for x in Path("/proc/meminfo").read_text().splitlines() if x.startswith("MemAvailable"))
    return 1024 * int(line.split()[1])


def wait_a_moment(seconds: float = 0.05) -> None:
    """Let the kernel take the stopped threads off their cores."""
    time.sleep(seconds)
