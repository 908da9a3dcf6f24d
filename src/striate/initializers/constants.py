"""Initializers that draw nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from striate.core.errors import ShapeError
from striate.core.registry import export
from striate.initializers.base import Array, Initializer, as_dtype


@export("initializers.Zeros", "initializers.zeros")
class Zeros(Initializer):
    """All 0. Source: `keras.initializers.Zeros`.

    Example:
        >>> Zeros()((2,)).tolist()
        [0.0, 0.0]
    """

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Array:
        return as_dtype(np.zeros(shape, "float32"), dtype)


@export("initializers.Ones", "initializers.ones")
class Ones(Initializer):
    """All 1. Source: `keras.initializers.Ones`.

    Example:
        >>> Ones()((2,)).tolist()
        [1.0, 1.0]
    """

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Array:
        return as_dtype(np.ones(shape, "float32"), dtype)


@export("initializers.Constant", "initializers.constant")
class Constant(Initializer):
    """All `value`: a number, or an array that broadcasts to the shape.

    Source: `keras.initializers.Constant`.

    Example:
        >>> Constant(0.5)((2,)).tolist()
        [0.5, 0.5]
    """

    def __init__(self, value: Any = 0.0) -> None:
        self.value = value

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Array:
        return np.array(np.broadcast_to(as_dtype(self.value, dtype), tuple(shape)))


@export("initializers.Identity", "initializers.identity", "initializers.IdentityInitializer")
class Identity(Initializer):
    """`gain` on the diagonal, 0 elsewhere; for matrices only.

    Source: `keras.initializers.Identity`.

    Raises:
        ValueError: a shape that is not of rank 2.

    Example:
        >>> Identity()((2, 2)).tolist()
        [[1.0, 0.0], [0.0, 1.0]]
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Array:
        if len(shape) != 2:
            raise ShapeError(
                f"The Identity initializer makes matrices (rows, columns). Received: shape={tuple(shape)} of rank "
                f"{len(shape)}. Use another initializer for this weight."
            )
        return as_dtype(self.gain * np.eye(shape[0], shape[1]), dtype)
