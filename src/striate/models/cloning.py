"""clone_model: the same architecture with layers and weights of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from striate.backend import KerasTensor
from striate.core import tree
from striate.core.errors import ArgumentError
from striate.core.registry import export
from striate.layers.base import Layer
from striate.layers.input import Input, InputLayer
from striate.models.functional import Functional
from striate.models.model import Model
from striate.models.sequential import Sequential


def clone_layer(layer: Any) -> Any:
    """A layer of the same configuration, with fresh weights."""
    return type(layer).from_config(layer.get_config())


@export("models.clone_model")
def clone_model(
    model: Any,
    input_tensors: Any = None,
    clone_function: Callable[[Any], Any] | None = None,
    call_function: Callable[..., Any] | None = None,
    recursive: bool = False,
    **kwargs: Any,
) -> Any:
    """A model with the same layers, each made anew with fresh weights.

    Source: `keras.models.clone_model`.

    Args:
        model: Sequential, Functional, or a subclassed model with a config.
        input_tensors: KerasTensors for the clone to begin at.
        clone_function: layer -> the layer in its place; inputs are not given to it. Functional and Sequential only.
        call_function: (layer, *args, **kwargs) -> outputs: what is done in the place of a call. Functional only.
        recursive: give the layers of models inside to `clone_function` and `call_function` too.

    Raises:
        ValueError: a subclassed model with any of these; `input_tensors` of another structure than `model.input`.
    """
    if kwargs:
        raise ArgumentError(f"clone_model() has no argument {', '.join(map(repr, kwargs))}.")

    def clone(layer: Any) -> Any:
        if recursive and isinstance(layer, Model):
            call = call_function if isinstance(layer, Functional) else None
            return clone_model(layer, clone_function=clone_function, call_function=call, recursive=True)
        made = clone_function(layer) if clone_function is not None else clone_layer(layer)
        if not callable(made):
            raise ArgumentError(f"`clone_function` must give a layer. Received for {layer!r}: {made!r}.")
        return made

    made = _clone(model, input_tensors, clone_function, call_function, clone)
    if model.compiled:  # with an optimizer and metrics of its own, which begin anew
        made.compile_from_config(model.get_compile_config())
    return made


def _clone(model: Any, input_tensors: Any, clone_function: Any, call_function: Any, clone: Callable[[Any], Any]) -> Any:
    if type(model) is Functional or (isinstance(model, Functional) and clone_function is not None):
        return _clone_functional(model, input_tensors, clone, call_function)
    if isinstance(model, Sequential):
        if call_function is not None:
            raise ArgumentError("`call_function` is only supported for functional models. Received a Sequential model.")
        return _clone_sequential(model, input_tensors, clone)
    if clone_function is not None or input_tensors is not None or call_function is not None:
        raise ArgumentError(
            "Arguments `clone_function`, `input_tensors` and `call_function` are only supported for Sequential and "
            f"functional models. Received model of type {type(model).__name__}."
        )
    return clone_layer(model)


def _clone_sequential(model: Sequential, input_tensors: Any, clone: Callable[[Any], Any]) -> Sequential:
    layers: list[Any] = [clone(layer) for layer in model.layers]
    start = next((layer for layer in model._stack if isinstance(layer, InputLayer)), None)
    if input_tensors is not None:
        tensors = tree.flatten(input_tensors)
        if len(tensors) != 1 or not isinstance(tensors[0], KerasTensor):
            raise ArgumentError(f"A Sequential model has one input. Received: input_tensors={input_tensors!r}.")
        history = tensors[0]._keras_history
        if history is not None and isinstance(history.operation, InputLayer):
            layers.insert(0, history.operation)
        else:
            layers.insert(0, InputLayer(batch_shape=tensors[0].shape, dtype=tensors[0].dtype))
    elif start is not None:
        layers.insert(0, InputLayer(batch_shape=start.batch_shape, dtype=start.dtype, name=start.name))
    return type(model)(layers, name=model.name, trainable=model.trainable)


def _clone_functional(
    model: Functional, input_tensors: Any, clone: Callable[[Any], Any], call: Callable[..., Any] | None
) -> Functional:
    made: dict[int, Any] = {}

    def substitute(operation: Any) -> Any:
        if id(operation) not in made:
            made[id(operation)] = clone(operation) if isinstance(operation, Layer) else operation
        instead = made[id(operation)]
        if call is None:
            return instead
        return lambda *args, **kwargs: call(instead, *args, **kwargs)

    graph = model._graph
    if input_tensors is None:
        fresh = [Input(batch_shape=t.shape, dtype=t.dtype, name=t._keras_history.operation.name) for t in graph.inputs]
    else:
        fresh = tree.flatten(input_tensors)
        alike = tree.key_of(input_tensors) == tree.key_of(graph.inputs_struct) or not isinstance(
            graph.inputs_struct, dict
        )
        if not alike or len(fresh) != len(graph.inputs) or not all(isinstance(t, KerasTensor) for t in fresh):
            raise ArgumentError(
                "`input_tensors` must have the same structure as model.input, of KerasTensors. "
                f"Expected: {tree.map_structure(lambda t: t.name, graph.inputs_struct)}. Received: {input_tensors!r}."
            )
    outputs = graph.run(list(fresh), substitute)
    cls = type(model) if type(model) is Functional else Functional
    return cls(tree.pack_sequence_as(graph.inputs_struct, fresh), outputs, name=model.name)
