"""The programs that run a model's steps: one a kind, a choice of what trains, and a signature of the batch."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from striate import backend
from striate.backend import TracedFunction
from striate.core.interrupts import Uninterrupted
from striate.data import unpack_x_y_sample_weight

Batch = tuple[Any, ...]

#: under this name a traced step gives its predictions, where metrics on the host want them.
HOST = "__predictions__"

#: functions of steps kept for a model; a choice of what trains needs three.
_MOST_FUNCTIONS = 16


class TracedFrom:
    """What a model was when its steps were traced: its layers, their arguments, what trained."""

    def __init__(self) -> None:
        self.toggles = -1
        self.arguments = backend.Toggles.arguments
        self.choice = 0
        self.choices: dict[str, int] = {}
        self.layers: list[Any] = []


class StepPrograms:
    """Functions of a batch made of a model's steps."""

    # Set by Trainer.
    _compiled: Any
    _functions: dict[Any, Any]
    _traced_from: TracedFrom
    optimizer: Any
    run_eagerly: bool

    def _choice(self) -> int:
        """The number of the choice of what trains; looked at again when a `trainable` or a layer was set anywhere."""
        seen = self._traced_from
        if seen.toggles != backend.Toggles.count:
            seen.toggles = backend.Toggles.count
            layers = list(self._flatten_layers())  # type: ignore[attr-defined]
            others = len(layers) != len(seen.layers) or not all(map(operator.is_, layers, seen.layers))
            if others or seen.arguments != backend.Toggles.arguments:
                self._functions.clear()
                seen.layers, seen.arguments = layers, backend.Toggles.arguments
            flags = str([[x._trainable, *(v.trainable for v in x._own_variables())] for x in layers])
            seen.choice = seen.choices.setdefault(flags, len(seen.choices))
        return seen.choice

    def _function(self, kind: str) -> Callable[[Batch], Any]:
        """The step of a kind ("train", "test", "predict") as a function of a batch of arrays.

        There is one for each choice of what trains, so that setting `trainable` takes effect at once, and setting it
        back and forth (the two halves of a GAN) traces nothing twice.
        """
        key = (kind, self._choice(), self.optimizer if kind == "train" else None)
        found = self._functions.get(key)
        if found is None:
            if len(self._functions) >= _MOST_FUNCTIONS:
                self._functions.clear()
            step = getattr(self, f"{kind}_step")
            # The method is looked up at each call of an eager step, and at each trace of a compiled one.
            found = _whole(step) if self.run_eagerly else self._with_host_metrics(self._traced(kind, step))
            self._functions[key] = found
        return found

    def _drop_functions(self, kind: str) -> None:
        for key in [key for key in self._functions if key[0] == kind]:
            del self._functions[key]

    def _traced(self, kind: str, step: Callable[[Batch], Any]) -> Callable[[Batch], Any]:
        """A step as programs; where training steps differ from each other, the optimizer says which one comes next."""
        optimizer = self.optimizer
        if kind != "train" or optimizer is None or not getattr(optimizer, "_steps_differ", bool)():
            return TracedFunction(step)
        by_plan: dict[Any, TracedFunction] = {}

        def planned(batch: Batch) -> Any:
            with optimizer.planned_step() as plan:
                if plan not in by_plan:
                    by_plan[plan] = TracedFunction(step)
                return by_plan[plan](batch)

        return planned

    def _with_host_metrics(self, step: Callable[[Batch], Any]) -> Callable[[Batch], Any]:
        """A step after which the metrics that cannot be traced take in its predictions."""
        metrics = self._compiled.metrics if self._compiled is not None else None
        if metrics is None or not metrics._on_host:
            return step

        def run(batch: Batch) -> Any:
            results = step(batch)
            if isinstance(results, dict) and HOST in results:
                _, y, sample_weight = unpack_x_y_sample_weight(batch)
                results.update(metrics.run_on_host(y, results.pop(HOST), sample_weight))
            return results

        return run

    def make_train_function(self, force: bool = False) -> Callable[[Batch], Any]:
        """The training step as a function of a batch; made anew with `force`."""
        if force:
            self._drop_functions("train")
        return self._function("train")

    def make_test_function(self, force: bool = False) -> Callable[[Batch], Any]:
        """The test step as a function of a batch; made anew with `force`."""
        if force:
            self._drop_functions("test")
        return self._function("test")

    def make_predict_function(self, force: bool = False) -> Callable[[Batch], Any]:
        """The prediction step as a function of a batch; made anew with `force`."""
        if force:
            self._drop_functions("predict")
        return self._function("predict")


def _whole(step: Callable[[Batch], Any]) -> Callable[[Batch], Any]:
    """An eager step writes one Variable after another: Ctrl-C waits for its end, a second one does not."""

    def run(batch: Batch) -> Any:
        with Uninterrupted():
            return step(batch)

    return run
