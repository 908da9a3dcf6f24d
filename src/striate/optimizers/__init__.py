"""Optimizers: how weights change by their gradients. Classes for `compile(optimizer=...)`, and by name."""

from __future__ import annotations

from typing import Any

from striate.backend import deserialize_keras_object, get_registered_object, serialize_keras_object
from striate.core.args import unknown_name
from striate.core.errors import ArgumentError
from striate.core.registry import export
from striate.optimizers import schedules
from striate.optimizers.adadelta import Adadelta
from striate.optimizers.adagrad import Adagrad
from striate.optimizers.adam import Adam, AdamW
from striate.optimizers.adamax import Adamax
from striate.optimizers.ftrl import Ftrl
from striate.optimizers.group_rates import discriminative
from striate.optimizers.lion import Lion
from striate.optimizers.multi import MultiOptimizer
from striate.optimizers.nadam import Nadam
from striate.optimizers.optimizer import Optimizer
from striate.optimizers.optimizer_map import OptimizerMap
from striate.optimizers.rmsprop import RMSprop
from striate.optimizers.sgd import SGD
from striate.optimizers.varying import StepPlan

#: name in lower case -> class
NAMES: dict[str, type[Optimizer]] = {
    cls.__name__.lower(): cls for cls in (Adadelta, Adagrad, Adam, AdamW, Adamax, Ftrl, Lion, Nadam, RMSprop, SGD)
}


@export("optimizers.serialize")
def serialize(optimizer: Any) -> Any:
    """What a config holds for an optimizer. Source: `keras.optimizers.serialize`."""
    return serialize_keras_object(optimizer)


@export("optimizers.deserialize")
def deserialize(config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
    """The optimizer that `serialize` described. Source: `keras.optimizers.deserialize`."""
    known = NAMES.get(str(config.get("class_name")).lower())
    if known is not None and str(config.get("module", "keras.optimizers")).startswith("keras"):
        return known.from_config(dict(config.get("config") or {}), custom_objects=custom_objects)
    return deserialize_keras_object(config, custom_objects=custom_objects)


@export("optimizers.get")
def get(identifier: Any) -> Any:
    """The optimizer an identifier stands for: a name ("adam", in any case), a config, or an optimizer; None for None.

    Source: `keras.optimizers.get`.

    Raises:
        ValueError: nothing of that name; the message gives the nearest one.

    Example:
        >>> get("SGD").name
        'sgd'
    """
    if identifier is None:
        return None
    thing = identifier
    if isinstance(identifier, dict):
        thing = deserialize(identifier)
    elif isinstance(identifier, str):
        thing = NAMES.get(identifier.lower()) or get_registered_object(identifier)
        thing = thing() if isinstance(thing, type) else thing
    if isinstance(thing, type) and issubclass(thing, Optimizer):
        name = thing.__name__
        raise ArgumentError(f"`optimizer` is the class {name}, not an optimizer. Write {name}(), or {name.lower()!r}.")
    if not isinstance(thing, Optimizer):
        raise unknown_name("optimizer", identifier, NAMES)
    return thing


__all__ = [
    "NAMES",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Ftrl",
    "Lion",
    "MultiOptimizer",
    "Nadam",
    "Optimizer",
    "OptimizerMap",
    "RMSprop",
    "StepPlan",
    "deserialize",
    "discriminative",
    "get",
    "schedules",
    "serialize",
]
