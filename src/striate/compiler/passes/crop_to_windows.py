"""Do not convolve for rows and columns of outputs that no window of the pool behind reaches.

    before:  z = conv2d(x, w, b, padding="same")           y = max_pool2d(z)         7x7 outputs, 3x3 windows of 2x2
             dz = max_unpool2d(g, at, shape of z)          dw = conv2d_grad_w(x, dz)
    after:   z = conv2d(x, w, b, pads top 1, bottom 0)     y = max_pool2d(z)         6x6 outputs
             dz = max_unpool2d(g, at, shape of the crop)   dw = conv2d_grad_w(x, dz) of 6x6

Why: 36 of 49 outputs are used, and of Winograd's products 100 of 121. The gradient of the others is zero, so that what
is summed with it goes too. Fires where the pool does not pad and is the sole reader of z, and where all that reads dz
are gradients of convolutions; the padding behind the image is cut, as far as there is any. Where tiles of Winograd come
to lie otherwise, outputs are rounded otherwise, within the same bound.
"""

from __future__ import annotations

import dataclasses

from striate.compiler.passes._nodes import node_at, value_at
from striate.ir.graph import Graph, Node, Value
from striate.ir.ops._windows import out_hw, pads
from striate.ir.ops.attrs import ConvAttrs, ConvGradAttrs, PoolAttrs, PoolGradAttrs

Shape = tuple[int, ...]
_POOLS = frozenset({"max_pool2d", "max_pool2d_indices", "avg_pool2d"})
_UNPOOLS = frozenset({"max_unpool2d", "avg_pool2d_grad"})
#: where g stands among the inputs
_GRADIENTS = {"conv2d_grad_x": 0, "conv2d_grad_w": 1}


def crop_to_windows(graph: Graph) -> Graph:
    gradients = [n.inputs[_GRADIENTS[n.op]] for n in graph.nodes if n.op in _GRADIENTS]
    cut = {g: _cut(g.node, g.type.dims) for g in gradients if graph.uses(g) == gradients.count(g)}
    crops: dict[tuple[Value, Shape], Value] = {}  # of gradients, each made once for all that read as much of it

    def rule(old: Node, new: Node) -> Node | None:
        if new.op in _POOLS:
            return _pool(new) if graph.uses(old.inputs[0]) == 1 else None
        if new.op in _GRADIENTS:
            at = _GRADIENTS[new.op]
            g = old.inputs[at]
            return _gradient(new, at, crops) if cut.get(g, (0, 0)) != (0, 0) else None
        return None

    return graph.rewrite(rule)


def _cut(pool: Node, image: tuple[int, ...]) -> tuple[int, int]:
    """Last rows and columns of a pool's image that are in no window; of other ops none are."""
    a = pool.attrs
    if pool.op not in _POOLS | _UNPOOLS or not isinstance(a, PoolAttrs) or a.padding != "valid":
        return 0, 0
    rows, columns = ((n - k) % s for n, k, s in zip(image[1:3], a.pool, a.strides, strict=True))
    return rows, columns


def _without(a: ConvAttrs, image: tuple[int, ...], kernel: tuple[int, ...], cut: tuple[int, int]) -> ConvAttrs | None:
    """The convolution without the last `cut` rows and columns of outputs, as far as padding makes them."""
    (top, bottom), (left, right) = pads(a, (image[1], image[2]), (kernel[0], kernel[1]))
    rows, columns = (min(n, after // s) for n, after, s in zip(cut, (bottom, right), a.strides, strict=True))
    if rows == columns == 0:
        return None
    less = (top, bottom - rows * a.strides[0], left, right - columns * a.strides[1])
    return dataclasses.replace(a, padding="explicit", pads=less)


def _pool(pool: Node) -> Node | None:
    conv = pool.inputs[0].node
    if conv.op != "conv2d" or conv.types[0].size == 0:
        return None
    x, w, *_ = conv.inputs
    assert isinstance(conv.attrs, ConvAttrs)
    attrs = _without(conv.attrs, x.type.dims, w.type.dims, _cut(pool, conv.types[0].dims))
    if attrs is None:
        return None
    return node_at(pool, pool.op, value_at(conv, "conv2d", *conv.inputs, attrs=attrs), attrs=pool.attrs)


def _gradient(gradient: Node, at: int, crops: dict[tuple[Value, Shape], Value]) -> Node | None:
    dz, result, a = gradient.inputs[at], gradient.types[0].dims, gradient.attrs
    assert isinstance(a, ConvGradAttrs) and isinstance(dz.attrs, PoolGradAttrs)
    image, kernel = (result, gradient.inputs[1].type.dims) if at == 0 else (gradient.inputs[0].type.dims, result)
    attrs = _without(a, image, kernel, _cut(dz.node, dz.type.dims))
    if attrs is None:
        return None
    n, _, _, channels = dz.type.dims
    rows, columns = out_hw("conv2d", attrs, (image[1], image[2]), (kernel[0], kernel[1]))
    assert rows is not None and columns is not None
    shape = (n, rows, columns, channels)
    if (dz, shape) not in crops:
        crops[dz, shape] = value_at(dz.node, dz.op, *dz.inputs, attrs=dataclasses.replace(dz.attrs, shape=shape))
    inputs = list(gradient.inputs)
    inputs[at] = crops[dz, shape]
    return node_at(gradient, gradient.op, *inputs, attrs=attrs)
