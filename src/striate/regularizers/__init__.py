"""Regularizers: what is added to the loss for a weight (or a layer's output).

L1 is l1 * sum |w|, L2 is l2 * sum w**2 (no half).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from striate import backend, ops
from striate.core import lookup
from striate.core.args import one_of
from striate.core.configurable import Configurable
from striate.core.errors import ArgumentError, ShapeError
from striate.core.namespace import lazy_names
from striate.core.registry import export


@export("regularizers.Regularizer", "Regularizer")
class Regularizer(Configurable):
    """Base of regularizers: subclasses say `__call__(x)`, a scalar tensor written with `striate.ops`.

    Source: `keras.regularizers.Regularizer`.

    Example:
        >>> class Cubic(Regularizer):
        ...     def __call__(self, x):
        ...         return ops.sum(ops.abs(x) ** 3)
    """

    def __call__(self, x: Any) -> Any:
        """The penalty for `x`; 0 unless a subclass says otherwise."""
        return 0.0


def _penalty(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not 0 <= value < math.inf:
        raise ArgumentError(
            f"Invalid value for `{name}`: expected a non-negative float, and a finite one. Received: "
            f"{name}={value!r}. Give e.g. {name}=0.01."
        )
    return float(value)


@export("regularizers.L1", "regularizers.l1")
class L1(Regularizer):
    """l1 * sum(|x|). Source: `keras.regularizers.L1`.

    Example:
        >>> float(L1(0.5)(np.array([-2.0, 4.0], "float32")))
        3.0
    """

    def __init__(self, l1: float = 0.01) -> None:
        self.l1 = _penalty(0.01 if l1 is None else l1, "l1")

    def __call__(self, x: Any) -> Any:
        return self.l1 * ops.sum(ops.absolute(x))


@export("regularizers.L2", "regularizers.l2")
class L2(Regularizer):
    """l2 * sum(x**2), without a half. Source: `keras.regularizers.L2`.

    Example:
        >>> float(L2(0.5)(np.array([-2.0, 4.0], "float32")))
        10.0
    """

    def __init__(self, l2: float = 0.01) -> None:
        self.l2 = _penalty(0.01 if l2 is None else l2, "l2")

    def __call__(self, x: Any) -> Any:
        return self.l2 * ops.sum(ops.square(x))


@export("regularizers.L1L2", "regularizers.l1_l2")
class L1L2(Regularizer):
    """l1 * sum(|x|) + l2 * sum(x**2). Source: `keras.regularizers.L1L2`.

    Example:
        >>> float(L1L2(1.0, 0.5)(np.array([-2.0, 4.0], "float32")))
        16.0
    """

    def __init__(self, l1: float = 0.0, l2: float = 0.0) -> None:
        self.l1 = _penalty(0.0 if l1 is None else l1, "l1")
        self.l2 = _penalty(0.0 if l2 is None else l2, "l2")

    def __call__(self, x: Any) -> Any:
        total: Any = backend.convert_to_tensor(0.0, backend.dtype_of(x))
        if self.l1:
            total = total + self.l1 * ops.sum(ops.absolute(x))
        if self.l2:
            total = total + self.l2 * ops.sum(ops.square(x))
        return total


@export("regularizers.OrthogonalRegularizer", "regularizers.orthogonal_regularizer")
class OrthogonalRegularizer(Regularizer):
    """Draws the rows (or columns) of a matrix towards right angles to each other.

        factor * (mean over the n * (n - 1) / 2 pairs i < j of |cosine of row i and row j|)

    Source: `keras.regularizers.OrthogonalRegularizer`.

    Args:
        factor: weight of the penalty.
        mode: "rows" or "columns".

    Raises:
        ValueError: another mode, or an input that is no matrix.

    Example:
        >>> float(OrthogonalRegularizer(1.0)(np.eye(3, dtype="float32")))
        0.0
    """

    def __init__(self, factor: float = 0.01, mode: str = "rows") -> None:
        self.factor = _penalty(factor, "factor")
        self.mode = one_of(mode, "mode", ("rows", "columns"))

    def __call__(self, inputs: Any) -> Any:
        x = backend.convert_to_tensor(inputs)
        if len(x.shape) != 2:
            raise ShapeError(
                f"OrthogonalRegularizer takes a matrix (rows, columns). Received: an input of shape {tuple(x.shape)}. "
                f"Use it for the kernel of a Dense layer."
            )
        rows = x if self.mode == "rows" else ops.transpose(x)
        # The bound keeps a row of zeros, and its gradient, at zero.
        lengths = ops.sqrt(ops.maximum(ops.sum(ops.square(rows), axis=1, keepdims=True), backend.epsilon() ** 2))
        unit = rows / lengths
        cosines = ops.matmul(unit, ops.transpose(unit))
        n = rows.shape[0]
        apart = cosines * (1.0 - np.eye(n, dtype="float32"))
        return self.factor * 0.5 * ops.sum(ops.absolute(apart)) / max(n * (n - 1) / 2, 1)


_CLASSES = lookup.name_table([L1, L2, L1L2, OrthogonalRegularizer], l1_l2=L1L2)


@export("regularizers.get")
def get(identifier: Any) -> Any:
    """The regularizer an identifier stands for: a name ("l2"), an object, a function of the weight, a config, or None.

    Source: `keras.regularizers.get`.

    Raises:
        ValueError: nothing of that name; the message gives the nearest one.

    Example:
        >>> get("l2").l2
        0.01
    """
    return lookup.get(identifier, "regularizer", _CLASSES, deserialize, backend.get_registered_object)


@export("regularizers.serialize")
def serialize(regularizer: Any) -> Any:
    """What a config holds for a regularizer."""
    return backend.serialize_keras_object(regularizer)


@export("regularizers.deserialize")
def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The regularizer of a config."""
    return lookup.deserialize(
        config, _CLASSES, lambda c: backend.deserialize_keras_object(c, custom_objects=custom_objects)
    )


__getattr__, __dir__ = lazy_names(__name__)  # other names of the same things: l1_l2

__all__ = ["L1", "L1L2", "L2", "OrthogonalRegularizer", "Regularizer", "deserialize", "get", "serialize"]
