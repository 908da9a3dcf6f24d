"""The base of learning-rate schedules."""

from __future__ import annotations

from typing import Any

from striate import backend, ops
from striate.core.configurable import Configurable
from striate.core.errors import ArgumentError
from striate.core.registry import export


@export("optimizers.schedules.LearningRateSchedule")
class LearningRateSchedule(Configurable):
    """Base of schedules: subclasses say `__call__(step)`, written with `striate.ops`, so that it is part of the step.

    Source: `keras.optimizers.schedules.LearningRateSchedule`.

    Example:
        >>> class Halves(LearningRateSchedule):
        ...     def __call__(self, step):
        ...         return 0.1 * ops.power(0.5, ops.cast(step, "float32"))
        >>> round(float(Halves()(2)), 6)
        0.025
    """

    def __call__(self, step: Any) -> Any:
        """The learning rate at a step, a scalar; steps count from 0."""
        raise NotImplementedError(f"{type(self).__name__} must implement __call__(step).")


def positive_steps(value: Any, name: str = "decay_steps") -> Any:
    """A number of steps, checked.

    Raises:
        ValueError: zero or less.
    """
    if value <= 0:
        raise ArgumentError(f"Argument `{name}` must be > 0. Received: {name}={value}.")
    return value


def as_rate(step: Any) -> Any:
    """A step as a float, in which rates are computed."""
    return ops.cast(backend.convert_to_tensor(step), backend.floatx())
