"""conv2d_max_pool2d, conv2d_max_pool2d_indices, winograd_conv2d_max_pool2d: a convolution and its 2x2 max pool;
conv2d_grad_w_unpool: the filters' gradient out of the pool's.

    z = conv2d(x, w[, b]), or winograd_conv2d(x, u[, b])
    y[n, i, j, k] = max_{u, v in {0, 1}} z[n, 2 i + u, 2 j + v, k]
    at[n, i, j, k] = 2 u + v of the first of the four that is the maximum, uint8         "..._indices"
    dw = conv2d_grad_w(x, max_unpool2d(g, at))                                           conv2d_grad_w_unpool

Windows do not overlap; a last odd row or column of z is in none. Shapes: those of the convolution; y, at and g (N,
OH // 2, OW // 2, K). No gradients: made by the planner, after gradients (`compiler/plan/fuse_pool.py`).
"""

from __future__ import annotations

from typing import Any

from striate.ir.opdef import OPS, define_op
from striate.ir.ops import conv2d as _conv2d  # noqa: F401 - defines the op
from striate.ir.ops import conv2d_grad, max_pool2d, max_pool2d_indices
from striate.ir.ops import winograd as _winograd  # noqa: F401 - defines the op
from striate.ir.ops._arrays import Array, like, wide
from striate.ir.ops.attrs import ConvAttrs, ConvGradAttrs, PoolAttrs, PoolGradAttrs, WinogradConvAttrs
from striate.ir.types import TensorType

#: the pool that convolutions take along
POOL = PoolAttrs((2, 2), (2, 2))


def _define(convolution: str, ending: str, attrs: type[ConvAttrs]) -> None:
    pool: Any = max_pool2d_indices if ending else max_pool2d

    def infer(x: TensorType, w: TensorType, *rest: TensorType | ConvAttrs) -> Any:
        return pool.infer(OPS[convolution].infer(x, w, *rest), POOL)

    def reference(x: Array, w: Array, *rest: Array | ConvAttrs) -> Any:
        given = (t if isinstance(t, ConvAttrs) else wide(t) for t in rest)
        z = OPS[convolution].reference(wide(x), wide(w), *given)
        results = pool.reference(z, POOL)
        return (like(results[0], x), results[1]) if ending else like(results, x)

    define_op(f"{convolution}_max_pool2d{ending}", attrs=attrs, infer=infer, reference=reference)


_define("conv2d", "", ConvAttrs)
_define("conv2d", "_indices", ConvAttrs)
_define("winograd_conv2d", "", WinogradConvAttrs)


def _pool_of(x: TensorType, a: ConvGradAttrs) -> PoolGradAttrs:
    """That of the pool whose gradient is given: of the outputs that x gives with filters of the result's shape."""
    z = OPS["conv2d"].infer(x, TensorType(a.shape, x.dtype), a.plain())
    assert isinstance(z, TensorType)
    return POOL.producing(z.dims)


def infer_grad_w(x: TensorType, g: TensorType, at: TensorType, a: ConvGradAttrs) -> TensorType:
    return conv2d_grad.infer_w(x, max_pool2d_indices.infer_unpool(g, at, _pool_of(x, a)), a)


def reference_grad_w(x: Array, g: Array, at: Array, a: ConvGradAttrs) -> Array:
    dz = max_pool2d_indices.reference_unpool(g, at, _pool_of(TensorType(x.shape, x.dtype.name), a))
    return conv2d_grad.reference_w(x, dz, a)


define_op("conv2d_grad_w_unpool", attrs=ConvGradAttrs, infer=infer_grad_w, reference=reference_grad_w)
