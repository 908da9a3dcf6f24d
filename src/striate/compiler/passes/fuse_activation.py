"""Take the activation into the product that feeds it.

    before:  y = conv2d(x, w, b)      z = relu(y)
    after:   z = conv2d(x, w, b, epilogue="relu")

Why: z is written once instead of y written, y read, z written (2 of 3 passes over memory saved). Fires only if the
activation is the sole reader of y: in training, activations whose gradient needs y (elu, gelu, silu) stay as they are.
Changes no bit of z: kernels apply the same function to the same sum.
"""

from __future__ import annotations

import dataclasses

from striate.compiler.passes.fuse_bias import PRODUCTS
from striate.ir.graph import Graph, Node, replace

_SIMPLE = frozenset({"relu", "relu6", "tanh", "sigmoid", "silu", "hard_sigmoid", "hard_silu"})


def _epilogue(node: Node) -> tuple[str, float] | None:
    """The epilogue that does what this node does, and its alpha."""
    if node.op in _SIMPLE:
        return node.op, 0.0
    attrs: object = node.attrs
    if node.op in ("elu", "leaky_relu"):
        return node.op, getattr(attrs, "alpha")  # noqa: B009 - Attrs has no such field for mypy
    if node.op == "gelu":
        return ("gelu_tanh" if getattr(attrs, "approximate") else "gelu"), 0.0  # noqa: B009
    return None


def fuse_activation(graph: Graph) -> Graph:
    def rule(old: Node, new: Node) -> Node | None:
        found = _epilogue(new)
        if found is None:
            return None
        product = new.inputs[0]
        if product.op not in PRODUCTS or product.attrs.epilogue != "none" or graph.uses(old.inputs[0]) > 1:
            return None
        return replace(product, attrs=dataclasses.replace(product.attrs, epilogue=found[0], alpha=found[1]))

    return graph.rewrite(rule)
