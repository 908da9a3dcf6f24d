"""bottleneck_conv2d: a depthwise convolution with the 1x1 convolution before it, the one after it, or both.

    h = conv2d(x, w1, b1, expand_epilogue)          where attrs.expand, else h = x
    z = depthwise_conv2d(h, w, b)
    y = conv2d(z, w3, b3, project_epilogue)         where attrs.project, else y = z

Inputs: x, w1 and b1 where attrs.expand, w, b, w3 and b3 where attrs.project.
Shapes: x (N, H, W, D), w1 (1, 1, D, C), w (KH, KW, C, 1), w3 (1, 1, C, K), y (N, OH, OW, K); biases (C,), (C,), (K,).
No gradients: made by the planner, after gradients (`compiler/plan/fuse_bottleneck.py`).
Source: the inverted residual of Sandler et al., "MobileNetV2" (2018).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar

from striate.core.errors import ShapeError
from striate.ir.opdef import define_op
from striate.ir.ops import conv2d, depthwise_conv2d
from striate.ir.ops._arrays import Array, like, wide
from striate.ir.ops.attrs import BottleneckAttrs, ConvAttrs
from striate.ir.types import TensorType

T = TypeVar("T")


class Stage(NamedTuple):
    """One of the convolutions: its op, the position of its kernel among the inputs (the bias follows), attributes."""

    op: str
    kernel: int
    attrs: ConvAttrs


def stages(a: BottleneckAttrs) -> list[Stage]:
    """In order."""
    middle = ConvAttrs(a.strides, a.padding, a.pads, a.dilation, a.groups, a.epilogue, a.alpha)
    first = [("conv2d", ConvAttrs(epilogue=a.expand_epilogue, alpha=a.expand_alpha))] if a.expand else []
    last = [("conv2d", ConvAttrs(epilogue=a.project_epilogue, alpha=a.project_alpha))] if a.project else []
    made = [*first, ("depthwise_conv2d", middle), *last]
    return [Stage(op, 1 + 2 * i, attrs) for i, (op, attrs) in enumerate(made)]


def split(given: Sequence[T | BottleneckAttrs]) -> tuple[list[T], BottleneckAttrs]:
    """Inputs and attributes."""
    *inputs, a = given
    assert isinstance(a, BottleneckAttrs)
    held = [i for i in inputs if not isinstance(i, BottleneckAttrs)]
    wanted = 1 + 2 * len(stages(a))
    if wanted < 5 or len(held) != wanted:
        raise ShapeError(
            f"bottleneck_conv2d: received {len(held)} inputs with expand={a.expand}, project={a.project}. Expected x, "
            "and a kernel and a bias of each of two or three convolutions. This is a fault of the planner."
        )
    return held, a


def infer(*given: TensorType | BottleneckAttrs) -> TensorType:
    inputs, a = split(given)
    result = inputs[0]
    for op, at, attrs in stages(a):
        of_stage: Any = conv2d.infer if op == "conv2d" else depthwise_conv2d.infer
        if op == "conv2d" and inputs[at].dims[:2] != (1, 1):
            raise ShapeError(
                f"bottleneck_conv2d: received a kernel of shape {inputs[at].dims}. Expected (1, 1, channels, filters)."
            )
        result = of_stage(result, inputs[at], inputs[at + 1], attrs)
    return result


def reference(*given: Array | BottleneckAttrs) -> Array:
    inputs, a = split(given)
    result = wide(inputs[0])
    for op, at, attrs in stages(a):
        of_stage: Any = conv2d.reference if op == "conv2d" else depthwise_conv2d.reference
        result = of_stage(result, wide(inputs[at]), wide(inputs[at + 1]), attrs)
    return like(result, inputs[0])


define_op("bottleneck_conv2d", attrs=BottleneckAttrs, infer=infer, reference=reference)
