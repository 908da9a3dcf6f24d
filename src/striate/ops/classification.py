"""What classifiers are measured by: one-hot codes, crossentropies, top-k.

A crossentropy whose `output` is the direct result of a softmax (sigmoid) in a traced step takes the logits behind it,
so that it loses no digits; Keras does the same on TensorFlow. Probabilities that come as arrays are clipped.
"""

from __future__ import annotations

import warnings
from typing import Any

from striate import backend
from striate.backend import symbolic_op
from striate.core.errors import ArgumentError, ShapeError
from striate.core.registry import export
from striate.ir.ops.attrs import DepthAttrs, TopKAttrs
from striate.ops import arithmetic, elementwise, reductions, shapes
from striate.ops._convert import Tensor, as_float, dtype_of, normalize_axis, shape_of, tensor

_NN = "keras.src.ops.nn"
_MATH = "keras.src.ops.math"


@export("ops.one_hot", "ops.nn.one_hot")
@symbolic_op(_NN, "OneHot")
def one_hot(x: Tensor, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False) -> Tensor:
    """1 at the place along the new `axis` that the integer names, 0 elsewhere; an integer outside gives zeros.

    Source: `keras.ops.one_hot`.

    Example:
        >>> one_hot([2, 0], 3).tolist()
        [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    """
    del sparse
    y = backend.apply("one_hot", tensor(x, "int32"), attrs=DepthAttrs(int(num_classes)))
    place = normalize_axis(axis, len(shape_of(y)))
    y = y if place == len(shape_of(y)) - 1 else shapes.moveaxis(y, -1, place)
    return backend.cast(y, backend.standardize_dtype(dtype))


@export("ops.multi_hot", "ops.nn.multi_hot")
@symbolic_op(_NN, "MultiHot")
def multi_hot(
    inputs: Tensor,
    num_classes: int | None = None,
    axis: int = -1,
    dtype: Any = None,
    sparse: bool = False,
    **kwargs: Any,
) -> Tensor:
    """1 at every place that one of the integers names, 0 elsewhere: several labels an example.

    Source: `keras.ops.multi_hot`.

    Args:
        inputs: integers (labels,) or (batch, labels, ...).
        num_classes: number of classes.
        axis: where the classes stand before labels are joined.

    Raises:
        ValueError: no num_classes.

    Example:
        >>> multi_hot([[0, 3], [1, 1]], 4).tolist()
        [[1.0, 0.0, 0.0, 1.0], [0.0, 1.0, 0.0, 0.0]]
    """
    num_classes = kwargs.get("num_tokens") if num_classes is None else num_classes
    if num_classes is None:
        raise ArgumentError("Argument `num_classes` must be specified. Received: num_classes=None.")
    inputs = tensor(inputs, "int32")
    each = one_hot(inputs, num_classes, axis=axis, dtype=dtype)
    return reductions.max(each, axis=1 if len(shape_of(inputs)) > 1 else 0)


def logits_behind(output: Tensor, activation: str) -> Tensor | None:
    """The argument of the softmax (over the last axis) or sigmoid of which `output` is the traced result, else None."""
    node = backend.traced_node(output)
    if node is None or node.op != activation:
        return None
    if activation == "softmax" and node.attrs.axis != len(output.shape) - 1:
        return None
    return backend.wrap_traced(node.inputs[0])


def _log_probabilities(output: Tensor, axis: int) -> Tensor:
    total = reductions.sum(output, axis=axis, keepdims=True)
    epsilon = backend.epsilon()
    return elementwise.log(arithmetic.clip(arithmetic.divide(output, total), epsilon, 1.0 - epsilon))


def _classes_last(output: Tensor, axis: int) -> Tensor:
    rank = len(shape_of(output))
    if rank < 1:
        raise ShapeError(f"Argument `output` must be at least rank 1. Received: output.shape={shape_of(output)}.")
    return output if normalize_axis(axis, rank) == rank - 1 else shapes.moveaxis(output, axis, -1)


def _take_logits(output: Tensor, from_logits: bool, activation: str) -> tuple[Tensor, bool]:
    """(logits, True) where they are known: the loss of those loses nothing to rounding."""
    logits = logits_behind(output, activation) if isinstance(output, backend.SymbolicTensor) else None
    if logits is None:
        return output, from_logits
    if from_logits:
        warnings.warn(
            f"A crossentropy got from_logits=True, but the output is a {activation}'s: probabilities, no logits. Leave "
            f"out the {activation}, or from_logits.",
            stacklevel=2,
        )
        return output, True
    return logits, True


def _fits(a: tuple[int | None, ...], b: tuple[int | None, ...]) -> bool:
    return len(a) == len(b) and all(m is None or n is None or m == n for m, n in zip(a, b, strict=True))


@export("ops.sparse_categorical_crossentropy", "ops.nn.sparse_categorical_crossentropy")
@symbolic_op(_NN, "SparseCategoricalCrossentropy")
def sparse_categorical_crossentropy(
    target: Tensor, output: Tensor, from_logits: bool = False, axis: int = -1
) -> Tensor:
    """-log(probability of the class that the integer target names).

    Source: `keras.ops.sparse_categorical_crossentropy`.

    Args:
        target: integers (...) or (..., 1).
        output: (..., classes): probabilities, or logits with from_logits.
        axis: where `output` has its classes.

    Raises:
        ValueError: shapes that do not fit.
    """
    labels = tensor(target, "int32")
    output, from_logits = _take_logits(output, from_logits, "softmax")
    output = _classes_last(as_float(output), axis)
    if len(shape_of(labels)) == len(shape_of(output)) and shape_of(labels)[-1] == 1:
        labels = shapes.squeeze(labels, -1)
    if not _fits(shape_of(labels), shape_of(output)[:-1]):
        raise ShapeError(
            "Arguments `target` and `output` must have the same shape up until the last dimension: "
            f"target.shape={shape_of(labels)}, output.shape={shape_of(output)}. "
            "Use categorical_crossentropy if the targets are one-hot."
        )
    if from_logits:
        return backend.apply("sparse_softmax_crossentropy", output, labels)
    chosen = one_hot(labels, int(shape_of(output)[-1] or 0), dtype=dtype_of(output))
    return elementwise.negative(reductions.sum(arithmetic.multiply(chosen, _log_probabilities(output, -1)), axis=-1))


@export("ops.categorical_crossentropy", "ops.nn.categorical_crossentropy")
@symbolic_op(_NN, "CategoricalCrossentropy")
def categorical_crossentropy(target: Tensor, output: Tensor, from_logits: bool = False, axis: int = -1) -> Tensor:
    """-sum(target * log(output)) over the classes.

    Source: `keras.ops.categorical_crossentropy`.

    Args:
        target: (..., classes), one-hot or any distribution.
        output: as target: probabilities, or logits with from_logits.

    Raises:
        ValueError: shapes that do not fit.
    """
    output, from_logits = _take_logits(output, from_logits, "softmax")
    output = as_float(output)
    target = tensor(target, dtype_of(output))
    if not _fits(shape_of(target), shape_of(output)):
        raise ShapeError(
            "Arguments `target` and `output` must have the same shape. "
            f"Received: target.shape={shape_of(target)}, output.shape={shape_of(output)}. "
            "Use sparse_categorical_crossentropy if the targets are integers."
        )
    target, output = _classes_last(target, axis), _classes_last(output, axis)
    if from_logits:
        return backend.apply("softmax_crossentropy", output, target)
    return elementwise.negative(reductions.sum(arithmetic.multiply(target, _log_probabilities(output, -1)), axis=-1))


@export("ops.binary_crossentropy", "ops.nn.binary_crossentropy")
@symbolic_op(_NN, "BinaryCrossentropy")
def binary_crossentropy(target: Tensor, output: Tensor, from_logits: bool = False) -> Tensor:
    """-(target * log(output) + (1 - target) * log(1 - output)), element by element.

    Source: `keras.ops.binary_crossentropy`.

    Args:
        target: 0, 1 or between, in any shape.
        output: as target: probabilities, or logits with from_logits.

    Raises:
        ValueError: shapes that differ.
    """
    output, from_logits = _take_logits(output, from_logits, "sigmoid")
    output = as_float(output)
    target = tensor(target, dtype_of(output))
    if not _fits(shape_of(target), shape_of(output)):
        raise ShapeError(
            "Arguments `target` and `output` must have the same shape. "
            f"Received: target.shape={shape_of(target)}, output.shape={shape_of(output)}."
        )
    if from_logits:
        return backend.apply("sigmoid_crossentropy", output, target)
    epsilon = backend.epsilon()
    output = arithmetic.clip(output, epsilon, 1.0 - epsilon)
    positive = arithmetic.multiply(target, elementwise.log(output))
    negative = arithmetic.multiply(arithmetic.subtract(1.0, target), elementwise.log(arithmetic.subtract(1.0, output)))
    return elementwise.negative(arithmetic.add(positive, negative))


@export("ops.top_k")
@symbolic_op(_MATH, "TopK")
def top_k(x: Tensor, k: int, sorted: bool = True) -> tuple[Tensor, Tensor]:
    """The k largest elements along the last axis, in descending order, and where they are (int32).

    Source: `keras.ops.top_k`.
    """
    del sorted
    values, indices = backend.apply("top_k", tensor(x), attrs=TopKAttrs(int(k)))
    return values, indices


@export("ops.in_top_k")
@symbolic_op(_MATH, "InTopK")
def in_top_k(targets: Tensor, predictions: Tensor, k: int) -> Tensor:
    """Whether each target is among the k highest predictions of its row, as bool; ties at the boundary count as in.

    Source: `keras.ops.in_top_k`.

    Args:
        targets: integers (batch,).
        predictions: (batch, classes).
    """
    return backend.apply("in_top_k", tensor(targets, "int32"), as_float(predictions), attrs=TopKAttrs(int(k)))
