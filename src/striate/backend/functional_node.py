"""How a functional model remembers what was called on what.

Calling an operation (a layer, a model, or a function of `striate.ops`) on KerasTensors makes a FunctionalNode; each
result's `_keras_history` says which operation made it, in which of its calls, at which place among the results.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from striate.backend import context
from striate.backend.budget import is_limited
from striate.backend.names import auto_name
from striate.backend.tensor import KerasTensor
from striate.core import tree
from striate.core.errors import LoadError


class KerasHistory(NamedTuple):
    """Who made a KerasTensor: call `node_index` of `operation`, result `tensor_index`."""

    operation: Any
    node_index: int
    tensor_index: int


class FunctionalNode:
    """One call of an operation: its arguments as given, with KerasTensors in them, and its results."""

    def __init__(self, operation: Any, args: tuple[Any, ...], kwargs: dict[str, Any], outputs: Any) -> None:
        self.operation = operation
        self.args = args
        self.kwargs = kwargs
        self.input_tensors = [t for t in tree.flatten([list(args), kwargs]) if isinstance(t, KerasTensor)]
        self.outputs = [t for t in tree.flatten(outputs) if isinstance(t, KerasTensor)]
        if not hasattr(operation, "_inbound_nodes"):
            operation._inbound_nodes = []
        self.index = len(operation._inbound_nodes)
        operation._inbound_nodes.append(self)
        for position, tensor in enumerate(self.outputs):
            tensor._keras_history = KerasHistory(operation, self.index, position)

    @property
    def is_input(self) -> bool:
        """Whether it is the node of an InputLayer."""
        return not self.input_tensors

    @property
    def parent_nodes(self) -> list[FunctionalNode]:
        """The calls that made the arguments."""
        parents = []
        for tensor in self.input_tensors:
            history = tensor._keras_history
            parents.append(history.operation._inbound_nodes[history.node_index])
        return parents


def record(operation: Any, args: tuple[Any, ...], kwargs: dict[str, Any], outputs: Any) -> Any:
    """Note the call and give the results."""
    FunctionalNode(operation, args, kwargs, outputs)
    return outputs


#: What a public function takes as tensors; its other arguments are the operation's configuration.
TENSOR_ARGUMENTS = frozenset(
    {
        "x", "x1", "x2", "xs", "inputs", "kernel", "depthwise_kernel", "pointwise_kernel", "bias", "condition",
        "indices", "values", "target", "output", "targets", "predictions", "arrays", "tensors", "operands", "a", "b",
        "y_true", "y_pred", "pred", "mean", "variance", "offset", "start_indices", "updates", "data", "segment_ids",
        "images", "key", "scale", "fill_value", "constant_values", "gamma", "beta", "weights", "variable",
        "transform", "coordinates", "target_length", "output_length", "image1", "image2", "start_points", "end_points",
        "translation", "y", "q", "tensor", "array", "sorted_sequence", "condlist", "choicelist", "elements",
    }
)  # fmt: skip


class FunctionOperation:
    """A call of a public function as a node of a functional model; Keras has a class for each, whose name it bears."""

    def __init__(
        self, fn: Callable[..., Any], module: str, class_name: str, config: dict[str, Any], name: str | None = None
    ) -> None:
        self.fn = fn
        self.module = module
        self.class_name = class_name
        self.config = config
        self.name = name or auto_name(class_name)
        self._inbound_nodes: list[FunctionalNode] = []

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.class_name == "GetItem":
            args = tuple(tuple(a) if isinstance(a, list) else a for a in args)
        whole = {**self.config, **kwargs}
        leaves = tree.flatten([list(args), kwargs])
        symbolic = any(isinstance(t, KerasTensor) for t in leaves)
        if is_limited() and not symbolic:
            raise LoadError(
                f"The file asks for {self.class_name} of constants, which would be computed while it is read. "
                "Operations of a model take at least one of its tensors. It is refused."
            )
        if symbolic and not context.in_spec_scope():
            # Called again (by a model that is read or cloned): one more call of this operation, no new operation.
            return record(self, args, kwargs, compute_spec(self.fn, args, whole))
        return self.fn(*args, **whole)

    def get_config(self) -> dict[str, Any]:
        return {**self.config, "name": self.name}

    def __repr__(self) -> str:
        return f"<{self.class_name} operation, name={self.name}>"


def compute_spec(fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The types of what `fn` gives for these KerasTensors: fresh KerasTensors, and nothing recorded."""
    with context.spec_scope():
        outputs = fn(*args, **kwargs)

    def fresh(leaf: Any) -> Any:
        return KerasTensor(leaf.shape, leaf.dtype) if isinstance(leaf, KerasTensor) else leaf

    return tree.map_structure(fresh, outputs)
