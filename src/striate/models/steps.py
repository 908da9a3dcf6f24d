"""One training, test or prediction step, and the programs that run them.

A step is run once under a trace for each signature of its batch; ever after it is one native program.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from striate import backend, ops
from striate.backend import KerasTensor
from striate.core import tree
from striate.core.errors import ArgumentError, StriateError
from striate.data import unpack_x_y_sample_weight
from striate.data.arrays import common_length
from striate.data.leaves import as_arrays, class_weights, standardize_batch
from striate.layers.signature import call_signature
from striate.models.arithmetic import rounds_to_nearest
from striate.models.step_programs import HOST, Batch, StepPrograms


def to_float(value: Any) -> Any:
    """A logged value as Python's number where it is one."""
    if isinstance(value, float | int):
        return float(value)
    try:
        array = np.asarray(value)
        return float(array) if array.ndim == 0 else array
    except (TypeError, ValueError):
        return value


def to_logs(results: Any) -> dict[str, Any]:
    """What a step returned as numbers, names in alphabetical order (as Keras's History has them)."""
    if not isinstance(results, dict):
        raise ArgumentError(
            f"`train_step` and `test_step` return a dict of name -> value. Received: {type(results).__name__}."
        )
    return {name: to_float(results[name]) for name in sorted(results)}


class Steps(StepPrograms):
    """Steps, and what calls them with one batch."""

    # Set by Trainer and by Layer.
    _prepared_for: int
    losses: Any
    trainable_variables: Any
    name: Any

    if TYPE_CHECKING:

        def __call__(self, *args: Any, **kwargs: Any) -> Any: ...

    # The steps: users override these --------------------------------------------------------------------------------

    def train_step(self, data: Any) -> dict[str, Any]:
        """One step of training on a batch `(x, y, sample_weight)`: name -> value of the metrics.

        Overridable: it is traced like the built-in one, with `striate.value_and_grad` for gradients and
        `self.optimizer.apply(gradients, variables)`.
        """
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        variables = self.trainable_variables

        def forward() -> tuple[Any, Any]:
            y_pred = self._called(x, training=True)
            loss = self._loss_of(x, y, y_pred, sample_weight, training=True)
            return self.optimizer.scale_loss(loss), (loss, y_pred)

        (_, (loss, y_pred)), gradients = backend.value_and_grad(forward, variables)()
        self._track_loss(loss, x)
        if variables:
            self.optimizer.apply(gradients, variables)
        else:
            warnings.warn("The model does not have any trainable weights.", stacklevel=2)
        return self.compute_metrics(x, y, y_pred, sample_weight=sample_weight)

    def test_step(self, data: Any) -> dict[str, Any]:
        """One step of evaluation on a batch `(x, y, sample_weight)`: name -> value of the metrics."""
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        y_pred = self._called(x, training=False)
        if self._compiled.loss is not None or type(self).compute_loss is not Steps.compute_loss or self.losses:
            self._track_loss(self._loss_of(x, y, y_pred, sample_weight, training=False), x)
        return self.compute_metrics(x, y, y_pred, sample_weight=sample_weight)

    def predict_step(self, data: Any) -> Any:
        """The outputs for a batch `(x,)`."""
        x, _, _ = unpack_x_y_sample_weight(data)
        return self._called(x, training=False)

    def _called(self, x: Any, training: bool) -> Any:
        """The outputs. As in Keras, a `call` that takes no `training` is not told, and its layers do not train."""
        told = call_signature(type(self)).has_training
        return self(x, training=training) if told else self(x)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """The loss that training lowers: that of `compile`, and what layers added (`add_loss`, regularizers).

        Overridable.

        Raises:
            ValueError: there is no loss at all.
        """
        del x, training
        parts = []
        if self._compiled is not None and self._compiled.loss is not None:
            loss = self._compiled.loss(y, y_pred, sample_weight)
            if loss is not None:
                parts.append(loss)
        parts += [ops.sum(loss) if len(backend.shape(loss)) else loss for loss in self.losses]
        if not parts:
            raise ArgumentError("No loss to compute. Provide a `loss` argument in `compile()`, or use `add_loss`.")
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        return total

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        """Take a batch into the metrics of `compile` and give the values of all metrics. Overridable."""
        del x
        if self._compiled is not None and self._compiled.metrics is not None:
            self._compiled.metrics.update_state(y, y_pred, sample_weight)
        results: dict[str, Any] = self.get_metrics_result()  # type: ignore[attr-defined]
        if self._compiled is not None and self._compiled.metrics is not None and self._compiled.metrics.runs_on_host:
            results[HOST] = y_pred
        return results

    def _loss_of(self, x: Any, y: Any, y_pred: Any, sample_weight: Any, training: bool) -> Any:
        extra = {"training": training} if _takes(self.compute_loss, "training") else {}
        loss = self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, **extra)
        if loss is None:
            raise ArgumentError(f"compute_loss of {type(self).__name__} gave None. Return a scalar.")
        return loss

    def _track_loss(self, loss: Any, x: Any) -> None:
        """The reported loss is the mean over samples, so a batch counts by its size."""
        size = backend.shape(next(leaf for leaf in tree.flatten(x) if leaf is not None))[0]
        self._compiled.loss_tracker.update_state(loss, sample_weight=float(size or 1))

    # Before the first step ------------------------------------------------------------------------------------------

    def _prepare(self, batch: Batch, training: bool) -> None:
        """Make weights, metrics and the optimizer's variables, so that a step only reads and writes Variables."""
        parts = min(len(batch), 2)  # a prediction's batch says nothing of targets
        if self._prepared_for < parts:
            with backend.whole_and_alone():
                if self._prepared_for < parts:
                    self._make_state(batch)
                    self._prepared_for = parts
                    if self._compiled is not None:
                        self._compiled.found_metrics = None
        if training and self.optimizer is not None and not self.optimizer.built:
            with backend.whole_and_alone():
                self.optimizer.build(self.trainable_variables)

    def _make_state(self, batch: Batch) -> None:
        x, y, sample_weight = unpack_x_y_sample_weight(tree.map_structure(_symbolic, batch))
        compiled = self._compiled
        unbuilt = not all(layer.built for layer in self._flatten_layers())  # type: ignore[attr-defined]
        wants = compiled is not None and y is not None and (compiled.loss is not None or compiled.metrics is not None)
        if not (unbuilt or wants):
            return
        y_pred = None
        try:
            y_pred = self._infer(self, (x,), {"training": False})  # type: ignore[attr-defined]
        except (StriateError, ValueError):
            raise
        except NotImplementedError:
            # A model without `call`, with steps of its own: they make what they need.
            return
        if wants and y_pred is not None:
            if compiled.metrics is not None and not compiled.metrics.built:
                compiled.metrics.build(y, y_pred)
            if compiled.loss is not None and not compiled.loss.built:
                self._build_loss(x, y, y_pred, sample_weight)

    def _build_loss(self, x: Any, y: Any, y_pred: Any, sample_weight: Any) -> None:
        try:
            self._compiled.loss.build(y, y_pred)
        except ArgumentError:
            if type(self).compute_loss is Steps.compute_loss:
                raise
            # A compute_loss that hands the losses other outputs than the model's.
            backend.compute_spec_by_examples(self._loss_of, (x, y, y_pred, sample_weight), {"training": False})

    def _check_labels(self, y: Any) -> None:
        if self._compiled is not None and self._compiled.loss is not None:
            self._compiled.loss.check_labels(y)

    # One batch ------------------------------------------------------------------------------------------------------

    def _one_batch(self, x: Any, y: Any, sample_weight: Any, class_weight: Any) -> Batch:
        x, y = as_arrays(x, "x"), as_arrays(y, "y")
        if class_weight is not None:
            if sample_weight is not None:
                raise ArgumentError("You cannot give `class_weight` and `sample_weight` at the same time.")
            sample_weight = class_weights(y, class_weight)
        sample_weight = as_arrays(sample_weight, "sample_weight")
        common_length({"x": x, "y": y, "sample_weight": sample_weight})
        parts = (x, y, sample_weight) if sample_weight is not None else ((x, y) if y is not None else (x,))
        return standardize_batch(parts)

    def _reset_for_batch(self) -> None:
        """`reset_metrics`, with the metrics looked for once and not in every call."""
        if type(self).reset_metrics is not type(self)._plain_reset_metrics:  # type: ignore[attr-defined]
            self.reset_metrics()  # type: ignore[attr-defined]
            return
        if self._compiled.found_metrics is None:
            self._compiled.found_metrics = self.metrics  # type: ignore[attr-defined]
        for metric in self._compiled.found_metrics:
            metric.reset_state()

    @rounds_to_nearest
    def train_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """One training step on one batch.

        Source: `keras.Model.train_on_batch`.

        Returns:
            The loss, or a list of it and the metrics, or with `return_dict` a dictionary: of this batch alone.
        """
        self._require_compiled()  # type: ignore[attr-defined]
        batch = self._one_batch(x, y, sample_weight, class_weight)
        self._prepare(batch, training=True)
        self._check_labels((*batch, None)[1])
        self._reset_for_batch()
        logs = to_logs(self._function("train")(batch))
        return logs if return_dict else self._in_order(logs)  # type: ignore[attr-defined]

    @rounds_to_nearest
    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False) -> Any:
        """Evaluation of one batch; returns as `train_on_batch` does."""
        self._require_compiled()  # type: ignore[attr-defined]
        batch = self._one_batch(x, y, sample_weight, None)
        self._prepare(batch, training=False)
        self._check_labels((*batch, None)[1])
        self._reset_for_batch()
        logs = to_logs(self._function("test")(batch))
        return logs if return_dict else self._in_order(logs)  # type: ignore[attr-defined]

    @rounds_to_nearest
    def predict_on_batch(self, x: Any) -> Any:
        """The outputs for one batch, as arrays."""
        batch = standardize_batch((as_arrays(x, "x"),))
        self._prepare(batch, training=False)
        return self._function("predict")(batch)


def _takes(function: Callable[..., Any], name: str) -> bool:
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    if code is None:
        return True
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    return name in names or bool(code.co_flags & 0x08)  # 0x08: takes **kwargs


def _symbolic(leaf: Any) -> Any:
    """A batch's array as a symbolic tensor; the batch axis is open."""
    return None if leaf is None else KerasTensor((None, *leaf.shape[1:]), leaf.dtype.name)


__all__ = ["Steps", "to_float", "to_logs"]
