"""one_hot: y[..., c] = 1 where indices[...] = c, else 0; an index outside 0 <= index < depth gives a row of zeros.

Shapes: indices int32 (...), y (..., depth) float32. Source: Keras 3 `keras.ops.one_hot`.
"""

from __future__ import annotations

import numpy as np

from striate.ir.opdef import define_op
from striate.ir.ops._arrays import Array
from striate.ir.ops._checks import require_integers
from striate.ir.ops.attrs import DepthAttrs
from striate.ir.types import TensorType


def infer(indices: TensorType, a: DepthAttrs) -> TensorType:
    require_integers("one_hot", "x", indices, "int32")
    return TensorType((*indices.shape, a.depth), "float32")


def reference(indices: Array, a: DepthAttrs) -> Array:
    return np.asarray(indices[..., None] == np.arange(a.depth), np.float32)


define_op("one_hot", attrs=DepthAttrs, infer=infer, reference=reference)
