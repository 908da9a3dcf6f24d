"""Take the sum with a residual and the activation into a batch norm, and the activation's mask into its gradient.

    before:  y = batch_norm_train(x, gamma, beta)      s = add(y, residual)      z = relu(s)
    after:   z = batch_norm_train(x, gamma, beta, residual, epilogue="relu")

    before:  h = relu_grad(g, z)      dx, ... = batch_norm_train_grad(h, x, gamma, mean, variance)
    after:   dx, ... = batch_norm_train_grad(g, x, gamma, mean, variance, beta, epilogue="relu")

Why: z is written once instead of y and s written and read in between, and h is neither written nor read: its mask is
told from x, which the gradient reads anyway. Fires only if y, s and h have no other reader; the mask only without a
residual, whose gradient h is. relu and relu6; `batch_norm_infer` takes the activation alone. The residual must be there
before the batch norm, so that of two that are added the later takes the earlier. Changes no bit of a finite result.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from striate.compiler.passes._nodes import node_at
from striate.ir.graph import Graph, Node, Value
from striate.ir.ops.attrs import Epilogue, NormAttrs

_CLAMPS: dict[str, Epilogue] = {"relu": "relu", "relu6": "relu6"}
_MASKS: dict[str, Epilogue] = {"relu_grad": "relu", "relu6_grad": "relu6"}


@dataclass(frozen=True)
class _Tail:
    """What a batch norm takes over: nodes that then stand for its first result."""

    nodes: tuple[Node, ...] = ()
    residual: Value | None = None
    epilogue: Epilogue = "none"


def _tails(graph: Graph) -> dict[Node, _Tail]:
    place = {node: i for i, node in enumerate(graph.nodes)}
    sole: dict[Value, Node] = {v: n for n in graph.nodes for v in n.inputs if graph.uses(v) == 1}
    found: dict[Node, _Tail] = {}
    for norm in graph.nodes:
        if norm.op not in ("batch_norm_train", "batch_norm_infer") or norm.attrs != _bare(norm):
            continue
        tail, y = _Tail(), norm.results[0]
        reader = sole.get(y)
        if reader is not None and reader.op == "add" and norm.op == "batch_norm_train" and len(norm.inputs) == 3:
            other = reader.inputs[1] if reader.inputs[0] == y else reader.inputs[0]
            if other.type == y.type and place[other.node] < place[norm]:
                tail, y = _Tail((reader,), other), reader.results[0]
                reader = sole.get(y)
        if reader is not None and reader.op in _CLAMPS:
            tail = _Tail((*tail.nodes, reader), tail.residual, _CLAMPS[reader.op])
        if tail.nodes:
            found[norm] = tail
    return found


def _bare(norm: Node) -> NormAttrs:
    assert isinstance(norm.attrs, NormAttrs)
    return dataclasses.replace(norm.attrs, epilogue="none")


def _masked(new: Node) -> Node | None:
    """The gradient with its mask, told from the batch norm whose result the mask was made of."""
    h, x, gamma, mean, variance, *rest = new.inputs
    if rest or h.op not in _MASKS:
        return None
    g, z = h.inputs
    norm = z.node
    if norm.op != "batch_norm_train" or z != norm.results[0] or len(norm.inputs) != 3:
        return None
    attrs = dataclasses.replace(_bare(norm), epilogue=_MASKS[h.op])
    if norm.attrs != attrs or _bare(new) != _bare(norm):
        return None
    if norm.inputs[:2] != (x, gamma) or norm.results[1:] != (mean, variance):
        return None
    return node_at(new, new.op, g, x, gamma, mean, variance, norm.inputs[2], attrs=attrs)


def fuse_norm(graph: Graph) -> Graph:
    tails = _tails(graph)
    made: dict[Value, Value] = {}  # old -> new, of what a batch norm takes as its residual or stands for
    taken = {node: norm for norm, tail in tails.items() for node in tail.nodes}
    residuals = {tail.residual for tail in tails.values()}

    def change(old: Node, new: Node) -> Node | Value | None:
        if old in taken:
            return made[taken[old].results[0]]
        if old in tails:
            tail = tails[old]
            inputs = new.inputs if tail.residual is None else (*new.inputs, made[tail.residual])
            return node_at(new, new.op, *inputs, attrs=dataclasses.replace(_bare(new), epilogue=tail.epilogue))
        if new.op == "batch_norm_train_grad" and graph.uses(old.inputs[0]) == 1:
            return _masked(new)
        return None

    def rule(old: Node, new: Node) -> Node | Value | None:
        got = change(old, new)
        results = (got,) if isinstance(got, Value) else (got or new).results
        if old in tails or not residuals.isdisjoint(old.results):
            made.update(zip(old.results, results, strict=True))
        return got

    return graph.rewrite(rule)
