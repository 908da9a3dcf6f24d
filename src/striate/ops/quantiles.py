"""Functions of the order of elements: quantiles, percentiles and medians, with NaN counted or left out."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from striate.backend import symbolic_op
from striate.core.errors import ArgumentError, ShapeError
from striate.core.registry import export
from striate.ops import arithmetic, elementwise, indexing, reductions, shapes
from striate.ops._convert import Tensor, as_float, dtype_of, normalize_axes, shape_of, tensor
from striate.ops.scattering import take_along_axis

_NUMPY = "keras.src.ops.numpy"


def _between(low: Tensor, high: Tensor, part: Tensor) -> Tensor:
    y = arithmetic.add(low, arithmetic.multiply(arithmetic.subtract(high, low), part))
    return arithmetic.where(arithmetic.equal(part, 0.0), low, y)  # infinity - infinity is NaN


#: (the element below, the one above, how far between them) -> the quantile
_METHODS: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "linear": _between,
    "lower": lambda low, high, part: low,
    "higher": lambda low, high, part: high,
    "midpoint": lambda low, high, part: arithmetic.multiply(arithmetic.add(low, high), 0.5),
    "nearest": lambda low, high, part: low,
}


def _rows(x: Tensor, axes: tuple[int, ...]) -> tuple[Tensor, int]:
    """x with the given axes made into one at the end, and its length."""
    shape = shape_of(x)
    kept = [i for i in range(len(shape)) if i not in axes]
    lengths = [shape[a] for a in axes]
    n = 0 if None in lengths else math.prod(m for m in lengths if m is not None)
    if n == 0:
        raise ShapeError(
            f"A quantile needs at least one element along axes of known length. Received: x.shape={shape}, axis={axes}."
        )
    return shapes.reshape_to(shapes.transpose(x, [*kept, *axes]), [*(shape[i] for i in kept), n]), n


def _places(q: Tensor, last: Tensor, method: str) -> tuple[Tensor, Tensor, Tensor]:
    """(index below, index above, part between) of q among elements 0 to `last`."""
    place = arithmetic.multiply(q, last)
    if method == "nearest":
        place = elementwise.round(place)
    low, high = elementwise.floor(place), elementwise.ceil(place)
    return tensor(low, "int32"), tensor(high, "int32"), arithmetic.subtract(place, low)


def _quantile(x: Tensor, q: Tensor, axis: Any, method: str, keepdims: bool, skip_nan: bool) -> Tensor:
    if method not in _METHODS:
        raise ArgumentError(f"`method` must be one of {', '.join(_METHODS)}. Received: method={method!r}.")
    x = as_float(x)
    dtype = dtype_of(x)
    axes = normalize_axes(axis, len(shape_of(x)))
    rows, n = _rows(x, axes)
    sorted_rows = indexing.sort(rows, axis=-1)  # NaN last
    q = tensor(q)
    q_shape = shape_of(q)
    if isinstance(q, np.ndarray):
        # Known beforehand: so are the places, in float64, exactly.
        q = q.astype("float64")
        if q.size and not (q.min() >= 0 and q.max() <= 1):
            raise ArgumentError(f"Quantiles lie from 0 to 1 (percentiles to 100). Received: q={q.tolist()}.")
    else:
        q = as_float(q)
    q = shapes.reshape_to(q, (-1,))
    if skip_nan:
        missing = elementwise.isnan(rows)
        count = reductions.sum(tensor(missing, "int32"), axis=-1, keepdims=True)
        last = arithmetic.maximum(arithmetic.subtract(n - 1, count), 0)
        low, high, part = _places(tensor(q, "float64"), tensor(last, "float64"), method)
        below, above = (take_along_axis(sorted_rows, place, axis=-1) for place in (low, high))
        gone = reductions.all(missing, axis=-1, keepdims=True)
    else:
        low, high, part = _places(q, tensor(n - 1, dtype_of(q)), method)
        below, above = (indexing.take(sorted_rows, place, axis=-1) for place in (low, high))
        gone = elementwise.isnan(sorted_rows[..., n - 1 : n])
    y = _METHODS[method](below, above, tensor(part, dtype))
    y = arithmetic.where(gone, tensor(math.nan, dtype), y)
    rest = [1 if i in axes else m for i, m in enumerate(shape_of(x)) if keepdims or i not in axes]
    return shapes.reshape_to(shapes.moveaxis(y, -1, 0), [*q_shape, *rest])


@export("ops.quantile", "ops.numpy.quantile")
@symbolic_op(_NUMPY, "Quantile")
def quantile(x: Tensor, q: Tensor, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Tensor:
    """The values over `axis` below which the parts q (0 to 1) of the elements lie; the axes of q come first.

    With n elements sorted, the one at q (n - 1), which may lie between two. NaN where one of them is.
    Source: `keras.ops.quantile`.

    Args:
        method: "linear" (between the two neighbours), "lower", "higher", "midpoint" or "nearest".

    Raises:
        ValueError: q outside 0 to 1, another method, axes without elements or of open length.

    Example:
        >>> quantile([4.0, 1.0, 3.0, 2.0], [0.0, 0.5]).tolist()
        [1.0, 2.5]
    """
    return _quantile(x, q, axis, method, keepdims, False)


@export("ops.nanquantile", "ops.numpy.nanquantile")
@symbolic_op(_NUMPY, "Nanquantile")
def nanquantile(x: Tensor, q: Tensor, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Tensor:
    """`quantile` of the elements that are not NaN; NaN where there are none. Source: `keras.ops.nanquantile`."""
    return _quantile(x, q, axis, method, keepdims, True)


def _share(q: Tensor) -> Tensor:
    q = tensor(q)
    return q.astype("float64") / 100 if isinstance(q, np.ndarray) else arithmetic.divide(q, 100.0)


@export("ops.percentile", "ops.numpy.percentile")
@symbolic_op(_NUMPY, "Percentile")
def percentile(x: Tensor, q: Tensor, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Tensor:
    """`quantile` with q from 0 to 100. Source: `keras.ops.percentile`."""
    return _quantile(x, _share(q), axis, method, keepdims, False)


@export("ops.nanpercentile", "ops.numpy.nanpercentile")
@symbolic_op(_NUMPY, "Nanpercentile")
def nanpercentile(x: Tensor, q: Tensor, axis: Any = None, method: str = "linear", keepdims: bool = False) -> Tensor:
    """`nanquantile` with q from 0 to 100. Source: `keras.ops.nanpercentile`."""
    return _quantile(x, _share(q), axis, method, keepdims, True)


@export("ops.median", "ops.numpy.median")
@symbolic_op(_NUMPY, "Median")
def median(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The middle element over `axis`, or the mean of the two middle ones; NaN where one is.

    Source: `keras.ops.median`.
    """
    return _quantile(x, 0.5, axis, "linear", keepdims, False)


@export("ops.nanmedian", "ops.numpy.nanmedian")
@symbolic_op(_NUMPY, "Nanmedian")
def nanmedian(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The median of the elements that are not NaN; NaN where there are none. Source: `keras.ops.nanmedian`."""
    return _quantile(x, 0.5, axis, "linear", keepdims, True)
