"""Arithmetic of a step: multiplications and additions, each counted as one."""

from __future__ import annotations

from collections.abc import Sequence

from striate.ir.attrs import Attrs
from striate.ir.types import TensorType


def flops_of(op: str, inputs: Sequence[TensorType], outputs: Sequence[TensorType], attrs: Attrs) -> int:
    """Two for each product that is summed; 0 for ops whose cost is their bytes."""
    if "_normed" in op:
        return flops_of(op.replace("_normed", ""), inputs, outputs, attrs)
    if op.endswith(("_max_pool2d", "_max_pool2d_indices")):  # four outputs of the convolution for each that is left
        return 4 * flops_of(op[: op.index("_max_pool2d")], inputs, outputs, attrs)
    if op in ("dense", "matmul"):
        transposed = getattr(attrs, "transpose_a", False)
        return 2 * outputs[0].size * inputs[0].dims[-2 if transposed else -1]
    if op in ("conv2d", "conv2d_moments"):  # y has its window of w for each element: KH * KW * C/groups
        return 2 * outputs[0].size * _product(inputs[1].dims[:3])
    if op == "winograd_conv2d":  # as the direct sum would: what is worth comparing
        window, groups = getattr(attrs, "window", 3), getattr(attrs, "groups", 1)
        return 2 * outputs[0].size * window**2 * (inputs[0].dims[3] // groups)
    if op == "bottleneck_conv2d":
        return _bottleneck(inputs, outputs[0], attrs)
    if op in ("conv2d_grad_x", "conv2d_grad_x_masked"):  # inputs g, w
        return 2 * inputs[0].size * _product(inputs[1].dims[:3])
    if op == "conv2d_grad_w_unpool":  # inputs x, g of the pool, at
        return 8 * inputs[1].size * _product(outputs[0].dims[:3])
    if op == "conv2d_grad_w":  # inputs x, g
        return 2 * inputs[1].size * _product(outputs[0].dims[:3])
    if op.endswith("_update_dense"):  # w, its slots, x (rows, M), dy
        return 2 * outputs[0].size * inputs[len(outputs)].dims[0]
    if op in ("depthwise_conv2d", "depthwise_conv2d_moments"):
        return 2 * outputs[0].size * _product(inputs[1].dims[:2])
    if op == "depthwise_conv2d_grad_x":
        return 2 * inputs[0].size * _product(inputs[1].dims[:2])
    if op == "depthwise_conv2d_grad_w":
        return 2 * inputs[1].size * _product(outputs[0].dims[:2])
    return 0


def _bottleneck(inputs: Sequence[TensorType], y: TensorType, attrs: Attrs) -> int:
    expand, project = getattr(attrs, "expand", False), getattr(attrs, "project", False)
    window = inputs[3 if expand else 1]
    results = _product(y.dims[:3]) * window.dims[2]
    flops = 2 * results * _product(window.dims[:2])
    if expand:
        flops += 2 * _product(inputs[0].dims) * window.dims[2]
    return flops + (2 * results * y.dims[3] if project else 0)


def _product(dims: Sequence[int]) -> int:
    result = 1
    for d in dims:
        result *= d
    return result
