"""One array of a batch: what is taken, what it becomes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from striate import backend
from striate.core import tree
from striate.core.errors import ArgumentError, DTypeError

Array = np.ndarray[Any, Any]
Batch = tuple[Any, ...]

_KINDS = "fiub"


def is_number(x: Any) -> bool:
    return isinstance(x, int | float | bool | np.generic)


def as_array(x: Any, role: str) -> Array:
    """`x` as an array without a copy where it is one already.

    Raises:
        TypeError: no array of numbers.
    """
    if isinstance(x, np.ndarray):
        array = x
    elif hasattr(x, "to_numpy"):  # pandas
        array = np.asarray(x.to_numpy())
    else:
        try:
            array = np.asarray(x)
        except ValueError as error:
            if "inhomogeneous" not in str(error):
                raise
            raise ArgumentError(
                f"`{role}` must be an array of numbers, but its entries differ in shape. Received: {type(x).__name__} "
                f"of length {len(x)}. Bring all samples to one shape, for example by resizing or padding them."
            ) from None
    if array.dtype.kind not in _KINDS and array.dtype.name != "bfloat16":
        words = array.dtype.kind in "US" or (array.dtype.kind == "O" and array.size and isinstance(array.flat[0], str))
        mend = (
            "Number the words: names, numbers = np.unique(words, return_inverse=True)."
            if words
            else "Convert it first, for example with np.asarray(values, 'float32')."
        )
        raise DTypeError(
            f"`{role}` must be an array of numbers. Received: {type(x).__name__} of dtype {array.dtype}. {mend}"
        )
    if array.ndim == 0:
        raise ArgumentError(f"`{role}` must have a first axis that counts the samples. Received one number: {x!r}.")
    return array


def as_arrays(structure: Any, role: str) -> Any:
    """A nested structure with arrays as leaves; lists of plain numbers count as one array."""
    if structure is None:
        return None
    if isinstance(structure, np.ndarray):
        return as_array(structure, role)
    leaves = tree.flatten(structure)
    if tree.is_nested(structure) and not isinstance(structure, dict) and leaves and all(is_number(v) for v in leaves):
        return as_array(structure, role)
    return tree.map_structure(lambda leaf: None if leaf is None else as_array(leaf, role), structure)


def as_batch_leaf(x: Any) -> Any:
    """What the engine takes: contiguous, in this machine's byte order, long floats turned into floatx (as Keras)."""
    if x is None:
        return None
    array = x if isinstance(x, np.ndarray) else as_array(x, "data")
    if array.dtype.kind == "f" and array.dtype.itemsize >= 8:
        return np.ascontiguousarray(array, backend.floatx())
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    return array if array.flags.c_contiguous else np.ascontiguousarray(array)


def map_leaves(fn: Callable[[Any], Any], structure: Any) -> Any:
    """`tree.map_structure` on one structure, quick where it is a single array."""
    if isinstance(structure, np.ndarray) or structure is None:
        return fn(structure)
    return tree.map_structure(fn, structure)


def standardize_batch(data: Batch) -> Batch:
    """A batch as steps get it."""
    return tuple(map_leaves(as_batch_leaf, part) for part in data)


def class_weights(y: Any, class_weight: dict[int, float]) -> Array:
    """The weight of each sample: that of its class, 1 for classes that are not named.

    Args:
        y: class numbers (n,) or (n, 1), or one-hot rows (n, classes).
        class_weight: class number -> weight.
    """
    if tree.is_nested(y) or y is None:
        raise ArgumentError(
            "`class_weight` is only supported for models with a single output, whose targets are one array. "
            f"Received targets: {'None' if y is None else tree.map_structure(np.shape, y)}."
        )
    try:
        weights = {int(number): float(weight) for number, weight in class_weight.items()}
    except (AttributeError, TypeError, ValueError):
        raise ArgumentError(
            f"`class_weight` is a dictionary from class numbers to weights. Received: {class_weight!r}. "
            "Give e.g. class_weight={0: 1.0, 1: 3.0}."
        ) from None
    labels = np.asarray(y)
    if labels.ndim > 1:
        labels = labels[..., 0] if labels.shape[-1] == 1 else labels.argmax(-1)
    labels = np.rint(labels).astype(np.int64)
    table = np.ones(max([*weights, int(labels.max(initial=0))]) + 1, backend.floatx())
    for number, weight in weights.items():
        table[number] = weight
    return np.asarray(table[np.clip(labels, 0, None)])
