"""Sum and Mean over everything seen, and metrics that are the mean of a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from striate import backend, losses, ops
from striate.core.registry import export
from striate.losses import apply_mask, squeeze_or_expand_to_same_rank
from striate.metrics import accuracy
from striate.metrics.metric import Metric


def samplewise(
    values: Any, sample_weight: Any, reduce: Callable[..., Any], dtype: str, mask: Any = None
) -> tuple[Any, Any]:
    """(one value a sample, weighted; one weight a sample or None): other axes are reduced by `reduce`."""
    values = ops.cast(backend.convert_to_tensor(values), dtype)
    if sample_weight is not None:
        sample_weight = backend.convert_to_tensor(sample_weight, dtype)
        sample_weight = apply_mask(sample_weight, mask, dtype, "sum")
        values, sample_weight = squeeze_or_expand_to_same_rank(values, sample_weight)
        rank = len(sample_weight.shape)
        if len(values.shape) > rank:
            values = reduce(values, axis=list(range(rank, len(values.shape))))
        sample_weight = ops.broadcast_to(sample_weight, values.shape)
        values = values * sample_weight
        if rank > 1:
            sample_weight = reduce(sample_weight, axis=list(range(1, rank)))
    if len(values.shape) > 1:
        values = reduce(values, axis=list(range(1, len(values.shape))))
    return values, sample_weight


@export("metrics.Sum")
class Sum(Metric):
    """The (weighted) sum of all values. Source: `keras.metrics.Sum`.

    Example:
        >>> float(Sum()([1.0, 3.0], sample_weight=[1.0, 0.5]))
        2.5
    """

    def __init__(self, name: str | None = "sum", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable((), "zeros", dtype=self.dtype, name="total")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Add values, any shape, with weights that broadcast to them."""
        values, _ = samplewise(values, sample_weight, ops.sum, self.dtype)
        self.total.assign_add(ops.sum(values))

    def result(self) -> Any:
        """The sum so far."""
        return ops.cast(self.total, self.dtype)


@export("metrics.Mean")
class Mean(Metric):
    """The (weighted) mean over the samples: the first axis counts, the others are averaged.

    Source: `keras.metrics.Mean`.

    Example:
        >>> m = Mean(); m.update_state([1.0, 3.0]); m.update_state([5.0]); float(m.result())
        3.0
    """

    def __init__(self, name: str | None = "mean", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.total = self.add_variable((), "zeros", dtype=self.dtype, name="total")
        self.count = self.add_variable((), "zeros", dtype=self.dtype, name="count")

    def update_state(self, values: Any, sample_weight: Any = None) -> None:
        """Add values, any shape, with weights for each sample or each value."""
        self._update(values, sample_weight, None)

    def _update(self, values: Any, sample_weight: Any, mask: Any) -> None:
        values, weights = samplewise(values, sample_weight, ops.mean, self.dtype, mask)
        self.total.assign_add(ops.sum(values))
        if weights is not None:
            self.count.assign_add(ops.sum(weights))
        else:
            samples = values.shape[0] if len(values.shape) else 1
            self.count.assign_add(1.0 if samples is None else float(samples))  # open: only types are inferred

    def result(self) -> Any:
        """The mean so far; 0 before the first sample."""
        return ops.divide_no_nan(self.total, self.count)


@export("metrics.MeanMetricWrapper")
class MeanMetricWrapper(Mean):
    """The mean of a function (y_true, y_pred) -> a value for each sample.

    Source: `keras.metrics.MeanMetricWrapper`.

    Args:
        fn: the function, written with `striate.ops`.
        kwargs: its further arguments.

    Example:
        >>> wrapped = MeanMetricWrapper(lambda y_true, y_pred: ops.abs(y_true - y_pred), name="distance")
        >>> float(wrapped([1.0, 2.0], [3.0, 2.0]))
        1.0
    """

    def __init__(self, fn: Callable[..., Any], name: str | None = None, dtype: Any = None, **kwargs: Any) -> None:
        super().__init__(name=name, dtype=dtype)
        self.fn = fn
        self._fn_kwargs = kwargs

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        """Add a batch."""
        sample_weight = apply_mask(sample_weight, backend.get_keras_mask(y_pred), self.dtype, "sum")
        y_true, y_pred = losses.to_tensors(y_true), losses.to_tensors(y_pred)
        self._update(self.fn(y_true, y_pred, **self._fn_kwargs), sample_weight, None)

    def get_config(self) -> dict[str, Any]:
        """The arguments as plain values."""
        return {**super().get_config(), **backend.serialize_keras_object(self._fn_kwargs)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> MeanMetricWrapper:
        """A metric made from what `get_config` gave."""
        config = backend.deserialize_keras_object(config)
        if isinstance(config["fn"], str):
            config["fn"] = vars(accuracy).get(config["fn"]) or losses.get(config["fn"])
        return cls(**config)


class FunctionMetric(Mean):
    """Base of the metrics that are the mean of a function of (y_true, y_pred) and of their own arguments."""

    #: the function; its arguments are attributes of the metric, named in `_arguments`.
    function: Callable[..., Any]
    _arguments: tuple[str, ...] = ()

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        """Add a batch of targets and predictions, with weights for each sample or each value."""
        sample_weight = apply_mask(sample_weight, backend.get_keras_mask(y_pred), self.dtype, "sum")
        y_true, y_pred = backend.convert_to_tensor(y_true), backend.convert_to_tensor(y_pred)
        arguments = {name: getattr(self, name) for name in self._arguments}
        values = type(self).function(y_true, y_pred, **arguments)
        self._update(values, sample_weight, self._valid(y_true, y_pred))

    def _valid(self, y_true: Any, y_pred: Any) -> Any:
        """Which places count, as bool; None where all do."""
        return None
