"""What each step of a program computes, and how much of that its kernel's algorithm spares itself."""

from __future__ import annotations

from dataclasses import dataclass

from striate.compiler.plan.build import Plan, PlanRow
from striate.engine import native
from striate.engine.program import step_spec


@dataclass(frozen=True)
class Work:
    """A step that the engine runs, and its arithmetic.

    Args:
        row: the step in the plan.
        flops: multiplications and additions of the sums of products in the op's formula, those with padding left out
            where the kernel says so; 0 for steps that cost bytes, not arithmetic.
        done: those of the products that the kernel forms. Winograd forms 36 where the formula has 144; what its
            transforms add and multiply is in neither number.
    """

    row: PlanRow
    flops: float
    done: float


def work_of(plan: Plan) -> list[Work]:
    """The steps of the plan's program, in its order: those with nothing to compute are not in it."""
    made = []
    for row, action in zip(plan.describe(), plan.actions, strict=True):
        inputs, outputs = tuple(t for _, t in action.inputs), tuple(t for _, t in action.outputs)
        if not any(t.size for t in outputs):
            continue
        flops = done = float(row.flops)
        if row.kernel is not None and row.flops:
            layout = native.layout(row.kernel, step_spec(inputs, outputs, action.attrs))
            if layout["flops"]:
                flops, done = layout["flops"], layout["done_flops"]
        made.append(Work(row, flops, done))
    return made
