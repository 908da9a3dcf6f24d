"""What an initializer is: a callable (shape, dtype) -> array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from striate import backend
from striate.core.configurable import Configurable
from striate.core.registry import export
from striate.ir.types import numpy_dtype

Array = np.ndarray[Any, Any]


@export("initializers.Initializer", "Initializer")
class Initializer(Configurable):
    """Base of initializers: subclasses say `__call__(shape, dtype=None)`; their configs come from their constructors.

    Source: `keras.initializers.Initializer`.

    Example:
        >>> class Fives(Initializer):
        ...     def __call__(self, shape, dtype=None):
        ...         return np.full(shape, 5.0)
    """

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        """An array of the given shape and dtype (floatx for None)."""
        raise NotImplementedError(f"{type(self).__name__} must implement `__call__(self, shape, dtype=None)`.")

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """An initializer made from what `get_config` gave; arrays and generators in it are made first."""
        return super().from_config({k: backend.deserialize_keras_object(v) for k, v in config.items()})

    def clone(self) -> Initializer:
        """Another one made with the same arguments."""
        made: Initializer = type(self).from_config(self.get_config())
        return made


def as_dtype(values: Any, dtype: Any) -> Array:
    """`values` as an array of `dtype` (floatx for None)."""
    return np.asarray(values).astype(numpy_dtype(backend.standardize_dtype(dtype)), copy=False)
