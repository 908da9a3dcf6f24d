"""Small helpers on arrays of labels and features."""

from __future__ import annotations

from typing import Any

import numpy as np

from striate.core.errors import ArgumentError
from striate.core.registry import export

Array = np.ndarray[Any, Any]


@export("utils.to_categorical")
def to_categorical(x: Any, num_classes: int | None = None) -> Array:
    """Class numbers as rows of zeros with a one (one-hot).

    Source: `keras.utils.to_categorical`.

    Args:
        x: integers from 0 to num_classes - 1, any shape; a last axis of length 1 is dropped.
        num_classes: length of a row; the largest number + 1 unless given.

    Returns:
        float array of shape (*x.shape, num_classes).

    Raises:
        ValueError: a number outside 0 to num_classes - 1.

    Example:
        >>> to_categorical([0, 2], num_classes=3)
        array([[1., 0., 0.],
               [0., 0., 1.]])
    """
    labels = np.asarray(x).astype(np.int64)
    if labels.ndim > 1 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    count = int(num_classes) if num_classes else (int(labels.max()) + 1 if labels.size else 0)
    if labels.size and not (labels.min() >= 0 and labels.max() < count):
        raise ArgumentError(
            f"to_categorical: class numbers go from 0 to num_classes - 1 = {count - 1}. Received numbers from "
            f"{labels.min()} to {labels.max()}; give a larger num_classes or renumber the classes."
        )
    flat = labels.reshape(-1)
    rows = np.zeros((flat.size, count))
    rows[np.arange(flat.size), flat] = 1
    return rows.reshape(*labels.shape, count)


@export("utils.normalize")
def normalize(x: Any, axis: int = -1, order: int = 2) -> Array:
    """x / ||x|| along an axis; rows of zeros stay zeros.

    Source: `keras.utils.normalize`.

    Args:
        x: array of numbers.
        axis: the axis whose vectors get length 1.
        order: of the norm: 1 the sum of magnitudes, 2 Euclid's, and so on.
    """
    values = np.asarray(x)
    norm = np.atleast_1d(np.linalg.norm(values, order, axis))
    norm[norm == 0] = 1
    return np.asarray(values / np.expand_dims(norm, axis))
