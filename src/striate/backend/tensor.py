"""Symbolic tensors: what stands for a value that is not there yet.

    SymbolicTensor
    |-- KerasTensor    of a functional model: shape with open axes, knows the layer that made it
    `-- TracedTensor   inside a trace: shape all known, stands for a value of the graph

They take the operators of arrays. Asking for their value (bool, float, np.asarray, np.sqrt, iteration over an open
axis) is an error that says what to use instead.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from striate.backend import context
from striate.backend.budget import check_tensor
from striate.backend.dtypes import is_float_dtype, standardize_dtype
from striate.backend.names import unique_name
from striate.backend.operators import OperatorMixin, cut_off
from striate.core.errors import ArgumentError, SymbolicError
from striate.core.registry import export
from striate.ir.types import Shape, TensorType

if TYPE_CHECKING:
    from striate.compiler.trace import Trace
    from striate.ir.graph import Value


class Stored(OperatorMixin):
    """What keeps its value in a buffer of its own: the part of a Variable that the floor below it needs to see."""

    array: np.ndarray[Any, Any]
    #: whether it is read in the dtype of the AutocastScope around.
    autocast = False

    @property
    def path(self) -> str:
        raise NotImplementedError

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.array.shape)

    @property
    def own_dtype(self) -> str:
        """What the buffer holds, whatever it is read as."""
        return str(self.array.dtype.name)

    @property
    def dtype(self) -> str:
        """What it is read as: its own, or that of the AutocastScope around it."""
        scope, own = context.STATE.autocast, self.own_dtype
        return own if scope is None or not self.autocast or not is_float_dtype(own) else scope

    def numpy(self) -> np.ndarray[Any, Any]:
        raise NotImplementedError

    def __iter__(self) -> Iterator[Any]:
        if not self.shape:
            raise TypeError(f"iteration over a Variable without axes: {self.path}")
        return (self[i] for i in range(self.shape[0]))

    def _refuse_numpy(self, function: str) -> None:
        if context.in_trace():
            raise cut_off(function, self, "would make a constant of a Variable's value of this moment")


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
        check_tensor(shape)
        super().__init__(TensorType(shape, standardize_dtype(dtype)), name or unique_name("keras_tensor"))
        self.record_history = record_history
        #: the operation that made it, set by `functional_node`: (operation, node_index, tensor_index).
        self._keras_history: Any = None

    #: all tensors are dense
    sparse = False
    ragged = False

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
            raise cut_off(function, self, "would cut the gradient off here")

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
