"""Graph -> Program: puts order, kernels and memory together, and can say why each is as it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from striate.compiler.derived import DerivedNodes, find_derived
from striate.compiler.plan import memory
from striate.compiler.plan.assign import Action, Home, assign
from striate.compiler.plan.choice import Choice
from striate.compiler.plan.cost import flops_of
from striate.compiler.plan.fuse_bottleneck import fuse_bottleneck
from striate.compiler.plan.fuse_mask import fuse_mask
from striate.compiler.plan.fuse_normed import fuse_normed
from striate.compiler.plan.fuse_pool import fuse_pool
from striate.compiler.plan.pack import packing_of
from striate.compiler.plan.prepack import prepack
from striate.compiler.plan.schedule import schedule
from striate.engine.executable import Executable
from striate.engine.program import Buffer, Program, Step
from striate.ir.graph import Graph, Node
from striate.ir.ops.attrs import WinogradConvAttrs
from striate.ir.types import TensorType

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class PlanRow:
    """One step, for people."""

    step: int
    op: str
    #: None: a host step, run by the op's NumPy reference
    kernel: str | None
    result: str
    reason: str
    refused: tuple[tuple[str, str], ...]
    #: read and written by the step
    bytes: int
    #: multiplications and additions of products; 0 where memory, not arithmetic, is what a step costs
    flops: int
    #: run only after a Variable has changed
    derived: bool
    #: where a product's weight is packed, "" for other steps
    packing: str


@dataclass(frozen=True)
class Plan:
    """How a program came about."""

    actions: tuple[Action, ...]
    arena_bytes: int
    #: the least any arena could be: most bytes alive at one step
    peak_bytes: int
    derived_bytes: int

    def describe(self) -> list[PlanRow]:
        """A row a step, in order of execution."""
        rows = []
        for step, action in enumerate(self.actions):
            inputs, outputs = [t for _, t in action.inputs], [t for _, t in action.outputs]
            rows.append(
                PlanRow(
                    step,
                    action.op,
                    action.choice.kernel,
                    ", ".join(map(str, outputs)),
                    _reason(action),
                    action.choice.refused,
                    sum(t.nbytes for t in (*inputs, *outputs)),
                    flops_of(action.op, inputs, outputs, action.attrs),
                    action.guard >= 0,
                    packing_of(action.op, action.choice.kernel),
                )
            )
        return rows

    @property
    def host_steps(self) -> list[str]:
        """The ops of the steps that have no kernel; empty in a program that runs wholly natively."""
        return [a.op for a in self.actions if a.choice.kernel is None]

    def __str__(self) -> str:
        lines = [
            f"arena {self.arena_bytes:,} bytes (at least {self.peak_bytes:,} needed), derived {self.derived_bytes:,}"
        ]
        for row in self.describe():
            mark = "derived " if row.derived else ""
            lines.append(f"{row.step:4} {row.op:28} {row.kernel or 'HOST':36} {row.result}  # {mark}{row.reason}")
            lines.extend(f"{'':33} not {kernel}: {why}" for kernel, why in row.refused)
        return "\n".join(lines) + "\n"


def _reason(action: Action) -> str:
    reason, attrs = action.choice.reason, action.attrs
    if isinstance(attrs, WinogradConvAttrs) and not attrs.transformed:
        return f"{reason}; few tiles: filters are transformed on the fly"
    return reason


class _Layout:
    """From homes to (base, offset)."""

    def __init__(self, graph: Graph, actions: Sequence[Action], constants: Sequence[Array]) -> None:
        self.actions = actions
        homes = list(dict.fromkeys(h for a in actions for h, _ in (*a.inputs, *a.outputs) if h.kind == "arena"))
        intervals = [memory.Interval(h.first, h.last, h.nbytes) for h in homes]
        offsets, self.arena_bytes = memory.place(intervals)
        self.peak_bytes = memory.peak_bytes(intervals)
        self.offsets: dict[Home, int] = dict(zip(homes, offsets, strict=True))
        self.constant_offsets: list[int] = []
        size = 0
        for constant in constants:
            self.constant_offsets.append(size)
            size += memory.align(constant.nbytes)
        self.pool = np.zeros(size, np.uint8)
        for start, constant in zip(self.constant_offsets, constants, strict=True):
            self.pool[start : start + constant.nbytes] = np.frombuffer(constant.tobytes(), np.uint8)
        outputs = 1 + len(graph.inputs)
        variables = outputs + len(graph.outputs)
        pool = variables + len(graph.variables)
        self.bases = {"input": 1, "output": outputs, "variable": variables, "derived": pool + 1}
        self.constant_base = pool

    def buffer(self, home: Home, type_: TensorType) -> Buffer:
        if home.kind == "arena":
            return Buffer(0, self.offsets[home], type_)
        if home.kind == "constant":
            return Buffer(self.constant_base, self.constant_offsets[home.index], type_)
        return Buffer(self.bases[home.kind] + home.index, 0, type_)

    def steps(self) -> tuple[Step, ...]:
        return tuple(
            Step(
                a.op,
                a.choice.kernel,
                tuple(self.buffer(*place) for place in a.inputs),
                tuple(self.buffer(*place) for place in a.outputs),
                a.attrs,
                a.guard,
            )
            for a in self.actions
            if any(t.size for _, t in a.outputs)
        )


def build(graph: Graph, derived: DerivedNodes | None = None, *, training: bool = False) -> Executable:
    """The program of a graph, as it stands: the passes have been over it."""
    chosen: dict[Node, Choice] = {}
    if derived is None:
        if not training:
            graph, chosen = prepack(fuse_bottleneck(graph))  # in this order: nodes that were chosen stay as they are
        graph, chosen = fuse_pool(fuse_mask(graph, training=training), chosen, training=training)
        graph = fuse_normed(graph, training=training)
        derived = find_derived(graph)
    actions, constants = assign(graph, schedule(graph), derived, training=training, chosen=chosen)
    layout = _Layout(graph, actions, constants)
    program = Program(
        arena_bytes=layout.arena_bytes,
        steps=layout.steps(),
        inputs=tuple(n.types[0] for n in graph.inputs),
        outputs=tuple(v.type for v in graph.outputs),
        variables=tuple(n.types[0] for n in graph.variables),
        writes=tuple(sorted({i for i, _ in graph.updates})),
        constants=layout.pool,
        derived=tuple(derived.derived),
        n_guards=derived.n_guards,
    )
    derived_bytes = sum(d.type.nbytes for d in derived.derived)
    return Executable(program, Plan(tuple(actions), layout.arena_bytes, layout.peak_bytes, derived_bytes))
