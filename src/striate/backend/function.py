"""Traced functions: Python run once for each signature, a program run ever after.

A signature is the structure of the arguments, the shape and dtype of their arrays, and the value of what is no array.
Programs are kept in a bounded, least-recently-used cache: batch sizes that vary for ever do not grow memory.
"""

from __future__ import annotations

import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial, update_wrapper
from typing import Any

import numpy as np

from striate.backend import context
from striate.backend.apply import convert_to_tensor, wrap_traced, wrap_value
from striate.backend.tensor import KerasTensor, SymbolicTensor
from striate.backend.variable import Variable
from striate.compiler import settings
from striate.compiler.pipeline import compile_graph
from striate.compiler.trace import Trace
from striate.core import tree
from striate.core.errors import SymbolicError
from striate.core.interrupts import Uninterrupted
from striate.core.registry import export
from striate.engine.lock import renew_after_fork
from striate.engine.native import arithmetic
from striate.ir.types import TensorType

Array = np.ndarray[Any, Any]

#: Programs kept for one function. A training loop needs two (full and last batch), evaluation two more.
CAPACITY = 16


_making = threading.RLock()
renew_after_fork(sys.modules[__name__], "_making")


@contextmanager
def whole_and_alone() -> Iterator[None]:
    """For what makes models' parts and programs: one thread at a time, and not left half done by Ctrl-C.

    A second Ctrl-C does break off: code of users is run here.
    """
    with Uninterrupted(), _making:
        yield


class _Static:
    """An argument that is no array, as part of a signature: compared by value where it can be, else by identity."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Static) and (self.value is other.value or _same(self.value, other.value))

    def __hash__(self) -> int:
        try:
            return hash(self.value)
        except TypeError:
            return id(self.value)


def _fresh(leaf: Any) -> Any:
    return leaf.copy() if isinstance(leaf, np.ndarray) else leaf


def _same(a: Any, b: Any) -> bool:
    return type(a) is type(b) and isinstance(a, str | int | float | bool | type(None)) and a == b


class CompiledTrace:
    """A traced and compiled call: feed it arrays, it gives arrays and updates the Variables."""

    def __init__(self, trace: Trace, outputs: Any) -> None:
        leaves = tree.flatten(outputs)
        self._structure = outputs
        self._slots: list[int | None] = []
        self._fixed: list[Any] = []
        values: list[Any] = []
        for leaf in leaves:
            if isinstance(leaf, SymbolicTensor | Variable):
                self._slots.append(len(values))
                values.append(wrap_value(leaf))
            else:
                self._slots.append(None)
            self._fixed.append(leaf)
        self.graph = trace.graph(values)
        self.variables: list[Variable] = list(trace.variables)
        self.executable = compile_graph(self.graph, training=bool(self.graph.updates))
        # Leaves of the traced call hold the whole trace; only what is fixed is kept.
        self._fixed = [None if s is not None else f for f, s in zip(self._fixed, self._slots, strict=True)]
        self._structure = tree.pack_sequence_as(outputs, list(range(len(leaves))))

    def __call__(self, arrays: list[Array]) -> Any:
        got = self.executable.run(arrays, self.variables)
        # An array that no input has a part in is copied too: what a caller writes into it must not come again.
        leaves = [_fresh(f) if s is None else got[s] for f, s in zip(self._fixed, self._slots)]
        return leaves[0] if self._structure == 0 else tree.pack_sequence_as(self._structure, leaves)


#: what a step is given for a batch of one array
_KEY_OF_ONE = tree.key_of(((0,),))


def _only_array(args: tuple[Any, ...]) -> Array | None:
    """The array of arguments that are `((array,),)`: walking through structures takes longer than a small network."""
    if len(args) == 1 and type(args[0]) is tuple and len(args[0]) == 1 and type(args[0][0]) is np.ndarray:
        return args[0][0]
    return None


@export("function")
class TracedFunction:
    """A Python function over arrays, run as a compiled program.

    The function is run once for each signature of its arguments, on symbolic tensors; what it computes with
    `striate.ops`, layers and Variables becomes one program, which later calls run. Variables that it assigns are
    updated. Python side effects happen only while tracing.

    Args:
        fn: the function; arguments and results are arrays or nested lists, tuples and dicts of them.

    Example:
        >>> import striate, numpy as np
        >>> double = striate.function(lambda x: x * 2.0)
        >>> double(np.ones(3, "float32"))
        array([2., 2., 2.], dtype=float32)
    """

    def __init__(self, fn: Callable[..., Any], capacity: int = CAPACITY) -> None:
        update_wrapper(self, fn)
        self.fn = fn
        self._capacity = capacity
        self._programs: OrderedDict[Any, CompiledTrace] = OrderedDict()

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else partial(self, instance)  # as a method: `self` is part of the signature

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if context.in_trace() or context.in_spec_scope():
            return self.fn(*args, **kwargs)
        given = (args, kwargs) if kwargs else args
        only = None if kwargs else _only_array(args)
        leaves = tree.flatten(given) if only is None else [only]
        if only is None and any(isinstance(leaf, KerasTensor) for leaf in leaves):
            return self.fn(*args, **kwargs)
        key: list[Any] = []
        arrays: list[Array] = []
        for leaf in leaves:
            if isinstance(leaf, np.ndarray | np.generic):
                array = np.asarray(leaf)
                if not array.dtype.isnative:
                    array = array.astype(array.dtype.newbyteorder("="))
                key.append((array.shape, array.dtype))
                arrays.append(array)
            else:
                key.append(_Static(leaf))
        structure = tree.key_of(given) if only is None else _KEY_OF_ONE
        whole = (structure, tuple(key), settings.in_force())
        program = self._programs.get(whole)
        if program is None:
            with whole_and_alone():
                program = self._programs.get(whole)
                if program is None:
                    program = self._programs[whole] = self.trace(args, kwargs)
                    if len(self._programs) > self._capacity:
                        self._programs.popitem(last=False)
        else:
            with suppress(KeyError):  # another thread has dropped it since
                self._programs.move_to_end(whole)
        return program(arrays)

    def trace(self, args: tuple[Any, ...], kwargs: dict[str, Any] | None = None) -> CompiledTrace:
        """Run the function on symbolic arguments like these and compile what it did."""
        given = (args, kwargs or {})
        trace = Trace()
        with whole_and_alone(), arithmetic(flush_denormals=False), context.tracing(trace):
            symbolic = []
            for i, leaf in enumerate(tree.flatten(given)):
                if isinstance(leaf, np.ndarray | np.generic):
                    array = convert_to_tensor(np.asarray(leaf))
                    symbolic.append(
                        wrap_traced(trace.input(TensorType(array.shape, array.dtype.name), f"arg{i}"), trace)
                    )
                elif isinstance(leaf, SymbolicTensor):
                    raise SymbolicError(f"A traced function takes arrays. Received {leaf!r}.")
                else:
                    symbolic.append(leaf)
            args, kwargs = tree.pack_sequence_as(given, symbolic)
            outputs = self.fn(*args, **kwargs)
            return CompiledTrace(trace, outputs)

    def clear(self) -> None:
        """Forget the programs: the function is traced again at its next call."""
        self._programs.clear()
