"""sort, argsort (ascending, equals keep their order) along an axis, and top_k of the last axis (descending, of equals
the first come first).

Gradients go back to where the elements came from: dL/dx_i = sum_j [order_j = i] g_j.
Shapes: sort and argsort as x; top_k gives values and indices (..., k). Indices are int32.
Source: Keras 3 `keras.ops.sort`, `keras.ops.argsort`, `keras.ops.top_k`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from striate.core.errors import ShapeError
from striate.ir.opdef import define_op
from striate.ir.ops._arrays import Array, wide
from striate.ir.ops._checks import require_axis, require_numbers, show
from striate.ir.ops._terms import Term, terms
from striate.ir.ops.attrs import AxisAttrs, DepthAttrs, PermAttrs, TopKAttrs
from striate.ir.types import TensorType

HOST = "sorting is for metrics and data, not for layers"


def infer_sort(x: TensorType, a: AxisAttrs) -> TensorType:
    require_axis("sort", x, a.axis)
    return x


def infer_argsort(x: TensorType, a: AxisAttrs) -> TensorType:
    require_axis("argsort", x, a.axis)
    return TensorType(x.shape, "int32")


def infer_top_k(x: TensorType, a: TopKAttrs) -> tuple[TensorType, TensorType]:
    require_numbers("top_k", x)
    n = x.shape[-1] if x.rank else 0
    if n is not None and not 0 < a.k <= n:
        raise ShapeError(
            f"top_k: received k={a.k} for x.shape={show(x.shape)}. "
            f"Expected 1 to {n}, the length of the last axis. Give a smaller k."
        )
    shape = (*x.shape[:-1], a.k)
    return TensorType(shape, x.dtype), TensorType(shape, "int32")


def reference_sort(x: Array, a: AxisAttrs) -> Array:
    return np.sort(wide(x), axis=a.axis, kind="stable").astype(x.dtype)


def reference_argsort(x: Array, a: AxisAttrs) -> Array:
    return np.argsort(wide(x), axis=a.axis, kind="stable").astype(np.int32)


def reference_top_k(x: Array, a: TopKAttrs) -> tuple[Array, Array]:
    # Ascending order of the reversed row, read backwards: descending, and of equals the first comes first.
    backwards = np.argsort(wide(x)[..., ::-1], axis=-1, kind="stable")[..., ::-1]
    order = (x.shape[-1] - 1 - backwards)[..., : a.k]
    return np.take_along_axis(x, order, axis=-1), order.astype(np.int32)


def _scatter(g: Term, order: Term, n: int) -> Term:
    """(..., n): g_j added at place order_j of the last axis."""
    hot = order("one_hot", attrs=DepthAttrs(n)).cast(g.type.dtype)
    return (hot * g.expand()).sum(-2, keepdims=False)


def _sort_slope(y: Term, g: Term, x: Term, a: AxisAttrs) -> Term:
    """Each element takes the gradient of the place it came to, read in the flattened rows of g."""
    rank, n = x.type.rank, x.type.dims[a.axis]
    swap = PermAttrs(tuple({a.axis: rank - 1, rank - 1: a.axis}.get(i, i) for i in range(rank)))
    came_to = x("argsort", attrs=a)("argsort", attrs=a)("transpose", attrs=swap)
    shape = came_to.type.dims
    begins = np.arange(math.prod(shape[:-1]), dtype=np.int32).reshape(*shape[:-1], 1) * np.int32(n)
    places = came_to + Term(x.emit, x.emit.constant(begins, "int32"))
    flat = g("transpose", attrs=swap).reshape(math.prod(shape))
    return flat("gather", places, attrs=AxisAttrs(0))("transpose", attrs=swap)


def _top_k_slope(y: tuple[Term, Term], g: tuple[Any, Any], x: Term, a: TopKAttrs) -> Any:
    return None if g[0] is None else _scatter(g[0], y[1], x.type.dims[-1])


define_op("sort", attrs=AxisAttrs, infer=infer_sort, vjp=terms(_sort_slope), reference=reference_sort, host=HOST)
define_op("argsort", attrs=AxisAttrs, infer=infer_argsort, reference=reference_argsort, host=HOST)
define_op("top_k", attrs=TopKAttrs, infer=infer_top_k, vjp=terms(_top_k_slope), reference=reference_top_k, host=HOST)
