"""Reductions that leave NaN out. `axis` is None (all), one axis or several."""

from __future__ import annotations

import math
from typing import Any

from striate import backend
from striate.backend import symbolic_op
from striate.core.registry import export
from striate.ops import arithmetic, elementwise, products, reductions, sums
from striate.ops._convert import Tensor, as_float, as_number, dtype_of, tensor

_NUMPY = "keras.src.ops.numpy"


def _without(x: Tensor, instead: float) -> Tensor:
    """x with a number in the place of NaN; what is not float has none."""
    x = as_number(x)
    if not backend.is_float_dtype(dtype_of(x)):
        return x
    return arithmetic.where(elementwise.isnan(x), tensor(instead, dtype_of(x)), x)


def _nan_where_all_are(x: Tensor, y: Tensor, axis: Any, keepdims: bool) -> Tensor:
    if not backend.is_float_dtype(dtype_of(y)):
        return y
    gone = reductions.all(elementwise.isnan(x), axis=axis, keepdims=keepdims)
    return arithmetic.where(gone, tensor(math.nan, dtype_of(y)), y)


@export("ops.nansum", "ops.numpy.nansum")
@symbolic_op(_NUMPY, "Nansum")
def nansum(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The sum over `axis` of what is not NaN. Source: `keras.ops.nansum`."""
    return reductions.sum(_without(x, 0.0), axis=axis, keepdims=keepdims)


@export("ops.nanprod", "ops.numpy.nanprod")
@symbolic_op(_NUMPY, "Nanprod")
def nanprod(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The product over `axis` of what is not NaN. Source: `keras.ops.nanprod`."""
    return reductions.prod(_without(x, 1.0), axis=axis, keepdims=keepdims)


@export("ops.nanmax", "ops.numpy.nanmax")
@symbolic_op(_NUMPY, "Nanmax")
def nanmax(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The largest element over `axis` that is not NaN; NaN where all are. Source: `keras.ops.nanmax`."""
    x = tensor(x)
    y = reductions.max(_without(x, -math.inf), axis=axis, keepdims=keepdims)
    return _nan_where_all_are(x, y, axis, keepdims)


@export("ops.nanmin", "ops.numpy.nanmin")
@symbolic_op(_NUMPY, "Nanmin")
def nanmin(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The smallest element over `axis` that is not NaN; NaN where all are. Source: `keras.ops.nanmin`."""
    x = tensor(x)
    y = reductions.min(_without(x, math.inf), axis=axis, keepdims=keepdims)
    return _nan_where_all_are(x, y, axis, keepdims)


def _count(x: Tensor, axis: Any, keepdims: bool) -> Tensor:
    there = tensor(arithmetic.equal(x, x), dtype_of(x))  # NaN is not equal to itself
    return reductions.sum(there, axis=axis, keepdims=keepdims)


@export("ops.nanmean", "ops.numpy.nanmean")
@symbolic_op(_NUMPY, "Nanmean")
def nanmean(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The mean over `axis` of what is not NaN; NaN where all are. Source: `keras.ops.nanmean`."""
    x = as_float(x)
    return arithmetic.divide(nansum(x, axis=axis, keepdims=keepdims), _count(x, axis, keepdims))


@export("ops.nanvar", "ops.numpy.nanvar")
@symbolic_op(_NUMPY, "Nanvar")
def nanvar(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The variance over `axis` of what is not NaN; NaN where all are. Source: `keras.ops.nanvar`."""
    x = as_float(x)
    return nanmean(elementwise.square(arithmetic.subtract(x, nanmean(x, axis=axis, keepdims=True))), axis, keepdims)


@export("ops.nanstd", "ops.numpy.nanstd")
@symbolic_op(_NUMPY, "Nanstd")
def nanstd(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The standard deviation over `axis` of what is not NaN; NaN where all are. Source: `keras.ops.nanstd`."""
    return elementwise.sqrt(nanvar(x, axis=axis, keepdims=keepdims))


def _place(choose: Any, x: Tensor, instead: float, axis: int | None, keepdims: bool) -> Tensor:
    x = as_number(x)
    place = choose(_without(x, instead), axis=axis, keepdims=keepdims)
    if not backend.is_float_dtype(dtype_of(x)):
        return place
    return arithmetic.where(reductions.all(elementwise.isnan(x), axis=axis, keepdims=keepdims), -1, place)


@export("ops.nanargmax", "ops.numpy.nanargmax")
@symbolic_op(_NUMPY, "Nanargmax")
def nanargmax(x: Tensor, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Where along `axis` the largest element that is not NaN is, as int32; -1 where all are NaN.

    Source: `keras.ops.nanargmax`.
    """
    return _place(reductions.argmax, x, -math.inf, axis, keepdims)


@export("ops.nanargmin", "ops.numpy.nanargmin")
@symbolic_op(_NUMPY, "Nanargmin")
def nanargmin(x: Tensor, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Where along `axis` the smallest element that is not NaN is, as int32; -1 where all are NaN.

    Source: `keras.ops.nanargmin`.
    """
    return _place(reductions.argmin, x, math.inf, axis, keepdims)


@export("ops.nancumsum", "ops.numpy.nancumsum")
@symbolic_op(_NUMPY, "Nancumsum")
def nancumsum(x: Tensor, axis: int | None = None, dtype: Any = None) -> Tensor:
    """Running sums along `axis` (None: of the flattened x), NaN counting as 0. Source: `keras.ops.nancumsum`."""
    return products.cumsum(_without(x, 0.0), axis=axis, dtype=dtype)


@export("ops.nancumprod", "ops.numpy.nancumprod")
@symbolic_op(_NUMPY, "Nancumprod")
def nancumprod(x: Tensor, axis: int | None = None, dtype: Any = None) -> Tensor:
    """Running products along `axis` (None: of the flattened x), NaN counting as 1. Source: `keras.ops.nancumprod`."""
    return sums.cumprod(_without(x, 1.0), axis=axis, dtype=dtype)
