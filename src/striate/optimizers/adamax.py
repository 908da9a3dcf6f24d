"""Adamax: Adam with the largest gradient of late in place of the mean square."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from striate import ops
from striate.backend import Variable
from striate.core.registry import export
from striate.optimizers.optimizer import Optimizer


@export("optimizers.Adamax")
class Adamax(Optimizer):
    """m = beta_1 * m + (1 - beta_1) * g, u = max(beta_2 * u, |g|), and in step t

        w -= rate * m / ((1 - beta_1**t) * (u + epsilon))

    Slots m and u and gradients have their Variable's shape.

    Source: `keras.optimizers.Adamax`; Kingma and Ba 2014, section 7. Further arguments: see Optimizer.

    Args:
        learning_rate: number, schedule or callable.
        beta_1: how slowly the mean forgets.
        beta_2: how slowly the largest gradient is forgotten.
        epsilon: keeps the divisor off 0.

    Raises:
        ValueError: what Optimizer refuses.

    Example:
        >>> import numpy as np
        >>> weight = Variable([1.0])
        >>> Adamax(0.1).apply([np.array([2.0], "float32")], [weight]); round(float(weight.numpy()[0]), 4)
        0.9
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
        self._m: list[Any] = []
        self._u: list[Any] = []

    def build(self, variables: Sequence[Variable]) -> None:
        """Make momentum and norm for each Variable."""
        if self.built:
            return
        super().build(variables)
        self._m, self._u = self.add_optimizer_variables(variables, ["momentum", "norm"])

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Change one Variable."""
        place = self._get_variable_index(variable)
        momentum, norm = self._m[place], self._u[place]
        rate, gradient = ops.cast(learning_rate, variable.dtype), ops.cast(gradient, variable.dtype)
        step = ops.cast(self.iterations + 1, variable.dtype)
        momentum.assign_add((gradient - momentum) * (1.0 - self.beta_1))
        norm.assign(ops.maximum(self.beta_2 * norm, ops.abs(gradient)))
        scale = rate / (1.0 - ops.power(float(self.beta_1), step))
        variable.assign_sub(scale * momentum / (norm + self.epsilon))
