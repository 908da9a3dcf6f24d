"""Who made a KerasTensor: the record of functional models.

Calling a layer (or a symbolic op) on KerasTensors leaves one `FunctionalNode`: the operation, the arguments of the
call and the tensors it gave. Every KerasTensor knows its place in that record by its `_keras_history`, so a functional
model is found by walking back from its outputs.

An operation (a layer, an op as an object) carries a list `_inbound_nodes`, one entry a call, and a `name`.
Inputs are nodes without arguments: an InputLayer records itself as `record(self, (), {}, tensor)`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from striate.core import tree


class KerasHistory(NamedTuple):
    """The operation that made a tensor, which of its calls, and which of that call's results."""

    operation: Any
    node_index: int
    tensor_index: int


def is_keras_tensor_like(x: Any) -> bool:
    """Whether `x` is a symbolic tensor of functional models (told by the place where its history is kept)."""
    return hasattr(x, "_keras_history")


class FunctionalNode:
    """One call of an operation on KerasTensors."""

    __slots__ = ("args", "kwargs", "operation", "outputs")

    def __init__(self, operation: Any, args: tuple[Any, ...], kwargs: dict[str, Any], outputs: Any) -> None:
        self.operation = operation
        self.args = args
        self.kwargs = kwargs
        self.outputs = outputs

    @property
    def input_tensors(self) -> list[Any]:
        """The KerasTensors among the arguments, in order."""
        return [x for x in tree.flatten([list(self.args), self.kwargs]) if is_keras_tensor_like(x)]

    @property
    def output_tensors(self) -> list[Any]:
        return tree.flatten(self.outputs)

    @property
    def parent_nodes(self) -> list[FunctionalNode]:
        """The nodes whose results this one reads."""
        return [node_of(t) for t in self.input_tensors if t._keras_history is not None]

    @property
    def is_input(self) -> bool:
        return not self.input_tensors

    def __repr__(self) -> str:
        return f"<node of {getattr(self.operation, 'name', self.operation)!r}>"


def node_of(tensor: Any) -> FunctionalNode:
    """The node that made a KerasTensor."""
    operation, node_index, _ = tensor._keras_history
    node: FunctionalNode = operation._inbound_nodes[node_index]
    return node


_state = threading.local()


def is_recording() -> bool:
    return not getattr(_state, "paused", 0)


@contextmanager
def not_recording() -> Iterator[None]:
    """Within it, calls on KerasTensors infer shapes and leave no record (inside a layer's own call, when building)."""
    _state.paused = getattr(_state, "paused", 0) + 1
    try:
        yield
    finally:
        _state.paused -= 1


def record(operation: Any, args: tuple[Any, ...], kwargs: dict[str, Any], outputs: Any) -> Any:
    """Enter a call into the record and give its results, each knowing its history.

    A result that already has a history (an operation that hands its input on) is given as a new tensor.
    """
    if not is_recording():
        return outputs
    index = len(operation._inbound_nodes)
    fresh: list[Any] = []
    for place, tensor in enumerate(tree.flatten(outputs)):
        if not is_keras_tensor_like(tensor):
            fresh.append(tensor)
            continue
        if tensor._keras_history is not None:
            tensor = type(tensor)(tensor.shape, tensor.dtype)
        tensor._keras_history = KerasHistory(operation, index, place)
        fresh.append(tensor)
    outputs = tree.pack_sequence_as(outputs, fresh)
    operation._inbound_nodes.append(FunctionalNode(operation, args, kwargs, outputs))
    return outputs
