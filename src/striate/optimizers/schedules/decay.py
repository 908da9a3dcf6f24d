"""Schedules that go down by a formula: exponential, inverse, polynomial, in steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from striate import backend, ops
from striate.core.errors import ArgumentError
from striate.core.registry import export
from striate.optimizers.schedules.schedule import LearningRateSchedule, as_rate, positive_steps


@export("optimizers.schedules.ExponentialDecay")
class ExponentialDecay(LearningRateSchedule):
    """initial_learning_rate * decay_rate**(step / decay_steps); with `staircase`, the exponent rounded down.

    Source: `keras.optimizers.schedules.ExponentialDecay`.

    Example:
        >>> round(float(ExponentialDecay(0.1, 10, 0.5)(20)), 4)
        0.025
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = positive_steps(decay_steps)
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name

    def __call__(self, step: Any) -> Any:
        exponent = as_rate(step) / self.decay_steps
        exponent = ops.floor(exponent) if self.staircase else exponent
        return self.initial_learning_rate * ops.power(float(self.decay_rate), exponent)


@export("optimizers.schedules.InverseTimeDecay")
class InverseTimeDecay(LearningRateSchedule):
    """initial_learning_rate / (1 + decay_rate * step / decay_steps); with `staircase`, the quotient rounded down.

    Source: `keras.optimizers.schedules.InverseTimeDecay`.

    Example:
        >>> round(float(InverseTimeDecay(0.1, 1, 0.5)(2)), 4)
        0.05
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "InverseTimeDecay",
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = positive_steps(decay_steps)
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name

    def __call__(self, step: Any) -> Any:
        done = as_rate(step) / self.decay_steps
        done = ops.floor(done) if self.staircase else done
        return self.initial_learning_rate / (1.0 + self.decay_rate * done)


@export("optimizers.schedules.PolynomialDecay")
class PolynomialDecay(LearningRateSchedule):
    """(initial - end) * (1 - min(step, decay_steps) / decay_steps)**power + end.

    Source: `keras.optimizers.schedules.PolynomialDecay`.

    Args:
        cycle: decay_steps grows to the next multiple that is not below the step, instead of staying at the end.

    Example:
        >>> round(float(PolynomialDecay(0.1, 10, 0.0)(5)), 4)
        0.05
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ) -> None:
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = positive_steps(decay_steps)
        self.end_learning_rate = end_learning_rate
        self.power = power
        self.cycle = cycle
        self.name = name

    def __call__(self, step: Any) -> Any:
        step = as_rate(step)
        if self.cycle:
            cycles = ops.where(ops.equal(step, 0), 1.0, ops.ceil(step / self.decay_steps))
            left = 1.0 - step / (self.decay_steps * cycles)
        else:
            left = 1.0 - ops.minimum(step, self.decay_steps) / self.decay_steps
        whole = self.initial_learning_rate - self.end_learning_rate
        return whole * ops.power(left, float(self.power)) + self.end_learning_rate


@export("optimizers.schedules.PiecewiseConstantDecay")
class PiecewiseConstantDecay(LearningRateSchedule):
    """values[i] while boundaries[i - 1] < step <= boundaries[i].

    Source: `keras.optimizers.schedules.PiecewiseConstantDecay`.

    Args:
        boundaries: rising steps.
        values: the rates, one more than there are boundaries.

    Raises:
        ValueError: numbers of boundaries and values that do not fit.

    Example:
        >>> schedule = PiecewiseConstantDecay([10, 20], [0.1, 0.01, 0.001])
        >>> [round(float(schedule(t)), 4) for t in (10, 11, 21)]
        [0.1, 0.01, 0.001]
    """

    def __init__(self, boundaries: Sequence[float], values: Sequence[float], name: str = "PiecewiseConstant") -> None:
        if len(boundaries) != len(values) - 1:
            raise ArgumentError(
                "The length of boundaries should be 1 less than the length of values. "
                f"Received: boundaries={boundaries} of length {len(boundaries)}, and values={values} of length "
                f"{len(values)}."
            )
        self.boundaries = boundaries
        self.values = values
        self.name = name

    def __call__(self, step: Any) -> Any:
        step = backend.convert_to_tensor(step)
        rate = backend.convert_to_tensor(float(self.values[-1]))
        for boundary, value in zip(reversed(self.boundaries), reversed(self.values[:-1]), strict=True):
            # Boundaries are compared in the step's own type, as Keras's are.
            limit = ops.cast(boundary, backend.dtype_of(step))
            rate = ops.where(ops.less_equal(step, limit), float(value), rate)
        return rate
