"""What a layer keeps: weights, layers inside it, metrics, losses; found by walking its attributes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any
from weakref import WeakSet

import numpy as np

from striate import backend, initializers, regularizers
from striate.backend import TracedTensor, Variable
from striate.constraints import get as get_constraint
from striate.core import tree
from striate.core.configurable import is_ours
from striate.core.errors import ArgumentError, StateError
from striate.layers.own_variables import OwnVariables
from striate.random import SeedGenerator

Array = np.ndarray[Any, Any]

_NOT_WALKED = frozenset({"_inbound_nodes", "_init_arguments", "_losses", "_build_shapes", "_weights"})


def to_flag(trainable: Any) -> bool:
    """`trainable` as a bool.

    Raises:
        ValueError: neither True nor False.
    """
    if not isinstance(trainable, bool | np.bool_ | int):
        raise ArgumentError(f"`trainable` is True or False. Received: trainable={trainable!r}.")
    return bool(trainable)


def _is_metric(value: Any) -> bool:
    # By what it does, since metrics stand beside layers and not below them.
    return hasattr(value, "update_state") and hasattr(value, "reset_state") and not isinstance(value, type)


#: layers that hold losses of their last call: in most models there are none, and nothing is to be cleared.
_with_losses: WeakSet[LayerState] = WeakSet()


#: what is certainly neither layer nor Variable nor metric: containers that hold nothing else are passed over whole.
_PLAIN = frozenset({int, float, complex, str, bytes, bool, type(None), np.ndarray, np.float32, np.int32, np.int64})


def _leaves(value: Any, around: tuple[Any, ...] = ()) -> Iterator[Any]:
    if isinstance(value, list | tuple | set | dict):
        if any(value is outer for outer in around):
            return  # a container that holds itself
        items: Iterable[Any] = value.values() if isinstance(value, dict) else value
        if not _PLAIN.issuperset(map(type, items)):  # a table of a million words takes 10 ms
            for item in items:
                yield from _leaves(item, (*around, value))
    elif type(value) not in _PLAIN:
        yield value


def _is_made_anew(layer: Any, before: Any, value: Any) -> bool:
    """Whether a `call` puts a layer that was just made where it has put one before."""
    both = isinstance(before, LayerState) and isinstance(value, LayerState) and before is not value
    return both and not value.built and not layer._build_depth and backend.in_a_call()


def _is_argument_of_ours(layer: Any, name: str, value: Any) -> bool:
    """Whether a layer of ours (not a model) gets another activation, rate, ...: it is part of what was traced.

    Layers of users may set what they like while they run; theirs are not looked at.
    """
    held = layer.__dict__
    return (
        name in held
        and held[name] is not value
        and "_functions" not in held
        and is_ours(type(layer))
        and not backend.in_a_call()
    )


class LayerState(OwnVariables):
    """The part of a layer that keeps things; `Layer` adds the calling."""

    name: str
    built: bool
    _trainable: bool
    _weights: list[Variable]
    _losses: list[Any]
    _build_depth: int
    _named: bool

    @property
    def variable_dtype(self) -> str:
        raise NotImplementedError

    def __setattr__(self, name: str, value: Any) -> None:
        held = self.__dict__
        # Another layer in the place of one that was traced.
        if isinstance(value, LayerState | Variable) and held.get(name) is not None:
            if _is_made_anew(self, held[name], value):
                raise StateError(
                    f"call() of {self.name!r} makes the layer {name!r} anew each time, so its weights would never be "
                    "trained. Make it in __init__() or build(input_shape)."
                )
            backend.Toggles.count += 1
        elif name[0] != "_" and held.get("_build_shapes") and _is_argument_of_ours(self, name, value):
            backend.Toggles.count += 1
            backend.Toggles.arguments += 1
        object.__setattr__(self, name, value)

    # Weights --------------------------------------------------------------------------------------------------------

    def add_weight(
        self,
        shape: Any = None,
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        aggregation: str | None = "none",
        overwrite_with_gradient: bool = False,
        name: str | None = None,
    ) -> Variable:
        """A new weight of the layer.

        Args:
            shape: lengths of its axes; a scalar unless given.
            initializer: name or Initializer; "glorot_uniform" for floats, "zeros" for others.
            dtype: the policy's variable dtype unless given.
            trainable: whether optimizers change it.
            regularizer: penalty on it, added to the loss.
            constraint: what it is projected to after each step.
            name: last part of its path.
        """
        if isinstance(shape, str):
            raise ArgumentError(
                f"The name of a weight is given by keyword. Received: add_weight({shape!r}, ...). "
                f"Write add_weight(shape=..., name={shape!r})."
            )
        if self.built and not self._build_depth and backend.in_a_call():
            raise StateError(
                "You cannot add new elements of state to a layer that is already built. "
                f"{self.name!r} asks for a weight in its call(), so each call would make another. "
                "Make it in __init__() or build(input_shape)."
            )
        shape = () if shape is None else ((shape,) if isinstance(shape, int) else shape)
        kind = backend.standardize_dtype(dtype or self.variable_dtype)
        if initializer is None:
            initializer = "glorot_uniform" if backend.is_float_dtype(kind) else "zeros"
        scope = contextlib.nullcontext() if self._named or self._build_depth else backend.name_scope(self.name)
        with backend.tracing(None), scope:
            variable = Variable(
                initializers.get(initializer),
                shape=shape,
                dtype=kind,
                trainable=trainable,
                autocast=autocast,
                aggregation=aggregation,
                name=name,
            )
        if not self._trainable:  # made in a frozen layer: it trains when the layer does
            variable.trainable = False
        variable.regularizer = regularizers.get(regularizer)
        variable.constraint = get_constraint(constraint)
        variable.overwrite_with_gradient = overwrite_with_gradient
        self._weights.append(variable)
        return variable

    def add_variable(
        self,
        shape: Any,
        initializer: Any,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        name: str | None = None,
    ) -> Variable:
        """As `add_weight`, with shape and initializer given. Source: `keras.layers.Layer.add_variable`."""
        return self.add_weight(
            shape=shape,
            initializer=initializer,
            dtype=dtype,
            trainable=trainable,
            autocast=autocast,
            regularizer=regularizer,
            constraint=constraint,
            name=name,
        )

    def _attribute_leaves(self) -> Iterator[Any]:
        """What attributes keep, lists, tuples and dictionaries opened, in the order of assignment; plain values not."""
        for key, value in self.__dict__.items():
            if key not in _NOT_WALKED:
                yield from _leaves(value)

    def _sublayers(self) -> list[Any]:
        """The layers kept in attributes, each once."""
        return list({id(v): v for v in self._attribute_leaves() if isinstance(v, LayerState)}.values())

    @property
    def _layers(self) -> list[Any]:
        return self._sublayers()

    def _flatten_layers(self, include_self: bool = True, recursive: bool = True) -> list[Any]:
        """The layer and all layers in it, depth first, each once."""
        found: list[Any] = []
        seen: set[int] = set()
        stack: list[Any] = [self]
        while stack:
            layer = stack.pop()
            if id(layer) in seen:
                continue
            seen.add(id(layer))
            if layer is not self or include_self:
                found.append(layer)
            if layer is self or recursive:
                stack.extend(reversed(layer._sublayers()))
        return found

    def _own_variables(self) -> list[Variable]:
        found = {id(v): v for v in self._weights}
        for value in self._attribute_leaves():
            if isinstance(value, Variable):
                found.setdefault(id(value), value)
        own = list(found.values())
        # As in Keras: what was made to train first, then the rest; freezing moves nothing.
        return [v for v in own if v.made_trainable] + [v for v in own if not v.made_trainable]

    @property
    def weights(self) -> list[Variable]:
        """The layer's Variables and those of the layers in it: all that a file keeps."""
        found = {id(v): v for v in self._own_variables()}
        for layer in self._sublayers():
            found.update((id(v), v) for v in layer.weights if id(v) not in found)
        return list(found.values())

    @property
    def variables(self) -> list[Variable]:
        """`weights`, and the state of random generators and metrics."""
        found = {id(v): v for v in self.weights}
        for layer in self._flatten_layers():
            for value in layer._attribute_leaves():
                if isinstance(value, SeedGenerator):
                    found.setdefault(id(value.state), value.state)
        # Those of attributes: what `compile` made measures a model and is no part of it.
        for metric in self._own_metrics():
            found.update((id(v), v) for v in metric.variables if id(v) not in found)
        return list(found.values())

    @property
    def trainable_variables(self) -> list[Variable]:
        """What training changes: empty while `trainable` is False."""
        return self.trainable_weights

    @property
    def trainable_weights(self) -> list[Variable]:
        if not self._trainable:
            return []
        found = {id(v): v for v in self._own_variables() if v.trainable}
        for layer in self._sublayers():
            found.update((id(v), v) for v in layer.trainable_weights if id(v) not in found)
        return list(found.values())

    @property
    def non_trainable_weights(self) -> list[Variable]:
        training = {id(v) for v in self.trainable_weights}
        return [v for v in self.weights if id(v) not in training]

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """All other Variables, random states and metrics among them."""
        training = {id(v) for v in self.trainable_weights}
        return [v for v in self.variables if id(v) not in training]

    @property
    def trainable(self) -> bool:
        """Whether training changes the weights. Setting it sets the weights and the layers inside too."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        value = to_flag(value)
        if value != self._trainable:
            backend.Toggles.count += 1
        self._trainable = value
        for variable in self._own_variables():
            if variable.made_trainable:
                variable.trainable = value
        for layer in self._sublayers():
            layer.trainable = value

    def get_weights(self) -> list[Array]:
        """Copies of the weights' values, in the order of `weights`."""
        return [w.numpy() for w in self.weights]

    def set_weights(self, weights: Iterable[Any]) -> None:
        """Set the weights' values, in the order of `weights`.

        Raises:
            ValueError: another number of arrays, or other shapes; nothing is changed then.
        """
        values = [np.asarray(w) for w in weights]
        own = self.weights
        if len(values) != len(own):
            raise ArgumentError(
                f"Layer {self.name!r} has {len(own)} weights. set_weights() received {len(values)} arrays. "
                f"Expected shapes: {[w.shape for w in own]}."
            )
        for variable, value in zip(own, values, strict=True):
            if variable.shape != value.shape:
                raise ArgumentError(
                    f"Layer {self.name!r}: weight {variable.path} has shape {variable.shape}. "
                    f"Received an array of shape {value.shape}."
                )
        for variable, value in zip(own, values, strict=True):
            variable.assign(value)

    def count_params(self) -> int:
        """How many numbers the weights hold.

        Raises:
            ValueError: before the layer is built.
        """
        if not self.built:
            raise StateError(
                f"You tried to call `count_params` on layer {self.name!r}, but the layer isn't built. "
                "Build it with build(input_shape), or call it on data."
            )
        return sum(v.size for v in self.weights)

    # Metrics and losses ---------------------------------------------------------------------------------------------

    @property
    def metrics(self) -> list[Any]:
        """The metrics kept in attributes, here and in the layers inside."""
        return self._own_metrics()

    def _own_metrics(self) -> list[Any]:
        found: dict[int, Any] = {}
        for layer in self._flatten_layers():
            for value in layer._attribute_leaves():
                if _is_metric(value):
                    found.setdefault(id(value), value)
        return list(found.values())

    def add_loss(self, loss: Any) -> None:
        """Add scalars to the loss of the training step in which this call happens.

        Raises:
            ValueError: what is neither a tensor nor a number.
        """
        if backend.in_spec_scope():
            return  # only types are inferred
        for value in tree.flatten(loss):
            if not hasattr(value, "shape") and not isinstance(value, float | int):
                raise ArgumentError(
                    f"`add_loss()` takes tensors, computed from what the layer is called on. Received: {value!r}."
                )
            self._losses.append(value)
        _with_losses.add(self)

    def _live_losses(self) -> list[Any]:
        trace = backend.current_trace()
        # A loss of an earlier trace has no value any more.
        return [v for v in self._losses if not isinstance(v, TracedTensor) or v.trace is trace]

    def _regularization_losses(self) -> list[Any]:
        return [v.regularizer(v) for v in self.trainable_weights if v.regularizer is not None]

    @property
    def losses(self) -> list[Any]:
        """What `add_loss` got in the last call, and the penalties of regularized weights."""
        added = [v for layer in self._flatten_layers() for v in layer._live_losses()]
        return added + self._regularization_losses()

    def _clear_losses(self) -> None:
        if _with_losses:
            for layer in self._flatten_layers():
                layer._losses.clear()
                _with_losses.discard(layer)

    def __getstate__(self) -> dict[str, Any]:
        """What copies and pickles take over: neither losses of a call nor places in functional models."""
        return {**self.__dict__, "_losses": [], "_inbound_nodes": []}
