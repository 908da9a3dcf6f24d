"""Functional: a model made of the calls between some inputs and some outputs."""

from __future__ import annotations

import inspect
import warnings
from typing import Any

from striate import backend
from striate.backend import KerasTensor
from striate.backend.config_limits import limited
from striate.core import tree
from striate.core.errors import ArgumentError
from striate.core.registry import export
from striate.layers.base import Layer
from striate.layers.state import to_flag
from striate.models.functional_config import functional_config, read_functional
from striate.models.graph import LayerGraph, start_from
from striate.models.model import Model
from striate.models.standardize import standardize_inputs
from striate.models.whole_call import WholeCall


def _check_tensors(role: str, structure: Any) -> None:
    leaves = tree.flatten(structure)
    if not leaves:
        raise ArgumentError(f"The `{role}` argument cannot be empty: a model has at least one. Received: {structure}.")
    for leaf in leaves:
        if not isinstance(leaf, KerasTensor):
            raise ArgumentError(
                f"All `{role}` values must be KerasTensors, as `Input` and layers called on it give. "
                f"Received: {role}={structure} including invalid value {leaf!r} of type {type(leaf)}."
            )


@export("Functional", "models.Functional")
class Functional(WholeCall, Model):
    """A model that computes `outputs` from `inputs`: what `Model(inputs, outputs)` makes.

    Layers may be shared, models nested; inputs and outputs are tensors, or lists or dictionaries of them. The model
    runs on arrays, inside traced steps, and on other functional tensors.

    Source: `keras.Functional`.

    Args:
        inputs: from `Input`, or from inside another model, which this one then begins at.
        outputs: what layers and `striate.ops` gave, called on them.
        name: made of the class's name unless given.
        trainable: whether training changes the weights.

    Raises:
        ValueError: an output that does not come from the inputs; two layers of one name.
    """

    __keras_place__ = ("keras.src.models.functional", "Functional")

    #: in weights files the layers stand under "layers", and nowhere else.
    _saved_as = "Functional"
    _not_saved = frozenset({"_operations"})

    _convert_inputs = False

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None, **kwargs: Any) -> None:
        trainable = kwargs.pop("trainable", None)
        _check_tensors("inputs", inputs)
        _check_tensors("outputs", outputs)
        if isinstance(inputs, dict):
            for key, tensor in inputs.items():
                if isinstance(tensor, KerasTensor) and key != tensor.name:
                    warnings.warn(
                        f"The key {key!r} of `inputs` differs from the name {tensor.name!r} of its tensor. "
                        f"Name it so: Input(..., name={key!r}).",
                        stacklevel=3,
                    )
        self._init_layer(name=name, **kwargs)
        inputs, outputs = start_from(inputs, outputs)
        self._graph = LayerGraph(inputs, outputs)
        # The layers, where weights and sublayers are looked for.
        self._operations = self._graph.operations
        self.build(None)
        if trainable is not None:
            # The model's own alone, as in Keras: layers that are frozen stay so when a config says True.
            self._trainable = to_flag(trainable)

    def build(self, input_shape: Any) -> None:
        """Nothing is left to build: the layers were built when they were called."""

    @property
    def layers(self) -> list[Layer]:
        """The model's layers, inputs among them, the deepest first."""
        return [op for op in self._operations if isinstance(op, Layer)]

    @layers.setter
    def layers(self, _: Any) -> None:
        raise AttributeError("`Model.layers` attribute is reserved and should not be used. Use another name.")

    @property
    def operations(self) -> list[Any]:
        """Layers and functions of `striate.ops`, the deepest first."""
        return list(self._operations)

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """The outputs for other tensors. A `training` of this call holds for all layers, as in Keras 3."""
        del training  # layers take it from the call around them
        tensors = standardize_inputs(self._graph, inputs, self.name)
        if mask is not None:
            for tensor, of_tensor in zip(tensors, tree.flatten(mask), strict=False):
                backend.set_keras_mask(tensor, of_tensor)
        outputs = self._graph.run(tensors)
        # As in Keras: Model([a], [b]) gives what Model(a, b) gives.
        return outputs[0] if isinstance(outputs, list | tuple) and len(outputs) == 1 else outputs

    @property
    def inputs(self) -> list[KerasTensor]:
        return list(self._graph.inputs)

    @property
    def outputs(self) -> list[KerasTensor]:
        return list(self._graph.outputs)

    @property
    def input(self) -> Any:
        """The inputs in the structure they were given in."""
        return self._graph.inputs_struct

    @property
    def output(self) -> Any:
        """The outputs in the structure they were given in."""
        return self._graph.outputs_struct

    @property
    def input_names(self) -> list[str]:
        return [t._keras_history.operation.name for t in self._graph.inputs]

    @property
    def output_names(self) -> list[str]:
        return [t._keras_history.operation.name for t in self._graph.outputs]

    @property
    def input_shape(self) -> Any:
        return _shapes(self._graph.inputs_struct)

    @property
    def output_shape(self) -> Any:
        return _shapes(self._graph.outputs_struct)

    def _is_config_made(self) -> bool:
        return is_functional_constructor(type(self))

    def get_config(self) -> dict[str, Any]:
        """Layers, calls between them, inputs and outputs; or the arguments of a subclass's own constructor."""
        if not is_functional_constructor(type(self)):
            return super().get_config()
        return {"name": self.name, "trainable": self._trainable, **functional_config(self._graph, Functional)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """A model made from what `get_config` gave.

        Raises:
            ValueError: a config that describes none, or one over the limits of `load_model` (LoadError).
        """
        if not {"layers", "input_layers", "output_layers"} <= set(config):
            return super().from_config(config, custom_objects)
        with limited(config):
            inputs, outputs = read_functional(config, custom_objects, Functional)
            rest = {k: v for k, v in config.items() if k not in ("layers", "input_layers", "output_layers")}
            if not is_functional_constructor(cls):
                cls = Functional
            return cls(inputs=inputs, outputs=outputs, **rest)


def is_functional_constructor(cls: type) -> bool:
    """Whether a class is made from (inputs, outputs), as Functional is."""
    spec = inspect.getfullargspec(cls.__init__)  # type: ignore[misc]
    if spec.args[1:] == ["inputs", "outputs", "name"]:
        return True
    return spec.varargs is not None and spec.varkw is not None


def _shapes(structure: Any) -> Any:
    if isinstance(structure, list) and len(structure) == 1:
        structure = structure[0]
    return tree.map_structure(lambda t: t.shape, structure)


__all__ = ["Functional", "is_functional_constructor"]
