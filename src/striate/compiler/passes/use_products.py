"""A convolution whose kernel covers the whole image is a matrix product, and so are its gradients.

    before:  y  = conv2d(x, w, b)            x (N, H, W, C), w (H, W, C, K), no padding: y (N, 1, 1, K)
             dx = conv2d_grad_x(g, w)
             dw = conv2d_grad_w(x, g)
    after:   y  = reshape(dense(x', w', b))  x' (N, HWC), w' (HWC, K): the same memory
             dx = reshape(matmul(g', w'^T))
             dw = reshape(matmul(x'^T, g'))

Why: the kernels of products work on many rows at once and read w in long runs. LeNet-5's C5 and the classifiers of
fully convolutional networks are such layers. A sum's terms come in the same order: changes no bit of y.
"""

from __future__ import annotations

from striate.compiler.passes._nodes import node_at, value_at
from striate.ir.graph import Graph, Node, Value
from striate.ir.ops.attrs import ConvAttrs, DenseAttrs, MatmulAttrs, ShapeAttrs

Dims = tuple[int, ...]


def use_products(graph: Graph) -> Graph:
    def rule(old: Node, new: Node) -> Node | None:
        attrs = new.attrs
        if not isinstance(attrs, ConvAttrs) or new.op not in ("conv2d", "conv2d_grad_x", "conv2d_grad_w"):
            return None
        result = new.types[0].dims
        if new.op == "conv2d":
            x, w, y = new.inputs[0].type.dims, new.inputs[1].type.dims, result
        elif new.op == "conv2d_grad_x":
            x, w, y = result, new.inputs[1].type.dims, new.inputs[0].type.dims
        else:
            x, w, y = new.inputs[0].type.dims, result, new.inputs[1].type.dims
        if not _covers(x, w, y, attrs):
            return None
        rows, terms, filters = x[0], w[0] * w[1] * w[2], w[3]

        def flat(value: Value, *shape: int) -> Value:
            return value_at(new, "reshape", value, attrs=ShapeAttrs(shape))

        a, b, *bias = new.inputs
        if new.op == "conv2d":
            epilogue = DenseAttrs(attrs.epilogue, attrs.alpha)
            product = value_at(new, "dense", flat(a, rows, terms), flat(b, terms, filters), *bias, attrs=epilogue)
        elif new.op == "conv2d_grad_x":
            turned = MatmulAttrs(False, True)
            product = value_at(new, "matmul", flat(a, rows, filters), flat(b, terms, filters), attrs=turned)
        else:
            turned = MatmulAttrs(True, False)
            product = value_at(new, "matmul", flat(a, rows, terms), flat(b, rows, filters), attrs=turned)
        return node_at(new, "reshape", product, attrs=ShapeAttrs(result))

    return graph.rewrite(rule)


def _covers(x: Dims, w: Dims, y: Dims, attrs: ConvAttrs) -> bool:
    """Whether every tap of the one window lies on a pixel of its own, and all pixels have one."""
    if attrs.groups != 1 or y[1:3] != (1, 1) or x[1:3] != w[:2]:
        return False
    # With one window of the image's size there is no room for padding, but for kernels that are spread.
    spread = any(d > 1 and k > 1 for d, k in zip(attrs.dilation, w))
    return not spread and not (attrs.padding == "explicit" and any(attrs.pads))
