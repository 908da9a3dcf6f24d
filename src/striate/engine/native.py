"""The only import of `_native`, the C++ engine; and what stands in for it where it could not be built.

Without it every step of a program is a host step, run by its op's reference: slow, but `import striate`, `predict` and
`fit` work. One warning says so, when the first program is made.
"""

from __future__ import annotations

import math
import warnings
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from striate.ir.types import numpy_dtype

Array = np.ndarray[Any, Any]
#: (inputs, outputs, ints, floats); an operand is (dtype code, dims). What `probe` and a step are given.
OperandSpec = tuple[int, tuple[int, ...]]
Spec = tuple[list[OperandSpec], list[OperandSpec], list[int], list[float]]

ALIGNMENT = 64  # bytes: kAlignment of csrc/base/kernel.h, a cache line and an AVX-512 vector
MAX_RANK = 8  # kMaxRank of csrc/base/kernel.h

_native: Any
MISSING = ""  # why there is no extension
try:
    _native = import_module("striate.engine._native")
except ImportError as error:  # pragma: no cover - the tests need the extension
    _native = None
    MISSING = str(error)

HAVE_NATIVE: bool = _native is not None


class KernelRow(NamedTuple):
    """One row of a family's `kernels.inc`, as compiled for one instruction set."""

    op: str
    name: str
    isa: str


@cache
def kernels() -> tuple[KernelRow, ...]:
    """Every kernel this CPU can run, the fastest instruction set first, in table order within it."""
    return tuple(KernelRow(*row) for row in _native.kernels()) if HAVE_NATIVE else ()


@cache
def candidates(op: str) -> tuple[KernelRow, ...]:
    """The kernels of one op, fastest first."""
    return tuple(row for row in kernels() if row.op == op)


def identity() -> dict[str, str]:
    """CPU, instruction set and engine: what was measured with others says nothing here."""
    from hashlib import sha256  # not at each import of striate

    engine = sha256(Path(_native.__file__).read_bytes()).hexdigest()[:16]
    return {"cpu": _cpu_name(), "instruction_set": str(_native.isa()), "engine": engine}


def probe(kernel: str, spec: Spec) -> str | None:
    """Why a kernel does not take a step; None where it does."""
    refusal: str | None = _native.probe(kernel, spec)
    return refusal


def layout(kernel: str, spec: Spec) -> dict[str, Any]:
    """What a step needs: pieces of each phase, bytes of scratch for it and for each thread, arithmetic."""
    needs: dict[str, Any] = _native.layout(kernel, spec)
    return needs


@cache
def warn_if_missing() -> None:
    """Say once that programs run by the interpreter."""
    if not HAVE_NATIVE:
        warnings.warn(
            f"Striate's native engine is not there ({MISSING}); programs run by the NumPy interpreter, correctly but "
            "slowly. Install a wheel built for this platform, or build one where there is a C++ compiler: "
            "pip install --no-binary striate striate.",
            RuntimeWarning,
            stacklevel=2,
        )


def compile_program(program: dict[str, Any]) -> Any:
    """A program made ready: every operand checked against its buffer, every kernel's work laid out."""
    return _native.compile(program)


def run(handle: Any, externals: list[Any], guards: bytes) -> None:
    """One run, with the GIL released. An external is an array, or the address of memory that the caller keeps alive."""
    _native.run(handle, externals, guards)


def set_timing(handle: Any, on: bool) -> None:
    """Measure each step of a program from now on, starting at zero; or stop."""
    _native.set_timing(handle, on)


def step_times(handle: Any) -> list[float]:
    """Seconds of each step, summed over the runs since `set_timing`."""
    return list(_native.step_times(handle))


def fma_loop(isa: str, turns: int) -> float:
    """Multiply and add on registers; the multiplications and additions that so many turns are."""
    return float(_native.fma_loop(isa, turns))


def stream_buffer(nbytes: int) -> Any:
    """Memory for the two loops below, all written: pages that nobody has written may all be one."""
    buffer = _native.AlignedBuffer(nbytes)
    np.frombuffer(buffer, np.float32)[...] = 1
    return buffer


def read_loop(isa: str, buffer: Any, turns: int) -> float:
    """Read a `stream_buffer` so many times; the bytes read."""
    return float(_native.read_loop(isa, buffer, turns))


def copy_loop(isa: str, buffer: Any, turns: int) -> float:
    """Copy the first half of a `stream_buffer` over its second so many times; the bytes read and written."""
    return float(_native.copy_loop(isa, buffer, turns))


def aligned_empty(shape: tuple[int, ...], dtype: str = "float32") -> Array:
    """An array of no particular value that starts on a cache line, as the engine's own buffers do."""
    wanted = numpy_dtype(dtype)
    nbytes = math.prod(shape) * wanted.itemsize
    if HAVE_NATIVE and nbytes:  # on huge pages where it is large
        return np.frombuffer(_native.AlignedBuffer(nbytes), np.uint8).view(wanted).reshape(shape)
    return _aligned(np.empty(nbytes + ALIGNMENT, np.uint8), nbytes).view(wanted).reshape(shape)


def aligned_zeros(shape: tuple[int, ...], dtype: str = "float32") -> Array:
    """Zeros that start on a cache line; large ones take no memory before they are touched."""
    wanted = numpy_dtype(dtype)
    nbytes = math.prod(shape) * wanted.itemsize
    return _aligned(np.zeros(nbytes + ALIGNMENT, np.uint8), nbytes).view(wanted).reshape(shape)


def _aligned(raw: Array, nbytes: int) -> Array:
    start = -address_of(raw) % ALIGNMENT
    return raw[start : start + nbytes]


def address_of(array: Array) -> int:
    """Where an array's memory begins."""
    address: int = array.__array_interface__["data"][0]
    return address


def arithmetic(flush_denormals: bool = True) -> AbstractContextManager[Any]:
    """The float arithmetic of kernels for what NumPy computes in a `with` block: round to nearest, denormals are zero.

    Whatever the calling thread has set (fesetround, another library's flush-to-zero) comes back after it, and never
    reaches a result.
    """
    return _native.Arithmetic(flush_denormals) if HAVE_NATIVE else nullcontext()


def state_lock() -> Any:
    """The lock of all Variables: see `striate.engine.lock`."""
    return _native.state_lock()


def threads() -> int:
    """Threads a run shares its work among."""
    return int(_native.threads()) if HAVE_NATIVE else 1


def set_threads(count: int) -> None:
    """Use `count` threads; 0 goes back to the default."""
    if HAVE_NATIVE:
        _native.set_threads(count)


def _why_isa(machine: dict[str, Any], features: list[str]) -> str:
    if machine["isa_cap"] is not None:
        return f"STRIATE_ISA={machine['isa_cap']} caps it"
    return f"the widest that this CPU and system have, of {', '.join(features)}"


def report() -> dict[str, Any]:
    """CPU, instruction set and why, cores, quota, threads: for people."""
    if not HAVE_NATIVE:
        return {"engine": f"missing: {MISSING}", "threads": "1 (the interpreter)"}
    machine = _native.machine()
    quota = machine["quota"]
    return {
        "cpu": _cpu_name(),
        "instruction_set": f"{_native.isa()} ({_why_isa(machine, _native.cpu_features())})",
        "physical_cores": machine["physical_cores"],
        "cpus_allowed": machine["cpus"],
        "quota": "none" if quota is None else f"{quota:g} CPUs (cgroup)",
        "threads": f"{_native.threads()} ({machine['threads_from']})",
        "spinning": "yes" if machine["may_spin"] else "no: the quota is below the CPUs allowed",
        "huge_pages": "yes" if machine["huge_pages"] else "no",
        "kernels": len(kernels()),
    }


def _cpu_name() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            for line in lines:
                if line.startswith(("model name", "Model", "Processor")):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    import platform

    return platform.processor() or platform.machine()
