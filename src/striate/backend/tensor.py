"""Symbolic tensors: what stands for a value that is not there yet.

    SymbolicTensor
    |-- KerasTensor    of a functional model: shape with open axes, knows the layer that made it
    `-- TracedTensor   inside a trace: shape all known, stands for a value of the graph

They take the operators of arrays. Asking for their value (bool, float, np.asarray, np.sqrt, iteration over an open
axis) is an error that says what to use instead.
"""

from __future__ import annotations

import importlib
import operator
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from striate.backend import context
from striate.backend.budget import book_tensor
from striate.backend.dtypes import standardize_dtype
from striate.backend.names import unique_name
from striate.core.errors import ArgumentError, SymbolicError
from striate.core.registry import export
from striate.ir.types import Shape, TensorType

if TYPE_CHECKING:
    from striate.compiler.trace import Trace
    from striate.ir.graph import Value


class _Operators(dict[str, Callable[..., Any]]):
    """Operators by name, entered by `striate.ops`, which stands above this floor and is imported when one is needed."""

    def __missing__(self, name: str) -> Callable[..., Any]:
        importlib.import_module("striate.ops")
        return dict(self)[name]


_operators = _Operators()


def bind_operators(**functions: Callable[..., Any]) -> None:
    """Say which public functions the operators of tensors and Variables call: add=..., getitem=..."""
    _operators.update(functions)


#: what NumPy calls the operators -> what `striate.ops` calls them.
_UFUNC_OPERATORS = {
    "add": "add", "subtract": "subtract", "multiply": "multiply", "divide": "true_divide", "power": "power",
    "floor_divide": "floor_divide", "remainder": "mod", "matmul": "matmul", "equal": "equal", "less": "less",
    "not_equal": "not_equal", "less_equal": "less_equal", "greater": "greater", "greater_equal": "greater_equal",
}  # fmt: skip


#: what is known of every tensor, whether or not it has a value.
_ABOUT_SHAPES: dict[Any, Callable[[Any], Any]] = {np.shape: lambda x: tuple(x.shape), np.ndim: lambda x: len(x.shape)}


def _cut_off(function: str, what: Any, why: str) -> SymbolicError:
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
            return _operators[name](*inputs)
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
        return _operators["add"](self, other)

    def __radd__(self, other: Any) -> Any:
        return _operators["add"](other, self)

    def __sub__(self, other: Any) -> Any:
        return _operators["subtract"](self, other)

    def __rsub__(self, other: Any) -> Any:
        return _operators["subtract"](other, self)

    def __mul__(self, other: Any) -> Any:
        return _operators["multiply"](self, other)

    def __rmul__(self, other: Any) -> Any:
        return _operators["multiply"](other, self)

    def __truediv__(self, other: Any) -> Any:
        return _operators["true_divide"](self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return _operators["true_divide"](other, self)

    def __floordiv__(self, other: Any) -> Any:
        return _operators["floor_divide"](self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return _operators["floor_divide"](other, self)

    def __mod__(self, other: Any) -> Any:
        return _operators["mod"](self, other)

    def __rmod__(self, other: Any) -> Any:
        return _operators["mod"](other, self)

    def __pow__(self, other: Any) -> Any:
        return _operators["power"](self, other)

    def __rpow__(self, other: Any) -> Any:
        return _operators["power"](other, self)

    def __matmul__(self, other: Any) -> Any:
        return _operators["matmul"](self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return _operators["matmul"](other, self)

    def __neg__(self) -> Any:
        return _operators["negative"](self)

    def __abs__(self) -> Any:
        return _operators["absolute"](self)

    def __invert__(self) -> Any:
        return _operators["logical_not"](self)

    def __and__(self, other: Any) -> Any:
        return _operators["logical_and"](self, other)

    def __or__(self, other: Any) -> Any:
        return _operators["logical_or"](self, other)

    def __lt__(self, other: Any) -> Any:
        return _operators["less"](self, other)

    def __le__(self, other: Any) -> Any:
        return _operators["less_equal"](self, other)

    def __gt__(self, other: Any) -> Any:
        return _operators["greater"](self, other)

    def __ge__(self, other: Any) -> Any:
        return _operators["greater_equal"](self, other)

    def __ne__(self, other: object) -> Any:
        return _operators["not_equal"](self, other)

    def __eq__(self, other: object) -> Any:
        return _operators["equal"](self, other)

    def __hash__(self) -> int:
        return id(self)

    def __getitem__(self, key: Any) -> Any:
        return _operators["get_item"](self, key)


def _valued(x: Any, function: str) -> Any:
    """An argument of a NumPy function: tensors and Variables, in lists too, as arrays."""
    if isinstance(x, OperatorMixin):
        x._refuse_numpy(function)
        return np.asarray(x)
    return type(x)(_valued(item, function) for item in x) if type(x) in (list, tuple) else x


class Stored(OperatorMixin):
    """What keeps its value in a buffer of its own: the part of a Variable that the floor below it needs to see."""

    array: np.ndarray[Any, Any]

    @property
    def path(self) -> str:
        raise NotImplementedError

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.array.shape)

    @property
    def dtype(self) -> str:
        return str(self.array.dtype.name)

    def numpy(self) -> np.ndarray[Any, Any]:
        raise NotImplementedError

    def __iter__(self) -> Iterator[Any]:
        if not self.shape:
            raise TypeError(f"iteration over a Variable without axes: {self.path}")
        return (self[i] for i in range(self.shape[0]))

    def _refuse_numpy(self, function: str) -> None:
        if context.in_trace():
            raise _cut_off(function, self, "would make a constant of a Variable's value of this moment")


class SymbolicTensor(OperatorMixin):
    """Shape and dtype of a value that is not there yet."""

    def __init__(self, type_: TensorType, name: str) -> None:
        self.type = type_
        self.name = name

    @property
    def shape(self) -> Shape:
        return self.type.shape

    @property
    def dtype(self) -> str:
        return self.type.dtype

    @property
    def ndim(self) -> int:
        return self.type.rank

    @property
    def size(self) -> int | None:
        return self.type.size if self.type.is_static else None

    def _no_value(self, asked: str, instead: str) -> SymbolicError:
        return SymbolicError(
            f"{asked} needs a value, but {self!r} is symbolic: it stands for a value that is computed later, "
            f"when the model runs. {instead}"
        )

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        raise self._no_value(
            "A NumPy function (np.asarray, np.sqrt, ...)",
            "Use the function of the same name in striate.ops, for example ops.sqrt(x) for np.sqrt(x).",
        )

    def __bool__(self) -> bool:
        raise self._no_value(
            "bool(x), as in `if x:` or `x and y`,",
            "Use ops.where(condition, a, b) or ops.cond to choose between values, or compile(run_eagerly=True).",
        )

    def __float__(self) -> float:
        raise self._no_value("float(x)", "Return it from the step, or compile(run_eagerly=True), to see its value.")

    def __int__(self) -> int:
        raise self._no_value("int(x)", "Use ops.cast(x, 'int32'), or x.shape for the length of an axis.")

    def __index__(self) -> int:
        raise self._no_value("Using x as an index", "Use ops.take(values, x) to look up by a computed index.")

    def numpy(self) -> Any:
        """Symbolic tensors have no value: an error that says so."""
        raise self._no_value("numpy()", "Return it from the step, or compile(run_eagerly=True), to see its value.")

    def __len__(self) -> int:
        if not self.shape or self.shape[0] is None:
            raise self._no_value("len(x)", "The first axis is open; use ops.shape(x)[0].")
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        if not self.shape or self.shape[0] is None:
            raise self._no_value("Iterating over x", "The first axis is open; use ops.unstack(x, num) or slices x[i].")
        return (self[i] for i in range(self.shape[0]))


def _shape(given: Any) -> Shape:
    lengths = None if isinstance(given, str | int) else tuple(given)
    try:
        shape = tuple(None if d is None else operator.index(d) for d in lengths or ())
    except TypeError:
        lengths = None
    if lengths is None or any(d is not None and d < 0 for d in shape):
        raise ArgumentError(
            f"A shape is a tuple of lengths of axes, None where one is open. Received: shape={given!r}. "
            "Give for example shape=(28, 28, 1)."
        )
    return shape


@export("KerasTensor")
class KerasTensor(SymbolicTensor):
    """A tensor of a functional model: what `Input` and layers called on such tensors give.

    Source: `keras.KerasTensor`.

    Args:
        shape: lengths of the axes, None where open (the batch).
        dtype: element type.
        name: for error messages and summaries.
    """

    def __init__(
        self, shape: Any, dtype: Any = "float32", record_history: bool = True, name: str | None = None
    ) -> None:
        shape = _shape(shape)
        book_tensor(shape)
        super().__init__(TensorType(shape, standardize_dtype(dtype)), name or unique_name("keras_tensor"))
        self.record_history = record_history
        #: the operation that made it, set by `functional_node`: (operation, node_index, tensor_index).
        self._keras_history: Any = None

    def __repr__(self) -> str:
        return f"<KerasTensor shape={self.shape}, dtype={self.dtype}, name={self.name}>"


class TracedTensor(SymbolicTensor):
    """A value of the graph that is being traced."""

    def __init__(self, value: Value, trace: Trace) -> None:
        super().__init__(value.type, f"traced_{value.node.serial}")
        self.value = value
        self.trace = trace

    def __repr__(self) -> str:
        return f"<TracedTensor shape={self.shape}, dtype={self.dtype}, made by {self.value.op}>"


class ConcreteTensor(TracedTensor):
    """A traced tensor whose value is known already: inside `value_and_grad` on arrays.

    Its value can be looked at (print, float, bool, np.asarray); what is computed from it by NumPy is cut off from the
    gradient, so NumPy functions on it are refused as on other symbolic tensors, np.asarray alone is not.
    """

    def _refuse_numpy(self, function: str) -> None:
        if context.current_trace() is self.trace:
            raise _cut_off(function, self, "would cut the gradient off here")

    def numpy(self) -> np.ndarray[Any, Any]:
        from striate.compiler.eager import ConcreteTrace

        assert isinstance(self.trace, ConcreteTrace)
        return self.trace.value_of(self.value)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return np.array(self.numpy(), dtype=dtype)

    def __bool__(self) -> bool:
        return bool(self.numpy())

    def __float__(self) -> float:
        return float(self.numpy())

    def __int__(self) -> int:
        return int(self.numpy())

    def __format__(self, spec: str) -> str:
        return format(self.numpy(), spec) if spec else repr(self)

    def __repr__(self) -> str:
        return f"<ConcreteTensor {self.numpy()!r}>"
