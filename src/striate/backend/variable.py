"""Variables: the state of models, each one buffer that lives as long as it."""

from __future__ import annotations

import importlib
import math
import operator
from typing import TYPE_CHECKING, Any

import numpy as np

from striate.backend import context
from striate.backend.apply import cast, convert_to_tensor, wrap_value
from striate.backend.apply import shape as shape_of
from striate.backend.autocast import AutocastScope
from striate.backend.budget import book_allocation
from striate.backend.deferred import stays_zero, wait
from striate.backend.dtypes import python_dtype, standardize_dtype
from striate.backend.names import unique_name
from striate.backend.tensor import Stored, SymbolicTensor
from striate.compiler.eager import ConcreteTrace
from striate.core.errors import ArgumentError, DTypeError, ShapeError, SymbolicError
from striate.core.registry import export
from striate.engine.lock import EXCLUSIVE, SHARED
from striate.engine.native import aligned_empty, aligned_zeros, arithmetic
from striate.ir.types import DTYPES, numpy_dtype

if TYPE_CHECKING:
    from collections.abc import Callable

Array = np.ndarray[Any, Any]


def _whole_shape(shape: Any, what: str) -> tuple[int, ...]:
    try:
        lengths = tuple(operator.index(d) for d in shape)
    except TypeError:
        lengths = (-1,)
    if any(d < 0 for d in lengths):
        raise ArgumentError(
            f"A Variable's shape is a tuple of integers of at least 0, none open. Received: shape={shape!r} for "
            f"{what!r}. Lengths that follow the data are known in `build(input_shape)`."
        )
    return lengths


@export("Variable", "backend.Variable")
class Variable(Stored):
    """A tensor that a model keeps: a weight, an optimizer's slot, a counter.

    It owns one buffer for life. Only the engine and `assign` write it, and each write raises `version`; what others get
    (`numpy()`, `np.asarray`) are copies. Inside a traced step, reading gives the value at that point of the trace and
    assigning says what the Variable holds after the step.

    Source: `keras.Variable`.

    Args:
        initializer: an array, a number, or a callable `(shape, dtype) -> array`.
        shape: needed with a callable.
        dtype: element type, floatx unless given (an array keeps its own).
        trainable: whether optimizers change it.
        autocast: whether a layer that computes in another float dtype than it keeps reads it in that one.
        name: last part of its path.

    Example:
        >>> v = Variable([1.0, 2.0])
        >>> v.assign_add([1.0, 1.0])
        array([2., 3.], dtype=float32)
    """

    def __init__(
        self,
        initializer: Any,
        shape: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        aggregation: str | None = "none",
        synchronization: str = "auto",
        name: str | None = None,
    ) -> None:
        if name is not None and "/" in name:
            raise ArgumentError(f"Argument `name` must be a string without '/'. Received: name={name!r}.")
        self.name: str = name or unique_name("variable")
        scope = context.current_path()
        self._path = f"{scope}/{self.name}" if scope else self.name
        #: where it stands among a layer's weights does not change when it is frozen.
        self.made_trainable = self._trainable = bool(trainable)
        self.autocast = bool(autocast)
        self.aggregation = aggregation
        self.synchronization = synchronization
        self.regularizer: Callable[[Any], Any] | None = None
        self.constraint: Callable[[Any], Any] | None = None
        self.overwrite_with_gradient = False
        if shape is not None:
            shape = _whole_shape(shape, self._path)
            kind = numpy_dtype(standardize_dtype(dtype))
            book_allocation(math.prod(shape) * kind.itemsize, f"{self._path} of shape {shape}")
        self.version = 0

        def draw() -> Array:
            with context.tracing(None), arithmetic(flush_denormals=False):
                return self._initial(initializer, shape, dtype)

        drawn = shape is not None and (callable(initializer) or isinstance(initializer, str))
        if drawn and stays_zero():
            self.array: Array = aligned_zeros(shape, kind.name)
        elif drawn and wait(self, draw):
            self.array = aligned_empty(shape, kind.name)
            self.array[...] = 0
        else:
            value = draw()
            self.array = aligned_empty(value.shape, value.dtype.name)
            self.array[...] = value

    @staticmethod
    def _initial(initializer: Any, shape: Any, dtype: Any) -> Array:
        if isinstance(initializer, str):  # of the floor above
            initializer = importlib.import_module("striate.initializers").get(initializer)
        if callable(initializer):
            if shape is None:
                raise ArgumentError(
                    f"A Variable with a callable initializer needs a shape. Received: {initializer}, shape=None."
                )
            name = standardize_dtype(dtype)
            return np.asarray(initializer(shape, dtype=name)).astype(numpy_dtype(name), copy=False)
        value = np.asarray(initializer)
        if value.dtype.kind not in "fiub" and value.dtype.name not in DTYPES:
            raise DTypeError(
                f"A Variable starts from numbers, or from an initializer and a shape. Received: {initializer!r}."
            )
        if dtype is None and not hasattr(initializer, "dtype"):
            dtype = python_dtype(value)
        value = value.astype(numpy_dtype(standardize_dtype(dtype if dtype is not None else value.dtype)), copy=False)
        if shape is not None and shape != value.shape:
            raise ShapeError(f"The initial value has shape {value.shape}. Expected shape={tuple(shape)}.")
        return value

    # What it is -----------------------------------------------------------------------------------------------------

    @property
    def ndim(self) -> int:
        return self.array.ndim

    @property
    def size(self) -> int:
        return self.array.size

    @property
    def path(self) -> str:
        """Where it stands: "sequential/dense/kernel"."""
        return self._path

    @path.setter
    def path(self, value: str) -> None:
        self._path = value

    @property
    def trainable(self) -> bool:
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        if bool(value) != self._trainable:
            context.Toggles.count += 1
        self._trainable = bool(value)

    # Its value ------------------------------------------------------------------------------------------------------

    @property
    def value(self) -> Any:
        """A copy of the value, or, inside a traced step, the value at this point of the trace."""
        return convert_to_tensor(self)

    def numpy(self) -> Array:
        """A copy of the value.

        Raises:
            TypeError: inside a traced step, where it would be the value of the moment of tracing, for ever.
        """
        trace = context.current_trace()
        if trace is not None and not isinstance(trace, ConcreteTrace):
            raise SymbolicError(
                f"A NumPy value of the Variable {self.path} was asked for inside a traced step. It would be a constant "
                "of the program, and never change. Use the Variable itself, with functions of striate.ops; or "
                "compile(run_eagerly=True), to look at values."
            )
        value = self._copied()
        with np.errstate(over="ignore"):  # infinity is what a short type makes of a large number, in programs too
            return value.astype(numpy_dtype(self.dtype), copy=False)

    def _copied(self) -> Array:
        with SHARED:
            value: Array = self.array.copy()
            return value

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return self.numpy() if dtype is None else self.numpy().astype(dtype, copy=False)

    def __float__(self) -> float:
        return float(self.value)

    def __int__(self) -> int:
        return int(self.value)

    def __bool__(self) -> bool:
        return bool(self.value)

    def __len__(self) -> int:
        return len(self.array)

    def assign(self, value: Any) -> Any:
        """Set the value, and give it; the shape must be the same, the dtype is converted.

        Raises:
            ValueError: another shape.
        """
        value = cast(value if isinstance(value, SymbolicTensor) else convert_to_tensor(value), self.own_dtype)
        if tuple(shape_of(value)) != self.shape:
            raise ShapeError(
                f"The shape of the target variable and the shape of the value assigned to it do not match: "
                f"{self.path} has shape {self.shape}. Received a value of shape {tuple(shape_of(value))}."
            )
        if context.in_spec_scope():
            return value
        trace = context.current_trace()
        if trace is not None:
            trace.write(self, wrap_value(value))
            return value
        if isinstance(value, SymbolicTensor):
            raise ArgumentError(f"{self.path} cannot be assigned {value!r} here: it has no value outside its trace.")
        self.write(np.asarray(value))
        return value

    def write(self, value: Array) -> None:
        """Copy `value` into the buffer, now, whatever is being traced."""
        with EXCLUSIVE:
            self.version += 1  # first: Ctrl-C between the two must not leave a new value under the old version
            with arithmetic(flush_denormals=False):  # converting rounds
                self.array[...] = value

    def assign_add(self, value: Any) -> Any:
        """Add to the value, in its own dtype."""
        with AutocastScope(None):
            return self.assign(self + value)

    def assign_sub(self, value: Any) -> Any:
        """Subtract from the value, in its own dtype."""
        with AutocastScope(None):
            return self.assign(self - value)

    def __deepcopy__(self, memo: dict[int, Any]) -> Variable:
        new = Variable.__new__(Variable)
        memo[id(self)] = new
        new.__setstate__(self.__getstate__())
        return new

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        state["array"] = self._copied()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        value = state["array"]
        self.array = aligned_empty(value.shape, value.dtype.name)
        self.array[...] = value

    def __repr__(self) -> str:
        return f"<Variable path={self.path}, shape={self.shape}, dtype={self.dtype}, value={self.array}>"


__all__ = ["Variable", "aligned_empty"]
