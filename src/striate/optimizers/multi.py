"""Several optimizers in one, each with Variables of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, TypeVar

from striate import backend
from striate.backend import Variable
from striate.core.errors import ArgumentError, StateError
from striate.core.registry import export
from striate.optimizers.optimizer import Optimizer
from striate.optimizers.optimizer_map import OptimizerMap

M = TypeVar("M", bound="MultiOptimizer")


@export("optimizers.MultiOptimizer")
class MultiOptimizer(Optimizer):
    """Hands each Variable to one of several optimizers; the step is one program all the same.

    It has no `learning_rate` of its own: `multi.optimizers` lists those that have. LearningRateScheduler,
    ReduceLROnPlateau, TensorBoard and SwapEMAWeights look at each of them. An optimizer that stands under two patterns
    comes back from a file as two: write one pattern, "a/.*|b/.*".

    Source: `keras.optimizers.MultiOptimizer`; files that hold one go to Keras and back. See also
    `optimizers.discriminative`.

    Args:
        optimizer_map: an OptimizerMap, or a function from a Variable to an optimizer.
        loss_scale_factor: takes the place of the single optimizers' own.
        name: of its Variables.

    Raises:
        ValueError: a Variable for which there is no optimizer, or one that consists of several.

    Example:
        >>> from striate import optimizers
        >>> multi = MultiOptimizer(OptimizerMap(optimizers.SGD(1.0), {"base": optimizers.SGD(0.25)}))
        >>> base, head = Variable([1.0], name="base"), Variable([1.0], name="head")
        >>> multi.apply([base.value, head.value], [base, head]); [v.numpy().tolist() for v in (base, head)]
        [[0.75], [0.0]]
    """

    def __init__(self, optimizer_map: Any, loss_scale_factor: float | None = None, name: str | None = None) -> None:
        #: those of the map first, the default last; those that a function gives as they come.
        self.optimizers: list[Any] = []
        super().__init__(0.0, loss_scale_factor=loss_scale_factor, name=name)
        if not callable(optimizer_map):
            raise ArgumentError(
                "optimizer_map is an OptimizerMap, or a function from a Variable to an optimizer. "
                f"Received: {optimizer_map!r}"
            )
        self._optimizer_map = optimizer_map
        self._of: dict[int, Any] = {}
        if isinstance(optimizer_map, OptimizerMap):
            for optimizer in (*optimizer_map.values(), optimizer_map.default_optimizer):
                self._take_in(optimizer)

    def _take_in(self, optimizer: Any) -> None:
        if all(optimizer is not o for o in self.optimizers):
            optimizer.loss_scale_factor = self.loss_scale_factor
            self.optimizers.append(optimizer)

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the slots of each optimizer for its Variables."""
        if self.built:
            return
        variables = list(variables)
        for variable in variables:
            optimizer = self._optimizer_map(variable)
            if not isinstance(optimizer, Optimizer):
                raise ArgumentError(
                    f"Optimizer for variable {variable.path} is not an Optimizer instance. Received: {optimizer!r}"
                )
            if isinstance(optimizer, MultiOptimizer):
                raise ArgumentError(
                    "MultiOptimizer cannot be used inside an MultiOptimizer: give the optimizers that it consists of."
                )
            self._take_in(optimizer)
            self._of[id(variable)] = optimizer
        for optimizer, own in self._parts(variables):
            optimizer.build(own)
        super().build(variables)

    def _parts(self, variables: Iterable[Variable]) -> list[tuple[Any, list[Variable]]]:
        """Each optimizer with those of the Variables that are its own; without those that have none."""
        variables = list(variables)
        parts = [(o, [v for v in variables if self._of.get(id(v)) is o]) for o in self.optimizers]
        return [(optimizer, own) for optimizer, own in parts if own]

    # What it has of an optimizer --------------------------------------------------------------------------------------

    @property
    def variables(self) -> list[Variable]:
        """Its own count of steps (and a rate without meaning, as in Keras), then all that the optimizers keep."""
        return [*self._variables, *(v for optimizer in self.optimizers for v in optimizer.variables)]

    @property
    def learning_rate(self) -> Any:
        """There is none: an AttributeError says where they are."""
        raise AttributeError(name="learning_rate", obj=self)

    @learning_rate.setter
    def learning_rate(self, learning_rate: Any) -> None:
        raise AttributeError(
            "Learning rate cannot be set on a MultiOptimizer. Set it on the individual ones: for optimizer in "
            "multi.optimizers: optimizer.learning_rate = ...",
            name="learning_rate",
            obj=self,
        )

    def __getattr__(self, name: str) -> Any:
        if name == "learning_rate":
            raise AttributeError(
                "Learning rate cannot be accessed on a MultiOptimizer. Access it on the individual ones: "
                "[optimizer.learning_rate for optimizer in multi.optimizers].",
                name=name,
                obj=self,
            )
        return super().__getattr__(name)

    @property
    def loss_scale_factor(self) -> float | None:
        """What the loss is multiplied by; every one of the optimizers divides its gradients by it."""
        return self._loss_scale_factor

    @loss_scale_factor.setter
    def loss_scale_factor(self, factor: float | None) -> None:
        self._loss_scale_factor = factor
        for optimizer in self.optimizers:
            optimizer.loss_scale_factor = factor

    def exclude_from_weight_decay(
        self, var_list: Iterable[Variable] | None = None, var_names: Iterable[str] | None = None
    ) -> None:
        """Leave Variables out of the weight decay of whichever optimizer they have."""
        variables, names = list(var_list or ()), list(var_names or ())
        for optimizer in self.optimizers:
            optimizer.exclude_from_weight_decay(variables, names)

    # A step -----------------------------------------------------------------------------------------------------------

    def _step(self, gradients: list[Any], variables: list[Variable]) -> None:
        given = {id(v): g for v, g in zip(variables, gradients, strict=True)}
        for optimizer, own in self._parts(variables):
            optimizer.apply([given[id(v)] for v in own], own)
        self._iterations.assign_add(1)

    def _steps_differ(self) -> bool:
        return any(optimizer._steps_differ() for optimizer in self.optimizers)

    @contextmanager
    def planned_step(self) -> Iterator[Any]:
        """Decide what the next step of each optimizer does; gives a key for all of them."""
        with ExitStack() as plans:
            yield tuple([plans.enter_context(optimizer.planned_step()) for optimizer in self.optimizers])

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """What ends a training run, for each optimizer: with `use_ema`, the averages take the weights' place."""
        for optimizer, own in self._parts(var_list):
            optimizer.finalize_variable_values(own)

    # Files ------------------------------------------------------------------------------------------------------------

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Set the values of `variables`, in their order."""
        if not self.built:
            raise StateError(
                "You are calling `set_weights()` on an optimizer that has not yet been built. Please call "
                "`optimizer.build(trainable_variables)` to create the optimizer weights before calling it."
            )
        self._set(self.variables, weights)

    def get_config(self) -> dict[str, Any]:
        """The map, the loss scale and the name."""
        return {
            "optimizer_map": backend.serialize_keras_object(self._optimizer_map),
            "loss_scale_factor": self.loss_scale_factor,
            "name": self.name,
        }

    @classmethod
    def from_config(cls: type[M], config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> M:
        """An optimizer made from what `get_config` gave."""
        made = backend.deserialize_keras_object(config.get("optimizer_map"), custom_objects)
        return cls(**{**config, "optimizer_map": made})
