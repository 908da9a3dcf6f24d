"""Operators of tensors and Variables: + - * / @ < == [] and the NumPy functions that mean the same.

Other NumPy functions take values. Inside a trace they would cut a gradient off, or make a constant of a Variable,
without a word; they are refused there.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from striate.core.errors import SymbolicError


class _Operators(dict[str, Callable[..., Any]]):
    """Operators by name, entered by `striate.ops`, which stands above this floor and is imported when one is needed."""

    def __missing__(self, name: str) -> Callable[..., Any]:
        importlib.import_module("striate.ops")
        return dict(self)[name]


OPERATORS = _Operators()


def bind_operators(**functions: Callable[..., Any]) -> None:
    """Say which public functions the operators of tensors and Variables call: add=..., getitem=..."""
    OPERATORS.update(functions)


#: what NumPy calls the operators -> what `striate.ops` calls them.
_UFUNC_OPERATORS = {
    "add": "add", "subtract": "subtract", "multiply": "multiply", "divide": "true_divide", "power": "power",
    "floor_divide": "floor_divide", "remainder": "mod", "matmul": "matmul", "equal": "equal", "less": "less",
    "not_equal": "not_equal", "less_equal": "less_equal", "greater": "greater", "greater_equal": "greater_equal",
}  # fmt: skip


#: what is known of every tensor, whether or not it has a value.
_ABOUT_SHAPES: dict[Any, Callable[[Any], Any]] = {np.shape: lambda x: tuple(x.shape), np.ndim: lambda x: len(x.shape)}


def cut_off(function: str, what: Any, why: str) -> SymbolicError:
    """The error of a NumPy function that must not take the value of `what`."""
    return SymbolicError(
        f"NumPy's `{function}` {why} (received: {type(what).__name__} of shape {what.shape}). Use the function of the "
        "same name in striate.ops, as in ops.sqrt(x) for np.sqrt(x); to look at the value alone, np.asarray(x)."
    )


class OperatorMixin:
    """The operators, for symbolic tensors and Variables."""

    __array_priority__ = 100

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """`array + tensor` is ours; other NumPy functions take values, which Variables have and symbols have not."""
        name = _UFUNC_OPERATORS.get(ufunc.__name__)
        if name is not None and method == "__call__" and not kwargs:
            return OPERATORS[name](*inputs)
        return getattr(ufunc, method)(*(_valued(x, ufunc.__name__) for x in inputs), **kwargs)

    def __array_function__(self, func: Any, types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """np.sum, np.concatenate and the like: the same for NumPy's functions that are no ufuncs."""
        about = _ABOUT_SHAPES.get(func)
        if about is not None:
            return about(self)
        name = func.__name__
        return func(*(_valued(x, name) for x in args), **{k: _valued(x, name) for k, x in kwargs.items()})

    def _refuse_numpy(self, function: str) -> None:
        """Raise where NumPy's arithmetic would cut a gradient, or freeze a value into a program."""

    def __add__(self, other: Any) -> Any:
        return OPERATORS["add"](self, other)

    def __radd__(self, other: Any) -> Any:
        return OPERATORS["add"](other, self)

    def __sub__(self, other: Any) -> Any:
        return OPERATORS["subtract"](self, other)

    def __rsub__(self, other: Any) -> Any:
        return OPERATORS["subtract"](other, self)

    def __mul__(self, other: Any) -> Any:
        return OPERATORS["multiply"](self, other)

    def __rmul__(self, other: Any) -> Any:
        return OPERATORS["multiply"](other, self)

    def __truediv__(self, other: Any) -> Any:
        return OPERATORS["true_divide"](self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return OPERATORS["true_divide"](other, self)

    def __floordiv__(self, other: Any) -> Any:
        return OPERATORS["floor_divide"](self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return OPERATORS["floor_divide"](other, self)

    def __mod__(self, other: Any) -> Any:
        return OPERATORS["mod"](self, other)

    def __rmod__(self, other: Any) -> Any:
        return OPERATORS["mod"](other, self)

    def __pow__(self, other: Any) -> Any:
        return OPERATORS["power"](self, other)

    def __rpow__(self, other: Any) -> Any:
        return OPERATORS["power"](other, self)

    def __matmul__(self, other: Any) -> Any:
        return OPERATORS["matmul"](self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return OPERATORS["matmul"](other, self)

    def __neg__(self) -> Any:
        return OPERATORS["negative"](self)

    def __abs__(self) -> Any:
        return OPERATORS["absolute"](self)

    def __invert__(self) -> Any:
        return OPERATORS["logical_not"](self)

    def __and__(self, other: Any) -> Any:
        return OPERATORS["logical_and"](self, other)

    def __or__(self, other: Any) -> Any:
        return OPERATORS["logical_or"](self, other)

    def __lt__(self, other: Any) -> Any:
        return OPERATORS["less"](self, other)

    def __le__(self, other: Any) -> Any:
        return OPERATORS["less_equal"](self, other)

    def __gt__(self, other: Any) -> Any:
        return OPERATORS["greater"](self, other)

    def __ge__(self, other: Any) -> Any:
        return OPERATORS["greater_equal"](self, other)

    def __ne__(self, other: object) -> Any:
        return OPERATORS["not_equal"](self, other)

    def __eq__(self, other: object) -> Any:
        return OPERATORS["equal"](self, other)

    def __hash__(self) -> int:
        return id(self)

    def __getitem__(self, key: Any) -> Any:
        return OPERATORS["get_item"](self, key)


def _valued(x: Any, function: str) -> Any:
    """An argument of a NumPy function: tensors and Variables, in lists too, as arrays."""
    if isinstance(x, OperatorMixin):
        x._refuse_numpy(function)
        return np.asarray(x)
    return type(x)(_valued(item, function) for item in x) if type(x) in (list, tuple) else x
