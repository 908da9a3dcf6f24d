"""Adagrad: gradients divided by the root of the sum of their squares so far."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from striate import initializers, ops
from striate.backend import Variable
from striate.core.registry import export
from striate.optimizers.optimizer import Optimizer


@export("optimizers.Adagrad")
class Adagrad(Optimizer):
    """a += g**2 and w -= rate * g / sqrt(a + epsilon): weights that were moved much move less.

    Slots and gradients have their Variable's shape.

    Source: `keras.optimizers.Adagrad`; Duchi, Hazan and Singer 2011. Further arguments: see Optimizer.

    Args:
        learning_rate: number, schedule or callable.
        initial_accumulator_value: what a starts with.
        epsilon: keeps the divisor off 0.

    Raises:
        ValueError: what Optimizer refuses.

    Example:
        >>> import numpy as np
        >>> weight = Variable([1.0])
        >>> Adagrad(0.1).apply([np.array([2.0], "float32")], [weight]); round(float(weight.numpy()[0]), 4)
        0.9012
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            learning_rate,
            weight_decay,
            clipnorm,
            clipvalue,
            global_clipnorm,
            use_ema,
            ema_momentum,
            ema_overwrite_frequency,
            loss_scale_factor,
            gradient_accumulation_steps,
            name,
            **kwargs,
        )
        self.initial_accumulator_value = initial_accumulator_value
        self.epsilon = epsilon
        self._sums: list[Any] = []

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the sum of squares for each Variable."""
        if self.built:
            return
        super().build(variables)
        start = initializers.Constant(self.initial_accumulator_value)
        self._sums = self.add_optimizer_variables(variables, "accumulator", initializer=start)

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Change one Variable."""
        rate, gradient = ops.cast(learning_rate, variable.dtype), ops.cast(gradient, variable.dtype)
        accumulator = self._sums[self._get_variable_index(variable)]
        accumulator.assign_add(ops.square(gradient))
        variable.assign_sub(rate * gradient / ops.sqrt(accumulator + self.epsilon))
