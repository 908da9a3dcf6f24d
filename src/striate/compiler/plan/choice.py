"""What the planner says about a step: its kernel, why that one, and why no other."""

from __future__ import annotations

from dataclasses import dataclass

from striate.ir.attrs import Attrs
from striate.ir.types import TensorType


@dataclass(frozen=True)
class Choice:
    """A kernel's name (None: host step), why it was taken, and (kernel, why not) of those that were not."""

    kernel: str | None
    reason: str
    refused: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Contender:
    """One way to compute a node, by one kernel."""

    kernel: str
    op: str
    inputs: tuple[TensorType, ...]
    outputs: tuple[TensorType, ...]
    attrs: Attrs
