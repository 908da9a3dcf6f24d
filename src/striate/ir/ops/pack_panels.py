"""pack_panels: a matrix in the order the products read it: panels of `panel` columns, row after row. Planner only.

    y[p][r][j] = w[r, p panel + j], 0 past the last column        w read as (k, n), row-major

Shapes: w any of k n elements, y (ceil(n / panel) k panel,). No gradient: plans are made after gradients.
"""

from __future__ import annotations

import numpy as np

from striate.core.errors import ShapeError
from striate.ir.opdef import define_op
from striate.ir.ops._arrays import Array
from striate.ir.ops._checks import require_floats, show
from striate.ir.ops.attrs import PackAttrs
from striate.ir.types import TensorType


def infer(w: TensorType, a: PackAttrs) -> TensorType:
    require_floats("pack_panels", w)
    if w.size != a.k * a.n:
        raise ShapeError(
            f"pack_panels: received w.shape={show(w.shape)} as a ({a.k}, {a.n}) matrix. "
            f"Expected {a.k * a.n} elements. This is a fault of the planner."
        )
    return TensorType((-(-a.n // a.panel) * a.k * a.panel,), w.dtype)


def reference(w: Array, a: PackAttrs) -> Array:
    panels = -(-a.n // a.panel)
    padded: Array = np.zeros((a.k, panels * a.panel), w.dtype)
    padded[:, : a.n] = w.reshape(a.k, a.n)
    return np.array(padded.reshape(a.k, panels, a.panel).transpose(1, 0, 2).reshape(-1))


define_op("pack_panels", attrs=PackAttrs, infer=infer, reference=reference)
