"""Learning-rate schedules: the rate as a function of how many steps were taken."""

from __future__ import annotations

from typing import Any

from striate.backend import deserialize_keras_object, serialize_keras_object
from striate.core.registry import export
from striate.optimizers.schedules.cosine import CosineDecay, CosineDecayRestarts
from striate.optimizers.schedules.decay import (
    ExponentialDecay,
    InverseTimeDecay,
    PiecewiseConstantDecay,
    PolynomialDecay,
)
from striate.optimizers.schedules.schedule import LearningRateSchedule

_CLASSES = (
    CosineDecay,
    CosineDecayRestarts,
    ExponentialDecay,
    InverseTimeDecay,
    PiecewiseConstantDecay,
    PolynomialDecay,
)


@export("optimizers.schedules.serialize")
def serialize(learning_rate_schedule: Any) -> Any:
    """What a config holds for a schedule. Source: `keras.optimizers.schedules.serialize`."""
    return serialize_keras_object(learning_rate_schedule)


@export("optimizers.schedules.deserialize")
def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The schedule that `serialize` described. Source: `keras.optimizers.schedules.deserialize`."""
    known = {cls.__name__ for cls in _CLASSES}
    if isinstance(config, dict) and "module" not in config and config.get("class_name") in known:
        config = {**config, "module": "keras.optimizers.schedules"}
    return deserialize_keras_object(config, custom_objects=custom_objects)


__all__ = [
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LearningRateSchedule",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "deserialize",
    "serialize",
]
