"""What this machine can do, measured by small native loops (bench/peaks.cc), and what it is."""

from __future__ import annotations

import ctypes
import datetime
import hashlib
import os
import platform
import subprocess
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from striate.engine import native

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "bench" / "peaks.cc"
FLAGS = {  # as CMakeLists.txt compiles kernels
    "avx512": "-mavx2 -mfma -mf16c -mbmi2 -mavx512f -mavx512vl -mavx512bw -mavx512dq -mprefer-vector-width=512",
    "avx2": "-mavx2 -mfma -mf16c -mbmi2",
    "baseline": "-march=x86-64" if platform.machine() in ("x86_64", "AMD64") else "",
    "neon": "",
}


@cache
def _library(isa: str) -> ctypes.CDLL:
    """peaks.cc for one instruction set, compiled where it has changed."""
    command = [os.environ.get("CXX", "c++"), "-std=c++17", "-O3", "-fPIC", "-shared", "-fvisibility=hidden"]
    command += ["-ffp-contract=fast", "-fno-math-errno", f"-I{ROOT / 'csrc'}", *FLAGS[isa].split()]
    simd = ROOT / "csrc" / "base" / "simd.h"
    mark = hashlib.sha256(SOURCE.read_bytes() + simd.read_bytes() + repr(command).encode()).hexdigest()[:12]
    made = ROOT / "build" / "bench" / f"peaks-{isa}-{mark}.so"
    if not made.exists():
        made.parent.mkdir(parents=True, exist_ok=True)
        new = made.with_suffix(f".{os.getpid()}")
        subprocess.run([*command, str(SOURCE), "-o", str(new)], check=True)
        new.replace(made)
    library = ctypes.CDLL(str(made))
    pointer, integer = ctypes.c_void_p, ctypes.c_int64
    library.striate_fma.argtypes = [integer, pointer]
    library.striate_read.argtypes = [pointer, integer, integer, pointer]
    library.striate_copy.argtypes = [pointer, pointer, integer, integer]
    for function in (library.striate_fma, library.striate_fma_flops, library.striate_read, library.striate_copy):
        function.restype = ctypes.c_double
    return library


class Peaks:
    """The limits of `threads` threads: each thread's rate by its own CPU seconds, added up.

    Counting CPU seconds leaves out what other processes take; that they slow the caches and the clock stays in.
    """

    def __init__(self, threads: int = 1, isa: str | None = None) -> None:
        self.threads = threads
        self._library = _library(isa or native.kernels()[0].isa)
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None
        self._sinks = [native.aligned_empty((64,)) for _ in range(threads)]
        for sink in self._sinks:
            sink[:2] = 0.999, 0.001
        self._bandwidths: dict[int, float] = {}

    def _rates(self, one: Any) -> float:
        """one(thread) gives (amount, seconds)."""
        made = [one(0)] if self._pool is None else list(self._pool.map(one, range(self.threads)))
        return float(sum(amount / seconds for amount, seconds in made))

    def flops(self, seconds: float = 3e-4) -> float:
        """Multiplications and additions a second, in fused operations on registers."""
        turns = max(1000, int(seconds * 2e9))  # ten vectors of sums take five cycles a turn
        each = self._library.striate_fma_flops()
        sinks = [sink.ctypes.data for sink in self._sinks]
        return self._rates(lambda i: (turns * each, self._library.striate_fma(turns, sinks[i])))

    def bandwidth(self, nbytes: int, seconds: float = 0.02) -> float:
        """Bytes a second that can be read, or read and written in a copy (the larger), in this many bytes.

        The size counts: a step that fits a cache is fed from there. Kept for each power of two.
        """
        size = 1 << max(16, min(28, nbytes.bit_length()))
        if size not in self._bandwidths:
            self._bandwidths[size] = self._measure_bandwidth(size, seconds)
        return self._bandwidths[size]

    def _measure_bandwidth(self, nbytes: int, seconds: float) -> float:
        floats = nbytes // 4 // self.threads // 256 * 256
        arrays = [native.aligned_empty((floats,)) for _ in range(self.threads)]
        for array in arrays:
            array[:] = 1
        half = floats // 2 // 256 * 256
        turns = max(1, int(seconds * 1e10 / 4 / self.threads / floats))

        def read(i: int) -> tuple[float, float]:
            sink = self._sinks[i].ctypes.data
            return 4.0 * floats * turns, self._library.striate_read(arrays[i].ctypes.data, floats, turns, sink)

        def copy(i: int) -> tuple[float, float]:
            start = arrays[i].ctypes.data
            return 8.0 * half * turns, self._library.striate_copy(start, start + 4 * half, half, turns)

        rates = [[self._rates(one) for _ in range(5)] for one in (read, copy)]
        return max(float(np.median(measured)) for measured in rates)


def describe() -> dict[str, Any]:
    """Machine, load and versions, to stand beside what was measured."""
    engine = native.report()
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "cpu": engine["cpu"],
        "cpus": os.cpu_count(),
        "instruction_set": native.kernels()[0].isa,
        "system": f"{platform.system()} {platform.release()}",
        "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "commit": _commit(),
    }


def _commit() -> str:
    said = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return said.stdout.strip() or "unknown"


def heading() -> str:
    """`describe()` on one line."""
    about = describe()
    cpus = f"{about['cpus']} CPUs, {about['instruction_set']}, load {about['load']}"
    return f"{about['cpu']}, {cpus}, {about['system']}, {about['date']}, commit {about['commit']}"
