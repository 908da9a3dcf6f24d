"""Initializers by name, object, function, array or config: what the `*_initializer` arguments of layers take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from striate import backend
from striate.core import lookup
from striate.core.errors import ShapeError
from striate.core.namespace import lazy_names
from striate.core.registry import export
from striate.initializers.base import Initializer, as_dtype
from striate.initializers.constants import Constant, Identity, Ones, Zeros
from striate.initializers.draws import Orthogonal, RandomNormal, RandomUniform, TruncatedNormal
from striate.initializers.scaled import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    VarianceScaling,
)

_CLASSES = lookup.name_table(
    [
        Constant,
        GlorotNormal,
        GlorotUniform,
        HeNormal,
        HeUniform,
        Identity,
        LecunNormal,
        LecunUniform,
        Ones,
        Orthogonal,
        RandomNormal,
        RandomUniform,
        TruncatedNormal,
        VarianceScaling,
        Zeros,
    ],
    IdentityInitializer=Identity,
    OrthogonalInitializer=Orthogonal,
    normal=RandomNormal,
    one=Ones,
    uniform=RandomUniform,
    zero=Zeros,
)


@export("initializers.get")
def get(identifier: Any) -> Any:
    """The initializer an identifier stands for; None for None.

    Source: `keras.initializers.get`.

    Args:
        identifier: a name ("he_normal"), a class, an initializer, a function (shape, dtype) -> array, an array of the
            weight's shape, or a serialised config.

    Raises:
        ValueError: nothing of that name; the message gives the nearest one.

    Example:
        >>> type(get("he_normal")).__name__
        'HeNormal'
    """
    if isinstance(identifier, np.ndarray | np.generic):
        return _given(identifier)
    return lookup.get(identifier, "initializer", _CLASSES, deserialize, backend.get_registered_object)


def _given(values: Any) -> Any:
    def initializer(shape: Sequence[int], dtype: Any = None) -> Any:
        if tuple(shape) != values.shape:
            raise ShapeError(
                f"An array given as initializer has the shape of its weight. Expected `shape` to be {values.shape}, "
                f"the array's. Received: shape={tuple(shape)}."
            )
        return as_dtype(values, dtype)

    return initializer


@export("initializers.serialize")
def serialize(initializer: Any) -> Any:
    """What a config holds for an initializer."""
    return backend.serialize_keras_object(initializer)


@export("initializers.deserialize")
def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The initializer of a config; one without a module (older files) is looked up by its class name."""
    return lookup.deserialize(
        config, _CLASSES, lambda c: backend.deserialize_keras_object(c, custom_objects=custom_objects)
    )


__getattr__, __dir__ = lazy_names(__name__)  # other names of the same things: glorot_uniform

__all__ = [
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "Orthogonal",
    "RandomNormal",
    "RandomUniform",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "deserialize",
    "get",
    "serialize",
]
