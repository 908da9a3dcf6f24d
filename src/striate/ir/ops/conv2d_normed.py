"""Convolutions that normalise what they read: conv2d, depthwise_conv2d, their forms that gather statistics, and their
filters' gradients, of the result of a batch normalisation that is not written.

    <op>_normed(x, ..., gamma, beta, mean, variance) = <op>(batch_norm_infer(x, gamma, beta, mean, variance), ...)

"_normed" stands behind "conv2d": conv2d_normed_moments, depthwise_conv2d_normed_grad_w. The "..." are the other inputs
of the op (w and a bias, or g). attrs.epsilon and attrs.norm_epilogue are those of the normalisation, the other
attributes and the shapes those of the op; gamma, beta, mean, variance (C,). Padding is of zeros after normalising. Each
element is normalised in float32 in the order of batch_norm_infer. No gradients: made by the planner, after gradients
(`compiler/plan/fuse_normed.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from striate.ir.opdef import OPS, define_op
from striate.ir.ops import batch_norm
from striate.ir.ops import conv2d_grad as _conv2d_grad  # noqa: F401 - defines ops
from striate.ir.ops import conv2d_moments as _conv2d_moments  # noqa: F401
from striate.ir.ops import depthwise_conv2d_grad as _depthwise_conv2d_grad  # noqa: F401
from striate.ir.ops._arrays import Array, like, wide
from striate.ir.ops.attrs import ConvAttrs, NormedConvAttrs, NormedConvGradAttrs
from striate.ir.types import TensorType

#: gamma, beta, mean, variance: the last inputs
NORM_INPUTS = 4


def normed_op(plain: str) -> str:
    """The op that normalises what `plain` reads."""
    return plain.replace("conv2d", "conv2d_normed", 1)


#: op -> the one that normalises what it reads
NORMED = {
    plain: normed_op(plain)
    for kind in ("conv2d", "depthwise_conv2d")
    for plain in (kind, f"{kind}_moments", f"{kind}_grad_w")
}


def split(given: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...], Any]:
    """The inputs of the op, those of the normalisation, attributes."""
    *inputs, a = given
    return tuple(inputs[:-NORM_INPUTS]), tuple(inputs[-NORM_INPUTS:]), a


def _infer(unnormed: str) -> Callable[..., Any]:
    def infer(*given: TensorType | ConvAttrs) -> Any:
        inputs, norm, a = split(given)
        batch_norm.infer_infer(inputs[0], *norm, a.norm())
        return OPS[unnormed].infer(*inputs, a.conv())

    return infer


def _reference(unnormed: str) -> Callable[..., Any]:
    def reference(*given: Array | ConvAttrs) -> Any:
        (x, *others), norm, a = split(given)
        z = batch_norm.reference_infer(wide(x), *norm, a.norm())
        results = OPS[unnormed].reference(z, *(wide(t) for t in others), a.conv())
        return tuple(like(t, x) for t in results) if isinstance(results, tuple) else like(results, x)

    return reference


for _plain, _op in NORMED.items():
    define_op(
        _op,
        attrs=NormedConvGradAttrs if _plain.endswith("grad_w") else NormedConvAttrs,
        infer=_infer(_plain),
        reference=_reference(_plain),
    )
