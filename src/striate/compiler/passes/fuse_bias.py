"""Take the bias into the product.

    before:  y = conv2d(x, w)      z = add(y, b)       b of the shape (K,), or (1, ..., 1, K)
    after:   z = conv2d(x, w, b)

Why: z is written once instead of y written, y read, z written. Fires only if the addition is the sole reader of y and y
has no activation yet. Changes no bit of z: kernels add the bias to the finished sum.
"""

from __future__ import annotations

from striate.compiler.passes._nodes import node_at, value_at
from striate.ir.graph import Graph, Node, Value
from striate.ir.ops.attrs import ShapeAttrs

#: Products that take (x, w) or (x, w, b), and have an epilogue.
PRODUCTS = frozenset({"conv2d", "depthwise_conv2d", "dense"})


def as_vector(place: Node, value: Value) -> Value:
    """A value whose only long axis is the last, with the shape (K,)."""
    if value.type.rank == 1:
        return value
    return value_at(place, "reshape", value, attrs=ShapeAttrs((value.type.size,)))


def fuse_bias(graph: Graph) -> Graph:
    def rule(old: Node, new: Node) -> Node | None:
        if new.op != "add":
            return None
        for side in (0, 1):
            product, bias = new.inputs[side], new.inputs[1 - side]
            if (
                product.op in PRODUCTS
                and len(product.inputs) == 2
                and product.attrs.epilogue == "none"
                and graph.uses(old.inputs[side]) == 1
                and product.type == new.types[0]
                and bias.type.rank >= 1
                and bias.type.size == bias.type.shape[-1] == product.type.shape[-1]
            ):
                return node_at(new, product.op, *product.inputs, as_vector(new, bias), attrs=product.attrs)
        return None

    return graph.rewrite(rule)
