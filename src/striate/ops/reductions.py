"""Functions that reduce axes: sums, means, extremes, truth. `axis` is None (all), one axis or several."""

from __future__ import annotations

from typing import Any

from striate import backend
from striate.backend import symbolic_op
from striate.core.registry import export
from striate.ir.ops.attrs import ArgAttrs
from striate.ops import arithmetic, elementwise, shapes
from striate.ops._convert import (
    Tensor,
    as_bool,
    as_float,
    as_number,
    dtype_of,
    normalize_axis,
    reduce,
    shape_of,
    tensor,
)

_NUMPY = "keras.src.ops.numpy"
_MATH = "keras.src.ops.math"


def _summable(x: Tensor) -> Tensor:
    """Small integers are added up as int32 (unsigned: uint32), as Keras does."""
    x = as_number(x)
    wider = {"uint8": "uint32", "uint16": "uint32", "int8": "int32", "int16": "int32"}.get(dtype_of(x))
    return tensor(x, wider) if wider else x


@export("ops.sum", "ops.numpy.sum")
@symbolic_op(_NUMPY, "Sum")
def sum(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The sum over `axis`. Source: `keras.ops.sum`.

    Example:
        >>> sum([[1.0, 2.0], [3.0, 4.0]], axis=0).tolist()
        [4.0, 6.0]
    """
    return reduce("reduce_sum", _summable(x), axis, keepdims)


@export("ops.mean", "ops.numpy.mean")
@symbolic_op(_NUMPY, "Mean")
def mean(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The mean over `axis`; of integers, as floatx. Source: `keras.ops.mean`."""
    return reduce("reduce_mean", as_float(x), axis, keepdims)


@export("ops.prod", "ops.numpy.prod")
@symbolic_op(_NUMPY, "Prod")
def prod(x: Tensor, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> Tensor:
    """The product over `axis`. Source: `keras.ops.prod`."""
    held = _summable(x) if dtype is None else tensor(x, backend.standardize_dtype(dtype))
    return reduce("reduce_prod", held, axis, keepdims)


def _extreme(op: str, x: Tensor, axis: Any, keepdims: bool, initial: Any) -> Tensor:
    x = tensor(x)
    if dtype_of(x) == "bool":
        y = reduce("reduce_any" if op == "maximum" else "reduce_all", x, axis, keepdims)
    else:
        y = reduce("reduce_max" if op == "maximum" else "reduce_min", x, axis, keepdims)
    if initial is None:
        return y
    return backend.apply(op, y, tensor(initial, dtype_of(y)))


@export("ops.max", "ops.numpy.max")
@symbolic_op(_NUMPY, "Max")
def max(x: Tensor, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Tensor:
    """The largest element over `axis` (at least `initial`). Source: `keras.ops.max`."""
    return _extreme("maximum", x, axis, keepdims, initial)


@export("ops.min", "ops.numpy.min")
@symbolic_op(_NUMPY, "Min")
def min(x: Tensor, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Tensor:
    """The smallest element over `axis` (at most `initial`). Source: `keras.ops.min`."""
    return _extreme("minimum", x, axis, keepdims, initial)


@export("ops.amax", "ops.numpy.amax")
@symbolic_op(_NUMPY, "Amax")
def amax(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The largest element over `axis`. Source: `keras.ops.amax`."""
    return max(x, axis=axis, keepdims=keepdims)


@export("ops.amin", "ops.numpy.amin")
@symbolic_op(_NUMPY, "Amin")
def amin(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The smallest element over `axis`. Source: `keras.ops.amin`."""
    return min(x, axis=axis, keepdims=keepdims)


@export("ops.any", "ops.numpy.any")
@symbolic_op(_NUMPY, "Any")
def any(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Whether some element over `axis` is not 0, as bool. Source: `keras.ops.any`."""
    return reduce("reduce_any", as_bool(x), axis, keepdims)


@export("ops.all", "ops.numpy.all")
@symbolic_op(_NUMPY, "All")
def all(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Whether no element over `axis` is 0, as bool. Source: `keras.ops.all`."""
    return reduce("reduce_all", as_bool(x), axis, keepdims)


@export("ops.count_nonzero", "ops.numpy.count_nonzero")
@symbolic_op(_NUMPY, "CountNonzero")
def count_nonzero(x: Tensor, axis: Any = None) -> Tensor:
    """How many elements over `axis` are not 0, as int32. Source: `keras.ops.count_nonzero`."""
    return reduce("reduce_sum", tensor(as_bool(x), "int32"), axis, False)


@export("ops.var", "ops.numpy.var")
@symbolic_op(_NUMPY, "Var")
def var(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The variance over `axis`: the mean of (x - mean(x))**2. Source: `keras.ops.var`."""
    x = as_float(x)
    dtype = dtype_of(x)
    # The squares of short floats overflow soon: they are summed in float32.
    wide = tensor(x, "float32") if dtype in ("float16", "bfloat16") else x
    centred = backend.apply("subtract", wide, reduce("reduce_mean", wide, axis, True))
    return backend.cast(reduce("reduce_mean", backend.apply("square", centred), axis, keepdims), dtype)


@export("ops.std", "ops.numpy.std")
@symbolic_op(_NUMPY, "Std")
def std(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    """The standard deviation over `axis`: sqrt(var(x)). Source: `keras.ops.std`."""
    return backend.apply("sqrt", var(x, axis=axis, keepdims=keepdims))


def _arg(op: str, x: Tensor, axis: int | None, keepdims: bool) -> Tensor:
    x = as_number(x)
    rank = len(shape_of(x))
    if axis is not None:
        return backend.apply(op, x, attrs=ArgAttrs(normalize_axis(axis, rank), bool(keepdims)))
    flat = backend.apply(op, shapes.reshape(x, (-1,)), attrs=ArgAttrs(0, False))
    return shapes.reshape(flat, (1,) * rank) if keepdims else flat


@export("ops.argmax", "ops.numpy.argmax")
@symbolic_op(_NUMPY, "Argmax")
def argmax(x: Tensor, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Where along `axis` (None: in the flattened x) the largest element is, as int32; the first of equals.

    Source: `keras.ops.argmax`.

    Example:
        >>> argmax([[1.0, 5.0, 5.0], [9.0, 0.0, 0.0]], axis=-1).tolist()
        [1, 0]
    """
    return _arg("argmax", x, axis, keepdims)


@export("ops.argmin", "ops.numpy.argmin")
@symbolic_op(_NUMPY, "Argmin")
def argmin(x: Tensor, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Where along `axis` (None: in the flattened x) the smallest element is, as int32; the first of equals.

    Source: `keras.ops.argmin`.
    """
    return _arg("argmin", x, axis, keepdims)


@export("ops.logsumexp")
@symbolic_op(_MATH, "Logsumexp")
def logsumexp(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    """log(sum(exp(x))) over `axis`, without overflow. Source: `keras.ops.logsumexp`."""
    x = as_float(x)
    largest = backend.apply("stop_gradient", reduce("reduce_max", x, axis, True))
    # Where all are -inf (or one is inf), subtracting it would make NaN.
    shift = arithmetic.where(elementwise.isfinite(largest), largest, 0.0)
    total = reduce("reduce_sum", backend.apply("exp", backend.apply("subtract", x, shift)), axis, True)
    y = backend.apply("add", backend.apply("log", total), shift)
    return y if keepdims else reduce("reduce_sum", y, axis, False)
