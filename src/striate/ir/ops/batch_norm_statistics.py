"""batch_norm_statistics: mean and biased variance over all axes but the last, as batch_norm_train gives them.

    mean = sum x / m        variance = sum (x - mean)^2 / m        m elements a channel

Shapes: x (..., C); mean, variance (C,). No gradients: made by the planner, after gradients, where nobody reads the rest
of a batch_norm_train (`compiler/plan/fuse_normed.py`).
"""

from __future__ import annotations

from striate.ir.opdef import define_op
from striate.ir.ops._arrays import Array, like, wide
from striate.ir.ops._checks import require_axis, require_floats
from striate.ir.types import TensorType


def infer(x: TensorType) -> tuple[TensorType, TensorType]:
    require_floats("batch_norm_statistics", x)
    require_axis("batch_norm_statistics", x, max(x.rank - 1, 0))
    statistic = TensorType(x.shape[-1:], x.dtype)
    return statistic, statistic


def reference(x: Array) -> tuple[Array, Array]:
    axes = tuple(range(x.ndim - 1))
    return like(wide(x).mean(axis=axes), x), like(wide(x).var(axis=axes), x)


define_op("batch_norm_statistics", infer=infer, reference=reference)
