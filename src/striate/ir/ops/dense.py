"""dense: a fully connected layer on the last axis, its activation fused.

    y[..., n] = act(b[n] + sum_k x[..., k] w[k, n])

Shapes: x (..., K), w (K, N), b (N,) or left out, y (..., N). Sums in float64.
Source: Keras 3 `keras.layers.Dense`.
"""

from __future__ import annotations

import numpy as np

from striate.core.errors import ShapeError
from striate.ir.opdef import define_op
from striate.ir.ops import _functions
from striate.ir.ops._arrays import Array, like, wide
from striate.ir.ops._checks import product, require_floats, require_rank, require_same_dtype, show
from striate.ir.ops._epilogue import require_bias, through_epilogue
from striate.ir.ops._terms import Term, terms
from striate.ir.ops.attrs import DenseAttrs, MatmulAttrs
from striate.ir.types import TensorType


def infer(x: TensorType, w: TensorType, *rest: TensorType | DenseAttrs) -> TensorType:
    bias = rest[0] if isinstance(rest[0], TensorType) else None
    given = (x, w) if bias is None else (x, w, bias)
    require_floats("dense", *given)
    dtype = require_same_dtype("dense", *given)
    require_rank("dense", "kernel", w, 2, "(inputs, units)")
    if x.rank < 1 or (None not in (x.shape[-1], w.shape[0]) and x.shape[-1] != w.shape[0]):
        raise ShapeError(
            f"dense: the kernel takes {w.shape[0]} inputs, the last axis of x has {x.shape[-1] if x.rank else 'no'} "
            f"entries. Received x.shape={show(x.shape)}, kernel.shape={show(w.shape)}. "
            f"Flatten or reshape x so that its last axis has length {w.shape[0]}."
        )
    require_bias("dense", bias, w.shape[1])
    return TensorType((*x.shape[:-1], w.shape[1]), dtype)


def _slopes(y: Term, g: Term, x: Term, w: Term, *rest: Term | DenseAttrs) -> tuple[Term, ...]:
    *bias, a = rest
    b = tuple(t for t in bias if isinstance(t, Term))
    g = through_epilogue("dense", y, g, (x, w, *b), a)
    k, n = w.type.dims
    rows = product(x.type.dims[:-1])
    g2, x2 = g.reshape(rows, n), x.reshape(rows, k)
    dx = g2("matmul", w, attrs=MatmulAttrs(False, True)).reshape(*x.type.dims)
    dw = x2("matmul", g2, attrs=MatmulAttrs(True, False))
    return (dx, dw, *(g2.sum(0, keepdims=False) for _ in b))


def reference(x: Array, w: Array, *rest: Array | DenseAttrs) -> Array:
    *bias, a = rest
    assert isinstance(a, DenseAttrs)
    z = np.tensordot(wide(x), wide(w), axes=([-1], [0]))
    for b in bias:
        assert isinstance(b, np.ndarray)
        z = z + wide(b)
    return like(_functions.epilogue(z, a.epilogue, a.alpha), x)


define_op("dense", attrs=DenseAttrs, infer=infer, vjp=terms(_slopes), reference=reference)
