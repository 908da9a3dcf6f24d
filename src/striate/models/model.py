"""Model: a layer that can be trained, run over data, described and saved."""

from __future__ import annotations

import importlib
import inspect
import json
import os
from typing import Any

import numpy as np

from striate import backend
from striate.backend import KerasTensor
from striate.backend.config_limits import calls_for, check_config, limited, machine_memory
from striate.core import tree
from striate.core.configurable import is_ours
from striate.core.errors import ArgumentError, StateError
from striate.core.registry import export
from striate.layers.base import Layer
from striate.models.copying import ModelCopying
from striate.models.state_tree import get_state_tree, set_state_tree
from striate.models.summary import print_summary
from striate.models.trainer import Trainer
from striate.saving import limits


def _is_functional_call(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    return len(args) >= 2 or (len(args) == 1 and "outputs" in kwargs) or ("inputs" in kwargs and "outputs" in kwargs)


def _functional_class() -> Any:
    """Functional, which is made of this module's Model and stands above it: found when it is needed."""
    return importlib.import_module("striate.models.functional").Functional


def _make_functional(cls: type) -> None:
    """Put Functional in Model's place among the bases of a user's class that is made from (inputs, outputs)."""
    functional = _functional_class()
    if cls is not Model and not issubclass(cls, functional):
        for base in cls.__bases__:
            if isinstance(base, type) and issubclass(base, Model) and base is not Model:
                _make_functional(base)
        cls.__bases__ = tuple(functional if base is Model else base for base in cls.__bases__)


@export("Model", "models.Model")
class Model(ModelCopying, Trainer, Layer):
    """A layer that can be trained, run over data, described and saved.

    Three ways to make one: `Model(inputs, outputs)` from tensors that begin at `Input`; a subclass whose `call` says
    what is computed; `Sequential`. Also a subclass with a `train_step` of its own, made from (inputs, outputs).

    Source: `keras.Model`.

    Example:
        >>> inputs = Input((4,))
        >>> model = Model(inputs, Dense(2)(inputs))
        >>> model.compile("sgd", "mse")
    """

    _made_of_values = False
    _masks_inside = True

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        if _is_functional_call(args, kwargs):
            functional = _functional_class()
            if cls is Model:
                return functional.__new__(functional, *args, **kwargs)
            if not issubclass(cls, functional) and "__init__" not in _own_names(cls):
                _make_functional(cls)
        return super().__new__(cls, *args, **kwargs)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if _is_functional_call(args, kwargs):
            # A subclass whose own constructor calls super().__init__(inputs, outputs).
            _make_functional(type(self))
            _functional_class().__init__(self, *args, **kwargs)
            return
        if args:
            raise ArgumentError(
                f"{type(self).__name__} takes (inputs, outputs), or no positional arguments. Received: {args}."
            )
        self._init_layer(**kwargs)

    def _init_layer(self, **kwargs: Any) -> None:
        Trainer.__init__(self)
        Layer.__init__(self, **kwargs)

    # Structure ------------------------------------------------------------------------------------------------------

    @property
    def layers(self) -> list[Layer]:
        """The layers kept in attributes, in the order of assignment."""
        return self._sublayers()

    @layers.setter
    def layers(self, _: Any) -> None:
        raise AttributeError("`Model.layers` attribute is reserved and should not be used. Use another name.")

    @property
    def metrics_variables(self) -> list[backend.Variable]:
        """The state of all metrics, the mean of the loss included."""
        found = {id(v): v for metric in self.metrics for v in metric.variables}
        return list(found.values())

    def get_state_tree(self, value_format: str = "backend_tensor") -> dict[str, Any]:
        """All values by path, in nested dictionaries: those of weights, of the optimizer and of metrics.

        Source: `keras.Model.get_state_tree`.

        Args:
            value_format: "backend_tensor" or "numpy_array", which are the same here.

        Raises:
            ValueError: another format; two variables of one path.

        Example:
            >>> model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, name="score")], name="m")
            >>> model.get_state_tree()["trainable_variables"]["m"]["score"]["bias"].tolist()
            [0.0]
        """
        return get_state_tree(self, value_format)

    def set_state_tree(self, state_tree: dict[str, Any]) -> None:
        """Set the values that such dictionaries name. Source: `keras.Model.set_state_tree`.

        Raises:
            ValueError: a name that the model does not have, a value of another shape.
        """
        set_state_tree(self, state_tree)

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """A layer by its name or its number.

        Raises:
            ValueError: neither or both given; no such layer.
        """
        layers = self.layers
        if (name is None) == (index is None):
            raise ArgumentError(f"Provide either a layer name or a layer index. Received: name={name}, index={index}.")
        if index is not None:
            if not -len(layers) <= index < len(layers):
                raise ArgumentError(
                    f"Was asked to retrieve layer at index {index} but model only has {len(layers)} layers."
                )
            return layers[index]
        for layer in layers:
            if layer.name == name:
                return layer
        raise ArgumentError(f"No such layer: {name}. Existing layers are: {[layer.name for layer in layers]}.")

    def count_params(self) -> int:
        """How many numbers the weights hold.

        Raises:
            ValueError: before the model is built.
        """
        if not self.weights and not all(layer.built for layer in self._flatten_layers()):
            raise StateError(
                f"You tried to call `count_params` on the model {self.name!r}, but it isn't built. "
                "Call it on data, or build it with build(input_shape), the batch axis first: build((None, 28, 28, 1))."
            )
        return sum(v.size for v in self.weights)

    # Building -------------------------------------------------------------------------------------------------------

    def build(self, input_shape: Any) -> None:
        """Make the weights of a subclassed model: its `call` is followed for inputs of this shape, batch axis first."""

        def tensor(shape: Any) -> Any:
            if isinstance(shape, dict):
                return {k: tensor(v) for k, v in shape.items()}
            if isinstance(shape, list | tuple) and any(isinstance(s, list | tuple) for s in shape):
                return [tensor(s) for s in shape]
            return KerasTensor(shape, self.compute_dtype)

        if input_shape is not None:
            backend.compute_spec_by_examples(self.call, (tensor(input_shape),), {})

    def _build_for(self, signature: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if type(self).build is not Model.build:
            super()._build_for(signature, args, kwargs)
            return
        # The layers inside are built as they are called; the shapes are kept for the file.
        first = args[0] if args else kwargs.get(signature.first)
        self._build_shapes = {"input_shape": tree.map_structure(_shape_or_none, first)}
        self.built = True

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Build the model as `get_build_config` says."""
        shape = config.get("input_shape")
        if shape is not None and not self.built:
            self.build(_tuples(shape))

    # Describing -----------------------------------------------------------------------------------------------------

    def summary(
        self,
        line_length: int | None = None,
        positions: Any = None,
        print_fn: Any = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Any = None,
    ) -> None:
        """Print the layers with their output shapes and numbers of weights, and the totals.

        Source: `keras.Model.summary`.

        Args:
            line_length: width in characters; what the terminal holds unless given.
            positions: where columns end, as parts of the width: [0.45, 0.8, 1.0].
            print_fn: gets the whole text instead of standard output.
            expand_nested: also list the layers of models inside.
            show_trainable: a column that says whether a layer trains.
            layer_range: names (or patterns) of the first and the last layer to list.
        """
        print_summary(self, line_length, positions, print_fn, expand_nested, show_trainable, layer_range)

    def to_json(self, **kwargs: Any) -> str:
        """The architecture as JSON, without weights; `model_from_json` reads it."""
        return json.dumps(backend.serialize_keras_object(self), **kwargs)

    def get_config(self) -> dict[str, Any]:
        """The arguments a subclass was made with; where it overrides this method, what every layer has."""
        if not is_ours(self._config_owner()):
            return {
                "name": self.name,
                "trainable": self._trainable,
                "dtype": backend.serialize_keras_object(self.dtype_policy),
            }
        args, kwargs = self._init_arguments
        bound = inspect.signature(type(self).__init__).bind(self, *args, **kwargs).arguments
        config: dict[str, Any] = {}
        for name, value in list(bound.items())[1:]:
            config.update(value if name == "kwargs" else {name: value})
        return {name: backend.serialize_keras_object(value) for name, value in config.items()}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """A model made from what `get_config` gave.

        Raises:
            ValueError: a config that describes none, or one over the limits of `load_model` (LoadError).
        """
        if cls is Model and {"layers", "input_layers", "output_layers"} <= set(config):
            return _functional_class().from_config(config, custom_objects)
        with limited(config), backend.CustomObjectScope(custom_objects):
            revived = {k: backend.deserialize_keras_object(v) for k, v in config.items()}
            return super().from_config(revived)

    # Files ----------------------------------------------------------------------------------------------------------

    def save(
        self, filepath: str | os.PathLike[str], overwrite: bool = True, zipped: bool | None = None, **kwargs: Any
    ) -> None:
        """Save architecture, weights, compile arguments and the optimizer's state as a .keras file.

        Source: `keras.Model.save`.
        """
        from striate import saving

        saving.save_model(self, filepath, overwrite=overwrite, zipped=zipped, **kwargs)

    def save_weights(
        self, filepath: str | os.PathLike[str], overwrite: bool = True, max_shard_size: Any = None
    ) -> None:
        """Save the weights as a .weights.h5 file."""
        from striate import saving

        saving.save_weights(self, filepath, overwrite=overwrite, max_shard_size=max_shard_size)

    def load_weights(self, filepath: str | os.PathLike[str], skip_mismatch: bool = False, **kwargs: Any) -> None:
        """Load the weights of a .weights.h5, .keras or legacy .h5 file into this model."""
        from striate import saving

        saving.load_weights(self, filepath, skip_mismatch=skip_mismatch, **kwargs)


def _own_names(cls: type) -> set[str]:
    """Names that classes between `cls` and Model define."""
    names: set[str] = set()
    for base in cls.__mro__:
        if base is Model:
            break
        names.update(vars(base))
    return names


def _shape_or_none(x: Any) -> Any:
    return (None, *tuple(np.shape(x) if not hasattr(x, "shape") else x.shape)[1:]) if x is not None else None


def _tuples(shape: Any) -> Any:
    if isinstance(shape, dict):
        return {k: _tuples(v) for k, v in shape.items()}
    if isinstance(shape, list | tuple):
        return tuple(_tuples(v) for v in shape)
    return shape


@export("models.model_from_json")
def model_from_json(json_string: str, custom_objects: Any = None) -> Any:
    """The model that `to_json` described, with fresh weights.

    Source: `keras.models.model_from_json`.

    Raises:
        ValueError: text that describes no model; the rules of `load_model` hold (LoadError).
    """
    config = limits.parse_json(json_string, "The JSON")
    calls = calls_for(check_config(config, "The JSON"))
    with backend.clean_errors("The JSON"), backend.loading_limits(machine_memory(), calls):
        return backend.deserialize_keras_object(config, custom_objects)
