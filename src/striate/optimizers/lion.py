"""Lion: steps of one size, in the direction of a mean of gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from striate import ops
from striate.backend import Variable
from striate.core.errors import ArgumentError
from striate.core.registry import export
from striate.optimizers.optimizer import Optimizer


@export("optimizers.Lion")
class Lion(Optimizer):
    """w -= rate * sign(beta_1 * m + (1 - beta_1) * g), then m = beta_2 * m + (1 - beta_2) * g.

    One slot, of its Variable's shape. Every weight moves by the rate, so rates are to be 3 to 10 times smaller, and
    weight decays larger, than Adam's.

    Source: `keras.optimizers.Lion`; Chen and others 2023. Further arguments: see Optimizer.

    Args:
        learning_rate: number, schedule or callable.
        beta_1: how much of the mean the direction has, in (0, 1].
        beta_2: how slowly the mean forgets.

    Raises:
        ValueError: beta_1 out of range.

    Example:
        >>> import numpy as np
        >>> weight = Variable([1.0])
        >>> Lion(0.1).apply([np.array([2.0], "float32")], [weight]); round(float(weight.numpy()[0]), 4)
        0.9
    """

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
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
        if beta_1 <= 0 or beta_1 > 1:
            raise ArgumentError(
                f"Argument `beta_1` must be in (0, 1]: with 0, Lion is SignSGD. Received: beta_1={beta_1}."
            )
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self._momentums: list[Any] = []

    def build(self, variables: Sequence[Variable]) -> None:
        """Make a momentum for each Variable."""
        if self.built:
            return
        super().build(variables)
        self._momentums = self.add_optimizer_variables(variables, "momentum")

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Change one Variable."""
        rate, gradient = ops.cast(learning_rate, variable.dtype), ops.cast(gradient, variable.dtype)
        momentum = self._momentums[self._get_variable_index(variable)]
        variable.assign_sub(rate * ops.sign(momentum * self.beta_1 + gradient * (1.0 - self.beta_1)))
        momentum.assign(momentum * self.beta_2 + gradient * (1.0 - self.beta_2))
