"""argmax, argmin: where along an axis the largest (smallest) element is; the first of equals. No gradient.

Shapes: the axis vanishes, or stays with length 1 (keepdims); int32. A NaN counts as the largest and as the smallest.
Source: Keras 3 `keras.ops.argmax`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from striate.core.errors import ShapeError
from striate.ir.opdef import define_op
from striate.ir.ops._arrays import Array, wide
from striate.ir.ops._checks import require_axis, show
from striate.ir.ops.attrs import ArgAttrs, AxesAttrs
from striate.ir.ops.reduce import reduced_shape
from striate.ir.types import TensorType


def _define(name: str, function: Callable[..., Any]) -> None:
    def infer(x: TensorType, a: ArgAttrs) -> TensorType:
        require_axis(name, x, a.axis)
        if x.shape[a.axis] == 0:
            raise ShapeError(
                f"{name} of no elements has no value. Received x.shape={show(x.shape)}, axis={a.axis}. "
                f"Give x at least one element along that axis."
            )
        return TensorType(reduced_shape(x, AxesAttrs((a.axis,), a.keepdims)), "int32")

    def reference(x: Array, a: ArgAttrs) -> Array:
        return np.asarray(function(wide(x), axis=a.axis, keepdims=a.keepdims)).astype(np.int32)

    define_op(name, attrs=ArgAttrs, infer=infer, reference=reference)


_define("argmax", np.argmax)
_define("argmin", np.argmin)
