"""A matrix product with a weight on its right is a dense layer.

    before:  y = matmul(x, w)      w of rank 2, nothing transposed
    after:   y = dense(x, w)

Why: only products that the later passes know take a bias and an activation in; a Dense layer written by hand with
`ops.matmul` is then as quick as the built-in one. Both run by the same kernel: changes no bit.
"""

from __future__ import annotations

from striate.compiler.passes._nodes import node_at
from striate.ir.graph import Graph, Node
from striate.ir.ops._arrays import FLOATS
from striate.ir.ops.attrs import DenseAttrs, MatmulAttrs


def use_dense(graph: Graph) -> Graph:
    def rule(old: Node, new: Node) -> Node | None:
        if new.op != "matmul" or new.attrs != MatmulAttrs() or new.inputs[1].type.rank != 2:
            return None
        if new.inputs[0].type.dtype not in FLOATS:  # dense is for floats
            return None
        return node_at(new, "dense", *new.inputs, attrs=DenseAttrs())

    return graph.rewrite(rule)
