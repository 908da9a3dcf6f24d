"""Fuse a depthwise convolution with the 1x1 convolutions around it, where the maps between them are large.

    before:  h = conv2d(x, w1, b1)    z = depthwise_conv2d(h, w, b)    y = conv2d(z, w3, b3)
    after:   y = bottleneck_conv2d(x, w1, b1, w, b, w3, b3)

Why: a MobileNetV2 block at 112x112 pixels writes and reads a map of 4.8 MB an image; the kernel makes it band after
band in a thread's cache. Fires where h and z have no other reader, and those of them that go are together larger than
what the second-level caches of a few threads hold; either 1x1 convolution alone is fused too. Prediction only:
gradients read h and z. Changes no bit of y: each sum is summed in the same order.
"""

from __future__ import annotations

import math

from striate.compiler.passes._nodes import node_at
from striate.compiler.plan.select import choose_kernel
from striate.ir.graph import Graph, Node, Value
from striate.ir.ops.attrs import BottleneckAttrs, ConvAttrs

#: of the maps that go, from where on they cost more than the weights' packing and the rows made twice
LEAST_BYTES = 3 * 2**20
#: of the wide map: with more the weights fill the cache that the band is to lie in
MOST_CHANNELS = 1024


def fuse_bottleneck(graph: Graph) -> Graph:
    def alone(value: Value) -> bool:
        return graph.uses(value) == 1

    def rule(old: Node, new: Node) -> Node | None:
        if not new.inputs or not alone(old.inputs[0]):
            return None
        before, old_before = new.inputs[0].node, old.inputs[0].node
        if _is_depthwise(new) and _is_pixelwise(before):
            return _joined(new, before, new, None)
        if not _is_pixelwise(new):
            return None
        if isinstance(before.attrs, BottleneckAttrs):
            return None if before.attrs.project else _joined(new, None, before, new)
        if not _is_depthwise(before):
            return None
        first = before.inputs[0].node
        whole = _joined(new, first, before, new) if _is_pixelwise(first) and alone(old_before.inputs[0]) else None
        return whole or _joined(new, None, before, new)

    return graph.rewrite(rule)


def _is_float(node: Node) -> bool:
    return len(node.inputs) == 3 and all(v.type.dtype == "float32" for v in node.inputs)


def _is_depthwise(node: Node) -> bool:
    return node.op == "depthwise_conv2d" and _is_float(node) and node.inputs[1].type.dims[3] == 1


def _is_pixelwise(node: Node) -> bool:
    """A 1x1 convolution that has a pixel of the result for each of x, and a bias."""
    if node.op != "conv2d" or not _is_float(node) or node.inputs[1].type.dims[:2] != (1, 1):
        return False
    a = node.attrs
    assert isinstance(a, ConvAttrs)
    padded = a.padding == "explicit" and any(a.pads)
    return a.strides == (1, 1) and a.groups == 1 and not padded


def _joined(place: Node, first: Node | None, middle: Node, last: Node | None) -> Node | None:
    """The three, two or (where `middle` has its first already) last two as one; None where it does not pay."""
    a = middle.attrs
    assert isinstance(a, ConvAttrs)
    x, *more = middle.inputs
    known = a if isinstance(a, BottleneckAttrs) else BottleneckAttrs(
        a.strides, a.padding, a.pads, a.dilation, a.groups, a.epilogue, a.alpha
    )  # fmt: skip
    fields = {f: getattr(known, f) for f in known.__dataclass_fields__}
    if first is not None:
        x, *before = first.inputs
        more = [*before, *more]
        assert isinstance(first.attrs, ConvAttrs)
        fields |= {"expand": True, "expand_epilogue": first.attrs.epilogue, "expand_alpha": first.attrs.alpha}
    if last is not None:
        more += last.inputs[1:]
        assert isinstance(last.attrs, ConvAttrs)
        fields |= {"project": True, "project_epilogue": last.attrs.epilogue, "project_alpha": last.attrs.alpha}
    made = node_at(place, "bottleneck_conv2d", x, *more, attrs=BottleneckAttrs(**fields))
    channels = more[2 if fields["expand"] else 0].type.dims[2]
    pixels = math.prod(x.type.dims[:3]) if fields["expand"] else 0
    pixels += math.prod(made.types[0].dims[:3]) if fields["project"] else 0
    gone = 4 * channels * pixels
    if gone < LEAST_BYTES or channels > MOST_CHANNELS or choose_kernel(made).kernel is None:
        return None
    return made
