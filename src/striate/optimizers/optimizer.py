"""The base of optimizers: from gradients to new weights, with clipping, decay, accumulation and averaging around it."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterable, Sequence
from typing import Any

from striate import ops
from striate.backend import Variable
from striate.core.errors import ArgumentError
from striate.core.registry import export
from striate.optimizers import clipping
from striate.optimizers.varying import VaryingSteps


@export("Optimizer", "optimizers.Optimizer")
class Optimizer(VaryingSteps):
    """Base of optimizers: subclasses make slots in `build(variables)` and say `update_step(gradient, variable, rate)`.

    The rule is written with `striate.ops` and `self.assign(...)`; it becomes part of the training step's program.

    Source: `keras.optimizers.Optimizer`.

    Args:
        learning_rate: a number, a LearningRateSchedule, or a function without arguments (asked when a step is traced).
        weight_decay: w is lowered by w * weight_decay * learning_rate before each update.
        clipnorm: upper bound of each gradient's norm. Only one of the three bounds may be given.
        clipvalue: upper bound of each element's size.
        global_clipnorm: upper bound of the norm of all gradients together.
        use_ema: keep moving averages of the weights, which take their place at the end of `fit`.
        ema_momentum: average = ema_momentum * average + (1 - ema_momentum) * weight.
        ema_overwrite_frequency: after how many updates the averages take the weights' place; None: only at the end.
        loss_scale_factor: the loss is multiplied by it and the gradients divided (for short floats).
        gradient_accumulation_steps: over how many steps gradients are averaged before an update.
        name: of the optimizer's variables.

    Raises:
        ValueError: bounds that exclude each other, or numbers out of range.

    Example:
        >>> class SignSGD(Optimizer):
        ...     def update_step(self, gradient, variable, learning_rate):
        ...         self.assign_sub(variable, learning_rate * ops.sign(gradient))
        >>> weight = Variable([1.0])
        >>> SignSGD(0.5).apply([weight.value * 3.0], [weight]); weight.numpy().tolist()
        [0.5]
    """

    def __init__(
        self,
        learning_rate: Any,
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
        if kwargs.pop("decay", None) is not None:
            warnings.warn("Argument `decay` is no longer supported and will be ignored.", stacklevel=2)
        if kwargs:
            hint = " Write learning_rate=... ." if "lr" in kwargs else ""
            taken = ", ".join(n for n in inspect.signature(type(self)).parameters if n != "kwargs")
            raise ArgumentError(f"Argument(s) not recognized: {kwargs}.{hint} {type(self).__name__} takes: {taken}.")
        if gradient_accumulation_steps and gradient_accumulation_steps < 2:
            raise ArgumentError(
                "`gradient_accumulation_steps` must be an integer >= 2. "
                f"Received: gradient_accumulation_steps={gradient_accumulation_steps}"
            )
        if use_ema and not 0 <= ema_momentum <= 1:
            raise ArgumentError(f"`ema_momentum` must be in the range [0, 1]. Received: ema_momentum={ema_momentum}")
        frequency = ema_overwrite_frequency
        if use_ema and frequency and (not isinstance(frequency, int) or frequency < 1):
            raise ArgumentError(
                "`ema_overwrite_frequency` must be an integer >= 1 or None. "
                f"Received: ema_overwrite_frequency={frequency}"
            )
        if sum(bound is not None for bound in (clipnorm, clipvalue, global_clipnorm)) > 1:
            raise ArgumentError(
                "Only one of `clipnorm`, `clipvalue` and `global_clipnorm` can be set. Received: "
                f"clipnorm={clipnorm}, clipvalue={clipvalue}, global_clipnorm={global_clipnorm}"
            )
        super().__init__(learning_rate, name)
        self.weight_decay = weight_decay
        self.clipnorm = clipnorm
        self.clipvalue = clipvalue
        self.global_clipnorm = global_clipnorm
        self.use_ema = use_ema
        self.ema_momentum = ema_momentum
        self.ema_overwrite_frequency = ema_overwrite_frequency
        self.loss_scale_factor = loss_scale_factor
        self.gradient_accumulation_steps = gradient_accumulation_steps

    # What subclasses say ----------------------------------------------------------------------------------------------

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the slots for these Variables; subclasses call this first, then add their own."""
        variables = list(variables)
        self._add_varying_slots(variables)
        self._places = {id(variable): i for i, variable in enumerate(variables)}
        self._trainable_variables = variables
        self.built = True

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Assign a Variable's new value, and its slots'."""
        raise NotImplementedError(
            f"{type(self).__name__} must implement update_step(gradient, variable, learning_rate)."
        )

    def assign(self, variable: Variable, value: Any) -> None:
        """Set a Variable of the model or of the optimizer."""
        variable.assign(ops.cast(value, variable.dtype))

    def assign_add(self, variable: Variable, value: Any) -> None:
        """Add to a Variable."""
        variable.assign_add(ops.cast(value, variable.dtype))

    def assign_sub(self, variable: Variable, value: Any) -> None:
        """Subtract from a Variable."""
        variable.assign_sub(ops.cast(value, variable.dtype))

    # A step -----------------------------------------------------------------------------------------------------------

    def apply(self, grads: Iterable[Any], trainable_variables: Iterable[Variable] | None = None) -> None:
        """One step: change the Variables by their gradients.

        Args:
            grads: a gradient for each Variable; None where the loss does not depend on it (it stays, with a warning).
            trainable_variables: the Variables, which may be left out once the optimizer is built.

        Raises:
            ValueError: gradients that do not fit the Variables, Variables it was not built for, or no gradient at all.
        """
        if hasattr(grads, "shape"):
            raise ArgumentError(
                f"`grads` is a list with a gradient for each variable. Received: {grads!r}. "
                "Gradients of a loss come from striate.value_and_grad(loss, variables)()."
            )
        gradients = list(grads)
        if not gradients:
            return
        if all(isinstance(pair, tuple) for pair in gradients):
            raise ArgumentError(
                "`grads` holds pairs. Write apply(gradients, variables), or apply_gradients(zip(gradients, variables))."
            )
        if trainable_variables is None and not self.built:
            raise ArgumentError(
                "When passing `grads` without `variables`, the optimizer must already be built on a list of variables. "
                "Call `optimizer.build(trainable_variables)` first."
            )
        variables = self._trainable_variables if trainable_variables is None else list(trainable_variables)
        if len(gradients) != len(variables):
            raise ArgumentError(
                f"The gradients must match the variables one to one. Received {len(gradients)} gradients for "
                f"{len(variables)} variables."
            )
        if not self.built:
            self.build(variables)
        self._check_variables_are_known(variables)
        self._step(*self._present(gradients, variables))

    def _step(self, gradients: list[Any], variables: list[Variable]) -> None:
        """A step with gradients that are all there."""
        if gradients:
            if self.loss_scale_factor is not None:
                gradients = [g / self.loss_scale_factor for g in gradients]
            self._apply_all(gradients, variables)
            for variable in variables:
                if variable.constraint is not None:
                    variable.assign(variable.constraint(variable.value))
        self._iterations.assign_add(1)

    def __getattr__(self, name: str) -> Any:
        hint = " Write `learning_rate`." if name == "lr" else ""
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}.{hint}", name=name, obj=self)

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Variable]]) -> Variable:
        """`apply` on (gradient, Variable) pairs; gives the count of steps."""
        pairs = list(grads_and_vars)
        self.apply([g for g, _ in pairs], [v for _, v in pairs])
        return self._iterations

    @staticmethod
    def _present(gradients: list[Any], variables: list[Variable]) -> tuple[list[Any], list[Variable]]:
        """Those that have a gradient; Variables that are replaced by their gradient are, and leave the list."""
        pairs = [(g, v) for g, v in zip(gradients, variables, strict=True) if g is not None]
        if not pairs:
            raise ArgumentError("No gradients provided for any variable. Does the loss depend on the model's weights?")
        missing = [v.path for g, v in zip(gradients, variables, strict=True) if g is None]
        if missing:
            warnings.warn(
                f"Gradients do not exist for variables {missing} when minimizing the loss. If using "
                "`model.compile()`, did you forget to provide a `loss` argument?",
                stacklevel=3,
            )
        for gradient, variable in pairs:
            if variable.overwrite_with_gradient:
                variable.assign(gradient)
        rest = [(g, v) for g, v in pairs if not v.overwrite_with_gradient]
        return [g for g, _ in rest], [v for _, v in rest]

    def _apply_all(self, gradients: list[Any], variables: list[Variable]) -> None:
        if self.gradient_accumulation_steps:
            self._accumulate(gradients, variables)
        else:
            self._update(gradients, variables)
        if self.use_ema:
            self._average()

    def _update(self, gradients: list[Any], variables: list[Variable]) -> None:
        gradients = self._clip_gradients(gradients)
        rate = self.learning_rate
        if self.weight_decay is not None:
            for variable in variables:
                if self._use_weight_decay(variable):
                    decay = ops.cast(rate, variable.dtype) * self.weight_decay
                    variable.assign(variable - variable * decay)
        for gradient, variable in zip(gradients, variables, strict=True):
            self.update_step(gradient, variable, rate)

    def _clip_gradients(self, gradients: list[Any]) -> list[Any]:
        if self.clipnorm:
            return [clipping.by_norm(g, self.clipnorm) for g in gradients]
        if self.global_clipnorm:
            return clipping.by_global_norm(gradients, self.global_clipnorm)
        if self.clipvalue:
            return [clipping.by_value(g, self.clipvalue) for g in gradients]
        return gradients

    def scale_loss(self, loss: Any) -> Any:
        """The loss times `loss_scale_factor`, from which gradients are to be taken."""
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor
