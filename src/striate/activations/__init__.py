"""Activations by name, function or config: what the `activation` argument of a layer takes."""

from __future__ import annotations

from typing import Any

from striate import backend
from striate.activations.functions import (
    elu,
    exponential,
    gelu,
    hard_sigmoid,
    hard_silu,
    leaky_relu,
    linear,
    log_sigmoid,
    log_softmax,
    mish,
    relu,
    relu6,
    selu,
    sigmoid,
    silu,
    softmax,
    softplus,
    softsign,
    tanh,
)
from striate.activations.published import scaled_tanh
from striate.activations.rare import (
    celu,
    glu,
    hard_shrink,
    hard_tanh,
    soft_shrink,
    sparse_plus,
    sparse_sigmoid,
    sparsemax,
    squareplus,
    tanh_shrink,
    threshold,
)
from striate.core import lookup
from striate.core.registry import export

swish = silu
hard_swish = hard_silu

_FUNCTIONS = lookup.name_table(
    [
        celu,
        elu,
        exponential,
        gelu,
        glu,
        hard_shrink,
        hard_sigmoid,
        hard_silu,
        hard_tanh,
        leaky_relu,
        linear,
        log_sigmoid,
        log_softmax,
        mish,
        relu,
        relu6,
        scaled_tanh,
        selu,
        sigmoid,
        silu,
        soft_shrink,
        softmax,
        softplus,
        softsign,
        sparse_plus,
        sparse_sigmoid,
        sparsemax,
        squareplus,
        tanh,
        tanh_shrink,
        threshold,
    ],
    swish=silu,
    hard_swish=hard_silu,
)

#: ... of which these look along an axis, and need the shape that the user sees.
_ALONG_AN_AXIS = (softmax, log_softmax, sparsemax, glu)


def is_elementwise(activation: Any) -> bool:
    """Whether it is one of ours that treats each element alone, so that the tensor's shape does not matter."""
    known = _FUNCTIONS.get(getattr(activation, "__name__", ""))
    return known is not None and known is activation and activation not in _ALONG_AN_AXIS


@export("activations.get")
def get(identifier: Any) -> Any:
    """The function an identifier stands for; `linear` for None.

    Source: `keras.activations.get`.

    Args:
        identifier: a name ("relu"), a function, a layer, a serialised config, or None.

    Raises:
        ValueError: nothing of that name; the message gives the nearest one.

    Example:
        >>> get("swish") is silu
        True
    """
    if identifier is None:
        return linear
    return lookup.get(identifier, "activation function", _FUNCTIONS, deserialize, backend.get_registered_object)


@export("activations.serialize")
def serialize(activation: Any) -> Any:
    """What a config holds for an activation: a built-in's name, a serialised object for anything else.

    Source: `keras.activations.serialize`.

    Raises:
        ValueError: a function that could not be found again by its name (a lambda, an unregistered function).
    """
    name = getattr(activation, "__name__", None)
    if name is not None and _FUNCTIONS.get(name) is activation:
        return name
    return backend.serialize_keras_object(activation)


@export("activations.deserialize")
def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The function of a config that `serialize` made."""
    if isinstance(config, dict) and config.get("class_name") == "function":
        # As Keras writes a function where it expects no activation; a registered one says `package>name`.
        name = config.get("config")
        if name in _FUNCTIONS and config.get("registered_name") in (None, name):
            return _FUNCTIONS[name]
    return lookup.deserialize(
        config, _FUNCTIONS, lambda c: backend.deserialize_keras_object(c, custom_objects=custom_objects)
    )


__all__ = [
    "celu",
    "deserialize",
    "elu",
    "exponential",
    "gelu",
    "get",
    "glu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "mish",
    "relu",
    "relu6",
    "scaled_tanh",
    "selu",
    "serialize",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "squareplus",
    "swish",
    "tanh",
    "tanh_shrink",
    "threshold",
]
