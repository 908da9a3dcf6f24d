"""Ftrl: follow the regularized leader, which keeps weights at 0 exactly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from striate import initializers, ops
from striate.backend import Variable
from striate.core.errors import ArgumentError
from striate.core.registry import export
from striate.optimizers.optimizer import Optimizer


@export("optimizers.Ftrl")
class Ftrl(Optimizer):
    """With n' = n + g**2, p = -learning_rate_power, l2 = l2_regularization_strength + beta / (2 * rate) and
    h = g + 2 * l2_shrinkage_regularization_strength * w,

        z += h - (n'**p - n**p) / rate * w
        w = (clip(z, -l1, l1) - z) / (n'**p / rate + 2 * l2)        n = n'

    Slots n and z and gradients have their Variable's shape. Weights are made anew from z: their start is forgotten.

    Source: `keras.optimizers.Ftrl`; McMahan and others 2013. Further arguments: see Optimizer.

    Args:
        learning_rate: number, schedule or callable.
        learning_rate_power: at most 0; 0 keeps the rate as it is.
        initial_accumulator_value: what n starts with, at least 0.
        l1_regularization_strength: l1 above, at least 0.
        l2_regularization_strength: at least 0.
        l2_shrinkage_regularization_strength: at least 0; acts on the gradient alone.
        beta: the paper's beta.

    Raises:
        ValueError: a number out of range.

    Example:
        >>> import numpy as np
        >>> weight = Variable([0.0])
        >>> Ftrl(0.1).apply([np.array([2.0], "float32")], [weight]); round(float(weight.numpy()[0]), 4)
        -0.0988
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
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
        if learning_rate_power > 0:
            raise ArgumentError(
                "`learning_rate_power` needs to be negative or zero. Received: "
                f"learning_rate_power={learning_rate_power}."
            )
        for what, number in (
            ("initial_accumulator_value", initial_accumulator_value),
            ("l1_regularization_strength", l1_regularization_strength),
            ("l2_regularization_strength", l2_regularization_strength),
            ("l2_shrinkage_regularization_strength", l2_shrinkage_regularization_strength),
        ):
            if number < 0:
                raise ArgumentError(f"`{what}` needs to be positive or zero. Received: {what}={number}.")
        self.learning_rate_power = learning_rate_power
        self.initial_accumulator_value = initial_accumulator_value
        self.l1_regularization_strength = l1_regularization_strength
        self.l2_regularization_strength = l2_regularization_strength
        self.l2_shrinkage_regularization_strength = l2_shrinkage_regularization_strength
        self.beta = beta
        self._sums: list[Any] = []
        self._linears: list[Any] = []

    def build(self, variables: Sequence[Variable]) -> None:
        """Make accumulator and linear for each Variable."""
        if self.built:
            return
        super().build(variables)
        starts = [initializers.Constant(self.initial_accumulator_value), "zeros"]
        self._sums, self._linears = self.add_optimizer_variables(variables, ["accumulator", "linear"], starts)

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Change one Variable."""
        place, power = self._get_variable_index(variable), -float(self.learning_rate_power)
        accumulator, linear = self._sums[place], self._linears[place]
        rate, gradient = ops.cast(learning_rate, variable.dtype), ops.cast(gradient, variable.dtype)
        total = accumulator + ops.square(gradient)
        grown, before = ops.power(total, power), ops.power(accumulator, power)
        shrunk = gradient + 2.0 * self.l2_shrinkage_regularization_strength * variable
        linear.assign_add(shrunk - (grown - before) / rate * variable)
        bound = float(self.l1_regularization_strength)
        # 2 (l2 + beta / (2 rate)), the paper's (beta + sqrt(n)) / rate + l2 in its own words.
        quadratic = (grown + self.beta) / rate + 2.0 * self.l2_regularization_strength
        variable.assign((ops.clip(linear, -bound, bound) - linear) / quadratic)
        accumulator.assign(total)
