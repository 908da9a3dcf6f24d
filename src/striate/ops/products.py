"""Products that sum over axes: matmul, dot, tensordot, einsum, and running sums."""

from __future__ import annotations

import math
from typing import Any

from striate import backend
from striate.backend import symbolic_op
from striate.core.errors import ArgumentError, ShapeError
from striate.core.registry import export
from striate.ir.ops.attrs import AxisAttrs, MatmulAttrs
from striate.ops import arithmetic, reductions, shapes
from striate.ops._convert import Tensor, as_number, normalize_axis, promote, shape_of, tensor

_NUMPY = "keras.src.ops.numpy"


@export("ops.matmul", "ops.numpy.matmul")
@symbolic_op(_NUMPY, "Matmul")
def matmul(x1: Tensor, x2: Tensor) -> Tensor:
    """The product of matrices along the last two axes, the leading ones broadcast; a vector counts as one row (x1) or
    one column (x2), which the result has not.

    Source: `keras.ops.matmul`.
    """
    a, b = promote(x1, x2, numbers=True)
    rows, columns = len(shape_of(a)) == 1, len(shape_of(b)) == 1
    if not shape_of(a) or not shape_of(b):
        raise ShapeError(
            f"matmul: takes tensors of rank 1 or more. Received x1.shape={shape_of(a)}, x2.shape={shape_of(b)}. "
            "Use ops.multiply for numbers."
        )
    a = shapes.expand_dims(a, 0) if rows else a
    b = shapes.expand_dims(b, 1) if columns else b
    y = backend.apply("matmul", a, b, attrs=MatmulAttrs())
    y = shapes.squeeze(y, -1) if columns else y
    return shapes.squeeze(y, -1 if columns else -2) if rows else y


@export("ops.dot", "ops.numpy.dot")
@symbolic_op(_NUMPY, "Dot")
def dot(x1: Tensor, x2: Tensor) -> Tensor:
    """The sum of products over x1's last axis and x2's last but one (of vectors and numbers: as one expects).

    Source: `keras.ops.dot`.
    """
    a, b = promote(x1, x2, numbers=True)
    if not shape_of(a) or not shape_of(b):
        return arithmetic.multiply(a, b)
    if len(shape_of(b)) <= 2:
        return matmul(a, b)
    return tensordot(a, b, axes=[[-1], [-2]])


@export("ops.tensordot", "ops.numpy.tensordot")
@symbolic_op(_NUMPY, "Tensordot")
def tensordot(x1: Tensor, x2: Tensor, axes: Any = 2) -> Tensor:
    """The sum of products over axes of both: x1's last and x2's first `axes`, or two lists of axes.

    Source: `keras.ops.tensordot`.
    """
    a, b = promote(x1, x2, numbers=True)
    rank_a, rank_b = len(shape_of(a)), len(shape_of(b))
    if isinstance(axes, int):
        if not 0 <= axes <= min(rank_a, rank_b):
            raise ArgumentError(
                f"`axes` must be at most the rank of both tensors. Received: axes={axes}, x1.shape={shape_of(a)}, "
                f"x2.shape={shape_of(b)}."
            )
        over_a, over_b = list(range(rank_a - axes, rank_a)), list(range(axes))
    else:
        pair = [[v] if isinstance(v, int) else list(v) for v in axes]
        over_a = [normalize_axis(v, rank_a, "axes") for v in pair[0]]
        over_b = [normalize_axis(v, rank_b, "axes") for v in pair[1]]
    free_a = [i for i in range(rank_a) if i not in over_a]
    free_b = [i for i in range(rank_b) if i not in over_b]
    summed = [shape_of(b)[i] for i in over_b]
    if [shape_of(a)[i] for i in over_a] != summed or None in summed:
        raise ShapeError(
            f"tensordot: the axes summed over must have equal, known lengths. "
            f"Received x1.shape={shape_of(a)}, x2.shape={shape_of(b)}, axes={axes}."
        )
    k = math.prod(n for n in summed if n is not None)
    left = shapes.reshape_to(shapes.transpose(a, free_a + over_a), (-1, k))
    right = shapes.reshape_to(shapes.transpose(b, over_b + free_b), (k, -1))
    y = backend.apply("matmul", left, right, attrs=MatmulAttrs())
    return shapes.reshape_to(y, [shape_of(a)[i] for i in free_a] + [shape_of(b)[i] for i in free_b])


@export("ops.outer", "ops.numpy.outer")
@symbolic_op(_NUMPY, "Outer")
def outer(x1: Tensor, x2: Tensor) -> Tensor:
    """Every product of an element of x1 and one of x2, both flattened. Source: `keras.ops.outer`."""
    return arithmetic.multiply(shapes.reshape_to(tensor(x1), (-1, 1)), shapes.reshape_to(tensor(x2), (1, -1)))


def _subscripts(text: str, operands: tuple[Tensor, ...]) -> tuple[list[str], str]:
    text = text.replace(" ", "")
    given, arrow, result = text.partition("->")
    inputs = given.split(",")
    if "." in text or len(inputs) != len(operands) or len(inputs) not in (1, 2):
        raise ArgumentError(
            f"einsum: takes one or two tensors and one letter an axis. Received: {text!r} for {len(operands)} tensors. "
            "Write out '...', and give more tensors two at a time."
        )
    for letters, x in zip(inputs, operands, strict=True):
        if len(letters) != len(shape_of(x)) or len(set(letters)) != len(letters):
            raise ArgumentError(
                f"einsum: needs a different letter for each axis. Received: {letters!r} for shape {shape_of(x)}."
            )
    joined = "".join(inputs)
    return inputs, result if arrow else "".join(sorted(c for c in set(joined) if joined.count(c) == 1))


@export("ops.einsum", "ops.numpy.einsum")
def einsum(subscripts: str, *operands: Tensor, **kwargs: Any) -> Tensor:
    """Sums of products of one or two tensors, said by letters: "bij,bjk->bik" multiplies matrices.

    Source: `keras.ops.einsum`; no ellipsis, no letter twice in one tensor.

    Raises:
        ValueError: subscripts that do not fit the tensors.
    """
    del kwargs
    return _einsum(*operands, subscripts=subscripts)


@symbolic_op(_NUMPY, "Einsum")
def _einsum(*operands: Tensor, subscripts: str) -> Tensor:
    held = promote(*operands, numbers=True)
    inputs, result = _subscripts(subscripts, held)
    others = [set(inputs[1 - i]) if len(inputs) == 2 else set() for i in range(len(inputs))]
    for i, letters in enumerate(inputs):
        # What only one tensor has, and the result has not, is summed first.
        alone = [place for place, c in enumerate(letters) if c not in others[i] and c not in result]
        if alone:
            held = (*held[:i], reductions.sum(held[i], axis=alone), *held[i + 1 :])
            inputs[i] = "".join(c for place, c in enumerate(letters) if place not in alone)
    if len(inputs) == 1:
        return shapes.transpose(held[0], [inputs[0].index(c) for c in result])
    (a, b), (x, y) = inputs, held
    length = {**dict(zip(a, shape_of(x), strict=True)), **dict(zip(b, shape_of(y), strict=True))}
    batch = [c for c in a if c in b and c in result]
    summed = [c for c in a if c in b and c not in result]
    left, right = [c for c in a if c not in b], [c for c in b if c not in a]

    def matrix(t: Tensor, own: str, first: list[str], last: list[str]) -> Tensor:
        t = shapes.transpose(t, [own.index(c) for c in (*batch, *first, *last)])
        sizes = [length[c] for c in batch]
        for group in (first, last):
            known = [length[c] for c in group]
            sizes.append(None if None in known else math.prod(n for n in known if n is not None))
        return shapes.reshape_to(t, sizes)

    product = backend.apply("matmul", matrix(x, a, left, summed), matrix(y, b, summed, right), attrs=MatmulAttrs())
    order = [*batch, *left, *right]
    product = shapes.reshape_to(product, [length[c] for c in order])
    return shapes.transpose(product, [order.index(c) for c in result])


@export("ops.cumsum", "ops.numpy.cumsum")
@symbolic_op(_NUMPY, "Cumsum")
def cumsum(x: Tensor, axis: int | None = None, dtype: Any = None) -> Tensor:
    """Running sums along `axis` (None: of the flattened x). Source: `keras.ops.cumsum`."""
    held = as_number(x) if dtype is None else tensor(x, backend.standardize_dtype(dtype))
    if axis is None:
        held, axis = shapes.ravel(held), 0
    return backend.apply("cumsum", held, attrs=AxisAttrs(normalize_axis(axis, len(shape_of(held)))))
