"""value_and_grad: gradients of what a Python function computes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from striate.backend import context
from striate.backend.apply import convert_to_tensor, wrap_traced, wrap_value
from striate.backend.autocast import AutocastScope
from striate.backend.tensor import ConcreteTensor, SymbolicTensor, TracedTensor
from striate.backend.variable import Variable
from striate.compiler.autodiff import gradients
from striate.compiler.eager import ConcreteTrace
from striate.core import tree
from striate.core.errors import ArgumentError
from striate.core.registry import export


def _described(given: Any) -> str:
    names = [type(item).__name__ for item in given] if isinstance(given, list | tuple) else None
    return f"[{', '.join(names)}]" if names is not None else type(given).__name__


def _loss_of(result: Any) -> Any:
    value = result[0] if isinstance(result, tuple) else result
    if not isinstance(value, SymbolicTensor | Variable | np.ndarray | np.generic | float | int):
        raise ArgumentError(
            "The function given to value_and_grad returns the loss, or a tuple (loss, aux). "
            f"Received: {type(value).__name__}."
        )
    return value


@export("value_and_grad")
def value_and_grad(fn: Callable[..., Any], variables: Sequence[Variable] | None = None) -> Callable[..., Any]:
    """A function that gives `fn`'s result and the gradients of its loss with respect to `variables`.

    dloss/dvariable is computed by reverse-mode differentiation of the ops that `fn` used. Inside a traced function
    (a model's `train_step`) it becomes part of the program. On arrays, every op runs as it comes, so that tensors in
    `fn` can be printed; their arithmetic goes through `striate.ops` or operators, never through NumPy functions.

    Args:
        fn: gives the loss (a scalar) or a tuple `(loss, aux)`.
        variables: what to differentiate with respect to: Variables, and inside a traced step or another
            `value_and_grad`, whose arguments are tensors, also tensors (a gradient penalty needs dloss/dinputs).

    Returns:
        A function with `fn`'s arguments that gives `(result, gradients)`: `result` as `fn` gives it, and a list with a
        gradient a variable, None where the loss does not depend on it.

    Example:
        >>> v = Variable(3.0)
        >>> value_and_grad(lambda: v * v, [v])()
        (array(9., dtype=float32), [array(6., dtype=float32)])
    """
    wanted = list(variables) if isinstance(variables, list | tuple) else [None]
    if not all(isinstance(v, Variable | TracedTensor) for v in wanted):
        raise ArgumentError(
            "value_and_grad(fn, variables) takes a list of Variables, or of tensors of an outer value_and_grad or "
            "traced step (arrays given to those as arguments are such). "
            f"Received: variables={_described(variables)}. Give for example model.trainable_variables, or [weight]."
        )

    def inside(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, list[Any]]:
        trace = context.current_trace()
        assert trace is not None
        with AutocastScope(None):  # what is kept is asked for, not what a layer reads
            targets = [wrap_value(v) for v in wanted]
        result = fn(*args, **kwargs)
        found = gradients(wrap_value(convert_to_tensor(_loss_of(result))), targets)
        return result, [None if g is None else wrap_traced(g, trace) for g in found]

    def wrapped(*args: Any, **kwargs: Any) -> tuple[Any, list[Any]]:
        if context.in_trace():
            return inside(args, kwargs)
        with context.tracing(ConcreteTrace()):
            # Arrays enter the trace as values, so that operators on them are recorded.
            args, kwargs = tree.map_structure(_enter, (args, kwargs))
            result, grads = inside(args, kwargs)
            return tree.map_structure(_leave, (result, grads))  # type: ignore[no-any-return]

    return wrapped


def _enter(leaf: Any) -> Any:
    return wrap_traced(wrap_value(leaf)) if isinstance(leaf, np.ndarray) else leaf


def _leave(leaf: Any) -> Any:
    return np.array(leaf.numpy()) if isinstance(leaf, ConcreteTensor) else leaf


__all__ = ["value_and_grad"]
