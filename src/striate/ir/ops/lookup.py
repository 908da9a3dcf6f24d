"""searchsorted: where values belong in a sorted sequence; last_write: who writes a place last. No gradient.

    searchsorted    y = how many s[i] < v (side left), or s[i] <= v (right)
    last_write      y[p] = the largest j with indices[j] = p, -1 where there is none; an index outside 0 <= p < depth
                    writes nowhere

Shapes: s (N,), v and y alike, any; indices (N,), y (depth,). Results are int32. NaN sorts last.
Source: Keras 3 `keras.ops.searchsorted`, `keras.ops.scatter_update`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from striate.ir.attrs import Attrs
from striate.ir.opdef import define_op
from striate.ir.ops._arrays import Array, wide
from striate.ir.ops._checks import require_integers, require_rank, require_same_dtype
from striate.ir.ops.attrs import DepthAttrs
from striate.ir.types import TensorType

HOST = "looking up is for metrics and data, not for layers"


@dataclass(frozen=True)
class SideAttrs(Attrs):
    right: bool


def infer_search(s: TensorType, v: TensorType, a: SideAttrs) -> TensorType:
    require_rank("searchsorted", "sorted_sequence", s, 1, "(length,)")
    require_same_dtype("searchsorted", s, v)
    return TensorType(v.shape, "int32")


def reference_search(s: Array, v: Array, a: SideAttrs) -> Array:
    return np.searchsorted(wide(s), wide(v), side="right" if a.right else "left").astype(np.int32)


def infer_last(indices: TensorType, a: DepthAttrs) -> TensorType:
    require_rank("last_write", "indices", indices, 1, "(updates,)")
    require_integers("last_write", "indices", indices, "int32")
    return TensorType((a.depth,), "int32")


def reference_last(indices: Array, a: DepthAttrs) -> Array:
    last = np.full(a.depth, -1, np.int32)
    for row, place in enumerate(indices.tolist()):
        if 0 <= place < a.depth:
            last[place] = row
    return last


define_op("searchsorted", attrs=SideAttrs, infer=infer_search, reference=reference_search, host=HOST)
define_op("last_write", attrs=DepthAttrs, infer=infer_last, reference=reference_last, host=HOST)
