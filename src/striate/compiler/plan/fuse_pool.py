"""Take the 2x2 max pool into the convolution before it, and its gradient into that of the filters.

    before:  z = conv2d(x, w, b, epilogue="relu")     y = max_pool2d(z)
             dz = max_unpool2d(g, at)                 dw = conv2d_grad_w(x, dz)
    after:   y = conv2d_max_pool2d(x, w, b, epilogue="relu")
             dw = conv2d_grad_w_unpool(x, g, at)

Likewise `max_pool2d_indices`, and `winograd_conv2d`, which `prepack` has made.

Why: z is neither written nor read, and a training step does not hold it until its gradient: a quarter of z, and a byte
where four numbers were, are left of it. Fires where the one that goes has no other reader (dz has one where x needs a
gradient too), windows are 2x2, side by side, and the kernel that convolves has such a form: another algorithm would
cost more than z. Changes no bit of y and dw.
"""

from __future__ import annotations

from collections.abc import Mapping

from striate.compiler.passes._nodes import node_at
from striate.compiler.plan.choice import Choice
from striate.compiler.plan.select import taken_along
from striate.ir.graph import Graph, Node, Value
from striate.ir.opdef import OPS
from striate.ir.ops.attrs import PoolAttrs
from striate.ir.ops.conv2d_max_pool2d import POOL
from striate.ir.types import TensorType


def fuse_pool(graph: Graph, chosen: Mapping[Node, Choice], *, training: bool) -> tuple[Graph, dict[Node, Choice]]:
    """The graph, and the choices that were made before, of the nodes as they are in it."""
    kept: dict[Node, Choice] = {}

    def rule(old: Node, new: Node) -> Node | None:
        if old in chosen:
            kept[new] = chosen[old]
        made = None
        if new.op in ("max_pool2d", "max_pool2d_indices") and alone(old.inputs[0]):
            made = _pooled(new)
        elif new.op == "conv2d_grad_w" and alone(old.inputs[1]):
            made = _unpooled(new)
        if made is None:
            return None
        plain, fused = made
        return fused if taken_along(plain, fused, training=training, chosen=kept.get(plain)) else None

    def alone(value: Value) -> bool:
        return graph.uses(value) == 1

    return graph.rewrite(rule), kept


def _pooled(pool: Node) -> tuple[Node, Node] | None:
    """The convolution before a pool, and both as one."""
    conv = pool.inputs[0].node
    op = f"{conv.op}_{pool.op}"
    if op not in OPS or not _in_twos(pool, pool.inputs[0].type):
        return None
    return conv, node_at(pool, op, *conv.inputs, attrs=conv.attrs)


def _unpooled(grad: Node) -> tuple[Node, Node] | None:
    """A filters' gradient, and one that reads the gradient of the pool behind the convolution."""
    x, dz = grad.inputs
    if dz.op != "max_unpool2d" or not _in_twos(dz.node, dz.type):
        return None
    return grad, node_at(grad, "conv2d_grad_w_unpool", x, *dz.inputs, attrs=grad.attrs)


def _in_twos(pool: Node, image: TensorType) -> bool:
    """Whether windows are 2x2 and lie in the image, side by side."""
    a = pool.attrs
    assert isinstance(a, PoolAttrs)
    _, rows, columns, _ = image.dims
    inside = a.padding == "valid" or (rows % 2 == 0 and columns % 2 == 0)
    return a.pool == POOL.pool and a.strides == POOL.strides and inside
