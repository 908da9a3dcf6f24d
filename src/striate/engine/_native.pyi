"""The C++ engine (csrc/bind). Only `striate.engine.native` imports it."""

from collections.abc import Sequence
from typing import Any, TypedDict, final

from typing_extensions import Buffer

#: (dtype code of ir.types.DTYPES, dims)
_Operand = tuple[int, Sequence[int]]
#: (inputs, outputs, ints, floats): the integers and floats are the op's attributes (ir.attrs.Attrs.encode)
_Spec = tuple[Sequence[_Operand], Sequence[_Operand], Sequence[int], Sequence[float]]
#: (kernel name, (base, byte offset) of each input and then each result, spec, guard); base 0 is the arena, 1 + i is
#: external i; guard -1: always run
_Step = tuple[str, Sequence[tuple[int, int]], _Spec, int]

class _Program(TypedDict):
    arena_bytes: int
    externals: Sequence[tuple[int, int]]  # (bytes, access: 0 read, 1 written, 2 written and state)
    steps: Sequence[_Step]

class _Machine(TypedDict):
    cpus: int  # in the affinity mask
    physical_cores: int  # among them
    quota: float | None  # CPUs of the container, None: no limit
    default_threads: int
    threads_from: str  # "physical cores", "cgroup quota" or "STRIATE_NUM_THREADS"
    may_spin: bool
    huge_pages: bool
    isa_cap: str | None  # STRIATE_ISA
    idle_arena_bytes: int

class _Layout(TypedDict):
    pieces: list[int]  # of each phase
    scratch_bytes: int
    thread_scratch_bytes: int
    flops: float
    done_flops: float  # of the products that the kernel forms; Winograd needs fewer

@final
class AlignedBuffer(Buffer):
    """Zeroed bytes on a cache line (on a huge page from 8 MB on), as a writable buffer.

    `np.frombuffer(buffer, np.float32)` is a view of it, and keeps it alive.
    """

    def __init__(self, nbytes: int) -> None: ...
    def __len__(self) -> int: ...
    def __buffer__(self, flags: int, /) -> memoryview: ...
    @property
    def nbytes(self) -> int: ...
    @property
    def address(self) -> int: ...

@final
class Program:
    """A compiled program; made by compile()."""

    @property
    def steps(self) -> int: ...
    @property
    def arena_bytes(self) -> int: ...
    @property
    def flops(self) -> float: ...

def kernels() -> list[tuple[str, str, str]]:
    """(op, name, instruction set) of every kernel this CPU can run, by preference."""

def probe(name: str, spec: _Spec) -> str | None:
    """Why a kernel does not take a step; None where it does."""

def layout(name: str, spec: _Spec) -> _Layout:
    """Pieces, scratch and flops of a step; ValueError where the kernel refuses it."""

def compile(program: _Program | dict[str, Any]) -> Program:
    """Check a program and make it ready; ValueError names the step, the kernel and the reason."""

def run(handle: Program, externals: Sequence[Buffer | int], guards: bytes) -> None:
    """One run, with the GIL released. Externals: C-contiguous arrays, AlignedBuffers, or addresses the engine owns.

    Ctrl-C is raised at its end. A second one breaks a long run off, as long as no external of access 2 is written.
    """

def set_timing(handle: Program, on: bool) -> None:
    """Measure each step from now on, starting at zero; or stop."""

def step_times(handle: Program) -> list[float]:
    """Seconds of each step, summed over the runs since set_timing(handle, True)."""

def step_flops(handle: Program) -> list[float]:
    """Multiplications and additions of each step of one run; 0 where the kernel does not count."""

def isa() -> str:
    """The instruction set whose kernels are preferred."""

def cpu_features() -> list[str]:
    """What this CPU and system have of the features the choice looks at."""

def threads() -> int:
    """Threads a run shares its work among."""

def set_threads(n: int) -> None:
    """Use n threads, 1 to 1024; 0 goes back to the default."""

def machine(root: str = "") -> _Machine:
    """Cores, quota and defaults of this thread now; `root` stands before /proc and /sys, for tests."""

def fma_loop(isa: str, turns: int) -> float:
    """Multiply and add on registers, so many turns; the multiplications and additions done."""

def read_loop(isa: str, buffer: AlignedBuffer, turns: int) -> float:
    """Read a buffer so many times; the bytes read."""

def copy_loop(isa: str, buffer: AlignedBuffer, turns: int) -> float:
    """Copy a buffer's first half over its second so many times; the bytes read and written."""

@final
class Arithmetic:
    """Round to nearest on this thread, denormals flushed or kept: `with Arithmetic(True):`. What was set comes back."""

    def __init__(self, flush_denormals: bool) -> None: ...
    def __enter__(self) -> None: ...
    def __exit__(self, kind: Any, error: Any, trace: Any, /) -> None: ...

@final
class Turn:
    """One way of holding a StateLock, for `with`. KeyboardInterrupt cannot leave it held."""

    def __enter__(self) -> None: ...
    def __exit__(self, kind: Any, error: Any, trace: Any, /) -> None: ...

@final
class StateLock:
    """A readers-writer lock whose turns are handed over. Not reentrant."""

    def __init__(self) -> None: ...
    @property
    def shared(self) -> Turn: ...
    @property
    def exclusive(self) -> Turn: ...

def state_lock() -> StateLock:
    """The lock of all Variables."""

def trim() -> None:
    """Give idle arenas back to the system."""
