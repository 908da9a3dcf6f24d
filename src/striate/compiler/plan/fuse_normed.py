"""Normalise where the convolutions read that follow a batch norm, instead of writing its result.

    before:  z = batch_norm_infer(y, gamma, beta, mean, variance, epilogue="relu")
             u = conv2d_moments(z, w)                  dw = conv2d_grad_w(z, g)
    after:   u = conv2d_normed_moments(y, w, gamma, beta, mean, variance)
             dw = conv2d_normed_grad_w(y, g, gamma, beta, mean, variance)

Of z, mean, variance = batch_norm_train(y, gamma, beta) mean, variance = batch_norm_statistics(y) is left.

Why: z is neither written nor read, and a training step does not hold it until the gradient, which reads y anyway.
Fires where convolutions and their filters' gradients alone read z, and the kernel of each has such a form: another
algorithm would cost more than z. Winograd's gradient of filters has none, as it would normalise an element some dozen
times. Where z is large it is made once more for that one, right before: as many bytes are moved as if it had been kept,
but it is not held meanwhile. Training only: in prediction a batch norm is part of the convolution before it. Changes no
bit.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field

from striate.compiler.passes._nodes import node_at, value_at
from striate.compiler.plan.select import taken_along
from striate.ir.graph import Graph, Node, Value
from striate.ir.ops.attrs import ConvAttrs, ConvGradAttrs, NormAttrs, NormedConvAttrs, NormedConvGradAttrs
from striate.ir.ops.conv2d_normed import NORMED

#: bytes from where on a map is made once more rather than held: of a smaller one, which stays in a cache, reading costs
#: less than normalising it where Winograd's forward transform reads
LEAST_AGAIN = 4 * 2**20

#: rows of a depthwise window at most: an image is cut into strips, and of a taller window a strip's rows are mostly
#: those of its neighbours, normalised twice
TALLEST = 5

#: batch norms -> how many inputs they have where they add no residual
_NORMS = {"batch_norm_infer": 5, "batch_norm_train": 3}


def fuse_normed(graph: Graph, *, training: bool) -> Graph:
    if not training:
        return graph
    found = _found(graph)
    again: dict[Node, Value] = {}

    def rule(old: Node, new: Node) -> Node | Sequence[Value] | None:
        if old in found.split:
            y, gamma, beta = new.inputs
            mean, variance = node_at(new, "batch_norm_statistics", y).results
            z = value_at(new, "batch_norm_infer", y, gamma, beta, mean, variance, attrs=new.attrs)  # nobody reads it
            return z, mean, variance
        if old in found.again:
            norm = new.inputs[0].node
            z = again.get(norm) or value_at(new, norm.op, *norm.inputs, attrs=norm.attrs)
            again[norm] = z
            return node_at(new, new.op, z, *new.inputs[1:], attrs=new.attrs)
        return _normed(new) if old in found.fused else None

    return graph.rewrite(rule)


@dataclass
class _Found:
    #: nodes that normalise what they read then
    fused: set[Node] = field(default_factory=set)
    #: nodes for which it is made once more
    again: set[Node] = field(default_factory=set)
    #: batch norms of whose results the statistics are left
    split: set[Node] = field(default_factory=set)


def _found(graph: Graph) -> _Found:
    readers: dict[Value, list[Node]] = {}
    for node in graph.nodes:
        for value in node.inputs:
            readers.setdefault(value, []).append(node)
    found = _Found()
    for node in graph.nodes:
        if node.op not in _NORMS or len(node.inputs) != _NORMS[node.op]:  # with a residual there is one more
            continue
        z = node.results[0]
        mine = readers.get(z, [])
        if graph.uses(z) != len(mine) or not all(_convolves(reader, z) for reader in mine):
            continue
        fused = [r for r in mine if _pays(r) and taken_along(r, _normed(r), training=True)]
        again = [reader for reader in mine if reader not in fused]
        if not fused or (again and (z.type.nbytes < LEAST_AGAIN or any(r.op != "conv2d_grad_w" for r in again))):
            continue
        found.fused.update(fused)
        found.again.update(again)
        found.split.update({node} if node.op == "batch_norm_train" else ())
    return found


def _convolves(reader: Node, z: Value) -> bool:
    """Whether z is what the node convolves, and that alone."""
    return reader.op in NORMED and reader.inputs[0] == z and z not in reader.inputs[1:]


def _pays(reader: Node) -> bool:
    window = reader.attrs.shape if isinstance(reader.attrs, ConvGradAttrs) else reader.inputs[1].type.dims
    return not reader.op.startswith("depthwise") or window[0] <= TALLEST


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
