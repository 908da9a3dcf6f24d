"""Adam and AdamW: gradients' running means over the roots of their running mean squares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from striate import backend, ops
from striate.backend import Variable
from striate.core.errors import ArgumentError
from striate.core.registry import export
from striate.ir.ops.attrs import AdamAttrs
from striate.optimizers.optimizer import Optimizer


@export("optimizers.Adam")
class Adam(Optimizer):
    """m = beta_1 * m + (1 - beta_1) * g, v = beta_2 * v + (1 - beta_2) * g**2, and in step t

        w -= rate * sqrt(1 - beta_2**t) / (1 - beta_1**t) * m / (sqrt(v) + epsilon)

    Source: `keras.optimizers.Adam`; Kingma and Ba 2014, Reddi and others 2018 (AMSGrad). Further arguments: see
    Optimizer.

    Args:
        learning_rate: number, schedule or callable.
        beta_1: how slowly the mean forgets.
        beta_2: how slowly the mean square forgets.
        epsilon: keeps the divisor off 0 (Kingma and Ba's epsilon-hat).
        amsgrad: divide by the largest mean square so far.

    Example:
        >>> import numpy as np
        >>> weight = Variable([1.0])
        >>> Adam(0.1).apply([np.array([2.0], "float32")], [weight]); round(float(weight.numpy()[0]), 4)
        0.9
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
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
        self.amsgrad = amsgrad
        self._momentums: list[Any] = []
        self._velocities: list[Any] = []
        self._velocity_hats: list[Any] = []

    def build(self, variables: Sequence[Variable]) -> None:
        """Make momentum and velocity for each Variable."""
        if self.built:
            return
        super().build(variables)
        self._momentums, self._velocities = self.add_optimizer_variables(variables, ["momentum", "velocity"])
        if self.amsgrad:
            self._velocity_hats = self.add_optimizer_variables(variables, "velocity_hat")

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Change one Variable."""
        place = self._get_variable_index(variable)
        momentum, velocity = self._momentums[place], self._velocities[place]
        gradient = ops.cast(gradient, variable.dtype)
        rate, step = ops.cast(learning_rate, "float32"), ops.cast(self.iterations + 1, "float32")
        if not self.amsgrad:
            attrs = AdamAttrs(float(self.beta_1), float(self.beta_2), float(self.epsilon))
            new, m, v = backend.apply("adam_update", variable, momentum, velocity, gradient, rate, step, attrs=attrs)
            momentum.assign(m)
            velocity.assign(v)
            variable.assign(new)
            return
        powers = (1.0 - ops.power(float(beta), step) for beta in (self.beta_1, self.beta_2))
        first, second = powers
        scale = ops.cast(rate * ops.sqrt(second) / first, variable.dtype)
        momentum.assign_add((gradient - momentum) * (1.0 - self.beta_1))
        velocity.assign_add((ops.square(gradient) - velocity) * (1.0 - self.beta_2))
        largest = self._velocity_hats[place]
        largest.assign(ops.maximum(largest, velocity))
        variable.assign_sub(momentum * scale / (ops.sqrt(largest) + self.epsilon))


@export("optimizers.AdamW")
class AdamW(Adam):
    """Adam with weight decay that does not pass through the running means: w -= w * weight_decay * rate before a step.

    Source: `keras.optimizers.AdamW`; Loshchilov and Hutter 2019. Further arguments: see Adam and Optimizer.

    Args:
        weight_decay: a number; None is a ValueError.
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float | None = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
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
            beta_1,
            beta_2,
            epsilon,
            amsgrad,
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
        if weight_decay is None:
            raise ArgumentError("Argument `weight_decay` must be a float. Received: weight_decay=None")
