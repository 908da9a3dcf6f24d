"""What an optimizer keeps: the count of its steps, its learning rate, its slots, and how it is described in files."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import numpy as np

from striate import backend, initializers, ops
from striate.backend import Variable
from striate.core.configurable import Configurable
from striate.core.errors import ArgumentError, DTypeError, ShapeError, StateError
from striate.optimizers.schedules import LearningRateSchedule

S = TypeVar("S", bound="OptimizerState")

#: Written by Keras 2.13 to 2.15, and without meaning since.
_KERAS_2_KEYS = ("jit_compile", "is_legacy_optimizer")


class OptimizerState(Configurable):
    """Variables, learning rate and config of an optimizer; `Optimizer` adds the rules."""

    _not_in_config = ("learning_rate",)

    def __init__(self, learning_rate: Any, name: str | None) -> None:
        if name is not None and (not isinstance(name, str) or "/" in name):
            raise ArgumentError(
                f"Argument `name` must be a string and cannot contain character `/`. Received: name={name!r}. Give "
                "e.g. name='slow'."
            )
        self.name = name or backend.auto_name(type(self).__name__)
        self._variables: list[Variable] = []
        self.built = False
        self._places: dict[int, int] = {}
        self._trainable_variables: list[Variable] = []
        self._excluded: set[int] = set()
        self._excluded_names: re.Pattern[str] | None = None
        with backend.name_scope(self.name):
            self._iterations = Variable(
                0, dtype="int32", trainable=False, aggregation="only_first_replica", name="iteration"
            )
        if callable(learning_rate):
            self._learning_rate: Any = learning_rate
        else:
            if isinstance(learning_rate, bool) or not isinstance(learning_rate, int | float | np.number):
                raise ArgumentError(
                    "Argument `learning_rate` should be float, or an instance of LearningRateSchedule, or a callable "
                    "(that takes in the current iteration value and returns the corresponding learning rate value). "
                    f"Received instead: learning_rate={learning_rate!r}"
                )
            with backend.name_scope(self.name):
                self._learning_rate = Variable(
                    float(learning_rate),
                    dtype=backend.floatx(),
                    trainable=False,
                    aggregation="only_first_replica",
                    name="learning_rate",
                )

    def __setattr__(self, name: str, value: Any) -> None:
        # Variables that a subclass keeps belong to the optimizer's state.
        if isinstance(value, Variable):
            if "_variables" not in self.__dict__:
                raise RuntimeError(f"{type(self).__name__} must call super().__init__() before it keeps variables.")
            self._track(value)
        object.__setattr__(self, name, value)

    def _track(self, variable: Variable) -> None:
        if all(variable is not v for v in self._variables):
            self._variables.append(variable)

    # Variables --------------------------------------------------------------------------------------------------------

    @property
    def variables(self) -> list[Variable]:
        """All that is saved: iteration, learning rate (unless a schedule gives it), then the slots."""
        return list(self._variables)

    @property
    def iterations(self) -> Any:
        """How many updates were made: a Variable, or with gradient accumulation a number made of it."""
        steps = getattr(self, "gradient_accumulation_steps", None)
        return ops.floor_divide(self._iterations, steps) if steps else self._iterations

    def add_variable(
        self,
        shape: Any,
        initializer: Any = "zeros",
        dtype: Any = None,
        aggregation: str = "none",
        layout: Any = None,
        name: str | None = None,
    ) -> Variable:
        """A Variable of the optimizer's state. Source: `keras.optimizers.Optimizer.add_variable`."""
        del layout
        with backend.name_scope(self.name):
            variable = Variable(
                initializers.get(initializer),
                shape=shape,
                dtype=dtype,
                trainable=False,
                aggregation=aggregation,
                name=name,
            )
        self._track(variable)
        return variable

    def add_variable_from_reference(
        self, reference_variable: Variable, name: str | None = None, initializer: Any = "zeros"
    ) -> Variable:
        """A slot: a Variable of the shape and dtype of a model's Variable.

        Source: `keras.optimizers.Optimizer.add_variable_from_reference`.
        """
        return self.add_variable(
            shape=reference_variable.shape,
            initializer=initializer,
            dtype=reference_variable.dtype,
            name=f"{reference_variable.path.replace('/', '_')}_{name or 'var'}",
        )

    def add_optimizer_variables(
        self, trainable_variables: Iterable[Variable], name: str | Sequence[str], initializer: Any = "zeros"
    ) -> Any:
        """A slot (with several names: as many slots) for each Variable; slots of one Variable are kept side by side.

        Returns:
            A list of slots, or a tuple of lists, one a name.
        """
        names = [name] if isinstance(name, str) else list(name)
        single = isinstance(initializer, str) or callable(initializer)
        initial = [initializer] * len(names) if single else list(initializer)
        columns: tuple[list[Any], ...] = tuple([] for _ in names)
        for variable in trainable_variables:
            skip = variable.overwrite_with_gradient
            for column, one, start in zip(columns, names, initial, strict=True):
                column.append(None if skip else self.add_variable_from_reference(variable, one, start))
        return columns[0] if isinstance(name, str) else columns

    def _get_variable_index(self, variable: Variable) -> int:
        return self._places[id(variable)]

    def _check_variables_are_known(self, variables: Iterable[Variable]) -> None:
        for variable in variables:
            if id(variable) not in self._places:
                raise ArgumentError(
                    f"Unknown variable: {variable.path}. This optimizer can only be called for the variables it was "
                    "originally built with. When working with a new set of variables, you should recreate a new "
                    "optimizer instance. After setting a layer's `trainable` to True, or adding a layer, compile "
                    "the model again with one."
                )

    # Learning rate ----------------------------------------------------------------------------------------------------

    @property
    def learning_rate(self) -> Any:
        """The rate of the next step: a Variable (which can be assigned), or what the schedule gives."""
        rate = self._learning_rate
        if isinstance(rate, LearningRateSchedule):
            return rate(self._iterations)
        return rate() if callable(rate) and not isinstance(rate, Variable) else rate

    @learning_rate.setter
    def learning_rate(self, learning_rate: Any) -> None:
        old = self._learning_rate
        if callable(learning_rate):
            if isinstance(old, Variable):
                self._variables = [v for v in self._variables if v is not old]
            self._learning_rate = learning_rate
            return
        if not isinstance(old, Variable):
            raise DTypeError(
                "This optimizer was created with a `LearningRateSchedule` object as its `learning_rate` constructor "
                "argument, hence its learning rate is not settable. If you need the learning rate to be settable, you "
                "should instantiate the optimizer with a float `learning_rate` argument."
            )
        old.assign(learning_rate)

    # Weight decay -----------------------------------------------------------------------------------------------------

    def exclude_from_weight_decay(
        self, var_list: Iterable[Variable] | None = None, var_names: Iterable[str] | None = None
    ) -> None:
        """Leave Variables, or those in whose names one of the given words occurs, out of the weight decay.

        Source: `keras.optimizers.Optimizer.exclude_from_weight_decay`. To be called before the optimizer is built.
        """
        if self.built:
            raise StateError(
                "`exclude_from_weight_decay()` can only be configured before the optimizer is built. Call it earlier."
            )
        self._excluded = {id(variable) for variable in var_list or ()}
        words = sorted(set(var_names or ()))
        self._excluded_names = re.compile("|".join(words)) if words else None

    def _use_weight_decay(self, variable: Variable) -> bool:
        named = self._excluded_names is not None and self._excluded_names.search(variable.name) is not None
        return id(variable) not in self._excluded and not named

    # Files ------------------------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments as plain values; a learning rate that was changed, as it is now."""
        rate = self._learning_rate
        held = float(rate.numpy()) if isinstance(rate, Variable) else backend.serialize_keras_object(rate)
        return {"learning_rate": held, **super().get_config()}

    @classmethod
    def from_config(cls: type[S], config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> S:
        """An optimizer made from what `get_config` gave."""
        config = {key: value for key, value in config.items() if key not in _KERAS_2_KEYS}
        if isinstance(config.get("learning_rate"), dict):
            config["learning_rate"] = backend.deserialize_keras_object(config["learning_rate"], custom_objects)
        return cls(**config)

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Set the values of `variables`, in their order.

        Raises:
            ValueError: an optimizer that is not built, or a value of another shape.
        """
        if not self.built:
            raise StateError(
                "You are calling `set_weights()` on an optimizer that has not yet been built. Please call "
                "`optimizer.build(trainable_variables)` to create the optimizer weights before calling it."
            )
        self._set(self._variables, weights)

    @staticmethod
    def _set(variables: Sequence[Variable], weights: Sequence[Any]) -> None:
        for variable, weight in zip(variables, weights, strict=False):
            if variable.shape != np.shape(weight):
                raise ShapeError(
                    f"Optimizer variable {variable.path} has shape {variable.shape} not compatible with provided "
                    f"weight shape {np.shape(weight)}."
                )
            variable.assign(weight)

    def save_own_variables(self, store: Any) -> None:
        """Put the values of `variables` under "0", "1", ... into a store of arrays."""
        for i, variable in enumerate(self.variables):
            store[str(i)] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Take the values of `variables` from such a store; one of another length is left alone, with a warning."""
        if len(store.keys()) != len(self.variables):
            warnings.warn(
                f"Skipping variable loading for optimizer '{self.name}', because it has {len(self.variables)} "
                f"variables whereas the saved optimizer has {len(store.keys())} variables.",
                stacklevel=2,
            )
            return
        for i, variable in enumerate(self.variables):
            variable.assign(store[str(i)])
