"""Constraints: what a weight is projected on after each step of the optimizer.

The norms are taken along `axis`: 0 for a Dense kernel (inputs, units), [0, 1, 2] for a Conv2D kernel, so that each
unit's weights make one vector.
"""

from __future__ import annotations

from typing import Any

from striate import backend, ops
from striate.core import lookup
from striate.core.configurable import Configurable
from striate.core.namespace import lazy_names
from striate.core.registry import export


@export("constraints.Constraint", "Constraint")
class Constraint(Configurable):
    """Base of constraints: subclasses say `__call__(w)`, the projected weight, written with `striate.ops`.

    Source: `keras.constraints.Constraint`.

    Example:
        >>> class Halved(Constraint):
        ...     def __call__(self, w):
        ...         return w * 0.5
    """

    def __call__(self, w: Any) -> Any:
        """The projected weight; `w` itself unless a subclass says otherwise."""
        return w


def _norms(w: Any, axis: Any) -> Any:
    return ops.sqrt(ops.sum(ops.square(w), axis=axis, keepdims=True))


@export("constraints.MaxNorm", "constraints.max_norm")
class MaxNorm(Constraint):
    """Scales vectors longer than `max_value` down to it. Source: `keras.constraints.MaxNorm`.

    Example:
        >>> MaxNorm(1.0)(np.array([[3.0], [4.0]], "float32")).round(3).tolist()
        [[0.6000000238418579], [0.800000011920929]]
    """

    def __init__(self, max_value: float = 2, axis: Any = 0) -> None:
        self.max_value = max_value
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        w = backend.convert_to_tensor(w)
        norms = _norms(w, self.axis)
        return w * (ops.clip(norms, 0, self.max_value) / (backend.epsilon() + norms))


@export("constraints.MinMaxNorm", "constraints.min_max_norm")
class MinMaxNorm(Constraint):
    """Draws the lengths of vectors into [min_value, max_value]; `rate` 1 all the way, less only in part.

    Source: `keras.constraints.MinMaxNorm`.

    Example:
        >>> MinMaxNorm(2.0, 3.0)(np.array([[1.0]], "float32")).round(3).tolist()
        [[2.0]]
    """

    def __init__(self, min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Any = 0) -> None:
        self.min_value = min_value
        self.max_value = max_value
        self.rate = rate
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        w = backend.convert_to_tensor(w)
        norms = _norms(w, self.axis)
        desired = self.rate * ops.clip(norms, self.min_value, self.max_value) + (1 - self.rate) * norms
        return w * (desired / (backend.epsilon() + norms))


@export("constraints.NonNeg", "constraints.non_neg")
class NonNeg(Constraint):
    """Negative weights become 0. Source: `keras.constraints.NonNeg`.

    Example:
        >>> NonNeg()(np.array([-1.0, 2.0], "float32")).tolist()
        [0.0, 2.0]
    """

    def __call__(self, w: Any) -> Any:
        return ops.maximum(w, 0)


@export("constraints.UnitNorm", "constraints.unit_norm")
class UnitNorm(Constraint):
    """Vectors of length 1. Source: `keras.constraints.UnitNorm`.

    Example:
        >>> UnitNorm()(np.array([[3.0], [4.0]], "float32")).round(3).tolist()
        [[0.6000000238418579], [0.800000011920929]]
    """

    def __init__(self, axis: Any = 0) -> None:
        self.axis = axis

    def __call__(self, w: Any) -> Any:
        w = backend.convert_to_tensor(w)
        return w / (backend.epsilon() + _norms(w, self.axis))


_CLASSES = lookup.name_table([MaxNorm, MinMaxNorm, NonNeg, UnitNorm])


@export("constraints.get")
def get(identifier: Any) -> Any:
    """The constraint an identifier stands for: a name ("non_neg"), an object, a function of the weight, a config, None.

    Source: `keras.constraints.get`.

    Raises:
        ValueError: nothing of that name; the message gives the nearest one.

    Example:
        >>> type(get("unit_norm")).__name__
        'UnitNorm'
    """
    return lookup.get(identifier, "constraint", _CLASSES, deserialize, backend.get_registered_object)


@export("constraints.serialize")
def serialize(constraint: Any) -> Any:
    """What a config holds for a constraint."""
    return backend.serialize_keras_object(constraint)


@export("constraints.deserialize")
def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The constraint of a config."""
    return lookup.deserialize(
        config, _CLASSES, lambda c: backend.deserialize_keras_object(c, custom_objects=custom_objects)
    )


__getattr__, __dir__ = lazy_names(__name__)  # other names of the same things: unit_norm

__all__ = ["Constraint", "MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm", "deserialize", "get", "serialize"]
