"""How the engine runs a model: the plan of its training or prediction program, for people."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from striate.backend import TracedFunction
from striate.core.errors import StateError
from striate.core.registry import export


def _amount(nbytes: float) -> str:
    for unit in ("B", "KB", "MB"):
        if nbytes < 1000:
            return f"{nbytes:.3g} {unit}"
        nbytes /= 1000
    return f"{nbytes:.3g} GB"


@dataclass(frozen=True)
class ModelPlan:
    """A program's steps, each with its kernel, the reason for it and why others were refused."""

    title: str
    rows: tuple[Any, ...]
    arena_bytes: int
    host_steps: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "title": self.title,
            "arena_bytes": self.arena_bytes,
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
        """The plan as lines."""
        lines = [
            f"Plan: {self.title}",
            f"{len(self.rows)} steps, {_amount(self.arena_bytes)} of memory for what is between them; "
            + (f"HOST steps (run by NumPy): {', '.join(self.host_steps)}" if self.host_steps else "no host steps"),
        ]
        for r in self.rows:
            work = f"{r.flops / 1e6:.4g} MFLOP" if r.flops else _amount(r.bytes)
            kept = " (kept until the weights change)" if r.derived else ""
            lines.append(f"{r.step:4}  {r.op:<28} {r.kernel or 'HOST':<36} {r.result:<28} {work}")
            lines.append(f"      because: {r.reason}{kept}")
            lines.extend(f"      not {kernel}: {why}" for kernel, why in _shortened(r.refused))
        return "\n".join(lines)


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
    inputs = getattr(model, "inputs", None)
    if not inputs:
        raise StateError(
            f"A plan needs the shapes of the inputs. {model.name!r} has no Input; give it one, or call it on data."
        )
    arrays = [np.zeros((batch_size, *(1 if d is None else d for d in t.shape[1:])), t.dtype) for t in inputs]
    x = arrays[0] if len(arrays) == 1 else arrays
    if training and not model.compiled:
        raise StateError(f"{model.name!r} is not compiled, so it has no training step. Call compile() first.")
    batch = (x, _labels(model, batch_size)) if training else (x,)
    model._prepare(batch, training=training)
    step = TracedFunction(model.train_step if training else model.predict_step)
    plan = step.trace((batch,)).executable.plan
    title = f"{'training step' if training else 'prediction'} of {model.name}, batch {batch_size}"
    return ModelPlan(title, tuple(plan.describe()), plan.arena_bytes, tuple(plan.host_steps))


def _labels(model: Any, batch_size: int) -> Any:
    """Labels as the loss of `compile` takes them: class numbers for sparse losses, else like the outputs."""
    losses = model.loss if isinstance(model.loss, list) else [model.loss] * len(model.outputs)
    made = [
        np.zeros(batch_size, "int32")
        if "sparse" in str(getattr(loss, "name", loss)).lower()
        else np.zeros((batch_size, *t.shape[1:]), t.dtype)
        for loss, t in zip(losses, model.outputs, strict=True)
    ]
    return made[0] if len(made) == 1 else made
