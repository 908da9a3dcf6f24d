"""matmul: products of matrices, over leading axes that broadcast.

    y[..., i, j] = sum_k A[..., i, k] B[..., k, j]

where A is a, or a with its last two axes swapped (transpose_a), and B likewise.

Shapes: a (..., M, K), b (..., K, N), y (..., M, N); rank 2 at least, one element type. Sums in float64.
Source: Keras 3 `keras.ops.matmul`.
"""

from __future__ import annotations

import numpy as np

from striate.core.errors import ShapeError
from striate.ir.opdef import define_op
from striate.ir.ops._arrays import Array, like, wide
from striate.ir.ops._checks import broadcast, require_numbers, require_same_dtype, show
from striate.ir.ops._terms import Term, terms
from striate.ir.ops.attrs import MatmulAttrs
from striate.ir.types import TensorType


def infer(a: TensorType, b: TensorType, attrs: MatmulAttrs) -> TensorType:
    require_numbers("matmul", a, b)
    dtype = require_same_dtype("matmul", a, b)
    if a.rank < 2 or b.rank < 2:
        raise ShapeError(
            f"matmul takes tensors of rank 2 or more. Received a.shape={show(a.shape)}, b.shape={show(b.shape)}. "
            f"Insert an axis of length 1 with ops.expand_dims."
        )
    m, k = (a.shape[-1], a.shape[-2]) if attrs.transpose_a else (a.shape[-2], a.shape[-1])
    inner, n = (b.shape[-1], b.shape[-2]) if attrs.transpose_b else (b.shape[-2], b.shape[-1])
    if k is not None and inner is not None and k != inner:
        raise ShapeError(
            f"matmul: a has {k} columns, b has {inner} rows. Received a.shape={show(a.shape)}, "
            f"b.shape={show(b.shape)}{_flags(attrs)}. "
            f"Expected as many columns in a as rows in b. Transpose one of them."
        )
    leading = broadcast("matmul", TensorType(a.shape[:-2]), TensorType(b.shape[:-2]))
    return TensorType((*leading, m, n), dtype)


def _flags(attrs: MatmulAttrs) -> str:
    return f", {attrs}" if attrs.transpose_a or attrs.transpose_b else ""


def _slopes(y: Term, g: Term, a: Term, b: Term, attrs: MatmulAttrs) -> tuple[Term, Term]:
    ta, tb = attrs.transpose_a, attrs.transpose_b
    da = b("matmul", g, attrs=MatmulAttrs(tb, True)) if ta else g("matmul", b, attrs=MatmulAttrs(False, not tb))
    db = g("matmul", a, attrs=MatmulAttrs(True, ta)) if tb else a("matmul", g, attrs=MatmulAttrs(not ta, False))
    return da.sum_to(a.type), db.sum_to(b.type)


def reference(a: Array, b: Array, attrs: MatmulAttrs) -> Array:
    left = np.swapaxes(a, -1, -2) if attrs.transpose_a else a
    right = np.swapaxes(b, -1, -2) if attrs.transpose_b else b
    return like(np.matmul(wide(left), wide(right)), a)


define_op("matmul", attrs=MatmulAttrs, infer=infer, vjp=terms(_slopes), reference=reference)
