"""Gather a batch norm's statistics while the convolution before it writes.

    before:  y = conv2d(x, w)                          z, mean, variance = batch_norm_train(y, gamma, beta, residual)
    after:   y, mean, variance = conv2d_moments(x, w)  z = batch_norm_infer(y, gamma, beta, mean, variance, residual)

Why: each piece of the convolution takes the statistics of what it has just written, while that lies in a cache, so that
y is read once from memory where it was read twice. Each kernel of a convolution has such a form, with the same bits of
y and the same refusals, so that the choice of the algorithm stays. Also where others read y, as the gradient does.
Changes the order in which the statistics are summed, not their bound.
"""

from __future__ import annotations

from collections.abc import Sequence

from striate.compiler.passes._nodes import node_at, value_at
from striate.ir.graph import Graph, Node, Value
from striate.ir.ops.attrs import ConvAttrs

#: pixels of an output row of a depthwise convolution: what its kernel gathers as one block (csrc/base/moments.h)
_WIDEST = 384


def _gathers(conv: Node) -> bool:
    """Whether a kernel takes it; what all refuse would run on the host."""
    attrs = conv.attrs
    if not isinstance(attrs, ConvAttrs) or attrs.epilogue != "none" or conv.types[0].dtype != "float32":
        return False
    if conv.types[0].size == 0:
        return False
    return conv.op == "conv2d" or (conv.op == "depthwise_conv2d" and conv.types[0].dims[2] <= _WIDEST)


def gather_statistics(graph: Graph) -> Graph:
    wanted = {n.inputs[0].node for n in graph.nodes if n.op == "batch_norm_train" and _gathers(n.inputs[0].node)}

    def rule(old: Node, new: Node) -> Value | Sequence[Value] | None:
        if old in wanted:
            return node_at(new, f"{new.op}_moments", *new.inputs, attrs=new.attrs).results[0]
        if old.op == "batch_norm_train" and old.inputs[0].node in wanted:
            y, gamma, beta, *residual = new.inputs
            _, mean, variance = y.node.results
            z = value_at(new, "batch_norm_infer", y, gamma, beta, mean, variance, *residual, attrs=new.attrs)
            return z, mean, variance
        return None

    return graph.rewrite(rule)
