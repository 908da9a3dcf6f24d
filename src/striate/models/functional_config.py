"""A functional model as plain values, in Keras's form, and back.

    {"layers": [{<a serialized layer>, "name": ..., "inbound_nodes": [{"args": ..., "kwargs": ...}, ...]}, ...],
     "input_layers": ["img", 0, 0], "output_layers": ["logits", 0, 0]}

A tensor among arguments is {"class_name": "__keras_tensor__", "config": {..., "keras_history": [layer, call, result]}}.
Calls are counted among those that belong to the model; in output_layers a nested functional model's calls count from 1.
"""

from __future__ import annotations

from typing import Any

from striate import backend
from striate.backend import FunctionalNode, KerasTensor
from striate.core import tree
from striate.core.errors import LoadError
from striate.models.graph import LayerGraph, node_of

_LEGACY_MODULES = {
    "Functional": "keras.src.models.functional",
    "Model": "keras.src.models.functional",
    "Sequential": "keras",
}


def functional_config(graph: LayerGraph, functional: type) -> dict[str, Any]:
    """ "layers", "input_layers" and "output_layers" of a model."""
    own: dict[FunctionalNode, int] = {}
    layers = []
    for operation in graph.operations:
        count = 0
        for node in operation._inbound_nodes:
            if node in graph.depth_of:
                own[node] = count
                count += 1
    for operation in graph.operations:
        described = backend.serialize_keras_object(operation)
        described["name"] = operation.name
        described["inbound_nodes"] = [
            _node_config(node, own) for node in operation._inbound_nodes if node in own and not node.is_input
        ]
        layers.append(described)

    def place(tensor: KerasTensor) -> list[Any]:
        operation, _, result = tensor._keras_history
        first = 1 if isinstance(operation, functional) else 0
        return [operation.name, own[node_of(tensor)] + first, result]

    return {
        "layers": layers,
        "input_layers": tree.map_structure(place, graph.inputs_struct),
        "output_layers": tree.map_structure(place, graph.outputs_struct),
    }


def _node_config(node: FunctionalNode, own: dict[FunctionalNode, int]) -> dict[str, Any]:
    def encode(value: Any) -> Any:
        if isinstance(value, KerasTensor):
            operation, _, result = value._keras_history
            history = [operation.name, own[node_of(value)], result]
            config = {"shape": list(value.shape), "dtype": value.dtype, "keras_history": history}
            return {"class_name": "__keras_tensor__", "config": config}
        if isinstance(value, list | tuple):
            return [encode(v) for v in value]
        if isinstance(value, dict):
            return {k: encode(v) for k, v in value.items()}
        return backend.serialize_keras_object(value)

    return {"args": encode(list(node.args)), "kwargs": encode(node.kwargs)}


class _NotYet(Exception):
    """A call whose arguments are not made yet."""


class _Reader:
    """Makes the layers of a config and calls them on one another, in whatever order the arguments allow."""

    def __init__(self, config: dict[str, Any], custom_objects: Any, functional: type) -> None:
        self.custom_objects = custom_objects
        self.functional = functional
        self.layers: dict[str, Any] = {}
        #: layer -> where its calls of this model begin among its nodes.
        self.first: dict[str, int] = {}
        self.calls: dict[str, list[Any]] = {}
        if not isinstance(config["layers"], list):
            raise LoadError(
                f"The `layers` of a functional model are a list. Received: {type(config['layers']).__name__}."
            )
        for described in config["layers"]:
            self._make_layer(described)
        #: nested models of older files, whose calls count from 1.
        self.from_one = {name for name in self.layers if self._counts_from_one(name, config["layers"])}

    def _make_layer(self, described: Any) -> None:
        if not isinstance(described, dict) or not isinstance(described.get("class_name"), str):
            raise LoadError(f"A layer's config is a dictionary with a `class_name`. Received: {described!r}.")
        name = described.get("name") or (described.get("config") or {}).get("name")
        if not isinstance(name, str) or name in self.layers:
            raise LoadError(f"Each layer of a functional model has a name of its own. Received: {name!r}.")
        layer = revive(described, self.custom_objects)
        if not hasattr(layer, "_inbound_nodes"):
            raise LoadError(f"Expected a layer or operation named {name!r}. Received: {type(layer).__name__}.")
        self.layers[name] = layer
        inbound = described.get("inbound_nodes") or []
        # An InputLayer records itself; a layer that is shared with another model has calls already.
        self.first[name] = 0 if not inbound else len(layer._inbound_nodes)
        self.calls[name] = list(inbound)

    def _counts_from_one(self, name: str, described: list[Any]) -> bool:
        if not isinstance(self.layers[name], self.functional):
            return False
        return len(self.calls[name]) in set(_references(name, [d.get("inbound_nodes") for d in described]))

    def run(self) -> None:
        """Make all calls.

        Raises:
            LoadError: some never become possible: the graph has a loop or a piece is missing.
        """
        waiting = {name: calls for name, calls in self.calls.items() if calls}
        while waiting:
            progressed = False
            for name in list(waiting):
                while waiting[name]:
                    try:
                        args, kwargs = self._arguments(waiting[name][0])
                    except _NotYet:
                        break
                    backend.book_call()
                    self.layers[name](*args, **kwargs)
                    waiting[name] = waiting[name][1:]
                    progressed = True
                if not waiting[name]:
                    del waiting[name]
            if not progressed:
                raise LoadError(
                    "Invalid Functional model configuration: the graph has a loop or disconnected nodes. "
                    f"These layers could not be called: {', '.join(waiting)}."
                )

    def _arguments(self, node: Any) -> tuple[list[Any], dict[str, Any]]:
        if isinstance(node, list):  # Keras 2: [[layer, call, result, kwargs], ...]
            tensors = [self.tensor(entry[0], entry[1], entry[2]) for entry in node]
            kwargs = node[0][3] if node and len(node[0]) > 3 else {}
            return [tensors[0] if len(tensors) == 1 else tensors], {k: self._revive(v) for k, v in kwargs.items()}
        if not isinstance(node, dict):
            raise LoadError(f"A call is described by its args and kwargs. Received: {node!r}.")
        return self._revive(node.get("args", [])), self._revive(node.get("kwargs", {}))

    def _revive(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._revive(v) for v in value]
        if not isinstance(value, dict):
            return value
        if value.get("class_name") == "__keras_tensor__":
            return self.tensor(*value["config"]["keras_history"])
        if "class_name" in value:
            return backend.deserialize_keras_object(value, self.custom_objects)
        return {k: self._revive(v) for k, v in value.items()}

    def tensor(self, name: str, call: int, result: int) -> KerasTensor:
        """The `result`-th tensor of a layer's `call`-th call."""
        layer = self.layers.get(name)
        if layer is None:
            raise LoadError(f"The config names a layer {name!r} that it does not hold.")
        index = self.first[name] + int(call) - (1 if name in self.from_one else 0)
        if not 0 <= index < len(layer._inbound_nodes):
            raise _NotYet
        outputs = layer._inbound_nodes[index].outputs
        if not 0 <= int(result) < len(outputs):
            raise LoadError(f"Layer {name!r} gives {len(outputs)} tensors. The config asks for number {result}.")
        found: KerasTensor = outputs[int(result)]
        return found

    def place(self, where: Any) -> Any:
        """Tensors for input_layers and output_layers."""
        if isinstance(where, list | tuple) and len(where) == 3 and isinstance(where[0], str):
            name, call, result = where
            one_based = isinstance(self.layers.get(name), self.functional) and name not in self.from_one
            try:
                return self.tensor(name, call - 1 if one_based and call else call, result)
            except _NotYet:
                raise LoadError(f"The config asks for call {call} of layer {name!r}, which it does not make.") from None
        if isinstance(where, dict):
            return {k: self.place(v) for k, v in where.items()}
        if isinstance(where, list | tuple):
            return [self.place(v) for v in where]
        raise LoadError(f"A tensor is named by [layer, call, result]. Received: {where!r}.")


def _references(name: str, value: Any) -> list[int]:
    """Every call number by which tensors of a layer are named."""
    if isinstance(value, dict):
        if value.get("class_name") == "__keras_tensor__":
            history = value["config"].get("keras_history") or [None, 0, 0]
            return [history[1]] if history[0] == name else []
        return [i for v in value.values() for i in _references(name, v)]
    if isinstance(value, list):
        if len(value) in (3, 4) and value[0] == name and isinstance(value[1], int):
            return [value[1]]
        return [i for v in value for i in _references(name, v)]
    return []


def revive(described: dict[str, Any], custom_objects: Any = None) -> Any:
    """A layer from its config; files of Keras 2 name no module."""
    if "module" not in described:
        module = _LEGACY_MODULES.get(described["class_name"], "keras.layers")
        described = {**described, "module": module}
        if described["class_name"] == "Model":
            described["class_name"] = "Functional"
    return backend.deserialize_keras_object(described, custom_objects)


def read_functional(config: dict[str, Any], custom_objects: Any, functional: type) -> tuple[Any, Any]:
    """(inputs, outputs) of the model that a config describes.

    Raises:
        LoadError: a config that does not hang together, or names classes that are neither ours nor given.
    """
    with backend.sharing_scope():
        reader = _Reader(config, custom_objects, functional)
        reader.run()
        return reader.place(config["input_layers"]), reader.place(config["output_layers"])
