"""Functions that read or write single elements by tensors of indices, or pick them by conditions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from striate import backend
from striate.backend import symbolic_op
from striate.core.errors import ArgumentError, ShapeError, SymbolicError
from striate.core.registry import export
from striate.ir.ops.attrs import AxisAttrs, DepthAttrs, GatherGradAttrs
from striate.ops import arithmetic, indexing, shapes
from striate.ops._convert import Tensor, as_bool, dtype_of, normalize_axis, promote, shape_of, tensor, to_shape
from striate.ops._running import running

_NUMPY = "keras.src.ops.numpy"
_CORE = "keras.src.ops.core"


@export("ops.take_along_axis", "ops.numpy.take_along_axis")
@symbolic_op(_NUMPY, "TakeAlongAxis")
def take_along_axis(x: Tensor, indices: Tensor, axis: int | None = None) -> Tensor:
    """y[..., i, ...] = x[..., indices[..., i, ...], ...] along `axis` (None: of both flattened); the other axes
    broadcast, and negative indices count from the end.

    Source: `keras.ops.take_along_axis`.

    Example:
        >>> x = np.array([[3, 1, 2], [6, 5, 4]])
        >>> take_along_axis(x, keras.ops.argsort(x), axis=1).tolist()
        [[1, 2, 3], [4, 5, 6]]
    """
    x, indices = tensor(x), tensor(indices, "int32")
    if axis is None:
        x, indices, axis = shapes.ravel(x), shapes.ravel(indices), 0
    rank = len(shape_of(x))
    if len(shape_of(indices)) != rank:
        raise ShapeError(
            "`indices` must have as many axes as x. "
            f"Received: x.shape={shape_of(x)}, indices.shape={shape_of(indices)}."
        )
    place = normalize_axis(axis, rank)
    n = shape_of(x)[place]
    if n is None:
        raise ShapeError(
            f"take_along_axis takes an axis of known length. Received: x.shape={shape_of(x)}, axis={axis}."
        )
    x, indices = shapes.moveaxis(x, place, -1), shapes.moveaxis(indices, place, -1)
    rows = _broadcast(shape_of(x)[:-1], shape_of(indices)[:-1])
    x = shapes.broadcast_to(x, (*rows, n))
    indices = shapes.broadcast_to(indices, (*rows, shape_of(indices)[-1]))
    # Each row of the flattened x begins at a multiple of n. Where the number of rows is open, only the shape is asked.
    count = 1 if None in rows else math.prod(r for r in rows if r is not None)
    begins = np.arange(count, dtype="int32").reshape([1 if None in rows else r or 0 for r in rows] + [1]) * np.int32(n)
    inside = arithmetic.where(arithmetic.less(indices, 0), arithmetic.add(indices, n), indices)
    y = backend.apply("gather", shapes.reshape_to(x, (-1,)), arithmetic.add(inside, begins), attrs=AxisAttrs(0))
    return shapes.moveaxis(y, -1, place)


def _broadcast(a: tuple[int | None, ...], b: tuple[int | None, ...]) -> tuple[int | None, ...]:
    pairs = list(zip(a, b, strict=True))
    if any(None not in (m, n) and m != n and 1 not in (m, n) for m, n in pairs):
        raise ShapeError(f"The other axes of x and indices must broadcast. Received: {a} and {b}.")
    return tuple(n if m == 1 else m for m, n in pairs)


def _flat_places(indices: Tensor, lengths: Sequence[int]) -> Tensor:
    """The places in the flattened leading axes of what `indices` (..., k) point at, as int32 (N,); one that lies
    outside becomes their number, which is no place."""
    indices = tensor(indices, "int32")
    indices = shapes.reshape_to(indices, (-1, len(lengths)))
    total, inside = None, None
    for i, n in enumerate(lengths):
        own = indexing.get_item(indices, (np.s_[:], i))
        own = arithmetic.where(arithmetic.less(own, 0), arithmetic.add(own, n), own)
        here = arithmetic.logical_and(arithmetic.greater_equal(own, 0), arithmetic.less(own, n))
        inside = here if inside is None else arithmetic.logical_and(inside, here)
        total = own if total is None else arithmetic.add(arithmetic.multiply(total, n), own)
    return arithmetic.where(inside, total, math.prod(lengths))


def _add_up(places: Tensor, rows: Tensor, count: int) -> Tensor:
    """(count, ...): the rows added up at their places."""
    dtype = dtype_of(rows)
    # Whole numbers are exact in float64 up to 2**53.
    held = rows if backend.is_float_dtype(dtype) else tensor(rows, "float64")
    attrs = GatherGradAttrs(0, (count, *(int(n or 0) for n in shape_of(rows)[1:])))
    return backend.cast(backend.apply("gather_grad", held, places, attrs=attrs), dtype)


def _split_shape(function: str, indices: Tensor, shape: Sequence[int | None]) -> tuple[list[int], list[int]]:
    """(lengths of the axes that `indices` count, lengths of the others)."""
    given = shape_of(indices)
    depth = given[-1] if given else None
    if depth is None or not 1 <= depth <= len(shape) or None in shape:
        raise ShapeError(
            f"{function}: the last axis of `indices` holds one index for each of the first axes, at most {len(shape)}. "
            f"Received: indices.shape={given}, shape={tuple(shape)}."
        )
    known = [n for n in shape if n is not None]
    return known[:depth], known[depth:]


@export("ops.scatter")
@symbolic_op(_CORE, "Scatter")
def scatter(indices: Tensor, values: Tensor, shape: Any) -> Tensor:
    """A tensor of zeros to which `values` are added at `indices`; what lies outside is left out.

    Source: `keras.ops.scatter`.

    Shapes: indices (N, k), values (N, *shape[k:]).

    Example:
        >>> scatter([[0], [2], [0]], [1.0, 5.0, 2.0], (4,)).tolist()
        [3.0, 0.0, 5.0, 0.0]
    """
    indices, values = tensor(indices), tensor(values)
    ahead, rest = _split_shape("scatter", indices, to_shape(shape))
    rows = shapes.reshape_to(values, (-1, *rest))
    return shapes.reshape_to(_add_up(_flat_places(indices, ahead), rows, math.prod(ahead)), (*ahead, *rest))


_REDUCTIONS = {"max": arithmetic.maximum, "min": arithmetic.minimum, "mul": arithmetic.multiply}


@export("ops.scatter_update")
@symbolic_op(_CORE, "ScatterUpdate")
def scatter_update(inputs: Tensor, indices: Tensor, updates: Tensor, reduction: str | None = None) -> Tensor:
    """`inputs` with `updates` at `indices`; of several at one place, the last one counts.

    Source: `keras.ops.scatter_update`.

    Args:
        reduction: None, or "add", "max", "min", "mul": what is there and all updates of a place are combined so.

    Shapes: indices (N, k), updates (N, *inputs.shape[k:]).

    Raises:
        ValueError: another reduction, shapes that do not fit.

    Example:
        >>> scatter_update([1, 1, 1], [[0], [2], [0]], [5, 6, 7]).tolist()
        [7, 1, 6]
    """
    if reduction is not None and reduction not in ("add", *_REDUCTIONS):
        raise ArgumentError(
            f"`reduction` must be None, 'add', 'max', 'min' or 'mul'. Received: reduction={reduction!r}."
        )
    x, indices = tensor(inputs), tensor(indices)
    ahead, rest = _split_shape("scatter_update", indices, shape_of(x))
    count = math.prod(ahead)
    rows = shapes.reshape_to(tensor(updates, dtype_of(x)), (-1, *rest))
    places = _flat_places(indices, ahead)
    held = shapes.reshape_to(x, (count, *rest))
    if reduction == "add":
        return shapes.reshape_to(arithmetic.add(held, _add_up(places, rows, count)), shape_of(x))
    if reduction is not None:
        # Updates of one place stand together; the last of them then has them all.
        order = indexing.argsort(places)
        places, rows = indexing.take(places, order), indexing.take(rows, order, axis=0)
        spread = shapes.reshape_to(places, (-1,) + (1,) * len(rest))
        rows = running(_REDUCTIONS[reduction], rows, 0, spread)
    last = backend.apply("last_write", places, attrs=DepthAttrs(count))
    written = shapes.reshape_to(arithmetic.greater_equal(last, 0), (count,) + (1,) * len(rest))
    if shape_of(rows)[0] != 0:
        new = backend.apply("gather", rows, arithmetic.maximum(last, 0), attrs=AxisAttrs(0))
        if reduction is not None:
            new = _REDUCTIONS[reduction](held, new)
        held = arithmetic.where(written, new, held)
    return shapes.reshape_to(held, shape_of(x))


def is_open(x: Tensor) -> bool:
    """Whether x has no value yet."""
    return isinstance(x, backend.SymbolicTensor) and not isinstance(x, backend.ConcreteTensor)


def known_values(x: Tensor, function: str, instead: str) -> Any:
    """The array of a tensor whose values are there.

    Raises:
        TypeError: one that is computed later.
    """
    x = backend.convert_to_tensor(x)
    if is_open(x):
        raise SymbolicError(
            f"{function} cannot be part of a traced step or a functional model: the shape of its result depends on "
            f"values. {instead}, or compile(run_eagerly=True)."
        )
    return x.numpy() if isinstance(x, backend.ConcreteTensor) else x


@export("ops.nonzero", "ops.numpy.nonzero")
def nonzero(x: Tensor) -> tuple[Tensor, ...]:
    """The indices along each axis of the elements that are not 0, as int32; of arrays only.

    Source: `keras.ops.nonzero`.

    Raises:
        TypeError: a symbolic tensor: how many there are depends on its values.
    """
    x = known_values(x, "nonzero", "Use ops.where(x, a, b) or multiply by a mask, which keep the shape")
    return tuple(i.astype("int32") for i in np.atleast_1d(x).nonzero())


@export("ops.select", "ops.numpy.select")
@symbolic_op(_NUMPY, "Select")
def select(condlist: Sequence[Tensor], choicelist: Sequence[Tensor], default: Any = 0) -> Tensor:
    """Element by element, the choice of the first condition that holds; `default` where none does.

    Source: `keras.ops.select`.

    Raises:
        ValueError: not as many choices as conditions, or none; a tensor in place of a list of them.
    """
    if not isinstance(condlist, (list, tuple)) or not isinstance(choicelist, (list, tuple)):
        raise ArgumentError(
            "condlist and choicelist are lists of tensors. Received: "
            f"{type(condlist).__name__} and {type(choicelist).__name__}. Part a tensor with ops.unstack."
        )
    if not len(condlist) or len(condlist) != len(choicelist):
        raise ArgumentError(
            f"select takes one choice for each condition. Received: {len(condlist)} conditions, "
            f"{len(choicelist)} choices."
        )
    *choices, y = promote(*choicelist, default)
    for condition, choice in zip(reversed(list(condlist)), reversed(choices), strict=True):
        y = arithmetic.where(as_bool(condition), choice, y)
    return y
