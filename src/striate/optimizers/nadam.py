"""Nadam: Adam that looks ahead by Nesterov's momentum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from striate import backend, ops
from striate.backend import Variable
from striate.core.registry import export
from striate.optimizers.optimizer import Optimizer


@export("optimizers.Nadam")
class Nadam(Optimizer):
    """m = beta_1 * m + (1 - beta_1) * g, v = beta_2 * v + (1 - beta_2) * g**2, and in step t, where
    u_t = beta_1 * (1 - 0.5 * 0.96**t) and p_t = u_1 * ... * u_t,

        w -= rate * (u_(t+1) * m / (1 - p_(t+1)) + (1 - u_t) * g / (1 - p_t)) / (sqrt(v / (1 - beta_2**t)) + epsilon)

    Slots m and v and gradients have their Variable's shape; p is one number for all.

    Source: `keras.optimizers.Nadam`; Dozat 2015. Further arguments: see Optimizer.

    Args:
        learning_rate: number, schedule or callable.
        beta_1: how slowly the mean forgets.
        beta_2: how slowly the mean square forgets.
        epsilon: keeps the divisor off 0.

    Raises:
        ValueError: what Optimizer refuses.

    Example:
        >>> import numpy as np
        >>> weight = Variable([1.0])
        >>> Nadam(0.1).apply([np.array([2.0], "float32")], [weight]); round(float(weight.numpy()[0]), 4)
        0.8937
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
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
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self._momentums: list[Any] = []
        self._velocities: list[Any] = []

    def build(self, variables: Sequence[Variable]) -> None:
        """Make momentum and velocity for each Variable, and the product of the decays."""
        if self.built:
            return
        variables = list(variables)
        super().build(variables)
        self._momentums, self._velocities = self.add_optimizer_variables(variables, ["momentum", "velocity"])
        self._u_product = Variable(1.0, dtype=variables[0].dtype if variables else backend.floatx(), trainable=False)

    def _decay(self, step: Any) -> Any:
        return self.beta_1 * (1.0 - 0.5 * ops.power(0.96, step))

    def _update(self, gradients: list[Any], variables: list[Variable]) -> None:
        # Once a step, before any Variable's update reads it.
        step = ops.cast(self.iterations + 1, self._u_product.dtype)
        self._u_product.assign(self._u_product * self._decay(step))
        super()._update(gradients, variables)

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Change one Variable."""
        place = self._get_variable_index(variable)
        momentum, velocity = self._momentums[place], self._velocities[place]
        rate, gradient = ops.cast(learning_rate, variable.dtype), ops.cast(gradient, variable.dtype)
        step = ops.cast(self.iterations + 1, variable.dtype)
        product, now, ahead = ops.cast(self._u_product, variable.dtype), self._decay(step), self._decay(step + 1.0)
        momentum.assign_add((gradient - momentum) * (1.0 - self.beta_1))
        velocity.assign_add((ops.square(gradient) - velocity) * (1.0 - self.beta_2))
        mean = momentum * (ahead / (1.0 - product * ahead)) + gradient * ((1.0 - now) / (1.0 - product))
        spread = velocity / (1.0 - ops.power(float(self.beta_2), step))
        variable.assign_sub(rate * mean / (ops.sqrt(spread) + self.epsilon))
