"""conv2d_grad_x_masked: the gradient for a convolution's input, through the ReLU that made that input.

    dx = conv2d_grad_x(g, w) where 0 < y, and for relu6 y < 6; else 0       y: the convolution's input, relu's result

attrs.epilogue says which, "relu" or "relu6"; the other attributes and the shapes are those of conv2d_grad_x. No
gradients: made by the planner, after gradients (`compiler/plan/fuse_mask.py`).
"""

from __future__ import annotations

from striate.ir.attrs import NO_ATTRS
from striate.ir.opdef import define_op, run_reference
from striate.ir.ops import conv2d_grad
from striate.ir.ops._arrays import Array, like, wide
from striate.ir.ops.attrs import ConvGradAttrs
from striate.ir.types import TensorType


def infer(g: TensorType, w: TensorType, y: TensorType, a: ConvGradAttrs) -> TensorType:
    assert a.epilogue in ("relu", "relu6"), f"conv2d_grad_x_masked: {a.epilogue} has no mask"
    dx = conv2d_grad.infer_x(g, w, a)
    assert y == dx, f"conv2d_grad_x_masked: y is {y}, the gradient {dx}"
    return dx


def reference(g: Array, w: Array, y: Array, a: ConvGradAttrs) -> Array:
    dx = conv2d_grad.reference_x(wide(g), wide(w), a)
    return like(run_reference(f"{a.epilogue}_grad", (dx, wide(y)), NO_ATTRS)[0], g)


define_op("conv2d_grad_x_masked", attrs=ConvGradAttrs, infer=infer, reference=reference)
