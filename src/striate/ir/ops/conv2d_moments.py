"""conv2d_moments and depthwise_conv2d_moments: a convolution, and mean and variance of its result's channels.

    y = conv2d(x, w[, b])        mean[k] = mean over n, i, j of y[n, i, j, k]
                                 variance[k] = mean over n, i, j of (y[n, i, j, k] - mean[k])^2

The statistics are those of batch_norm_train, gathered while y is written. Shapes: those of the convolution; mean and
variance (K,). No activation. Source: ours; `compiler/passes/gather_statistics.py` makes such nodes.
"""

from __future__ import annotations

from typing import Any

from striate.ir.opdef import OPS, define_op
from striate.ir.ops import conv2d as _conv2d  # noqa: F401 - defines the op
from striate.ir.ops import depthwise_conv2d as _depthwise_conv2d  # noqa: F401 - defines the op
from striate.ir.ops._arrays import Array, like, wide
from striate.ir.ops._checks import product
from striate.ir.ops._compose import gradients_of
from striate.ir.ops._terms import Term
from striate.ir.ops.attrs import ConvAttrs
from striate.ir.types import TensorType


def _define(plain: str) -> None:
    def infer(x: TensorType, w: TensorType, *rest: TensorType | ConvAttrs) -> Any:
        assert isinstance(rest[-1], ConvAttrs) and rest[-1].epilogue == "none", f"{plain}_moments: no activation"
        y = OPS[plain].infer(x, w, *rest)
        assert isinstance(y, TensorType)
        statistic = TensorType(y.shape[-1:], y.dtype)
        return y, statistic, statistic

    def reference(x: Array, w: Array, *rest: Array | ConvAttrs) -> Any:
        given = (t if isinstance(t, ConvAttrs) else wide(t) for t in rest)
        y = OPS[plain].reference(wide(x), wide(w), *given)
        return like(y, x), like(y.mean(axis=(0, 1, 2)), x), like(y.var(axis=(0, 1, 2)), x)

    def parts(x: Term, w: Term, *rest: Any) -> Any:
        *bias, a = rest
        y = x(plain, w, *bias, attrs=a)
        share = 1.0 / max(product(y.type.dims[:-1]), 1)
        mean = y.sum(0, 1, 2, keepdims=False) * share
        return y, mean, (y - mean)("square").sum(0, 1, 2, keepdims=False) * share

    define_op(f"{plain}_moments", attrs=ConvAttrs, infer=infer, vjp=gradients_of(parts), reference=reference)


_define("conv2d")
_define("depthwise_conv2d")
