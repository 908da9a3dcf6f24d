"""Running products, differences, weighted means, areas, and products of vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from striate import backend
from striate.backend import symbolic_op
from striate.core.errors import ArgumentError, ShapeError
from striate.core.registry import export
from striate.ir.ops._checks import fits
from striate.ir.ops.attrs import AxisAttrs, PadAttrs
from striate.ops import arithmetic, elementwise, joining, products, reductions, shapes
from striate.ops._convert import Tensor, as_number, dtype_of, normalize_axis, promote, shape_of, tensor
from striate.ops._running import running
from striate.ops.diagonals import diagonal
from striate.ops.indexing import slice_axis

_NUMPY = "keras.src.ops.numpy"


def _known_axis(function: str, x: Tensor, axis: Any) -> tuple[int, int]:
    """(non-negative axis, its length).

    Raises:
        ValueError: no such axis, or one of open length.
    """
    place = normalize_axis(axis, len(shape_of(x)))
    n = shape_of(x)[place]
    if n is None:
        raise ShapeError(f"{function} takes an axis of known length. Received: x.shape={shape_of(x)}, axis={axis}.")
    return place, n


@export("ops.cumprod", "ops.numpy.cumprod")
@symbolic_op(_NUMPY, "Cumprod")
def cumprod(x: Tensor, axis: int | None = None, dtype: Any = None) -> Tensor:
    """Running products along `axis` (None: of the flattened x). Source: `keras.ops.cumprod`."""
    held = as_number(x) if dtype is None else tensor(x, backend.standardize_dtype(dtype))
    if axis is None:
        held, axis = shapes.ravel(held), 0
    place, _ = _known_axis("cumprod", held, axis)
    return backend.convert_to_tensor(running(arithmetic.multiply, held, place))


@export("ops.diff", "ops.numpy.diff")
@symbolic_op(_NUMPY, "Diff")
def diff(a: Tensor, n: int = 1, axis: int = -1) -> Tensor:
    """a[i + 1] - a[i] along `axis`, n times over; of truth values, whether they differ. Source: `keras.ops.diff`."""
    x = tensor(a)
    if n < 0:
        raise ArgumentError(f"`n` must be at least 0. Received: n={n}.")
    for _ in range(n):
        place, length = _known_axis("diff", x, axis)
        later, earlier = slice_axis(x, place, min(1, length), length), slice_axis(x, place, 0, max(length - 1, 0))
        x = (arithmetic.not_equal if dtype_of(x) == "bool" else arithmetic.subtract)(later, earlier)
    return backend.convert_to_tensor(x)


@export("ops.ptp", "ops.numpy.ptp")
@symbolic_op(_NUMPY, "Ptp")
def ptp(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The largest element less the smallest, over `axis`. Source: `keras.ops.ptp`."""
    x = tensor(x)
    largest, smallest = (f(x, axis=axis, keepdims=keepdims) for f in (reductions.max, reductions.min))
    return arithmetic.subtract(largest, smallest)


@export("ops.average", "ops.numpy.average")
@symbolic_op(_NUMPY, "Average")
def average(x: Tensor, axis: Any = None, weights: Tensor = None) -> Tensor:
    """sum(x * weights) / sum(weights) over `axis`; without weights the mean. Source: `keras.ops.average`.

    Args:
        weights: of x's shape, or a vector with one for each slice along `axis`.

    Raises:
        ValueError: weights of another shape.

    Example:
        >>> float(average([1.0, 2.0, 6.0], weights=[1, 1, 2]))
        3.75
    """
    if weights is None:
        return reductions.mean(x, axis=axis)
    x, weights = promote(x, weights, floats=True)
    own, given = shape_of(x), shape_of(weights)
    if not fits(own, given):
        place = normalize_axis(axis, len(own)) if isinstance(axis, int) else None
        if place is None or not fits(given, own[place : place + 1]):
            raise ShapeError(
                "`weights` must have the shape of `x`, or be a vector as long as x's `axis`. "
                f"Received: weights.shape={given}, x.shape={own}, axis={axis}."
            )
        weights = shapes.reshape_to(weights, [-1 if i == place else 1 for i in range(len(own))])
    total = reductions.sum(arithmetic.multiply(x, weights), axis=axis)
    return arithmetic.divide(total, reductions.sum(weights, axis=axis))


@export("ops.trapezoid", "ops.numpy.trapezoid")
@symbolic_op(_NUMPY, "Trapezoid")
def trapezoid(y: Tensor, x: Tensor = None, dx: Any = 1.0, axis: int = -1) -> Tensor:
    """The area below y along `axis` by the trapezoidal rule, at the points x, or at points dx apart.

    Source: `keras.ops.trapezoid`.

    Example:
        >>> float(trapezoid([1.0, 2.0, 3.0]))
        4.0
    """
    y, _ = promote(y, 1.0, floats=True)
    place, n = _known_axis("trapezoid", y, axis)
    if x is not None:
        width = tensor(x, dtype_of(y))
        if len(shape_of(width)) == 1:
            width = shapes.reshape_to(width, [-1 if i == place else 1 for i in range(len(shape_of(y)))])
        dx = diff(width, axis=axis)
    ends = arithmetic.add(slice_axis(y, place, min(1, n), n), slice_axis(y, place, 0, max(n - 1, 0)))
    return reductions.sum(arithmetic.multiply(arithmetic.multiply(ends, 0.5), tensor(dx, dtype_of(y))), axis=place)


@export("ops.inner", "ops.numpy.inner")
@symbolic_op(_NUMPY, "Inner")
def inner(x1: Tensor, x2: Tensor) -> Tensor:
    """The sum of products over the last axes of both. Source: `keras.ops.inner`."""
    a, b = promote(x1, x2, numbers=True)
    if not shape_of(a) or not shape_of(b):
        return arithmetic.multiply(a, b)
    return products.tensordot(a, b, axes=[[-1], [-1]])


@export("ops.vdot", "ops.numpy.vdot")
@symbolic_op(_NUMPY, "Vdot")
def vdot(x1: Tensor, x2: Tensor) -> Tensor:
    """The sum of products of both, flattened. Source: `keras.ops.vdot`."""
    return products.dot(shapes.ravel(x1), shapes.ravel(x2))


@export("ops.kron", "ops.numpy.kron")
@symbolic_op(_NUMPY, "Kron")
def kron(x1: Tensor, x2: Tensor) -> Tensor:
    """x2 in place of each element of x1, times that element. Source: `keras.ops.kron`."""
    a, b = promote(x1, x2)
    rank = max(len(shape_of(a)), len(shape_of(b)))
    first = (1,) * (rank - len(shape_of(a))) + shape_of(a)
    second = (1,) * (rank - len(shape_of(b))) + shape_of(b)
    a = shapes.reshape_to(a, [n for m in first for n in (m, 1)])
    b = shapes.reshape_to(b, [n for m in second for n in (1, m)])
    whole = [None if m is None or n is None else m * n for m, n in zip(first, second, strict=True)]
    return shapes.reshape_to(arithmetic.multiply(a, b), whole)


@export("ops.cross", "ops.numpy.cross")
@symbolic_op(_NUMPY, "Cross")
def cross(x1: Tensor, x2: Tensor, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Tensor:
    """The vector at right angles to x1 and x2, as long as the area between them; of vectors of 2, its height alone.

    Source: `keras.ops.cross`.

    Args:
        axisa, axisb, axisc: which axes of x1, x2 and the result hold the vectors.
        axis: in place of all three.

    Raises:
        ValueError: vectors of another length than 2 or 3.
    """
    axisa, axisb, axisc = (axisa, axisb, axisc) if axis is None else (axis, axis, axis)
    held = promote(x1, x2, numbers=True)
    a, b = (shapes.moveaxis(t, place, -1) for t, place in zip(held, (axisa, axisb), strict=True))
    lengths = (shape_of(a)[-1], shape_of(b)[-1])
    for name, n in zip(("x1", "x2"), lengths, strict=True):
        if n not in (2, 3):
            raise ShapeError(f"`{name}`'s dim on its axis of vectors must be either 2 or 3. Received: {n}.")
    (p, q, r), (u, v, w) = ([t[..., i] if n == 3 or i < 2 else 0 for i in range(3)] for t, n in zip((a, b), lengths))

    def area(i: Tensor, j: Tensor, k: Tensor, m: Tensor) -> Tensor:
        return arithmetic.subtract(arithmetic.multiply(i, j), arithmetic.multiply(k, m))

    height = area(p, v, q, u)
    if lengths == (2, 2):
        return height
    parts = (area(q, w, r, v), area(r, u, p, w), height)
    return shapes.moveaxis(joining.stack(parts, axis=-1), -1, axisc)


@export("ops.correlate", "ops.numpy.correlate")
@symbolic_op(_NUMPY, "Correlate")
def correlate(x1: Tensor, x2: Tensor, mode: str = "valid") -> Tensor:
    """c[k] = sum_n x1[n + k] x2[n] of two vectors, for the shifts k at which they overlap.

    Source: `keras.ops.correlate`.

    Args:
        mode: "valid" (where the shorter one lies within the longer), "same" (as many as the longer has elements) or
            "full" (wherever they overlap).

    Raises:
        ValueError: tensors that are no vectors, another mode.
    """
    a, b = promote(x1, x2, floats=True)
    if len(shape_of(a)) != 1 or len(shape_of(b)) != 1 or None in shape_of(a) + shape_of(b):
        raise ShapeError(
            f"correlate takes 1-dimensional tensors of known length. "
            f"Received: x1.shape={shape_of(a)}, x2.shape={shape_of(b)}."
        )
    if mode not in ("valid", "same", "full"):
        raise ArgumentError(f"`mode` must be either `valid`, `same`, or `full`. Received: mode={mode!r}.")
    n, m = (int(t.shape[0]) for t in (a, b))
    if not n or not m:
        raise ShapeError(f"correlate takes vectors with elements. Received lengths: {n} and {m}.")
    padded = backend.apply("pad", a, attrs=PadAttrs((m - 1, m - 1)))
    windows = (np.arange(n + m - 1)[:, None] + np.arange(m)).astype("int32")
    full = products.matmul(backend.apply("gather", padded, windows, attrs=AxisAttrs(0)), b)
    short, long = min(n, m), max(n, m)
    if mode == "full":
        return full
    if mode == "valid":
        return full[short - 1 : long]
    begin = (m - 1) // 2 if n >= m else n // 2
    return full[begin : begin + long]


@export("ops.corrcoef", "ops.numpy.corrcoef")
@symbolic_op(_NUMPY, "Corrcoef")
def corrcoef(x: Tensor) -> Tensor:
    """Pearson's correlation coefficients of the rows of x, each a variable; of a vector, 1.

    Source: `keras.ops.corrcoef`.

    Raises:
        ValueError: a tensor of rank 3 or more.
    """
    x, _ = promote(x, 1.0, floats=True)
    if len(shape_of(x)) > 2:
        raise ShapeError(f"corrcoef takes a matrix, a variable a row. Received: x.shape={shape_of(x)}.")
    vector = len(shape_of(x)) < 2
    x = shapes.reshape_to(x, (1, -1)) if vector else x
    centred = arithmetic.subtract(x, reductions.mean(x, axis=1, keepdims=True))
    together = products.matmul(centred, shapes.transpose(centred))
    spread = elementwise.sqrt(diagonal(together))
    y = arithmetic.divide(together, spread[:, None])
    y = arithmetic.clip(arithmetic.divide(y, spread[None, :]), -1.0, 1.0)
    return shapes.reshape_to(y, ()) if vector else y
