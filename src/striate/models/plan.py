"""How the engine runs a model: the plan of its training or prediction program, for people."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from striate.backend import TracedFunction
from striate.backend.machine import threads
from striate.compiler.plan.footprint import Footprint, footprint
from striate.core.registry import export
from striate.models.example_batch import example_inputs, example_labels


def _amount(number: float, unit: str = "B") -> str:
    """Three digits and a prefix: "8.03 MB"."""
    for prefix in ("", "K", "M"):
        if number < 999.5:
            return f"{number:.3g} {prefix}{unit}"
        number /= 1000
    return f"{number:.3g} G{unit}" if number < 999.5 else f"{number:,.0f} G{unit}"


@dataclass(frozen=True)
class ModelPlan:
    """A program's steps, each with its kernel, the reason for it and why others were refused."""

    title: str
    rows: tuple[Any, ...]
    #: bytes while it runs, by what they are for
    memory: Footprint
    host_steps: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "title": self.title,
            "memory": self.memory.as_dict(),
            "host_steps": list(self.host_steps),
            "steps": [
                {
                    "step": r.step,
                    "op": r.op,
                    "kernel": r.kernel,
                    "result": r.result,
                    "reason": r.reason,
                    "refused": [{"kernel": k, "why": why} for k, why in r.refused],
                    "bytes": r.bytes,
                    "flops": r.flops,
                    "kept": r.derived,
                }
                for r in self.rows
            ],
        }

    def text(self) -> str:
        """The plan as a table: a line a step, below it why other kernels were refused."""
        flops = sum(r.flops or 0 for r in self.rows)
        host = f"HOST steps (run by NumPy): {', '.join(self.host_steps)}" if self.host_steps else "no host steps"
        table = [("step", "op", "kernel", "result", "work", "why")]
        table += [
            (str(r.step), r.op, r.kernel or "HOST", short_result(r.result), _work(r), _reason(r)) for r in self.rows
        ]
        widths = [max(len(row[i]) for row in table) for i in range(5)]
        drawn = []
        for step, *cells, why in table:
            padded = [cell.ljust(width) for cell, width in zip(cells, widths[1:])]
            drawn.append("  ".join([step.rjust(widths[0]), *padded, why]).rstrip())
        indent = " " * (widths[0] + 4)
        heading = f"{len(self.rows)} steps, {_amount(flops, 'FLOP')}; {host}"
        lines = [f"Plan: {self.title}", heading, _memory(self.memory), "", drawn[0]]
        for row, line in zip(self.rows, drawn[1:]):
            lines.append(line)
            lines += [f"{indent}not {kernel}: {why}" for kernel, why in _shortened(row.refused)]
        return "\n".join(lines)


def _memory(memory: Footprint) -> str:
    """The peak, and what it is made of: "Peak memory 30.6 MB: 17 MB of variables, ..."."""
    parts = {
        "of variables": memory.variables,
        "derived from weights": memory.derived,
        "of batch, results and constants": memory.inputs + memory.outputs + memory.constants,
        "between steps": memory.arena,
        "inside steps": memory.scratch + memory.threads,
    }
    made_of = ", ".join(f"{_amount(nbytes)} {what}" for what, nbytes in parts.items() if nbytes)
    return f"Peak memory {_amount(memory.peak)}: {made_of}"


def short_result(text: str) -> str:
    """A step's results, for a table. An update's are a weight and its slots, all of one shape: "3 x float32[64]"."""
    parts = text.split("], ")
    if len(parts) > 1 and len({part.rstrip("]") for part in parts}) == 1:
        return f"{len(parts)} x {parts[-1]}"
    return text


def _work(row: Any) -> str:
    """Arithmetic where that is known, else bytes read and written."""
    return _amount(row.flops, "FLOP") if row.flops else _amount(row.bytes)


def _reason(row: Any) -> str:
    return f"{row.reason}; kept until the weights change" if row.derived else str(row.reason)


def _shortened(refused: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """One line a reason: the same kernel for narrower instruction sets is refused alike."""
    seen: dict[str, str] = {}
    for kernel, why in refused:
        seen.setdefault(why, kernel)
    return [(kernel, why) for why, kernel in seen.items()]


@export("explain.plan")
def describe_plan(model: Any, batch_size: int = 32, training: bool = False) -> ModelPlan:
    """The program that predicts, or with `training` the one that trains, for batches of `batch_size`.

    Args:
        model: a Sequential or functional model that is built; compiled, for training.
        batch_size: images a batch.
        training: the training step's program instead of the prediction's.

    Raises:
        ValueError: a model without known input shapes, or one that is not compiled.
    """
    x = example_inputs(model, batch_size)
    batch = (x, example_labels(model, batch_size)) if training else (x,)
    model._prepare(batch, training=training)
    step = TracedFunction(model.train_step if training else model.predict_step)
    executable = step.trace((batch,)).executable
    plan = executable.plan
    title = f"{'training step' if training else 'prediction'} of {model.name}, batch {batch_size}"
    memory = footprint(executable.program, threads())
    return ModelPlan(title, tuple(plan.describe()), memory, tuple(plan.host_steps))
