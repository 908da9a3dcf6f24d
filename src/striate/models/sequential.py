"""Sequential: layers one after another."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from striate import backend
from striate.backend import KerasTensor
from striate.backend.config_limits import limited
from striate.core import tree
from striate.core.configurable import shown
from striate.core.errors import ArgumentError, StateError
from striate.core.registry import export
from striate.layers.base import Layer
from striate.layers.input import InputLayer
from striate.models.functional_config import revive
from striate.models.graph import LayerGraph
from striate.models.model import Model
from striate.models.standardize import standardize_inputs
from striate.models.whole_call import WholeCall


def _one_shape(shape: Any) -> tuple[int | None, ...] | None:
    """The shape of a single input tensor, None for nested ones."""
    if isinstance(shape, list | tuple) and all(d is None or isinstance(d, int) for d in shape):
        return tuple(shape)
    return None


def _alone(inputs: Any) -> Any:
    """The tensor of a list that holds one."""
    if isinstance(inputs, list | tuple) and len(inputs) == 1 and hasattr(inputs[0], "shape"):
        return inputs[0]
    return inputs


def _skip_a_name() -> None:
    """Keras makes a functional model inside each Sequential; automatic names count on as they do there."""
    backend.auto_name("Functional")


@export("Sequential", "models.Sequential")
class Sequential(WholeCall, Model):
    """Layers one after another, each with one input and one output.

    Where the input's shape is known (an `Input` first, or `input_shape=` in the first layer) the model is built at
    once; else when it is first called or fitted.

    Source: `keras.Sequential`.

    Args:
        layers: the layers, in order; more by `add`.
        trainable: whether training changes the weights.
        name: made of the class's name unless given.

    Raises:
        ValueError: something that is no layer, two layers of one name, shapes that do not fit.

    Example:
        >>> model = Sequential([Input((28, 28, 1)), Flatten(), Dense(10, activation="softmax")])
        >>> model.count_params()
        7850
    """

    #: in weights files the layers stand under "layers", and nowhere else.
    _saved_as = "Sequential"
    _not_saved = frozenset({"_stack"})

    def __init__(self, layers: Iterable[Any] | None = None, trainable: bool = True, name: str | None = None) -> None:
        if isinstance(layers, Layer):
            raise ArgumentError(
                f"Sequential takes its layers as one list: Sequential([Dense(3), ...]). Received: {layers!r}."
            )
        super().__init__(trainable=trainable, name=name)
        self._stack: list[Layer] = []
        self._graph: LayerGraph | None = None
        #: Whether the input's shape was said. What a model is first called on is no promise of what comes later.
        self._declares_shape = False
        for layer in layers or ():
            self._push(layer)
        self._build_if_known()

    # The stack ------------------------------------------------------------------------------------------------------

    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Put a layer on top; its weights are made at once where the model is built."""
        self._push(layer)
        if self._graph is not None:
            try:
                with backend.name_scope(self.name):
                    self._graph = LayerGraph(self._graph.inputs_struct, self._stack[-1](self._graph.outputs_struct))
                _skip_a_name()
            except Exception:
                self._stack.pop()
                raise
            self._forget_functions()
        elif rebuild:
            self._build_if_known()

    def _push(self, layer: Any) -> None:
        history = getattr(layer, "_keras_history", None)
        if history is not None and isinstance(history.operation, InputLayer):
            layer = history.operation
        if not isinstance(layer, Layer):
            raise ArgumentError(
                f"Only instances of `keras.Layer` can be added to a Sequential model. Received: {layer!r} "
                f"(of type {type(layer)})."
            )
        if not self._stack:
            self._declares_shape = isinstance(layer, InputLayer) or layer._batch_input_shape is not None
        if not self._stack and not isinstance(layer, InputLayer) and layer._batch_input_shape is not None:
            self._stack.append(InputLayer(batch_shape=layer._batch_input_shape, dtype=layer.compute_dtype))
        if any(other.name == layer.name for other in self._stack):
            raise ArgumentError(
                f"All layers added to a Sequential model should have unique names. Name {layer.name!r} is already the "
                "name of a layer in this model. Update the `name` argument to pass a unique name."
            )
        if isinstance(layer, InputLayer) and self._stack:
            raise ArgumentError(
                f"Sequential model {self.name!r} has already been configured: it has layers, and an Input comes first. "
                f"Received: {layer!r} after {self._stack[-1].name!r}."
            )
        self._stack.append(layer)

    def pop(self, rebuild: bool = True) -> Layer:
        """Take the top layer off and give it."""
        if not self.layers:
            raise ArgumentError(f"There are no layers in the model {self.name!r} to pop.")
        layer = self._stack.pop()
        self._graph = None
        self.built = False
        self._forget_functions()
        if rebuild:
            self._build_if_known()
        return layer

    def _build_if_known(self) -> None:
        if len(self._stack) > 1 and isinstance(self._stack[0], InputLayer):
            self.build(self._stack[0].batch_shape)
        elif len(self._stack) > 1 and isinstance(self._stack[0], Model) and self._stack[0].built:
            shape = _one_shape(getattr(self._stack[0], "input_shape", None))
            if shape is not None:
                self.build(shape)

    @property
    def layers(self) -> list[Layer]:
        """The layers that were added; the input is not among them."""
        return [layer for layer in self._stack if not isinstance(layer, InputLayer)]

    @layers.setter
    def layers(self, _: Any) -> None:
        raise AttributeError(
            "`Sequential.layers` attribute is reserved and should not be used. Use `add()` and `pop()` to change the "
            "layers in this model."
        )

    # Building -------------------------------------------------------------------------------------------------------

    def _build_for(self, signature: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        first = _alone(args[0] if args else kwargs.get("inputs"))
        if tree.is_nested(first):
            self.built = True  # several inputs: the layers are applied as they come
            return
        # What it is first called on says nothing about later batches.
        self.build((None, *tuple(backend.shape(first))[1:]))

    def build(self, input_shape: Any = None) -> None:
        """Make the weights of all layers for inputs of this shape, the batch axis first."""
        shape = _one_shape(input_shape)
        if not self._stack:
            raise StateError(
                f"Sequential model {self.name} cannot be built because it has no layers. Call `model.add(layer)`."
            )
        if shape is None:
            return
        if isinstance(self._stack[0], InputLayer):
            own = self._stack[0].batch_shape
            if own[1:] != shape[1:] or len(own) != len(shape):
                raise ArgumentError(
                    f"Sequential model {self.name!r} has already been configured to use input shape {own}. "
                    f"You cannot build it with input_shape {shape}."
                )
            start = self._stack[0]
        else:
            start = InputLayer(batch_shape=shape, dtype=self._stack[0].input_dtype)
        tensor: Any = start.output
        try:
            for layer in self.layers:
                tensor = layer(tensor)
        except NotImplementedError:
            return  # a layer that does not say what it gives: the layers are applied as they come
        # Only now, so that a shape that does not fit can be followed by one that does.
        self._stack = [start, *self.layers]
        self._graph = LayerGraph(start.output, tensor)
        _skip_a_name()
        self._forget_functions()

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """The layers, one after another."""
        del training  # layers take it from the call around them
        inputs = _alone(inputs)
        if self._graph is not None:
            inputs = standardize_inputs(self._graph, inputs, self.name, any_length=not self._declares_shape)[0]
        if mask is not None:
            backend.set_keras_mask(inputs, _alone(mask))
        for layer in self.layers:
            backend.book_call()
            inputs = layer(inputs)
        return inputs

    @property
    def _convert_inputs(self) -> bool:  # type: ignore[override]
        return self._graph is None

    # What is known once it is built ---------------------------------------------------------------------------------

    def _known(self, what: str) -> LayerGraph:
        if self._graph is None:
            raise AttributeError(
                f"Sequential model {self.name!r} has no defined {what} yet: it is built when it is called on data, "
                "by build(input_shape), or by an Input as its first layer."
            )
        return self._graph

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        return self._known("input shape").inputs[0].shape

    @property
    def output_shape(self) -> Any:
        return tree.map_structure(lambda t: t.shape, self._known("output shape").outputs_struct)

    @property
    def inputs(self) -> list[KerasTensor]:
        return list(self._known("inputs").inputs)

    @property
    def outputs(self) -> list[KerasTensor]:
        return list(self._known("outputs").outputs)

    @property
    def input(self) -> Any:
        return self._known("input").inputs_struct

    @property
    def output(self) -> Any:
        return self._known("output").outputs_struct

    @property
    def input_names(self) -> list[str]:
        return [t._keras_history.operation.name for t in self._known("inputs").inputs]

    @property
    def output_names(self) -> list[str] | None:
        graph = self._graph
        return None if graph is None else [t._keras_history.operation.name for t in graph.outputs]

    # Files ----------------------------------------------------------------------------------------------------------

    def _is_config_made(self) -> bool:
        return type(self) is Sequential

    def get_config(self) -> dict[str, Any]:
        """Name, layers, and the input's shape once it is known."""
        config = {
            "name": self.name,
            "trainable": self._trainable,
            "dtype": backend.serialize_keras_object(self.dtype_policy),
            "layers": [backend.serialize_keras_object(layer) for layer in self._stack],
        }
        if self._graph is not None and isinstance(self._stack[0], InputLayer):
            config["build_input_shape"] = list(self._stack[0].batch_shape)
        return config

    @classmethod
    def from_config(cls, config: Any, custom_objects: Any = None) -> Any:
        """A model made from what `get_config` gave.

        Raises:
            ValueError: a config that describes none, or one over the limits of `load_model` (LoadError).
        """
        if isinstance(config, list):  # Keras before 2.3
            config = {"name": None, "layers": config}
        if not isinstance(config, dict) or "layers" not in config:
            raise ArgumentError(
                "A Sequential model configuration must be a dictionary containing the 'name' and 'layers' keys. "
                f"Received: config={shown(config)}"
            )
        with limited(config):
            layers = [revive(described, custom_objects) for described in config["layers"]]
            model = cls(layers, name=config.get("name"))
            shape = _one_shape(config.get("build_input_shape"))
            if model._graph is None and shape is not None and layers:
                model.build(shape)
        if config.get("trainable") is False:
            model.trainable = False
        return model
