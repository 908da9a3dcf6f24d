"""How much memory a program needs while it runs, and for what.

    variables   weights, optimizer slots, metric state, random counters: there before and after
    derived     kept from run to run: folded, packed or transformed weights (prediction)
    constants   the program's own
    inputs      the batch
    outputs     what the run gives back
    arena       everything that lives between two steps, placed by `memory`
    scratch     what the kernel at work needs for itself: the largest of any step, as one step runs at a time
    threads     the same, for each thread

Arena, scratch and the threads' scratch are one piece of memory that every run borrows (csrc/engine/arena.h); the
programs of a process share it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from functools import lru_cache

from striate.compiler.plan.memory import align
from striate.engine import native
from striate.engine.program import Program, step_spec
from striate.ir.attrs import Attrs
from striate.ir.types import TensorType

POINTER = 8  # bytes: beside the scratch lie the addresses of one step's operands


@dataclass(frozen=True)
class Footprint:
    """Bytes, by what they are for."""

    variables: int
    derived: int
    constants: int
    inputs: int
    outputs: int
    arena: int
    scratch: int
    threads: int

    @property
    def borrowed(self) -> int:
        """What a run borrows for its time, in one piece: `idle_arena_bytes` of the engine when it has given it back."""
        return self.arena + self.scratch + self.threads

    @property
    def peak(self) -> int:
        """Everything at once."""
        return sum(getattr(self, field.name) for field in fields(self))

    def as_dict(self) -> dict[str, int]:
        """By name, with the sum as "peak"."""
        return {**asdict(self), "peak": self.peak}


@lru_cache(maxsize=4096)
def _scratch(
    kernel: str, inputs: tuple[TensorType, ...], outputs: tuple[TensorType, ...], attrs: Attrs
) -> tuple[int, int]:
    """(of the step, of each thread)"""
    layout = native.layout(kernel, step_spec(inputs, outputs, attrs))
    return align(layout["scratch_bytes"]), align(layout["thread_scratch_bytes"])


def footprint(program: Program, threads: int) -> Footprint:
    """The memory of a run on so many threads."""
    steps = [s for s in program.steps if s.kernel is not None]
    needs = [
        _scratch(str(s.kernel), tuple(b.type for b in s.inputs), tuple(b.type for b in s.outputs), s.attrs)
        for s in steps
    ]
    addresses = max((len(s.inputs) + len(s.outputs) for s in steps), default=0) * POINTER
    return Footprint(
        variables=_bytes(program.variables),
        derived=_bytes(tuple(d.type for d in program.derived)),
        constants=program.constants.nbytes,
        inputs=_bytes(program.inputs),
        outputs=_bytes(program.outputs),
        arena=align(program.arena_bytes),
        scratch=max((n for n, _ in needs), default=0) + addresses,
        threads=max((n for _, n in needs), default=0) * threads,
    )


def _bytes(types: tuple[TensorType, ...]) -> int:
    return sum(t.nbytes for t in types)
