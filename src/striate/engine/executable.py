"""A Program ready to run: native segments cut by host steps, bound to the Variables it reads and writes."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from striate.core.errors import EngineError
from striate.engine import native
from striate.engine.derived import Bound, DerivedBuffer, shared_buffer
from striate.engine.lock import EXCLUSIVE, SHARED
from striate.engine.program import Program
from striate.engine.segments import Segments
from striate.ir.types import numpy_dtype

Array = np.ndarray[Any, Any]


class _Binding:
    """One set of Variables, with the addresses and derived buffers that follow from it."""

    __slots__ = ("addresses", "arrays", "buffers", "derived", "guards", "seen", "watched")

    def __init__(self, program: Program, constants: Array, buffers: tuple[Bound, ...]) -> None:
        if len(buffers) != len(program.variables):
            raise EngineError(f"Received {len(buffers)} Variables; the program reads {len(program.variables)}.")
        for i, (buffer, wanted) in enumerate(zip(buffers, program.variables)):
            _check(buffer.array, wanted.dims, numpy_dtype(wanted.dtype), f"Variable {i}")
        self.buffers = buffers
        self.derived: list[DerivedBuffer] = [shared_buffer(d, buffers) for d in program.derived]
        #: the external buffers after inputs and outputs, kept alive here, and where they lie
        self.arrays: list[Array] = [*(b.array for b in buffers), constants, *(d.array for d in self.derived)]
        self.addresses = [native.address_of(a) for a in self.arrays]
        self.watched: tuple[Bound, ...] = tuple({id(v): v for d in self.derived for v in d.variables}.values())
        self.guards = [d.guard for d in program.derived]
        #: versions of `watched` when every derived buffer was last found fresh; None: not yet.
        self.seen: list[int] | None = None if self.derived else []


def _check(array: Array, shape: tuple[int, ...], dtype: np.dtype[Any], what: str) -> None:
    if array.shape != shape or array.dtype != dtype or not array.flags.c_contiguous:
        raise _misfit(array, shape, dtype, what)


def _misfit(array: Array, shape: tuple[int, ...], dtype: np.dtype[Any], what: str) -> EngineError:
    order = "" if array.flags.c_contiguous else ", not contiguous"
    return EngineError(
        f"{what}: received {array.dtype}{list(array.shape)}{order}; expected {dtype}{list(shape)}, contiguous. "
        "A program runs on arrays of the types it was planned for: convert them, or compile another."
    )


class Executable:
    """What `compile_graph` gives: runs a graph on arrays and Variables.

    Safe to call from several threads: runs that write Variables, or remake what is derived from them, have the state
    to themselves; the others share it.
    """

    def __init__(self, program: Program, plan: Any = None) -> None:
        native.warn_if_missing()
        self.program = program
        #: how the program came about: `plan.describe()` has a row a step.
        self.plan = plan
        self._constants = native.aligned_empty(program.constants.shape, "uint8")
        self._constants[...] = program.constants
        self._inputs = [(t.dims, numpy_dtype(t.dtype)) for t in program.inputs]
        self._outputs = [(t.dims, numpy_dtype(t.dtype)) for t in program.outputs]
        self._stateless = not program.variables and not program.derived
        self._none_stale = bytes(program.n_guards)
        self._binding: _Binding | None = None
        self._segments = Segments(program)

    def run(
        self, inputs: Sequence[Array], buffers: Sequence[Bound] = (), outputs: Sequence[Array] | None = None
    ) -> list[Array]:
        """The outputs for these inputs; the Variables in `buffers` get their new values in place.

        Args:
            inputs: arrays of exactly the planned types; those that are not C-contiguous are copied.
            buffers: the Variables at the graph's positions.
            outputs: C-contiguous arrays to write into; fresh ones where None.

        Raises:
            EngineError: an array is not of the planned type.
        """
        if len(inputs) != len(self._inputs):
            raise EngineError(f"Received {len(inputs)} inputs; the program takes {len(self._inputs)}.")
        arrays: list[Array] = []
        for array, (shape, dtype) in zip(inputs, self._inputs):
            if array.shape != shape or array.dtype != dtype:
                raise _misfit(array, shape, dtype, "Input")
            flags = array.flags
            arrays.append(array if flags.c_contiguous and flags.aligned else array.copy(order="C"))
        if outputs is None:
            results = [np.empty(shape, dtype) for shape, dtype in self._outputs]
        else:
            results = list(outputs)
            for array, (shape, dtype) in zip(results, self._outputs, strict=True):
                _check(array, shape, dtype, "Output")
        arrays += results
        binding = self._binding
        if (
            binding is None
            or len(buffers) != len(binding.buffers)
            or not all(map(operator.is_, binding.buffers, buffers))
        ):
            binding = self._binding = _Binding(self.program, self._constants, tuple(buffers))
        if self._stateless:
            self._segments.run(arrays, binding.arrays, binding.addresses, self._none_stale)
        elif self.program.writes or not self._ran_shared(arrays, binding):
            self._run_exclusive(arrays, binding)
        return results

    def time_steps(self, on: bool) -> None:
        """Measure each step of the program from the next run on, starting at zero; or stop."""
        self._segments.time_steps(on)

    def step_seconds(self) -> list[float]:
        """Seconds on the wall of each of `program.steps`, summed over the runs since `time_steps(True)`."""
        return self._segments.step_seconds()

    def _ran_shared(self, arrays: list[Array], binding: _Binding) -> bool:
        """Run beside other readers, unless something derived is stale."""
        with SHARED:
            if binding.seen != [v.version for v in binding.watched]:
                return False
            self._segments.run(arrays, binding.arrays, binding.addresses, self._none_stale)
            return True

    def _run_exclusive(self, arrays: list[Array], binding: _Binding) -> None:
        with EXCLUSIVE:
            guards = bytearray(self._none_stale)
            for held, guard in zip(binding.derived, binding.guards):
                guards[guard] |= held.stale
            made_from = [held.versions() for held in binding.derived]
            # Before the run: a failure or a KeyboardInterrupt later must find them moved if anything was written.
            for i in self.program.writes:
                binding.buffers[i].version += 1
            self._segments.run(
                arrays, binding.arrays, binding.addresses, bytes(guards), whole=bool(self.program.writes)
            )
            for held, versions in zip(binding.derived, made_from):
                held.made_from = versions
            binding.seen = [v.version for v in binding.watched]
