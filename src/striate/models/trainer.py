"""Trainer: compile, what is measured, and what a training step is."""

from __future__ import annotations

import inspect
import warnings
from typing import Any

from striate import backend
from striate import metrics as metrics_module
from striate import optimizers as optimizers_module
from striate.core.errors import ArgumentError, StateError
from striate.models.compile_loss import CompileLoss
from striate.models.compile_metrics import CompileMetrics
from striate.models.loops import Loops
from striate.models.step_programs import TracedFrom
from striate.models.steps import Steps


class Compiled:
    """What `compile` made. An object of its own, so that a model does not take these metrics for its own layers'."""

    def __init__(self, arguments: dict[str, Any]) -> None:
        self.arguments = arguments
        self.loss: CompileLoss | None = None
        self.metrics: CompileMetrics | None = None
        self.loss_tracker: Any = None
        #: the model's metrics, once they were looked for.
        self.found_metrics: list[Any] | None = None
        #: names in logs -> names in the order of the metrics.
        self.orders: dict[tuple[str, ...], list[str]] = {}


class Trainer(Steps, Loops):
    """The part of a model that trains it."""

    def __init__(self) -> None:
        self._compiled: Compiled | None = None
        self.optimizer: Any = None
        self.loss: Any = None
        self.stop_training = False
        self.run_eagerly = False
        self.steps_per_execution = 1
        self.jit_compile = True
        self.history: Any = None
        self._functions: dict[Any, Any] = {}
        #: how many parts (inputs, targets) the batch had that the state was made for.
        self._prepared_for = 0
        self._traced_from = TracedFrom()
        self._validation_epochs: Any = None

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int = 1,
        jit_compile: bool | str = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Say how the model is trained and judged.

        Source: `keras.Model.compile`.

        Args:
            optimizer: name or Optimizer.
            loss: name, function `(y_true, y_pred)`, or Loss; with several outputs a list, or a dictionary by output
                name.
            loss_weights: factor of each output's loss.
            metrics: names, functions or Metrics, not weighted by samples; "accuracy" is chosen by the shapes. With
                several outputs a list of lists, or a dictionary by output name.
            weighted_metrics: the same, weighted by samples.
            run_eagerly: run steps op by op on arrays, so that they can be looked into; slow.
            steps_per_execution: batches between two calls of the callbacks.
            jit_compile: Keras's; steps are programs anyway.
            auto_scale_loss: Keras's, for float16; float32 needs no scaling.

        Raises:
            ValueError: an unknown name, or a form that is none of these.
        """
        del auto_scale_loss
        if isinstance(steps_per_execution, bool) or not isinstance(steps_per_execution, int) or steps_per_execution < 1:
            raise ArgumentError(
                f"`steps_per_execution` is an integer of at least 1. Received: {steps_per_execution!r}."
            )
        if jit_compile is True and run_eagerly:
            warnings.warn(
                "If `run_eagerly` is True, then `jit_compile` cannot also be True. Disabling `jit_compile`.",
                stacklevel=2,
            )
        self.optimizer = optimizers_module.get(optimizer)
        self.jit_compile = not run_eagerly if jit_compile == "auto" else bool(jit_compile) and not run_eagerly
        compiled = Compiled(
            {
                "optimizer": self.optimizer,
                "loss": loss,
                "loss_weights": loss_weights,
                "metrics": metrics,
                "weighted_metrics": weighted_metrics,
                "run_eagerly": run_eagerly,
                "steps_per_execution": steps_per_execution,
                "jit_compile": self.jit_compile,
            }
        )
        names = getattr(self, "output_names", None)
        if loss is not None:
            compiled.loss = CompileLoss(loss, loss_weights, output_names=names)
        if metrics is not None or weighted_metrics is not None:
            compiled.metrics = CompileMetrics(metrics, weighted_metrics, output_names=names)
        compiled.loss_tracker = metrics_module.Mean(name="loss")
        self._compiled = compiled
        self.loss = loss
        self.run_eagerly = run_eagerly
        self.steps_per_execution = steps_per_execution
        self.stop_training = False
        self._forget_functions()

    @property
    def compiled(self) -> bool:
        """Whether `compile` was called."""
        return self._compiled is not None

    def _require_compiled(self) -> Compiled:
        if self._compiled is None:
            raise StateError(
                "You must call `compile()` before using the model: model.compile(optimizer, loss, metrics=[...])."
            )
        return self._compiled

    def _forget_functions(self) -> None:
        """Drop the programs of steps: the model or how it is trained has changed."""
        backend.Toggles.count += 1  # models around this one look at it again
        self._functions = {}
        self._prepared_for = 0
        self._traced_from = TracedFrom()
        if self._compiled is not None:
            self._compiled.found_metrics = None

    # What is measured -----------------------------------------------------------------------------------------------

    @property
    def metrics(self) -> list[Any]:
        """Loss, compiled metrics, losses of single outputs, then metrics of the model's own and of its layers'."""
        found: dict[int, Any] = {}
        if self._compiled is not None:
            own = [self._compiled.loss_tracker, self._compiled.metrics]
            own += self._compiled.loss.metrics if self._compiled.loss is not None else []
            found = {id(m): m for m in own if m is not None}
        for metric in self._own_metrics():  # type: ignore[attr-defined]
            found.setdefault(id(metric), metric)
        return list(found.values())

    @property
    def metrics_names(self) -> list[str]:
        return [m.name for m in self.metrics]

    def reset_metrics(self) -> None:
        """Forget what the metrics took in: called at the start of each epoch."""
        for metric in self.metrics:
            metric.reset_state()

    _plain_reset_metrics = reset_metrics

    def get_metrics_result(self) -> dict[str, Any]:
        """Name -> value of all metrics; what a step returns."""
        results: dict[str, Any] = {}
        for metric in self.metrics:
            if isinstance(metric, CompileMetrics) and not metric.built:
                continue
            value = metric.result()
            if isinstance(value, dict):
                results.update(value)
            else:
                results[metric.name] = value
        return results

    def _in_order(self, logs: dict[str, Any]) -> Any:
        """Values as `evaluate` gives them: the loss first, then in the metrics' order; one alone without a list."""
        compiled = self._require_compiled()
        order = compiled.orders.get(tuple(logs))
        if order is None:
            names: list[str] = []
            for metric in self.metrics:
                names += [m.name for m in metric.metrics] if isinstance(metric, CompileMetrics) else [metric.name]
            order = [n for n in dict.fromkeys(names) if n in logs] + [n for n in sorted(logs) if n not in names]
            compiled.orders[tuple(logs)] = order
        ordered = [logs[n] for n in order]
        return ordered[0] if len(ordered) == 1 else ordered

    # Files ----------------------------------------------------------------------------------------------------------

    def get_compile_config(self) -> dict[str, Any]:
        """The arguments of `compile` as plain values; empty before it."""
        if self._compiled is None:
            return {}
        return {k: backend.serialize_keras_object(v) for k, v in self._compiled.arguments.items()}

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile as `get_compile_config` says, and make the optimizer's variables if the model is built."""
        if type(self).compile is not Trainer.compile and not _would_take(self.compile, config):
            warnings.warn(
                "`compile()` was not called as part of model loading because the model's `compile()` method is custom. "
                "Override get_compile_config() and compile_from_config(config) too, or call compile() after loading.",
                stacklevel=2,
            )
            return
        self.compile(**{k: backend.deserialize_keras_object(v) for k, v in config.items()})
        if self.optimizer is not None and getattr(self, "built", False):
            self.optimizer.build(self.trainable_variables)


def _would_take(compile: Any, config: dict[str, Any]) -> bool:
    """Whether a user's `compile` can be called with what a file holds."""
    try:
        inspect.signature(compile).bind(**config)
    except TypeError:
        return False
    return "optimizer" in config
