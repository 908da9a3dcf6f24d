"""Public functions of `striate.ops` as operations of functional models.

`@symbolic_op("keras.src.ops.nn", "Relu")` says under which module and class name Keras's files know the function.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from striate.backend import context
from striate.backend.functional_node import TENSOR_ARGUMENTS, FunctionOperation, compute_spec, record
from striate.backend.settings import standardize_data_format
from striate.backend.tensor import KerasTensor
from striate.core import tree

F = TypeVar("F", bound=Callable[..., Any])

#: (module, class name) in files -> the function; the closed table for operations.
OPERATIONS: dict[tuple[str, str], Callable[..., Any]] = {}


def _has_keras_tensor(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    for value in (*args, *kwargs.values()):
        if isinstance(value, KerasTensor):
            return True
        if isinstance(value, list | tuple | dict) and any(isinstance(t, KerasTensor) for t in tree.flatten(value)):
            return True
    return False


def symbolic_op(module: str, class_name: str, always: tuple[str, ...] = ()) -> Callable[[F], F]:
    """Let a function be called on a functional model's tensors: the call is remembered, only types are computed.

    Args:
        always: arguments that Keras's class wants to be given, None where they are left out.
    """

    def decorate(fn: F) -> F:
        signature = inspect.signature(fn)

        @functools.wraps(fn)
        def call(*args: Any, **kwargs: Any) -> Any:
            if context.in_spec_scope() or not _has_keras_tensor(args, kwargs):
                return fn(*args, **kwargs)
            bound = signature.bind(*args, **kwargs)
            if always:
                given = {**dict.fromkeys(always), **bound.arguments}
                bound = signature.bind(**given)  # in the order of the parameters
            if isinstance(bound.arguments.get("key"), list):
                # As in Keras: files know no tuples, so that a list is one wherever a symbolic tensor is indexed.
                bound.arguments["key"] = tuple(bound.arguments["key"])
            # Tensors are given by place up to the first argument that is none, by name after it.
            tensors: list[Any] = []
            named: dict[str, Any] = {}
            config: dict[str, Any] = {}
            first = list(signature.parameters)
            for name, value in bound.arguments.items():
                kind = signature.parameters[name].kind
                if kind is inspect.Parameter.VAR_POSITIONAL:
                    tensors.extend(value)
                elif kind is inspect.Parameter.VAR_KEYWORD:
                    config.update(value)
                elif name == "offset" and isinstance(value, int):
                    config[name] = value  # which diagonal; elsewhere an offset is a tensor
                elif name in TENSOR_ARGUMENTS and first[len(tensors)] == name:
                    tensors.append(value)
                elif name in TENSOR_ARGUMENTS:
                    named[name] = value
                else:
                    config[name] = value
            if "data_format" in signature.parameters:
                # Written out: where a file says nothing, Keras's pools take channels first.
                config["data_format"] = standardize_data_format(config.get("data_format"))
            operation = FunctionOperation(call, module, class_name, config)
            outputs = compute_spec(fn, tuple(tensors), {**config, **named})
            return record(operation, tuple(tensors), named, outputs)

        OPERATIONS[(module, class_name)] = call
        return call  # type: ignore[return-value]

    return decorate
