"""Let a convolution pad its image itself.

    before:  p = pad(x, zeros around rows and columns)      y  = conv2d(p, w)      padding "valid"
             dp = conv2d_grad_x(g, w)                       dx = slice(dp, without the zeros)
             dw = conv2d_grad_w(p, g)
    after:   y = conv2d(x, w)     dx = conv2d_grad_x(g, w)     dw = conv2d_grad_w(x, g)      padding "explicit"

and the same for depthwise_conv2d. Why: a padded copy of an image is written and read once more, which takes as long as
a depthwise convolution itself; MobileNet, EfficientNet and ResNet pad all their strided layers so. Terms outside the
image are left out instead of multiplied by zero: changes no bit of finite numbers, but for the sign of a zero.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from striate.compiler.passes._nodes import node_at
from striate.ir.graph import Graph, Node, Value
from striate.ir.ops.attrs import ConvAttrs, ConvGradAttrs, PadAttrs, SliceAttrs

_CONVOLUTIONS = frozenset({"conv2d", "depthwise_conv2d"})
_OF_W = frozenset(f"{op}_grad_w" for op in _CONVOLUTIONS)
_OF_X = frozenset(f"{op}_grad_x" for op in _CONVOLUTIONS)


def fuse_padding(graph: Graph) -> Graph:
    def rule(old: Node, new: Node) -> Node | None:
        if new.op in _CONVOLUTIONS or new.op in _OF_W:
            pads = _zeros_around(new.inputs[0])
            attrs = _with_pads(new.attrs, pads)
            if attrs is None:
                return None
            return node_at(new, new.op, new.inputs[0].inputs[0], *new.inputs[1:], attrs=attrs)
        if new.op == "slice" and new.inputs[0].op in _OF_X and isinstance(new.attrs, SliceAttrs):
            gradient = new.inputs[0]
            attrs = _with_pads(gradient.attrs, _cut_off(new.attrs, gradient.type.dims))
            if attrs is None or graph.uses(old.inputs[0]) > 1:
                return None
            attrs = dataclasses.replace(attrs, shape=new.types[0].dims)
            return node_at(new, gradient.op, *gradient.inputs, attrs=attrs)
        return None

    return graph.rewrite(rule)


Pads = tuple[int, int, int, int]


def _zeros_around(x: Value) -> Pads | None:
    """(top, bottom, left, right) of a pad with zeros of rows and columns alone."""
    if x.op != "pad" or not isinstance(x.attrs, PadAttrs) or x.type.rank != 4 or x.attrs.value != 0:
        return None
    pads = x.attrs.pads
    top, bottom, left, right = pads[2:6]
    return (top, bottom, left, right) if not any((*pads[:2], *pads[6:])) else None


def _cut_off(cut: SliceAttrs, dims: tuple[int, ...]) -> Pads | None:
    """(top, bottom, left, right) of what a slice leaves away, where it leaves away nothing else."""
    if len(dims) != 4 or any(s != 1 for s in cut.step):
        return None
    before, after = cut.begin, tuple(n - e for n, e in zip(dims, cut.end))
    if before[0] or after[0] or before[3] or after[3]:
        return None
    return before[1], after[1], before[2], after[2]


def _with_pads(attrs: Any, pads: Pads | None) -> Any:
    """The attributes of the same windows on the image without its border; None where they have none."""
    if pads is None or not isinstance(attrs, ConvAttrs | ConvGradAttrs) or attrs.padding == "same":
        return None
    held = attrs.pads if attrs.padding == "explicit" else (0, 0, 0, 0)
    top, bottom, left, right = (a + b for a, b in zip(held, pads))
    return dataclasses.replace(attrs, padding="explicit", pads=(top, bottom, left, right))
