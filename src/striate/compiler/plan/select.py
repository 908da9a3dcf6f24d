"""Which kernel runs a node: of its op's rows, fastest first, the first that does not refuse.

Every refusal is kept with its reason, so that `striate summary --plan` can say why a kernel was chosen and the others
were not. Where every row refuses, or there is none, the node is a host step, run by its op's reference.

Two kinds of rows are not always asked. A row named "..._winograd_batch" is a kernel whose use depends on the batch:
in training only, since a prediction's bits may not. Rows named "..._winograd" are left out by
`config.set_convolution("direct")`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from striate.compiler.settings import Convolution, convolution
from striate.engine import native
from striate.engine.program import step_spec
from striate.ir.attrs import NO_ATTRS, Attrs
from striate.ir.graph import Node
from striate.ir.opdef import OPS
from striate.ir.types import TensorType


@dataclass(frozen=True)
class Choice:
    """A kernel's name (None: host step), why it was taken, and (kernel, why not) of those asked before it."""

    kernel: str | None
    reason: str
    refused: tuple[tuple[str, str], ...] = ()


def _left_out(kernel: str, training: bool, algorithms: Convolution) -> str | None:
    """Why a kernel is not even asked."""
    if algorithms == "direct" and "_winograd" in kernel:
        return 'turned off by config.set_convolution("direct")'
    if not training and "_winograd_batch_" in kernel:
        return "whether it pays depends on the batch: in training only"
    return None


@lru_cache(maxsize=16384)
def _choose(
    op: str,
    inputs: tuple[TensorType, ...],
    outputs: tuple[TensorType, ...],
    attrs: Attrs,
    training: bool,
    algorithms: Convolution,
) -> Choice:
    if not native.HAVE_NATIVE:
        return Choice(None, "the native engine is not installed")
    if any(t.rank > native.MAX_RANK for t in (*inputs, *outputs)):
        return Choice(None, f"more than {native.MAX_RANK} axes")
    if any(t.size == 0 for t in (*inputs, *outputs)):
        return Choice(None, "no elements")
    rows = native.candidates(op)
    if not rows:
        return Choice(None, (OPS[op].host if op in OPS else "") or "no kernel of this op")
    spec = step_spec(inputs, outputs, attrs)
    refused: list[tuple[str, str]] = []
    for row in rows:
        why = _left_out(row.name, training, algorithms) or native.probe(row.name, spec)
        if why is None:
            reason = f"first that takes it, for {row.isa}" if refused else f"fastest of its op, for {row.isa}"
            return Choice(row.name, reason, tuple(refused))
        refused.append((row.name, why))
    return Choice(None, "every kernel of this op refused", tuple(refused))


def choose_kernel(node: Node, *, training: bool = False) -> Choice:
    """How a node is run.

    Args:
        training: whether it is part of a training step.
    """
    return _choose(node.op, tuple(v.type for v in node.inputs), node.types, node.attrs, training, convolution())


def choose_copy(type_: TensorType) -> Choice:
    """How a buffer is copied: `stop_gradient` is the identity, so its kernel is the copy."""
    return _choose("stop_gradient", (type_,), (type_,), NO_ATTRS, False, "auto")
