"""CompileMetrics: the metrics given to `compile`, each with its output."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from striate import backend
from striate import metrics as metrics_module
from striate.core import tree
from striate.core.errors import ArgumentError, ShapeError, SymbolicError
from striate.core.tree_pairs import lists_to_tuples, map_structure_up_to
from striate.models.misfit import misfit
from striate.models.outputs import Outputs, is_binary_or_sparse

_BY_SHAPE = {
    "accuracy": ("BinaryAccuracy", "SparseCategoricalAccuracy", "CategoricalAccuracy"),
    "acc": ("BinaryAccuracy", "SparseCategoricalAccuracy", "CategoricalAccuracy"),
    "crossentropy": ("BinaryCrossentropy", "SparseCategoricalCrossentropy", "CategoricalCrossentropy"),
    "ce": ("BinaryCrossentropy", "SparseCategoricalCrossentropy", "CategoricalCrossentropy"),
}


def _resolve_metric(identifier: Any, y_true: Any, y_pred: Any) -> Any:
    """A Metric from what the user gave. "accuracy" and "crossentropy" are chosen by the shapes."""
    if isinstance(identifier, metrics_module.Metric):
        return identifier
    if isinstance(identifier, str) and identifier.lower() in _BY_SHAPE:
        binary, sparse = is_binary_or_sparse(y_true, y_pred)
        choice = _BY_SHAPE[identifier.lower()][0 if binary else (1 if sparse else 2)]
        return getattr(metrics_module, choice)(name=identifier)
    found = metrics_module.get(identifier)
    if isinstance(found, metrics_module.Metric):
        if isinstance(identifier, str):
            found.name = identifier
        return found
    name = identifier if isinstance(identifier, str) else getattr(found, "__name__", type(found).__name__)
    return metrics_module.MeanMetricWrapper(found, name=name.strip("<>"))


def _can_be_traced(metric: Any, y_true: Any, y_pred: Any) -> bool:
    """Whether a metric is written with `striate.ops`, told by following it on symbolic tensors.

    One that asks for values (NumPy in `update_state`, `float(...)`) runs on the host after the step.
    """
    if not isinstance(y_pred, backend.KerasTensor):
        return True
    # As programs are traced: with every axis known.
    batch = tuple(
        backend.KerasTensor(tuple(2 if d is None else d for d in t.shape), t.dtype) if backend.is_keras_tensor(t) else t
        for t in (y_true, y_pred)
    )
    try:
        backend.compute_spec(metric.update_state, batch, {})
        backend.compute_spec(metric.result, (), {})
    except (SymbolicError, TypeError):
        return False
    except ShapeError as error:
        raise misfit(error, f"metric {metric.name!r}", None, y_true, y_pred) from error
    return True


class CompileMetrics(metrics_module.Metric):
    """The metrics of a model's outputs, updated together.

    In a traced step they are part of its program, except those that cannot be traced: for these `run_on_host` takes the
    step's predictions after it.

    Args:
        metrics: not weighted: a list (for one output), a list of lists, or a dictionary by output name.
        weighted_metrics: in the same forms; they get the sample weights.
        output_names: of a functional model.
    """

    def __init__(self, metrics: Any, weighted_metrics: Any, output_names: list[str] | None = None) -> None:
        super().__init__(name="compile_metrics")
        for given, role in ((metrics, "metrics"), (weighted_metrics, "weighted_metrics")):
            if given and not isinstance(given, list | tuple | dict):
                raise ArgumentError(
                    f"Expected `{role}` argument to be a list, tuple, or dict. "
                    f"Received instead: {role}={given} of type {type(given)}. Write {role}=[{given!r}]."
                )
        self._user_metrics = metrics
        self._user_weighted_metrics = weighted_metrics
        self.output_names = output_names
        self.built = False
        self._outputs: Outputs | None = None
        #: (output, whether weighted, metric), plain ones first.
        self._entries: list[tuple[int, bool, Any]] = []
        self._on_host: set[int] = set()

    @property
    def metrics(self) -> list[Any]:
        """The metrics themselves; none before the first batch."""
        return [metric for _, _, metric in self._entries]

    @property
    def variables(self) -> list[Any]:
        return [v for metric in self.metrics for v in metric.variables]

    def build(self, y_true: Any, y_pred: Any) -> None:
        """Settle which metric belongs to which output.

        Raises:
            ValueError: metrics that do not fit the outputs.
        """
        outputs = self._outputs = Outputs(y_pred, self.output_names)
        targets = _loose_targets(y_true, outputs)
        predictions = tree.flatten(y_pred)
        self._entries = []
        self._on_host = set()
        for given, weighted in ((self._user_metrics, False), (self._user_weighted_metrics, True)):
            role = "weighted_metrics" if weighted else "metrics"
            for i, own in enumerate(self._one_each(given, outputs, role)):
                if own is None:
                    continue
                for identifier in own if isinstance(own, list | tuple) else [own]:
                    if identifier is not None:
                        metric = _resolve_metric(identifier, targets[i], predictions[i])
                        if not _can_be_traced(metric, targets[i], predictions[i]):
                            self._on_host.add(len(self._entries))
                        self._entries.append((i, weighted, metric))
        self.built = True

    @staticmethod
    def _one_each(given: Any, outputs: Outputs, role: str) -> list[Any]:
        if not given:
            return [None] * outputs.count
        if outputs.count == 1:
            # All of them are for the one output, however they are packed.
            return [tree.flatten(given)]
        if isinstance(given, dict) and outputs.is_flat:
            return outputs.by_key(given, role)
        if isinstance(given, list | tuple) and outputs.is_flat and len(given) == outputs.count:
            return list(given)
        if not outputs.is_flat:
            if len(flat := tree.flatten(given)) == outputs.count:
                return flat
            found: list[Any] = []
            with contextlib.suppress(ArgumentError):  # lists and tuples count as the same
                map_structure_up_to(lists_to_tuples(outputs.structure), found.append, lists_to_tuples(given))
                return found
        raise ArgumentError(
            f"Invalid `{role}`: with several outputs it is a list with one entry an output (a metric or a list of "
            f"them), or a dict by output name. Received: {role}={given}; the model has {outputs.described()}."
        )

    @property
    def runs_on_host(self) -> bool:
        """Whether some metrics cannot be traced, and a trace is open."""
        return bool(self._on_host) and backend.in_trace()

    def run_on_host(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        """Take a batch into the metrics that cannot be traced, and give the values of all."""
        self._update(y_true, y_pred, sample_weight, lambda place: place in self._on_host)
        return self.result()

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Take in a batch; `sample_weight` counts for the weighted ones alone."""
        if not self.built:
            self.build(y_true, y_pred)
        left_out = self._on_host if backend.in_trace() else set()
        self._update(y_true, y_pred, sample_weight, lambda place: place not in left_out)

    def _update(self, y_true: Any, y_pred: Any, sample_weight: Any, wanted: Callable[[int], bool]) -> None:
        assert self._outputs is not None
        targets = _loose_targets(y_true, self._outputs)
        predictions = tree.flatten(y_pred)
        weights = tree.flatten(sample_weight)
        if len(weights) != self._outputs.count:
            weights = [weights[0]] * self._outputs.count
        elif isinstance(sample_weight, dict):
            weights = self._outputs.align(sample_weight, "sample_weight")
        for place, (i, weighted, metric) in enumerate(self._entries):
            if not wanted(place):
                continue
            if weighted and weights[i] is not None:
                metric.update_state(targets[i], predictions[i], sample_weight=weights[i])
            else:
                metric.update_state(targets[i], predictions[i])

    def reset_state(self) -> None:
        for metric in self.metrics:
            metric.reset_state()

    def result(self) -> dict[str, Any]:
        """Name -> value; names begin with the output's where there are several."""
        assert self._outputs is not None, "built by the first batch"
        several = self._outputs.count > 1
        results: dict[str, Any] = {}
        left_out = self._on_host if backend.in_trace() else set()
        for place, (i, weighted, metric) in enumerate(self._entries):
            prefix = f"{self._outputs.names[i]}_" if several and self._outputs.names[i] else ""
            name = prefix + metric.name
            if name in results and weighted:
                name = f"{prefix}weighted_{metric.name}"
            base, count = name, 1
            while name in results:
                name = f"{base}_{count}"
                count += 1
            results[name] = None if place in left_out else metric.result()
        return {name: value for name, value in results.items() if value is not None}


def _loose_targets(y_true: Any, outputs: Outputs) -> list[Any]:
    """The targets, one an output; None where there are none for it."""
    if isinstance(y_true, dict) and outputs.is_flat:
        for known in (outputs.keys, outputs.layer_names):
            if known is not None and set(known) & set(y_true):
                return [y_true.get(name) for name in known]
    flat = tree.flatten(y_true)
    return flat if len(flat) == outputs.count else (flat + [None] * outputs.count)[: outputs.count]
