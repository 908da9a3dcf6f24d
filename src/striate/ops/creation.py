"""Functions that make tensors: their values are known when they are made."""

from __future__ import annotations

from typing import Any

import numpy as np

from striate import backend
from striate.backend import symbolic_op
from striate.core.registry import export
from striate.ir.types import numpy_dtype
from striate.ops import shapes
from striate.ops._convert import Tensor, dtype_of, shape_of, tensor, to_shape

_NUMPY = "keras.src.ops.numpy"


def _dtype(dtype: Any) -> Any:
    return numpy_dtype(backend.standardize_dtype(dtype))


@export("ops.zeros", "ops.numpy.zeros")
def zeros(shape: Any, dtype: Any = None) -> Tensor:
    """A tensor of zeros; floatx unless a dtype is given. Source: `keras.ops.zeros`."""
    return np.zeros(to_shape(shape), _dtype(dtype))


@export("ops.ones", "ops.numpy.ones")
def ones(shape: Any, dtype: Any = None) -> Tensor:
    """A tensor of ones; floatx unless a dtype is given. Source: `keras.ops.ones`."""
    return np.ones(to_shape(shape), _dtype(dtype))


@export("ops.empty", "ops.numpy.empty")
def empty(shape: Any, dtype: Any = None) -> Tensor:
    """A tensor of zeros: what it holds is nobody's business, and so is made reproducible. Source: `keras.ops.empty`."""
    return zeros(shape, dtype)


@export("ops.full", "ops.numpy.full")
@symbolic_op(_NUMPY, "Full")
def full(shape: Any, fill_value: Any, dtype: Any = None) -> Tensor:
    """A tensor of one value; floatx unless a dtype is given. Source: `keras.ops.full`."""
    return shapes.broadcast_to(tensor(fill_value, backend.standardize_dtype(dtype)), shape)


@export("ops.zeros_like", "ops.numpy.zeros_like")
@symbolic_op(_NUMPY, "ZerosLike")
def zeros_like(x: Tensor, dtype: Any = None) -> Tensor:
    """Zeros in the shape and (unless given) the dtype of x. Source: `keras.ops.zeros_like`."""
    return full_like(x, 0, dtype=dtype)


@export("ops.ones_like", "ops.numpy.ones_like")
@symbolic_op(_NUMPY, "OnesLike")
def ones_like(x: Tensor, dtype: Any = None) -> Tensor:
    """Ones in the shape and (unless given) the dtype of x. Source: `keras.ops.ones_like`."""
    return full_like(x, 1, dtype=dtype)


@export("ops.full_like", "ops.numpy.full_like")
@symbolic_op(_NUMPY, "FullLike")
def full_like(x: Tensor, fill_value: Any, dtype: Any = None) -> Tensor:
    """One value in the shape and (unless given) the dtype of x. Source: `keras.ops.full_like`."""
    x = tensor(x)
    value = tensor(fill_value, dtype_of(x) if dtype is None else backend.standardize_dtype(dtype))
    shape = shape_of(x)
    if None in shape:
        # The length of an open axis is x's own: choose the value everywhere.
        return backend.apply("where", backend.apply("equal", x, x), value, value)
    return shapes.broadcast_to(value, shape)


@export("ops.arange", "ops.numpy.arange")
def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> Tensor:
    """start, start + step, ... up to but without stop (with one argument: from 0). Source: `keras.ops.arange`."""
    step = 1 if step is None else step
    if dtype is None:
        dtype = backend.result_type(
            *(type(v) if isinstance(v, int | float) else v for v in (start, stop, step) if v is not None)
        )
    if stop is None:
        start, stop = 0, start
    return np.arange(start, stop, step).astype(_dtype(dtype))


@export("ops.linspace", "ops.numpy.linspace")
def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """`num` evenly spaced numbers from start to stop (left out with endpoint=False). Source: `keras.ops.linspace`."""
    values, step = np.linspace(start, stop, num, endpoint=endpoint, retstep=True, axis=axis)
    values = values.astype(_dtype(dtype))
    return (values, np.asarray(step, values.dtype)) if retstep else values


@export("ops.eye", "ops.numpy.eye")
def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Tensor:
    """N rows and M columns with ones on the k-th diagonal, zeros elsewhere. Source: `keras.ops.eye`."""
    return np.eye(N, M, k=k, dtype=_dtype(dtype))


@export("ops.identity", "ops.numpy.identity")
def identity(n: int, dtype: Any = None) -> Tensor:
    """n rows and columns with ones on the diagonal. Source: `keras.ops.identity`."""
    return eye(n, dtype=dtype)


@export("ops.array", "ops.numpy.array")
def array(x: Any, dtype: Any = None) -> Tensor:
    """x as a tensor. Source: `keras.ops.array`."""
    return backend.convert_to_tensor(x, dtype)


@export("ops.copy", "ops.numpy.copy")
@symbolic_op(_NUMPY, "Copy")
def copy(x: Tensor) -> Tensor:
    """x's values in a tensor of their own. Source: `keras.ops.copy`."""
    x = backend.convert_to_tensor(x)
    return x.copy() if isinstance(x, np.ndarray) else x


@export("ops.size", "ops.numpy.size")
def size(x: Tensor) -> int | None:
    """How many elements x has; None while an axis is open. Source: `keras.ops.size`."""
    lengths = shape_of(tensor(x))
    return None if None in lengths else int(np.prod(lengths, dtype=np.int64))  # type: ignore[arg-type]


@export("ops.ndim", "ops.numpy.ndim")
def ndim(x: Tensor) -> int:
    """How many axes x has. Source: `keras.ops.ndim`."""
    return len(shape_of(tensor(x)))
