"""Layers as plain dictionaries, and back."""

from __future__ import annotations

from typing import Any

from striate import backend
from striate.core.errors import LoadError
from striate.core.registry import export
from striate.layers.base import Layer


@export("layers.serialize")
def serialize_layer(layer: Any) -> Any:
    """A layer's class and config as a dictionary. Source: `keras.layers.serialize`."""
    return backend.serialize_keras_object(layer)


@export("layers.deserialize")
def deserialize_layer(config: Any, custom_objects: Any = None) -> Any:
    """The layer that `serialize` described. Source: `keras.layers.deserialize`.

    Raises:
        ValueError: a config of something that is no layer, or of a class that Striate does not know.

    Example:
        >>> deserialize_layer(serialize_layer(striate.layers.Dense(3))).units
        3
    """
    made = backend.deserialize_keras_object(config, custom_objects=custom_objects)
    if not isinstance(made, Layer):
        raise LoadError(
            f"`keras.layers.deserialize` was passed a config of what is no layer. Received: {type(made).__name__} of "
            f"config={config}."
        )
    return made
