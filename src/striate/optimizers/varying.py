"""Steps that differ from each other: gradients added up over several, weights replaced by their moving averages.

Programs have no branches, so Python decides before a step (`planned_step`) and keeps a program for each decision. A
step that is traced without a plan computes both sides of a decision and selects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from striate import backend, ops
from striate.backend import Variable
from striate.core.errors import ArgumentError
from striate.optimizers.state import OptimizerState


class StepPlan(NamedTuple):
    """What Python decides before a step, since programs have no branches: each plan is a program of its own."""

    #: make an update (otherwise gradients are only added up).
    update: bool
    #: replace the weights by their moving average afterwards.
    overwrite: bool


class VaryingSteps(OptimizerState):
    """Gradient accumulation and moving averages; `Optimizer` says what an update is."""

    use_ema: bool
    ema_momentum: float
    ema_overwrite_frequency: int | None
    gradient_accumulation_steps: int | None

    def __init__(self, learning_rate: Any, name: str | None) -> None:
        super().__init__(learning_rate, name)
        self._model_variables_moving_average: list[Any] = []
        self._accumulated_gradients: list[Any] = []
        self._plan: StepPlan | None = None

    def _update(self, gradients: list[Any], variables: list[Variable]) -> None:
        raise NotImplementedError

    def _add_varying_slots(self, variables: list[Variable]) -> None:
        if self.use_ema:
            self._model_variables_moving_average = self.add_optimizer_variables(variables, "average")
        if self.gradient_accumulation_steps:
            self._accumulated_gradients = [
                self.add_variable_from_reference(v, "gradient_accumulator") for v in variables
            ]

    @contextmanager
    def planned_step(self) -> Iterator[StepPlan | None]:
        """Decide what the next step does; gives a key under which its program is to be kept, None if all are alike.

        A step that is traced without a plan computes both sides of each decision and selects: right, but slower.
        """
        self._plan = self._decide() if self._steps_differ() else None
        try:
            yield self._plan
        finally:
            self._plan = None

    def _steps_differ(self) -> bool:
        return bool(self.gradient_accumulation_steps or (self.use_ema and self.ema_overwrite_frequency))

    def _decide(self) -> StepPlan:
        done = int(self._iterations.numpy())
        steps = self.gradient_accumulation_steps or 1
        frequency = self.ema_overwrite_frequency if self.use_ema else None
        return StepPlan((done + 1) % steps == 0, bool(frequency) and (done // steps + 1) % (frequency or 1) == 0)

    def _choose(self, count: Any, every: int, decided: str, act: Callable[[], None], touched: list[Variable]) -> Any:
        """Run `act` in every `every`-th step: by the plan, by the count where it has a value, else by selecting.

        Gives whether it ran: a bool, or a symbolic one.
        """
        plan = self._plan if self._plan is not None or backend.in_trace() else self._decide()
        if plan is not None:
            if getattr(plan, decided):
                act()
            return bool(getattr(plan, decided))
        due = ops.equal(ops.mod(count + 1, every), 0)
        before = [variable.value for variable in touched]
        act()
        for variable, old in zip(touched, before, strict=True):
            variable.assign(ops.where(due, variable.value, old))
        return due

    def _accumulate(self, gradients: list[Any], variables: list[Variable]) -> None:
        steps = int(self.gradient_accumulation_steps or 1)
        accumulators = [self._accumulated_gradients[self._get_variable_index(v)] for v in variables]
        totals = [g + a for g, a in zip(gradients, accumulators, strict=True)]
        slots = [v for v in self._variables if v is not self._iterations and all(v is not a for a in accumulators)]
        updated = self._choose(
            self._iterations,
            steps,
            "update",
            lambda: self._update([total / steps for total in totals], variables),
            [*variables, *slots],
        )
        for accumulator, total in zip(accumulators, totals, strict=True):
            if isinstance(updated, bool):
                accumulator.assign(np.zeros(accumulator.shape, accumulator.dtype) if updated else total)
            else:
                accumulator.assign(ops.where(updated, 0.0, total))

    def _average(self) -> None:
        started = ops.cast(ops.not_equal(self.iterations, 0), "float32")
        momentum = started * self.ema_momentum  # the first average is the weight itself
        for variable, average in zip(self._trainable_variables, self._model_variables_moving_average, strict=True):
            if average is not None:
                held = ops.cast(momentum, variable.dtype)
                average.assign(held * average + (1.0 - held) * variable)
        if self.ema_overwrite_frequency:
            touched = [
                v
                for v, a in zip(self._trainable_variables, self._model_variables_moving_average, strict=True)
                if a is not None
            ]
            every = self.ema_overwrite_frequency
            self._choose(
                self.iterations, every, "overwrite", lambda: self._overwrite(self._trainable_variables), touched
            )

    def _overwrite(self, variables: Sequence[Variable]) -> None:
        if len(variables) != len(self._model_variables_moving_average):
            raise ArgumentError(
                f"The length of model variables ({len(variables)}) to override does not match the length of model "
                f"variables stored in the optimizer ({len(self._model_variables_moving_average)}). "
                "Please check if the optimizer was called on your model."
            )
        for variable, average in zip(variables, self._model_variables_moving_average, strict=True):
            if average is not None:
                variable.assign(average.value)

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """What ends a training run: with `use_ema`, the averages take the weights' place."""
        if self.use_ema:
            self._overwrite(var_list)
