"""Adadelta: steps of the size that former steps had, relative to the gradients' size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from striate import ops
from striate.backend import Variable
from striate.core.registry import export
from striate.optimizers.optimizer import Optimizer


@export("optimizers.Adadelta")
class Adadelta(Optimizer):
    """a = rho * a + (1 - rho) * g**2, and with s = g * sqrt(d + epsilon) / sqrt(a + epsilon)

        d = rho * d + (1 - rho) * s**2        w -= rate * s

    The paper's rate is 1. Slots a and d and gradients have their Variable's shape.

    Source: `keras.optimizers.Adadelta`; Zeiler 2012. Further arguments: see Optimizer.

    Args:
        learning_rate: number, schedule or callable.
        rho: how slowly both mean squares forget.
        epsilon: keeps the divisor off 0, and starts the first step.

    Raises:
        ValueError: what Optimizer refuses.

    Example:
        >>> import numpy as np
        >>> weight = Variable([1.0])
        >>> Adadelta(1.0).apply([np.array([2.0], "float32")], [weight]); round(float(weight.numpy()[0]), 4)
        0.9986
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.95,
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
        self.rho = rho
        self.epsilon = epsilon
        self._accumulated_grads: list[Any] = []
        self._accumulated_delta_vars: list[Any] = []

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the mean squares of gradients and of steps for each Variable."""
        if self.built:
            return
        super().build(variables)
        names = ["accumulated_grad", "accumulated_delta_var"]
        self._accumulated_grads, self._accumulated_delta_vars = self.add_optimizer_variables(variables, names)

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Change one Variable."""
        place, keep = self._get_variable_index(variable), 1.0 - self.rho
        gradients, steps = self._accumulated_grads[place], self._accumulated_delta_vars[place]
        rate, gradient = ops.cast(learning_rate, variable.dtype), ops.cast(gradient, variable.dtype)
        gradients.assign(self.rho * gradients + keep * ops.square(gradient))
        step = ops.sqrt(steps + self.epsilon) * gradient / ops.sqrt(gradients + self.epsilon)
        steps.assign(self.rho * steps + keep * ops.square(step))
        variable.assign_sub(rate * step)
