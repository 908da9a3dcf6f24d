"""Functions that count elements, or find where they belong among sorted ones."""

from __future__ import annotations

from typing import Any

import numpy as np

from striate import backend
from striate.backend import symbolic_op
from striate.core.errors import ArgumentError, DTypeError, ShapeError
from striate.core.registry import export
from striate.ir.ops.lookup import SideAttrs
from striate.ops import arithmetic, creation, indexing, joining, reductions, shapes
from striate.ops._convert import Tensor, as_float, as_number, dtype_of, promote, shape_of, tensor
from striate.ops.scattering import known_values, scatter

_NUMPY = "keras.src.ops.numpy"


@export("ops.searchsorted", "ops.numpy.searchsorted")
@symbolic_op(_NUMPY, "SearchSorted")
def searchsorted(sorted_sequence: Tensor, values: Tensor, side: str = "left") -> Tensor:
    """How many elements of an ascending vector are below each value (side "right": not above it), as int32.

    Source: `keras.ops.searchsorted`.

    Raises:
        ValueError: a sequence that is no vector, another side.

    Example:
        >>> searchsorted([1.0, 3.0, 5.0], [3.0, 4.0]).tolist()
        [1, 2]
    """
    sequence, held = promote(sorted_sequence, values)
    if len(shape_of(sequence)) != 1:
        raise ShapeError(
            "`searchsorted` only supports 1-D sorted sequences. Use ops.vectorized_map for several. "
            f"Received: sorted_sequence.shape={shape_of(sequence)}."
        )
    if side not in ("left", "right"):
        raise ArgumentError(f"`side` must be 'left' or 'right'. Received: side={side!r}.")
    return backend.apply("searchsorted", sequence, held, attrs=SideAttrs(side == "right"))


@export("ops.digitize", "ops.numpy.digitize")
@symbolic_op(_NUMPY, "Digitize")
def digitize(x: Tensor, bins: Tensor) -> Tensor:
    """The number of the bin of each element, as int32: how many edges are not above it (of descending edges: above).

    Source: `keras.ops.digitize`.

    Args:
        bins: the edges, a vector that ascends or descends.

    Example:
        >>> digitize([0.2, 6.4, 3.0], [0.0, 1.0, 2.5, 4.0]).tolist()
        [1, 4, 3]
    """
    edges, held = promote(bins, x)
    if len(shape_of(edges)) != 1:
        raise ShapeError(f"`bins` must be a 1D array. Received: bins.shape={shape_of(edges)}.")
    ascending = searchsorted(edges, held, side="right")
    n = shape_of(edges)[0]
    if n is None or n < 2:
        return ascending
    descending = arithmetic.subtract(n, searchsorted(joining.flip(edges), held, side="right"))
    return arithmetic.where(arithmetic.less_equal(edges[0], edges[n - 1]), ascending, descending)


@export("ops.bincount", "ops.numpy.bincount")
def bincount(x: Tensor, weights: Tensor = None, minlength: int = 0, sparse: bool = False) -> Tensor:
    """How often 0, 1, 2, ... stand in x (each row of x), or the sums of their weights; x of arrays only.

    Source: `keras.ops.bincount`.

    Args:
        minlength: the least length of the result; else it ends with the largest number.

    Raises:
        TypeError: a symbolic x: the result's length depends on its values.
        ValueError: numbers below 0, `sparse`.
    """
    if sparse:
        raise ArgumentError("Striate has no sparse tensors. Received: sparse=True.")
    numbers = known_values(x, "bincount", "Use ops.sum(ops.one_hot(x, depth), axis=0)")
    if not backend.is_int_dtype(numbers.dtype) or numbers.ndim not in (1, 2) or (numbers < 0).any():
        raise ArgumentError(
            "bincount takes a vector or a matrix of integers, none below 0. "
            f"Received: x.dtype={numbers.dtype}, x.shape={numbers.shape}, smallest {numbers.min(initial=0)}."
        )
    depth = max(int(numbers.max(initial=-1)) + 1, int(minlength))
    backend.book_allocation(8 * depth, f"counts of the numbers up to {depth - 1}")
    weights = np.ones(numbers.shape, "int32") if weights is None else tensor(weights)
    places = numbers.astype("int32")[..., None]
    if numbers.ndim == 1:
        return scatter(places, weights, (depth,))
    rows = np.broadcast_to(np.arange(len(numbers), dtype="int32")[:, None, None], places.shape)
    return scatter(np.concatenate([rows, places], axis=-1), shapes.ravel(weights), (len(numbers), depth))


@export("ops.histogram", "ops.numpy.histogram")
@symbolic_op(_NUMPY, "Histogram")
def histogram(x: Tensor, bins: int = 10, range: Any = None) -> tuple[Tensor, Tensor]:
    """(how many elements of a vector lie in each of `bins` equal intervals, their bins + 1 edges).

    The last interval has its upper edge, the others have not. Source: `keras.ops.histogram`.

    Args:
        range: (lowest, highest edge); those of x unless given.

    Raises:
        TypeError: `bins` that is no int.
        ValueError: fewer than no bins, a range that is no ascending pair, x of another rank.
    """
    if not isinstance(bins, int):
        raise DTypeError(f"Argument `bins` must be of type `int`. Received: bins={bins!r}.")
    if bins < 0:
        raise ArgumentError(f"Argument `bins` should be a non-negative integer. Received: bins={bins}.")
    if range is not None and range != () and (not isinstance(range, tuple) or len(range) != 2 or range[1] < range[0]):
        raise ArgumentError(f"Argument `range` must be a tuple of two ascending numbers. Received: range={range}.")
    x = as_float(x)
    if len(shape_of(x)) > 1:
        raise ShapeError(f"Input tensor must be 1-dimensional. Received: input.shape={shape_of(x)}.")
    x = shapes.ravel(x)
    empty = shape_of(x)[0] == 0
    low, high = range if range else (0.0, 1.0) if empty else (reductions.min(x), reductions.max(x))
    low, high = tensor(low, dtype_of(x)), tensor(high, dtype_of(x))
    alike = arithmetic.equal(low, high)
    low = arithmetic.where(alike, arithmetic.subtract(low, 0.5), low)
    high = arithmetic.where(alike, arithmetic.add(high, 0.5), high)
    share = (np.arange(bins + 1) / max(bins, 1)).astype(creation.zeros((), dtype_of(x)).dtype)
    # Exactly low and high at the ends.
    edges = arithmetic.add(arithmetic.multiply(low, 1 - share), arithmetic.multiply(high, share))
    if not bins:
        return creation.zeros((0,), dtype_of(x)), edges
    place = arithmetic.subtract(searchsorted(edges, x, side="right"), 1)
    place = arithmetic.where(arithmetic.equal(x, edges[bins]), bins - 1, place)
    # Below the first edge the place is -1, which would be the last bin.
    place = arithmetic.where(arithmetic.less(place, 0), bins, place)
    counts = scatter(shapes.expand_dims(place, -1), creation.ones_like(x), (bins,))
    return counts, edges


@export("ops.unique", "ops.numpy.unique")
def unique(
    x: Tensor,
    sorted: bool = True,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    size: int | None = None,
    fill_value: Any = None,
) -> Any:
    """The different elements of x (slices along `axis`), in ascending order, each NaN by itself; of arrays only.

    Source: `keras.ops.unique`.

    Args:
        return_index: also where each is found first, as int32.
        return_inverse: also the place of each element of x in the result, as int32.
        return_counts: also how often each is found, as int32.
        size: cut the result, or fill it up with `fill_value` (the smallest one unless given), to this length.

    Raises:
        TypeError: a symbolic x: how many there are depends on its values.

    Example:
        >>> unique([3, 1, 3], return_counts=True)[1].tolist()
        [1, 2]
    """
    del sorted  # always
    held = known_values(x, "unique", "Use ops.sort, which keeps the shape")
    values, index, inverse, counts = np.unique(
        held, return_index=True, return_inverse=True, return_counts=True, axis=axis, equal_nan=False
    )
    place = 0 if axis is None else axis % held.ndim
    if size is not None:
        values, index, counts = _resized(values, index, counts, place, size, fill_value)
    # NumPy 2.0 shapes them otherwise than 1.x and 2.1.
    inverse = inverse.reshape(held.shape if axis is None else held.shape[place])
    wanted = ((return_index, index), (return_inverse, inverse), (return_counts, counts))
    more = tuple(np.asarray(found, "int32") for asked, found in wanted if asked)
    return (values, *more) if more else values


def _resized(values: Any, index: Any, counts: Any, axis: int, size: int, fill_value: Any) -> tuple[Any, Any, Any]:
    keep = np.arange(min(size, len(counts)))
    missing = size - len(keep)
    backend.book_allocation(values.itemsize * max(missing, 0), f"filling up to {size} values")
    values, index, counts = np.take(values, keep, axis=axis), index[keep], counts[keep]
    if missing > 0:
        if fill_value is None:
            filler = np.repeat(np.take(values, [0], axis=axis), missing, axis=axis)
        else:
            shape = list(values.shape)
            shape[axis] = missing
            filler = np.full(shape, fill_value, values.dtype)
        values = np.concatenate([values, filler], axis=axis)
        index = np.concatenate([index, np.full(missing, index[0] if len(index) else 0)])
        counts = np.concatenate([counts, np.zeros(missing, counts.dtype)])
    return values, index, counts


@export("ops.argpartition", "ops.numpy.argpartition")
@symbolic_op(_NUMPY, "Argpartition")
def argpartition(x: Tensor, kth: int, axis: int | None = -1) -> Tensor:
    """Indices along `axis` (None: of the flattened x) that put the element of rank kth in its place, the smaller ones
    before it, the larger ones after it, as int32. Here they sort x, which does all of that.

    Source: `keras.ops.argpartition`.

    Raises:
        ValueError: a kth outside the axis.
    """
    x = as_number(x)
    order = indexing.argsort(x, axis=axis)
    n = shape_of(order)[0 if axis is None else axis]
    for k in [kth] if isinstance(kth, int) else list(kth):
        if n is not None and not -n <= k < n:
            raise ArgumentError(f"kth={k} is out of bounds for an axis of length {n}. Received: x.shape={shape_of(x)}.")
    return order


@export("ops.isin", "ops.numpy.isin")
@symbolic_op(_NUMPY, "IsIn")
def isin(x1: Tensor, x2: Tensor, assume_unique: bool = False, invert: bool = False) -> Tensor:
    """Whether each element of x1 is among those of x2 (with `invert`: is not), as bool. Source: `keras.ops.isin`."""
    del assume_unique  # saves NumPy a pass over the values; here there is none to save
    a, b = promote(x1, x2)
    if 0 in shape_of(b):
        found = creation.zeros_like(a, dtype="bool")
    else:
        b = indexing.sort(shapes.ravel(tensor(b, "int32") if dtype_of(b) == "bool" else b))
        a = tensor(a, dtype_of(b))
        place = arithmetic.minimum(searchsorted(b, a), int(shape_of(b)[0] or 1) - 1)
        found = arithmetic.equal(indexing.take(b, place), a)
    return arithmetic.logical_xor(found, True) if invert else found
