"""The base of metrics: numbers that add up over batches."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from striate import backend, initializers
from striate.core import tree
from striate.core.configurable import Configurable
from striate.core.errors import ArgumentError
from striate.core.registry import export


def _value(x: Any) -> Any:
    """What a Variable holds at this moment, which later assignments do not change."""
    return backend.convert_to_tensor(x) if isinstance(x, backend.Variable) else x


@export("Metric", "metrics.Metric")
class Metric(Configurable):
    """Base of metrics: state in Variables, `update_state(...)` adds a batch, `result()` gives the number so far.

    Both are written with `striate.ops`: in training and evaluation they become part of the step's program.

    Source: `keras.metrics.Metric`.

    Args:
        dtype: of the state and the result; floatx unless given.
        name: for reports; made of the class's name unless given.

    Example:
        >>> class Positives(Metric):
        ...     def __init__(self, **kwargs):
        ...         super().__init__(**kwargs)
        ...         self.total = self.add_variable((), "zeros", name="total")
        ...     def update_state(self, y_true, y_pred, sample_weight=None):
        ...         self.total.assign_add(float(np.sum(np.asarray(y_pred) > 0.5)))
        ...     def result(self):
        ...         return self.total.value
        >>> float(Positives()([1, 1], [0.9, 0.2]))
        1.0
    """

    #: "up" where more is better, "down" where less is, None where nothing is known: what `mode="auto"` goes by.
    _direction: str | None = None

    def __init__(self, dtype: Any = None, name: str | None = None) -> None:
        self.name = name or backend.auto_name(type(self).__name__)
        self._dtype_policy = backend.get_dtype_policy(dtype or backend.floatx())
        self._variables: list[backend.Variable] = []
        self._metrics: list[Metric] = []

    def __setattr__(self, name: str, value: Any) -> None:
        # Variables and metrics that a subclass keeps, in lists and dictionaries too, belong to its state.
        if name not in ("_variables", "_metrics") and "_metrics" in self.__dict__:
            for leaf in tree.flatten(value) if tree.is_nested(value) else [value]:
                if isinstance(leaf, backend.Variable):
                    self._track(leaf)
                elif isinstance(leaf, Metric) and all(leaf is not m for m in self._metrics):
                    self._metrics.append(leaf)
        object.__setattr__(self, name, value)

    def _track(self, variable: backend.Variable) -> None:
        if all(variable is not v for v in self._variables):
            self._variables.append(variable)

    @property
    def dtype(self) -> str:
        """Of the state and the result."""
        return self._dtype_policy.compute_dtype

    @property
    def _dtype(self) -> str:
        """As `dtype`: subclasses written for Keras use this name."""
        return self.dtype

    @property
    def variables(self) -> list[backend.Variable]:
        """The state, that of metrics inside included."""
        if "_variables" not in self.__dict__:
            raise RuntimeError(
                f"In metric {type(self).__name__!r}, you forgot to call `super().__init__()` as the first statement in "
                "the `__init__()` method. Go add it!"
            )
        return [*self._variables, *(v for metric in self._metrics for v in metric.variables)]

    def add_variable(
        self, shape: Any, initializer: Any, dtype: Any = None, aggregation: str = "sum", name: str | None = None
    ) -> backend.Variable:
        """A Variable of the state."""
        if not hasattr(self, "_variables"):
            raise RuntimeError(
                f"{type(self).__name__} adds a variable before its base is ready. Call super().__init__() first."
            )
        with backend.name_scope(self.name.replace("/", ">")):
            variable = backend.Variable(
                initializers.get(initializer),
                shape=shape,
                dtype=dtype,
                trainable=False,
                aggregation=aggregation,
                synchronization="on_read",
                name=name,
            )
        self._track(variable)
        return variable

    def add_weight(
        self, shape: Any = (), initializer: Any = None, dtype: Any = None, name: str | None = None
    ) -> backend.Variable:
        """As `add_variable`; zeros unless an initializer is given."""
        return self.add_variable(shape, "zeros" if initializer is None else initializer, dtype=dtype, name=name)

    def reset_state(self) -> None:
        """Start from nothing: all Variables become 0. Called before each epoch and evaluation."""
        for variable in self.variables:
            variable.assign(np.zeros(variable.shape, variable.dtype))

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Add a batch to the state."""
        raise NotImplementedError(f"{type(self).__name__} must implement update_state().")

    def result(self) -> Any:
        """The number so far: a scalar tensor, or a dictionary of them."""
        raise NotImplementedError(f"{type(self).__name__} must implement result().")

    # Without a change of the state ------------------------------------------------------------------------------------

    @contextmanager
    def _holding(self, metric_variables: Any) -> Iterator[list[backend.Variable]]:
        """Let `variables` have other values for a while."""
        own = self.variables
        values = own if metric_variables is None else list(metric_variables)
        if len(values) != len(own):
            raise ArgumentError(
                f"`metric_variables` must be the values of all {len(own)} variables of {self.name!r}, in the order of "
                f"`metric.variables`. Received {len(values)} values."
            )
        before = [_value(variable) for variable in own]
        try:
            for variable, value in zip(own, [_value(v) for v in values], strict=True):
                variable.assign(value)
            yield own
        finally:
            for variable, value in zip(own, before, strict=True):
                variable.assign(value)

    def stateless_update_state(self, metric_variables: Any, *args: Any, **kwargs: Any) -> list[Any]:
        """The values that `variables` would have after a batch, from those in `metric_variables`; the state stays.

        Source: `keras.metrics.Metric.stateless_update_state`.

        Raises:
            ValueError: as many values as variables are not given.
        """
        with self._holding(metric_variables) as own:
            self.update_state(*args, **kwargs)
            return [_value(variable) for variable in own]

    def stateless_result(self, metric_variables: Any) -> Any:
        """The result for the values in `metric_variables`. Source: `keras.metrics.Metric.stateless_result`."""
        with self._holding(metric_variables):
            result = self.result()
            return tree.map_structure(_value, result)

    def stateless_reset_state(self) -> list[Any]:
        """The values of `variables` at the start. Source: `keras.metrics.Metric.stateless_reset_state`."""
        with self._holding(None) as own:
            self.reset_state()
            return [_value(variable) for variable in own]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Add a batch and give the number so far."""
        self.update_state(*args, **kwargs)
        return self.result()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"
