"""Which kernel runs a node: of its op's rows, fastest first, the first that does not refuse.

Every refusal is kept with its reason, so that `striate summary --plan` can say why a kernel was chosen and the others
were not. Where every row refuses, or there is none, the node is a host step, run by its op's reference.

Two kinds of rows are not always asked. A row named "..._winograd_batch" is a kernel whose use depends on the batch:
in training only, since a prediction's bits may not, unless `config.set_batch_invariant(False)` lets them. Rows named
"..._winograd" are left out by `config.set_convolution("direct")`.

With `STRIATE_TUNE=1` a step that several kernels of the instruction set in use take is measured instead (`tune.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from striate.compiler.plan.choice import Choice as Choice
from striate.compiler.plan.choice import Contender
from striate.compiler.settings import Convolution, batch_invariant, convolution, tuning
from striate.engine import native
from striate.engine.program import step_spec
from striate.ir.attrs import NO_ATTRS, Attrs
from striate.ir.graph import Node
from striate.ir.opdef import OPS
from striate.ir.ops.attrs import ConvGradAttrs
from striate.ir.types import TensorType

#: Ops that are measured -> inputs whose first axis is a batch that has no say in a prediction: an image's bits may not
#: depend on it. Statistics and filters' gradients sum over the batch.
MEASURED: dict[str, tuple[int, ...]] = {
    "conv2d": (0,),
    "conv2d_max_pool2d": (0,),
    "conv2d_max_pool2d_indices": (0,),
    "conv2d_moments": (),
    "conv2d_normed": (),
    "conv2d_normed_moments": (),
    "conv2d_normed_grad_w": (),
    "conv2d_grad_x": (0,),
    "conv2d_grad_x_masked": (0, 2),
    "conv2d_grad_w": (),
}


def _batch_counts(training: bool) -> bool:
    """Whether the batch may decide about the kernel, and so about the bits."""
    return training or not batch_invariant()


def _left_out(kernel: str, batch_counts: bool, algorithms: Convolution) -> str | None:
    """Why a kernel is not even asked."""
    if algorithms == "direct" and "_winograd" in kernel:
        return 'turned off by config.set_convolution("direct")'
    if not batch_counts and "_winograd_batch_" in kernel:
        return "whether it pays depends on the batch: in training only"
    return None


@lru_cache(maxsize=16384)
def _choose(
    op: str,
    inputs: tuple[TensorType, ...],
    outputs: tuple[TensorType, ...],
    attrs: Attrs,
    batch_counts: bool,
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
        why = _left_out(row.name, batch_counts, algorithms) or native.probe(row.name, spec)
        if why is None:
            reason = f"first that takes it, for {row.isa}" if refused else f"fastest of its op, for {row.isa}"
            return Choice(row.name, reason, tuple(refused))
        refused.append((row.name, why))
    return Choice(None, "every kernel of this op refused", tuple(refused))


@lru_cache(maxsize=4096)
def _takers(
    op: str,
    inputs: tuple[TensorType, ...],
    outputs: tuple[TensorType, ...],
    attrs: Attrs,
    batch_counts: bool,
    algorithms: Convolution,
) -> tuple[str, ...]:
    """The kernels that take a step, the cost model's choice first: those of its instruction set."""
    first = _choose(op, inputs, outputs, attrs, batch_counts, algorithms).kernel
    rows = native.candidates(op)
    isa = next((row.isa for row in rows if row.name == first), None)
    spec = step_spec(inputs, outputs, attrs)
    found: list[str] = []
    for row in rows:
        # "_batch" is the same kernel under another name.
        if row.isa != isa or row.name.replace("_batch_", "_") in found:
            continue
        if (_left_out(row.name, batch_counts, algorithms) or native.probe(row.name, spec)) is None:
            found.append(row.name)
    return tuple(found)


def _contenders(node: Node, training: bool) -> list[Contender]:
    inputs = tuple(v.type for v in node.inputs)
    kernels = _takers(node.op, inputs, node.types, node.attrs, _batch_counts(training), convolution())
    return [Contender(kernel, node.op, inputs, node.types, node.attrs) for kernel in kernels]


def _key(node: Node, training: bool) -> str:
    """What a measured choice depends on. The batch does not count where an image's bits may not depend on it."""
    types, attrs = [v.type for v in node.inputs], node.attrs
    if not _batch_counts(training):
        for i in MEASURED[node.op]:
            types[i] = TensorType((None, *types[i].shape[1:]), types[i].dtype)
        if MEASURED[node.op] and isinstance(attrs, ConvGradAttrs):
            attrs = replace(attrs, shape=(-1, *attrs.shape[1:]))
    kind = "training" if training else "prediction" if batch_invariant() else "prediction of this batch"
    return f"{kind}: {node.op}({', '.join(map(str, types))}), {attrs}, {convolution()}"


def _measured(key: str, contenders: Sequence[Contender], batch: int) -> Choice:
    from striate.compiler.plan.tune import tuner  # not loaded where nothing is measured

    return tuner().choose(key, contenders, batch)


def choose_kernel(node: Node, *, training: bool = False) -> Choice:
    """How a node is run.

    Args:
        training: whether it is part of a training step.
    """
    inputs = tuple(v.type for v in node.inputs)
    choice = _choose(node.op, inputs, node.types, node.attrs, _batch_counts(training), convolution())
    if tuning() and choice.kernel is not None and node.op in MEASURED:
        contenders = _contenders(node, training)
        if len(contenders) > 1:
            measured = _measured(_key(node, training), contenders, inputs[0].dims[0])
            return replace(measured, refused=(*choice.refused, *measured.refused))
    return choice


def taken_along(plain: Node, fused: Node, *, training: bool, chosen: Choice | None = None) -> bool:
    """Whether the kernel of a step has a form that does what `fused` does, and `fused` would get it.

    Kernels say so by their names: "conv2d_few_avx512" and "conv2d_max_pool2d_few_avx512"; in those of depthwise
    convolutions "depthwise" stands for the op's "depthwise_conv2d".

    Args:
        chosen: how `plain` is run, where that is settled.
    """
    kernel = (chosen or choose_kernel(plain, training=training)).kernel
    before, after = (node.op.replace("depthwise_conv2d", "depthwise") for node in (plain, fused))
    wanted = kernel and kernel.replace(before, after, 1)
    return kernel is not None and choose_kernel(fused, training=training).kernel == wanted


def choose_kept(node: Node, kept: Node) -> Choice:
    """How a convolution in a prediction is run: by a kernel of its own, or as `kept`, its filters transformed before.

    Only where kernels are measured: the cost model takes `kept` wherever its kernel does.
    """
    contenders = [*_contenders(kept, False), *_contenders(node, False)]
    measured = _measured(f"kept {_key(node, False)}", contenders, node.inputs[0].type.dims[0])
    if measured.kernel == contenders[0].kernel:
        return measured
    inputs = tuple(v.type for v in node.inputs)
    refused = _choose(node.op, inputs, node.types, node.attrs, _batch_counts(False), convolution()).refused
    return replace(measured, refused=(*refused, *measured.refused))


def choose_copy(type_: TensorType) -> Choice:
    """How a buffer is copied: `stop_gradient` is the identity, so its kernel is the copy."""
    return _choose("stop_gradient", (type_,), (type_,), NO_ATTRS, False, "auto")
