"""A functional model as plain values, in Keras's form, and back.

    {"layers": [{<a serialized layer>, "name": ..., "inbound_nodes": [{"args": ..., "kwargs": ...}, ...]}, ...],
     "input_layers": ["img", 0, 0], "output_layers": ["logits", 0, 0]}

A tensor among arguments is {"class_name": "__keras_tensor__", "config": {..., "keras_history": [layer, call, result]}}.
Calls are counted among those that belong to the model; in output_layers a nested functional model's calls count from 1.
"""

from __future__ import annotations

import re
from typing import Any

from striate import backend
from striate.backend import FunctionalNode, KerasTensor
from striate.backend.functional_node import FunctionOperation
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
    unnamed = _unnamed_operations(graph)
    for operation in graph.operations:
        count = 0
        for node in operation._inbound_nodes:
            if node in graph.depth_of:
                own[node] = count
                count += 1
    for operation in graph.operations:
        described = backend.serialize_keras_object(operation)
        if operation in unnamed:
            del described["config"]["name"]
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


def _unnamed_operations(graph: LayerGraph) -> list[FunctionOperation]:
    """Operations whose config need not hold their name, which stands beside it: Keras before 3.12 cannot read it there.

    Without it Keras makes a name up, of the class's and a number: other than the layers' names, if none of those is
    alike. An output's name is what losses and targets are given by.
    """
    operations = [op for op in graph.operations if isinstance(op, FunctionOperation)]
    layers = [op.name for op in graph.operations if not isinstance(op, FunctionOperation)]
    outputs = [tensor._keras_history.operation for tensor in graph.outputs]
    alike = {
        base: any(re.fullmatch(rf"{base}(_\d+)?", name) for name in layers)
        for base in {backend.to_snake_case(op.class_name) for op in operations}
    }
    return [op for op in operations if not alike[backend.to_snake_case(op.class_name)] and op not in outputs]


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
    """A call that is not made yet."""


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
        for name, calls in self.calls.items():
            # An InputLayer records itself; a layer that is shared with another model has calls already, some of them
            # of models that stand after it in the list.
            self.first[name] = len(self.layers[name]._inbound_nodes) if calls else 0
        #: nested models of older files, whose calls count from 1.
        self.from_one = self._counting_from_one(config)

    def _make_layer(self, described: Any) -> None:
        if not isinstance(described, dict) or not isinstance(described.get("class_name"), str):
            raise LoadError(f"A layer's config is a dictionary with a `class_name`. Received: {described!r}.")
        name = described.get("name") or (described.get("config") or {}).get("name")
        if not isinstance(name, str) or name in self.layers:
            raise LoadError(f"Each layer of a functional model has a name of its own. Received: {name!r}.")
        layer = revive(described, self.custom_objects)
        if not hasattr(layer, "_inbound_nodes"):
            raise LoadError(f"Expected a layer or operation named {name!r}. Received: {type(layer).__name__}.")
        if isinstance(layer, FunctionOperation):
            layer.name = name
        self.layers[name] = layer
        inbound = described.get("inbound_nodes") or []
        self.calls[name] = list(inbound)

    def _counting_from_one(self, config: dict[str, Any]) -> set[str]:
        models = {name for name, layer in self.layers.items() if hasattr(layer, "get_layer")}
        if not models:
            return set()
        named: set[tuple[str, int]] = set()
        _note_references([d.get("inbound_nodes") for d in config["layers"]], models, named)
        # Where outputs are named, functional models count from 1 in all files.
        others = {name for name in models if not isinstance(self.layers[name], self.functional)}
        _note_references(config.get("output_layers"), others, named)
        return {name for name in models if (name, len(self.calls[name])) in named}

    def run(self) -> None:
        """Make all calls.

        Raises:
            LoadError: some never become possible: the graph has a loop or a piece is missing.
        """
        made = dict.fromkeys(self.calls, 0)
        #: (layer, call) -> layers whose next call takes what it gives; layer -> how many such calls it lacks.
        waiting: dict[tuple[str, int], list[str]] = {}
        lacking: dict[str, int] = {}
        # A file lists layers in any order; each call's arguments are looked for once, so that none takes long to read.
        to_try = [name for name, calls in reversed(self.calls.items()) if calls]
        while to_try:
            name = to_try.pop()
            layer, calls = self.layers[name], self.calls[name]
            while made[name] < len(calls):
                missing = self._missing(calls[made[name]])
                if missing:
                    lacking[name] = len(missing)
                    for key in missing:
                        waiting.setdefault(key, []).append(name)
                    break
                before = len(layer._inbound_nodes)
                args, kwargs = self._arguments(calls[made[name]])
                backend.book_call()
                layer(*args, **kwargs)
                made[name] += 1
                for index in range(before, len(layer._inbound_nodes)):
                    for other in waiting.pop((name, index), ()):
                        lacking[other] -= 1
                        if not lacking[other]:
                            to_try.append(other)
        stuck = [name for name, calls in self.calls.items() if made[name] < len(calls)]
        if stuck:
            raise LoadError(
                "Invalid Functional model configuration: the graph has a loop or disconnected nodes. "
                f"These layers could not be called: {', '.join(stuck[:12])}{', ...' if len(stuck) > 12 else ''}."
            )

    def _missing(self, node: Any) -> set[tuple[str, int]]:
        """(layer, index of its call) of all arguments that are not made yet."""
        found: set[tuple[str, int]] = set()

        def look(value: Any) -> None:
            if isinstance(value, list):
                for item in value:
                    look(item)
            elif isinstance(value, dict):
                if value.get("class_name") == "__keras_tensor__":
                    note(*value["config"]["keras_history"][:2])
                elif "class_name" not in value:
                    for item in value.values():
                        look(item)

        def note(name: str, call: int) -> None:
            index = self._index(name, call)
            if not 0 <= index < len(self.layers[name]._inbound_nodes):
                found.add((name, index))

        if isinstance(node, list):  # Keras 2: [[layer, call, result, kwargs], ...]
            for entry in node:
                note(entry[0], entry[1])
            look(node[0][3] if node and len(node[0]) > 3 else {})
        elif isinstance(node, dict):
            look(node.get("args", []))
            look(node.get("kwargs", {}))
        return found

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

    def _index(self, name: str, call: int) -> int:
        """Where a call of this model stands among all that were made of a layer."""
        if name not in self.layers:
            raise LoadError(f"Missing node: {name}. The config names a layer {name!r} that it does not hold.")
        return self.first[name] + int(call) - (1 if name in self.from_one else 0)

    def tensor(self, name: str, call: int, result: int) -> KerasTensor:
        """The `result`-th tensor of a layer's `call`-th call."""
        index = self._index(name, call)
        layer = self.layers[name]
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
        if isinstance(where, list | tuple):  # tuples where the config did not go through JSON
            return type(where)(self.place(v) for v in where)
        raise LoadError(f"A tensor is named by [layer, call, result]. Received: {where!r}.")


def _note_references(value: Any, names: set[str], found: set[tuple[str, int]]) -> None:
    """Add (layer, call) of every tensor that is named, of the layers in `names`."""
    if isinstance(value, dict):
        if value.get("class_name") == "__keras_tensor__":
            value = value["config"].get("keras_history")
        else:
            value = list(value.values())
    if not isinstance(value, list):
        return
    if len(value) in (3, 4) and isinstance(value[0], str) and isinstance(value[1], int):
        if value[0] in names:
            found.add((value[0], value[1]))
        return
    for item in value:
        _note_references(item, names, found)


def revive(described: dict[str, Any], custom_objects: Any = None) -> Any:
    """A layer from its config; files of Keras 2 name no module."""
    if not isinstance(described, dict) or not isinstance(described.get("class_name"), str):
        raise LoadError(
            "A layer is described by its class and arguments. Expected a dictionary containing a 'config' key. "
            f"Received: {described!r}."
        )
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
