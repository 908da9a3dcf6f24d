"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from striate import backend, ops
from striate.backend import Variable
from striate.core.errors import ArgumentError
from striate.core.registry import export
from striate.ir.ops.attrs import MomentumAttrs
from striate.optimizers.optimizer import Optimizer


@export("optimizers.SGD")
class SGD(Optimizer):
    """w -= rate * g; with momentum, m = momentum * m - rate * g and w += m (Nesterov: w += momentum * m - rate * g).

    Source: `keras.optimizers.SGD`; Sutskever and others 2013. Further arguments: see Optimizer.

    Args:
        learning_rate: number, schedule or callable.
        momentum: in [0, 1]; 0 keeps no slot.
        nesterov: look ahead.

    Raises:
        ValueError: a momentum out of range.

    Example:
        >>> import numpy as np
        >>> weight = Variable([1.0])
        >>> SGD(0.1).apply([np.array([2.0], "float32")], [weight]); round(float(weight.numpy()[0]), 4)
        0.8
    """

    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
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
        if isinstance(momentum, bool) or not isinstance(momentum, int | float) or not 0 <= momentum <= 1:
            raise ArgumentError(f"`momentum` must be a float between [0, 1]. Received: momentum={momentum!r}.")
        self.momentum = momentum
        self.nesterov = nesterov
        self.momentums: list[Any] = []

    def build(self, variables: Sequence[Variable]) -> None:
        """Make a momentum for each Variable."""
        if self.built:
            return
        super().build(variables)
        if self.momentum != 0:
            self.momentums = self.add_optimizer_variables(variables, "momentum")

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Change one Variable."""
        gradient, rate = ops.cast(gradient, variable.dtype), ops.cast(learning_rate, "float32")
        if self.momentum == 0:
            variable.assign(backend.apply("sgd_update", variable, gradient, rate))
            return
        slot = self.momentums[self._get_variable_index(variable)]
        attrs = MomentumAttrs(float(self.momentum), bool(self.nesterov))
        new, momentum = backend.apply("momentum_update", variable, slot, gradient, rate, attrs=attrs)
        slot.assign(momentum)
        variable.assign(new)
