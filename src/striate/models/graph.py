"""The graph of a functional model: which calls lead from its inputs to its outputs, and in which order.

The order of operations is Keras's, since files count layers of one class in that order: by depth, the number of calls
to the farthest output, and within a depth by when a walk back from the outputs first met them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from striate import backend
from striate.backend import FunctionalNode, KerasTensor
from striate.core import tree
from striate.core.errors import ArgumentError
from striate.core.registry import export
from striate.core.tree_pairs import flatten_with_path
from striate.layers.input import InputLayer

#: operation -> what to call in its place
Substitute = Callable[[Any], Callable[..., Any]]


def node_of(tensor: KerasTensor) -> FunctionalNode:
    """The call that made a tensor."""
    history = tensor._keras_history
    if history is None:
        raise ArgumentError(
            f"{tensor!r} was made by no layer. A functional model's tensors come from `Input` and from layers and "
            "striate.ops functions called on such tensors."
        )
    node: FunctionalNode = history.operation._inbound_nodes[history.node_index]
    return node


@export("utils.get_source_inputs")
def get_source_inputs(tensor: KerasTensor) -> list[KerasTensor]:
    """The tensors of `Input`s that a tensor of a functional model comes from, each once.

    Source: `keras.utils.get_source_inputs`.

    Example:
        >>> x = keras.Input((3,), name="x")
        >>> [t.name for t in get_source_inputs(keras.layers.Dense(2)(x))]
        ['x']
    """
    found: dict[int, KerasTensor] = {}
    seen: set[FunctionalNode] = set()
    stack = [tensor]
    while stack:
        tensor = stack.pop()
        node = node_of(tensor)
        if node.is_input:
            found.setdefault(id(tensor), tensor)
        elif node not in seen:
            seen.add(node)
            stack.extend(reversed(node.input_tensors))
    return list(found.values())


def _described(tensor: KerasTensor) -> str:
    maker = tensor._keras_history.operation.name
    return repr(maker) if maker == tensor.name else f"{tensor.name!r} of {maker!r}"


class LayerGraph:
    """The calls between some input and some output tensors.

    Args:
        inputs, outputs: KerasTensors, or nested structures of them; inputs come from `Input`.

    Raises:
        ValueError: an output that needs an input which is not given; two operations of one name; a cycle.
    """

    def __init__(self, inputs: Any, outputs: Any) -> None:
        self.inputs_struct = inputs
        self.outputs_struct = outputs
        self.inputs: list[KerasTensor] = tree.flatten(inputs)
        self.outputs: list[KerasTensor] = tree.flatten(outputs)
        self._starts = {id(t) for t in self.inputs}
        found, met = self._walk()
        self.depth_of = self._depths(found)
        for tensor in self.inputs:
            # An input that no output needs stands last.
            node = node_of(tensor)
            if node not in self.depth_of:
                self.depth_of[node] = 0
                met.setdefault(id(node.operation), -1)
        operation_depth: dict[int, int] = {}
        operations: dict[int, Any] = {}
        for node, depth in self.depth_of.items():
            key = id(node.operation)
            operations[key] = node.operation
            operation_depth[key] = max(depth, operation_depth.get(key, 0))
        self.operations: list[Any] = sorted(operations.values(), key=lambda op: (-operation_depth[id(op)], met[id(op)]))
        #: the calls in the order in which they can be run.
        self.nodes: list[FunctionalNode] = sorted(self.depth_of, key=lambda n: -self.depth_of[n])
        self._check_complete()
        self._check_names()

    def _walk(self) -> tuple[list[FunctionalNode], dict[int, int]]:
        """(nodes in postorder, operation -> when it was first met), walking back from the outputs."""
        met: dict[int, int] = {}
        order: list[FunctionalNode] = []
        state: dict[FunctionalNode, str] = {}
        stack: list[tuple[FunctionalNode, bool]] = []
        for output in self.outputs:
            stack.append((node_of(output), id(output) in self._starts))
            while stack:
                node, is_start = stack.pop()
                if state.get(node) == "open":
                    state[node] = "done"
                    order.append(node)
                    continue
                if node in state:
                    continue
                met.setdefault(id(node.operation), len(met))
                state[node] = "open"
                stack.append((node, False))
                if not is_start:
                    below = node.input_tensors
                    stack.extend((node_of(t), id(t) in self._starts) for t in reversed(below))
        return order, met

    @staticmethod
    def _depths(postorder: list[FunctionalNode]) -> dict[FunctionalNode, int]:
        """Node -> calls to the farthest output. Calls of one operation are at least as deep as its later ones."""
        depths: dict[FunctionalNode, int] = {}
        of_operation: dict[int, int] = {}
        known = set(postorder)
        for node in reversed(postorder):
            depth = max(depths.setdefault(node, 0), of_operation.get(id(node.operation), 0))
            depths[node] = of_operation[id(node.operation)] = depth
            for parent in node.parent_nodes:
                if parent in known:
                    depths[parent] = max(depth + 1, depths.get(parent, 0))
        return depths

    def _check_complete(self) -> None:
        have = set(self._starts)
        why: dict[int, str] = {}
        for node in self.nodes:
            if node.is_input or all(id(t) in self._starts for t in node.outputs):
                continue
            missing = [t for t in node.input_tensors if id(t) not in have]
            if not missing:
                have.update(id(t) for t in node.outputs)
                continue
            first = f"{node.operation.name!r} needs {_described(missing[0])}, which does not come from the given inputs"
            reason = why.get(id(missing[0]), first)
            why.update((id(t), reason) for t in node.outputs)
        for path, tensor in flatten_with_path(self.outputs_struct):
            if id(tensor) not in have:
                reason = why.get(id(tensor), f"{_described(tensor)} is an input that is not given; those given are")
                where = f"Output with path `{'.'.join(map(str, path))}`" if path else "`outputs`"
                raise ArgumentError(
                    f"{where} is not connected to `inputs`: {reason} {[t.name for t in self.inputs]}. "
                    "Add its Input to `inputs`."
                )

    def _check_names(self) -> None:
        counts = Counter(op.name for op in self.operations)
        twice = [name for name, count in counts.items() if count > 1]
        if twice:
            raise ArgumentError(
                f'The name "{twice[0]}" is used {counts[twice[0]]} times in the model. All operation names should be '
                "unique: pass another `name` to one of the layers."
            )

    def run(self, tensors: list[Any], substitute: Substitute | None = None) -> Any:
        """The outputs for other tensors in the inputs' places: arrays, traced or symbolic ones.

        Args:
            tensors: one an input, in order. Where the call around them says whether it trains, that holds for every
                layer, as in Keras 3: its files note a `training` for calls that were given none.
            substitute: gives what is called in an operation's place (cloning uses it).
        """
        values: dict[int, Any] = {id(t): x for t, x in zip(self.inputs, tensors, strict=True)}
        around = backend.call_context()
        training = None if around is None else around.training

        def value(leaf: Any) -> Any:
            return values[id(leaf)] if isinstance(leaf, KerasTensor) else leaf

        for node in self.nodes:
            if node.is_input or all(id(t) in values for t in node.outputs):
                continue
            backend.book_call()
            args = tree.map_structure(value, list(node.args))
            kwargs = {k: tree.map_structure(value, v) for k, v in node.kwargs.items()}
            if training is not None and "training" in kwargs:
                kwargs["training"] = training
            operation = node.operation if substitute is None else substitute(node.operation)
            results = [r for r in tree.flatten(operation(*args, **kwargs)) if r is not None]
            values.update((id(t), r) for t, r in zip(node.outputs, results, strict=True))
        return tree.pack_sequence_as(self.outputs_struct, [values[id(t)] for t in self.outputs])

    def own_index(self, node: FunctionalNode) -> int:
        """The node's number among its operation's nodes in this graph."""
        own = [n for n in node.operation._inbound_nodes if n in self.depth_of]
        return own.index(node)


def start_from(inputs: Any, outputs: Any) -> tuple[Any, Any]:
    """(inputs, outputs) of the same calls, beginning at new Inputs where `inputs` hold tensors from inside a model.

    The layers are shared with the model that the tensors come from; the calls are recorded once more.
    """
    flat = tree.flatten(inputs)
    if all(node_of(t).is_input for t in flat):
        return inputs, outputs
    fresh = []
    for tensor in flat:
        if node_of(tensor).is_input:
            fresh.append(tensor)
        else:
            layer = InputLayer(batch_shape=tensor.shape, dtype=tensor.dtype, name=f"{tensor.name}_input")
            fresh.append(layer.output)
    graph = LayerGraph(inputs, outputs)
    values = {id(t): x for t, x in zip(flat, fresh, strict=True)}

    def value(leaf: Any) -> Any:
        return values.get(id(leaf), leaf) if isinstance(leaf, KerasTensor) else leaf

    for node in graph.nodes:
        if node.is_input or all(id(t) in values for t in node.outputs):
            continue
        results = [KerasTensor(t.shape, t.dtype) for t in node.outputs]
        args = tuple(tree.map_structure(value, list(node.args)))
        kwargs = {k: tree.map_structure(value, v) for k, v in node.kwargs.items()}
        backend.record(node.operation, args, kwargs, results)
        values.update((id(t), r) for t, r in zip(node.outputs, results, strict=True))
    return tree.pack_sequence_as(inputs, fresh), tree.map_structure(value, outputs)


__all__ = ["LayerGraph", "get_source_inputs", "node_of", "start_from"]
