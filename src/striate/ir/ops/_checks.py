"""What shape rules share: checks whose messages say what was received, what was expected and how to mend it.

Messages name an op by the word people call it by in `keras.ops`.
"""

from __future__ import annotations

from collections.abc import Sequence

from striate.core.errors import DTypeError, ShapeError
from striate.ir.ops._arrays import FLOATS, INTEGERS
from striate.ir.types import Shape, TensorType

_KERAS_NAMES = {
    "neg": "negative",
    "asinh": "arcsinh",
    "acosh": "arccosh",
    "atanh": "arctanh",
    "atan2": "arctan2",
    "concat": "concatenate",
    "gather": "take",
    "conv2d": "conv",
    "depthwise_conv2d": "depthwise_conv",
    "max_pool2d": "max_pool",
    "avg_pool2d": "average_pool",
    "sparse_softmax_crossentropy": "sparse_categorical_crossentropy",
    "softmax_crossentropy": "categorical_crossentropy",
    "sigmoid_crossentropy": "binary_crossentropy",
    "batch_norm_train": "batch_normalization",
    "batch_norm_infer": "batch_normalization",
}


def keras_name(op: str) -> str:
    """reduce_sum -> sum, conv2d -> conv: what the op is called in keras.ops."""
    return _KERAS_NAMES.get(op, op[7:] if op.startswith("reduce_") else op)


def show(shape: Shape) -> str:
    return str(tuple(shape))


def require_floats(op: str, *types: TensorType) -> None:
    for t in types:
        if t.dtype not in FLOATS:
            raise DTypeError(
                f"{keras_name(op)} takes floating-point tensors. Received dtype={t.dtype}. "
                f'Cast it first: ops.cast(x, "float32").'
            )


def require_numbers(op: str, *types: TensorType) -> None:
    for t in types:
        if t.dtype == "bool":
            raise DTypeError(
                f"{keras_name(op)} takes numbers, not truth values. Received dtype=bool. "
                f'Cast it first: ops.cast(x, "int32").'
            )


def require_bools(op: str, *types: TensorType) -> None:
    for t in types:
        if t.dtype != "bool":
            raise DTypeError(
                f"{keras_name(op)} takes tensors of dtype bool. Received dtype={t.dtype}. "
                f'Compare or cast first: ops.cast(x, "bool").'
            )


def require_integers(op: str, what: str, t: TensorType, *allowed: str) -> None:
    wanted = allowed or INTEGERS
    if t.dtype not in wanted:
        raise DTypeError(
            f"{keras_name(op)}: {what} must be of dtype {' or '.join(wanted)}. Received dtype={t.dtype}. "
            f'Cast it first: ops.cast({what}, "{wanted[0]}").'
        )


def require_same_dtype(op: str, *types: TensorType) -> str:
    dtypes = [t.dtype for t in types]
    if len(set(dtypes)) > 1:
        raise DTypeError(
            f"{keras_name(op)} takes tensors of one dtype. Received dtypes {', '.join(dtypes)}. "
            f'Cast one of them: ops.cast(x, "{dtypes[0]}").'
        )
    return dtypes[0]


def require_rank(op: str, what: str, t: TensorType, rank: int, axes: str) -> None:
    if t.rank != rank:
        raise ShapeError(
            f"{keras_name(op)}: {what} must have rank {rank}, {axes}. "
            f"Received {what}.shape={show(t.shape)}, which has rank {t.rank}. Reshape or expand it first."
        )


def require_axis(op: str, t: TensorType, axis: int) -> None:
    if not 0 <= axis < t.rank:
        raise ShapeError(
            f"{keras_name(op)}: axis {axis} is not an axis of a tensor of rank {t.rank}. "
            f"Received x.shape={show(t.shape)}. Give an axis from {-t.rank} to {t.rank - 1}."
        )


def require_shape(op: str, what: str, t: TensorType, expected: Shape) -> None:
    """The shape, where both sides know it."""
    if not fits(t.shape, expected):
        raise ShapeError(
            f"{keras_name(op)}: {what} must have the shape {show(expected)}. Received {what}.shape={show(t.shape)}. "
            f"Reshape {what}, or give the shape that goes with the other tensors."
        )


def fits(a: Shape, b: Shape) -> bool:
    """Equal, an open axis fitting any length."""
    return len(a) == len(b) and all(m is None or n is None or m == n for m, n in zip(a, b, strict=True))


def merge(a: Shape, b: Shape) -> Shape:
    """What is known of a shape by two that fit: open only where both are open."""
    return tuple(n if m is None else m for m, n in zip(a, b, strict=True))


def broadcast(op: str, *types: TensorType) -> Shape:
    """NumPy's rule. An open axis against 1 stays open; against n it must be n when the graph runs."""
    rank = max(t.rank for t in types)
    result: list[int | None] = []
    for i in range(rank):
        lengths = [t.shape[i - rank + t.rank] for t in types if i - rank + t.rank >= 0]
        known = {n for n in lengths if n is not None and n != 1}
        if len(known) > 1:
            shapes = " and ".join(show(t.shape) for t in types)
            raise ShapeError(
                f"{keras_name(op)}: shapes {shapes} do not broadcast together: axis {i - rank} has lengths "
                f"{' and '.join(str(n) for n in lengths)}. "
                f"Expected equal lengths, or 1. Reshape one of the tensors, or insert an axis with ops.expand_dims."
            )
        result.append(known.pop() if known else (None if None in lengths else 1))
    return tuple(result)


def product(shape: Sequence[int | None]) -> int:
    """Of the known lengths."""
    total = 1
    for n in shape:
        total *= 1 if n is None else n
    return total
