"""Fold the batch norm that follows a product into its weights, where nothing is trained.

    before:  y = conv2d(x, w, b)                 z = batch_norm_infer(y, gamma, beta, mean, variance)
    after:   s = gamma / sqrt(variance + epsilon)
             z = conv2d(x, w * s, beta + (b - mean) * s)

Why: z is written once instead of y written, y read, z written, and the new weights are made once a load, not once a run
(`compiler/derived.py`). Fires only if the batch norm is the sole reader of y, y has no activation yet, and weights and
statistics depend on Variables alone. Rounding: one more product a weight; the sum's bound with |w * s| for |w|.
Source: Jacob et al., "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference"
(2018), section 3.2, equation 14.
"""

from __future__ import annotations

import numpy as np

from striate.compiler.passes._nodes import constant_at, node_at, value_at
from striate.compiler.passes.fuse_bias import PRODUCTS
from striate.ir.graph import Graph, Node, Value
from striate.ir.ops.attrs import NormAttrs, ShapeAttrs


def fold_batch_norm(graph: Graph) -> Graph:
    fixed: set[Node] = set()
    for node in graph.nodes:
        if node.op in ("variable", "constant") or (node.inputs and all(v.node in fixed for v in node.inputs)):
            fixed.add(node)

    def rule(old: Node, new: Node) -> Node | None:
        bare = isinstance(new.attrs, NormAttrs) and new.attrs.epilogue == "none" and len(new.inputs) == 5
        if new.op != "batch_norm_infer" or not bare:
            return None
        product, before = new.inputs[0], old.inputs[0]
        if product.op not in PRODUCTS or product.attrs.epilogue != "none" or graph.uses(before) > 1:
            return None
        if not all(v.node in fixed for v in (*old.inputs[1:], *before.inputs[1:])):
            return None
        return _fold(new, product)

    return graph.rewrite(rule)


def _fold(norm: Node, product: Value) -> Node:
    gamma, beta, mean, variance = norm.inputs[1:]
    x, w, *bias = product.inputs
    assert isinstance(norm.attrs, NormAttrs)

    def make(op: str, *inputs: Value) -> Value:
        return value_at(norm, op, *inputs)

    epsilon = constant_at(norm, np.asarray(norm.attrs.epsilon, variance.type.dtype))
    scale = make("multiply", gamma, make("rsqrt", make("add", variance, epsilon)))
    # w's last axes are the output's channels: (..., K), or (..., C, M) where channel c*M + m is (c, m).
    per_weight = scale
    if product.op == "depthwise_conv2d":
        per_weight = value_at(norm, "reshape", scale, attrs=ShapeAttrs(w.type.dims[2:]))
    centre = make("subtract", bias[0], mean) if bias else make("neg", mean)
    shift = make("add", beta, make("multiply", centre, scale))
    return node_at(norm, product.op, x, make("multiply", w, per_weight), shift, attrs=product.attrs)
