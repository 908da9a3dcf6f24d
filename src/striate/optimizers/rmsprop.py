"""RMSprop: gradients divided by the root of their running mean square."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from striate import backend, ops
from striate.backend import Variable
from striate.core.registry import export
from striate.ir.ops.attrs import RMSpropAttrs
from striate.optimizers.optimizer import Optimizer


@export("optimizers.RMSprop")
class RMSprop(Optimizer):
    """v = rho * v + (1 - rho) * g**2 and w -= rate * g / sqrt(v + epsilon).

    With momentum, m = momentum * m + rate * g / sqrt(...) and w -= m. Centered, the square of the running mean of g is
    taken off v.

    Source: `keras.optimizers.RMSprop`; Hinton, lecture 6e, 2012. Further arguments: see Optimizer.

    Args:
        learning_rate: number, schedule or callable.
        rho: how slowly the mean square forgets.
        momentum: 0 keeps no slot for it.
        epsilon: keeps the divisor off 0.
        centered: divide by the standard deviation instead.

    Example:
        >>> import numpy as np
        >>> weight = Variable([1.0])
        >>> RMSprop(0.1).apply([np.array([2.0], "float32")], [weight]); round(float(weight.numpy()[0]), 4)
        0.6838
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
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
        self.momentum = momentum
        self.epsilon = epsilon
        self.centered = centered
        self._velocities: list[Any] = []
        self._momentums: list[Any] = []
        self._average_gradients: list[Any] = []

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the slots for each Variable."""
        if self.built:
            return
        super().build(variables)
        self._velocities = self.add_optimizer_variables(variables, "velocity")
        if self.momentum > 0:
            self._momentums = self.add_optimizer_variables(variables, "momentum")
        if self.centered:
            self._average_gradients = self.add_optimizer_variables(variables, "average_gradient")

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Change one Variable."""
        place = self._get_variable_index(variable)
        velocity = self._velocities[place]
        gradient = ops.cast(gradient, variable.dtype)
        if self.momentum <= 0 and not self.centered:
            rate = ops.cast(learning_rate, "float32")
            attrs = RMSpropAttrs(float(self.rho), float(self.epsilon))
            new, moved = backend.apply("rmsprop_update", variable, velocity, gradient, rate, attrs=attrs)
            velocity.assign(moved)
            variable.assign(new)
            return
        rate, keep = ops.cast(learning_rate, variable.dtype), 1.0 - self.rho
        velocity.assign(self.rho * velocity + keep * ops.square(gradient))
        spread = velocity + self.epsilon
        if self.centered:
            mean = self._average_gradients[place]
            mean.assign(self.rho * mean + keep * gradient)
            spread = velocity - ops.square(mean) + self.epsilon
        step = rate * gradient / ops.sqrt(spread)
        if self.momentum > 0:
            momentum = self._momentums[place]
            momentum.assign(self.momentum * momentum + step)
            step = momentum
        variable.assign_sub(step)
