"""Take a ReLU's mask into the convolution's gradient that it is applied to.

    before:  dx = conv2d_grad_x(g, w)      h = relu_grad(dx, y)
    after:   h = conv2d_grad_x_masked(g, w, y, epilogue="relu")

Why: dx is written once instead of written, read and written: a hundredth of a training step of plain networks. relu and
relu6. Fires where nothing else reads dx and the kernel that makes it has such a form. Changes no bit.
"""

from __future__ import annotations

import dataclasses

from striate.compiler.passes._nodes import node_at
from striate.compiler.plan.select import taken_along
from striate.ir.graph import Graph, Node
from striate.ir.ops.attrs import ConvGradAttrs, Epilogue

_MASKS: dict[str, Epilogue] = {"relu_grad": "relu", "relu6_grad": "relu6"}


def fuse_mask(graph: Graph, *, training: bool) -> Graph:
    def rule(old: Node, new: Node) -> Node | None:
        if new.op not in _MASKS or graph.uses(old.inputs[0]) > 1:
            return None
        (dx, y), gradient = new.inputs, new.inputs[0].node
        if dx.op != "conv2d_grad_x":
            return None
        assert isinstance(gradient.attrs, ConvGradAttrs)
        attrs = dataclasses.replace(gradient.attrs, epilogue=_MASKS[new.op])
        masked = node_at(new, "conv2d_grad_x_masked", *gradient.inputs, y, attrs=attrs)
        return masked if taken_along(gradient, masked, training=training) else None

    return graph.rewrite(rule)
