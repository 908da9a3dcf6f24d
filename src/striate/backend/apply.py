"""The one door: `apply(op, ...)` runs an op, records it, or infers its types, as its inputs ask for."""

from __future__ import annotations

from typing import Any

import numpy as np

from striate.backend import context, settings
from striate.backend.dtypes import is_float_dtype, python_dtype, standardize_dtype
from striate.backend.operators import OPERATORS
from striate.backend.tensor import ConcreteTensor, KerasTensor, Stored, SymbolicTensor, TracedTensor
from striate.compiler.eager import ConcreteTrace, run_op
from striate.compiler.trace import Trace
from striate.core.errors import DTypeError, SymbolicError
from striate.core.registry import export
from striate.ir import ops as _ops  # noqa: F401  (fills the table of ops)
from striate.ir.attrs import NO_ATTRS, Attrs
from striate.ir.graph import Value
from striate.ir.opdef import infer_types
from striate.ir.ops.attrs import CastAttrs
from striate.ir.types import DTYPES, TensorType, numpy_dtype

Array = np.ndarray[Any, Any]


def wrap_traced(value: Value, trace: Trace | None = None) -> TracedTensor:
    """The tensor that stands for a value of the open trace."""
    trace = trace or context.current_trace()
    assert trace is not None, "no trace is open"
    return (ConcreteTensor if isinstance(trace, ConcreteTrace) else TracedTensor)(value, trace)


def wrap_value(tensor: Any) -> Value:
    """The value that a tensor, Variable or array is in the open trace."""
    trace = context.current_trace()
    assert trace is not None, "no trace is open"
    if isinstance(tensor, TracedTensor):
        if tensor.trace is not trace:
            raise SymbolicError(
                f"{tensor!r} belongs to another trace. A tensor made inside a traced function cannot be kept and used "
                "outside it: return it from the function, or keep what must last in a Variable."
            )
        return tensor.value
    if isinstance(tensor, Stored):
        held = trace.read(tensor)
        if tensor.dtype == tensor.own_dtype:
            return held
        return trace.emit("cast", [held], CastAttrs(tensor.dtype))[0]  # type: ignore[arg-type]
    return trace.constant(np.asarray(tensor))


def traced_node(tensor: Any) -> Value | None:
    """The graph value behind a traced tensor, or None."""
    return tensor.value if isinstance(tensor, TracedTensor) else None


def apply(op: str, *tensors: Any, attrs: Attrs = NO_ATTRS) -> Any:
    """One op of the graph's vocabulary on tensors (arrays, Variables or symbolic tensors), already of the right dtypes.

    On arrays and Variables it is computed now and gives arrays; inside a trace it becomes a node; on a functional
    model's tensors only the type is inferred. An op with several results gives a tuple.
    """
    trace = context.current_trace()
    spec = context.in_spec_scope()
    # One look at the inputs decides; the first that fits wins.
    if any(isinstance(t, KerasTensor) or (spec and isinstance(t, Stored)) for t in tensors):
        types = infer_types(op, tuple(_type_of(t) for t in tensors), attrs)
        results: tuple[Any, ...] = tuple(KerasTensor(t.shape, t.dtype) for t in types)
    elif trace is not None and any(isinstance(t, TracedTensor | Stored) for t in tensors):
        values = trace.emit(op, [wrap_value(t) for t in tensors], attrs)
        results = tuple(wrap_traced(v, trace) for v in values)
    else:
        results = run_op(op, [_array_of(t) for t in tensors], attrs)
    return results[0] if len(results) == 1 else results


def _type_of(tensor: Any) -> TensorType:
    if isinstance(tensor, SymbolicTensor):
        return tensor.type
    if isinstance(tensor, Stored):
        return TensorType(tensor.shape, tensor.dtype)
    array = np.asarray(tensor)
    return TensorType(array.shape, array.dtype.name)


def _array_of(tensor: Any) -> Array:
    if isinstance(tensor, Stored):
        return tensor.array if tensor.dtype == tensor.own_dtype else tensor.numpy()
    if isinstance(tensor, SymbolicTensor):
        raise SymbolicError(
            f"{tensor!r} has no value here: it was made inside a traced function that has ended. "
            "Return it from the function to get its value."
        )
    return np.asarray(tensor)


@export("ops.convert_to_tensor", "backend.convert_to_tensor")
def convert_to_tensor(x: Any, dtype: Any = None, sparse: Any = None, ragged: Any = None) -> Any:
    """`x` as a tensor: symbolic ones and arrays stay, Variables give their value, numbers and lists become arrays.

    Python floats become floatx, Python ints int32; arrays keep their dtype unless `dtype` is given.

    Source: `keras.ops.convert_to_tensor`.
    """
    del sparse, ragged
    if isinstance(x, Stored):
        if context.in_spec_scope():
            x = KerasTensor(x.shape, x.dtype)
        elif context.in_trace():
            x = wrap_traced(wrap_value(x))
        else:
            x = x.numpy()
    if isinstance(x, SymbolicTensor):
        return x if dtype is None else cast(x, dtype)
    if isinstance(x, list | tuple) and any(isinstance(leaf, SymbolicTensor | Stored) for leaf in x):
        return OPERATORS["stack"](x)
    if not isinstance(x, np.ndarray | np.generic):
        array = np.asarray(x)
        if dtype is None and not hasattr(x, "__array__"):
            dtype = python_dtype(array)
    else:
        array = np.asarray(x)
        if dtype is None and isinstance(x, float):  # np.float64 scalars are weak, as Python's floats
            dtype = settings.floatx()
    if array.dtype.name not in DTYPES:
        raise DTypeError(
            f"A tensor of dtype {array.dtype} is not possible. Received {type(x).__name__} {_short(x)}; "
            f"expected numbers of one of {', '.join(DTYPES)}."
        )
    if dtype is not None:
        return array.astype(numpy_dtype(standardize_dtype(dtype)), copy=False)
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def _short(x: Any) -> str:
    text = repr(x)
    return text if len(text) < 60 else text[:57] + "..."


@export("backend.cast")
def cast(x: Any, dtype: Any) -> Any:
    """`x` with another element type. Source: `keras.ops.cast`."""
    name = standardize_dtype(dtype)
    if isinstance(x, Stored):
        x = convert_to_tensor(x)
    if isinstance(x, SymbolicTensor):
        return x if x.dtype == name else apply("cast", x, attrs=CastAttrs(name))  # type: ignore[arg-type]
    return np.asarray(x).astype(numpy_dtype(name), copy=False)


@export("ops.shape", "backend.shape")
def shape(x: Any) -> tuple[int | None, ...]:
    """The lengths of the axes as a tuple; None where a functional model leaves one open."""
    return tuple(x.shape) if hasattr(x, "shape") else np.shape(x)


def dtype_of(x: Any) -> str:
    """The dtype's name of a tensor, Variable, array or number."""
    dtype = getattr(x, "dtype", None)
    return standardize_dtype(dtype) if dtype is not None else convert_to_tensor(x).dtype.name


@export("ops.is_tensor", "backend.is_tensor")
def is_tensor(x: Any) -> bool:
    """Whether `x` is a tensor: an array or a symbolic one."""
    return isinstance(x, np.ndarray | SymbolicTensor)


@export("utils.is_keras_tensor", "backend.is_keras_tensor")
def is_keras_tensor(x: Any) -> bool:
    """Whether `x` is a tensor of a functional model."""
    return isinstance(x, KerasTensor)


def is_symbolic(x: Any) -> bool:
    return isinstance(x, SymbolicTensor)


@export("ops.convert_to_numpy", "backend.convert_to_numpy")
def convert_to_numpy(x: Any) -> Array:
    """A NumPy copy of a tensor's value. Source: `keras.ops.convert_to_numpy`."""
    return np.array(x)


__all__ = [
    "apply",
    "cast",
    "convert_to_numpy",
    "convert_to_tensor",
    "dtype_of",
    "is_float_dtype",
    "is_keras_tensor",
    "is_symbolic",
    "is_tensor",
    "shape",
    "traced_node",
    "wrap_traced",
    "wrap_value",
]
