"""The engine's input: a flat list of steps over one arena and a row of external buffers.

    base 0          the arena: everything that lives only during a run
    base 1 + i      external i, in this order: inputs, outputs, variables, the pool of constants, derived buffers

A step with a kernel runs in C++; one without is a host step, run by its op's reference on views of the same buffers.
A guarded step runs only when its guard is set: it remakes a derived buffer after a Variable has moved.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from striate.engine.native import OperandSpec, Spec
from striate.ir.attrs import Attrs
from striate.ir.types import DTYPES, TensorType

Array = np.ndarray[Any, Any]
#: (bytes, access) of an external buffer
External = tuple[int, int]
#: What a run does with an external. One that has begun to write STATE is not broken off by Ctrl-C.
READ, WRITTEN, STATE = range(3)


@dataclass(frozen=True, slots=True)
class Buffer:
    """Where one operand of a step lies: a base, a place in it (bytes), and what is there."""

    base: int
    offset: int
    type: TensorType


@dataclass(frozen=True, slots=True)
class Step:
    """One application of an op, by a kernel or (None) by its reference."""

    op: str
    kernel: str | None
    inputs: tuple[Buffer, ...]
    outputs: tuple[Buffer, ...]
    attrs: Attrs
    guard: int = -1


@dataclass(frozen=True, slots=True)
class Derived:
    """A persistent buffer holding what depends on Variables alone.

    Attributes:
        type: what it holds.
        variables: positions of the Variables it is made from, ascending.
        expression: equal for equal arithmetic; Variables stand in it as ("variable", place in `variables`), so that
            programs which number their Variables differently still share the buffer.
        guard: the guard of the steps that make it.
    """

    type: TensorType
    variables: tuple[int, ...]
    expression: Hashable
    guard: int


@dataclass(frozen=True)
class Program:
    """Everything the engine needs for one graph at one set of shapes. Bound to Variables when it runs."""

    arena_bytes: int
    steps: tuple[Step, ...]
    inputs: tuple[TensorType, ...]
    outputs: tuple[TensorType, ...]
    variables: tuple[TensorType, ...]
    #: positions of the Variables that a run writes
    writes: tuple[int, ...] = ()
    #: one buffer for all constants, each at a multiple of 64 bytes
    constants: Array = field(default_factory=lambda: np.zeros(0, np.uint8))
    derived: tuple[Derived, ...] = ()
    n_guards: int = 0

    @property
    def externals(self) -> list[External]:
        """Bytes of each external buffer, and what a run does with it."""
        written = set(self.writes)
        return [
            *((t.nbytes, READ) for t in self.inputs),
            *((t.nbytes, WRITTEN) for t in self.outputs),
            *((t.nbytes, STATE if i in written else READ) for i, t in enumerate(self.variables)),
            (self.constants.nbytes, READ),
            *((d.type.nbytes, WRITTEN) for d in self.derived),
        ]


def operand_spec(type_: TensorType) -> OperandSpec:
    return DTYPES[type_.dtype], type_.dims


def step_spec(inputs: tuple[TensorType, ...], outputs: tuple[TensorType, ...], attrs: Attrs) -> Spec:
    """A step as kernels see it (StepSpec of csrc/base/kernel.h)."""
    ints, floats = attrs.encode()
    return [operand_spec(t) for t in inputs], [operand_spec(t) for t in outputs], ints, floats


def encode(steps: tuple[Step, ...], arena_bytes: int, externals: list[External]) -> dict[str, Any]:
    """What `_native.compile` takes. Every step has a kernel."""
    encoded = []
    for step in steps:
        operands = [(b.base, b.offset) for b in (*step.inputs, *step.outputs)]
        spec = step_spec(tuple(b.type for b in step.inputs), tuple(b.type for b in step.outputs), step.attrs)
        encoded.append((step.kernel, operands, spec, step.guard))
    return {
        "arena_bytes": arena_bytes,
        "externals": externals,
        "steps": encoded,
    }
