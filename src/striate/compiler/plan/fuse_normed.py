"""Normalise where the convolutions read that follow a batch norm, instead of writing its result.

    before:  z = batch_norm_infer(y, gamma, beta, mean, variance, epilogue="relu")
             u = conv2d_moments(z, w)                  dw = conv2d_grad_w(z, g)
    after:   u = conv2d_normed_moments(y, w, gamma, beta, mean, variance)
             dw = conv2d_normed_grad_w(y, g, gamma, beta, mean, variance)

Of z, mean, variance = batch_norm_train(y, gamma, beta) mean, variance = batch_norm_statistics(y) is left.

Why: z is neither written nor read, and a training step does not hold it until the gradient, which reads y anyway.
Fires where convolutions and their filters' gradients alone read z, and the kernel of each has such a form: another
algorithm would cost more than z. Training only: in prediction a batch norm is part of the convolution before it.
Changes no bit.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from striate.compiler.passes._nodes import node_at, value_at
from striate.compiler.plan.select import taken_along
from striate.ir.graph import Graph, Node, Value
from striate.ir.ops.attrs import ConvAttrs, ConvGradAttrs, NormAttrs, NormedConvAttrs, NormedConvGradAttrs
from striate.ir.ops.conv2d_normed import NORMED

#: batch norms -> how many inputs they have where they add no residual
_NORMS = {"batch_norm_infer": 5, "batch_norm_train": 3}


def fuse_normed(graph: Graph, *, training: bool) -> Graph:
    if not training:
        return graph
    fused, split = _found(graph)

    def rule(old: Node, new: Node) -> Node | Sequence[Value] | None:
        if old in split:
            y, gamma, beta = new.inputs
            mean, variance = node_at(new, "batch_norm_statistics", y).results
            z = value_at(new, "batch_norm_infer", y, gamma, beta, mean, variance, attrs=new.attrs)  # nobody reads it
            return z, mean, variance
        return _normed(new) if old in fused else None

    return graph.rewrite(rule)


def _found(graph: Graph) -> tuple[set[Node], set[Node]]:
    """Nodes that normalise what they read then, and batch norms of whose results the statistics are left."""
    readers: dict[Value, list[Node]] = {}
    for node in graph.nodes:
        for value in node.inputs:
            readers.setdefault(value, []).append(node)
    fused: set[Node] = set()
    split: set[Node] = set()
    for node in graph.nodes:
        if node.op not in _NORMS or len(node.inputs) != _NORMS[node.op]:  # with a residual there is one more
            continue
        z = node.results[0]
        mine = readers.get(z, [])
        if mine and graph.uses(z) == len(mine) and all(_fits(reader, z) for reader in mine):
            fused.update(mine)
            split.update({node} if node.op == "batch_norm_train" else ())
    return fused, split


def _fits(reader: Node, z: Value) -> bool:
    """Whether z is what the node convolves, and its kernel has a form that normalises."""
    if reader.op not in NORMED or reader.inputs[0] != z or z in reader.inputs[1:]:
        return False
    return taken_along(reader, _normed(reader), training=True)


def _normed(conv: Node) -> Node:
    z, *others = conv.inputs
    y, *norm = z.node.inputs
    if z.op == "batch_norm_train":
        norm.extend(z.node.results[1:])
    a, by = conv.attrs, z.node.attrs
    assert isinstance(a, ConvAttrs) and isinstance(by, NormAttrs)
    kind = NormedConvGradAttrs if isinstance(a, ConvGradAttrs) else NormedConvAttrs
    own = {field.name: getattr(a, field.name) for field in dataclasses.fields(a)}
    attrs = kind(**own, epsilon=by.epsilon, norm_epilogue=by.epilogue)
    return node_at(conv, NORMED[conv.op], y, *others, *norm, attrs=attrs)
