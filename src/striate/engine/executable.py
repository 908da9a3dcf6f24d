"""A Program ready to run: native segments cut by host steps, bound to the Variables it reads and writes."""

from __future__ import annotations

import operator
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from striate.core.errors import EngineError
from striate.engine import native
from striate.engine.derived import Bound, DerivedBuffer, shared_buffer
from striate.engine.lock import STATE
from striate.engine.program import Buffer, Program, Step, encode
from striate.ir.opdef import run_reference
from striate.ir.types import numpy_dtype

Array = np.ndarray[Any, Any]


class _Binding:
    """One set of Variables, with the addresses and derived buffers that follow from it."""

    __slots__ = ("buffers", "derived", "fixed", "guards", "seen", "watched")

    def __init__(self, program: Program, constants: Array, buffers: tuple[Bound, ...]) -> None:
        if len(buffers) != len(program.variables):
            raise EngineError(f"Received {len(buffers)} Variables; the program reads {len(program.variables)}.")
        for i, (buffer, wanted) in enumerate(zip(buffers, program.variables)):
            _check(buffer.array, wanted.dims, numpy_dtype(wanted.dtype), f"Variable {i}")
        self.buffers = buffers
        self.derived: list[DerivedBuffer] = [shared_buffer(d, buffers) for d in program.derived]
        self.fixed: list[Array] = [*(b.array for b in buffers), constants, *(d.array for d in self.derived)]
        self.watched: tuple[Bound, ...] = tuple({id(v): v for d in self.derived for v in d.variables}.values())
        self.guards = [d.guard for d in program.derived]
        #: versions of `watched` when every derived buffer was last found fresh; None: not yet.
        self.seen: list[int] | None = None


def _check(array: Array, shape: tuple[int, ...], dtype: np.dtype[Any], what: str) -> None:
    if array.shape != shape or array.dtype != dtype or not array.flags.c_contiguous:
        order = "" if array.flags.c_contiguous else ", not contiguous"
        raise EngineError(
            f"{what}: received {array.dtype}{list(array.shape)}{order}; "
            f"expected {dtype}{list(shape)}, C-contiguous. Use np.ascontiguousarray(x, dtype)."
        )


class _Native:
    """Consecutive steps that have kernels: one call of the engine."""

    __slots__ = ("handle",)

    def __init__(self, steps: Sequence[Step], arena_bytes: int, externals: list[tuple[int, bool]]) -> None:
        self.handle = native.compile_program(encode(tuple(steps), arena_bytes, externals))

    def run(self, externals: Sequence[Array], guards: bytes) -> None:
        native.run(self.handle, externals, guards)


class _Host:
    """One step run by its op's reference on views of the buffers."""

    __slots__ = ("step",)

    def __init__(self, step: Step) -> None:
        self.step = step

    def run(self, externals: Sequence[Array], guards: bytes) -> None:
        step = self.step
        if step.guard >= 0 and not guards[step.guard]:
            return
        arrays = tuple(_view(externals, b) for b in step.inputs)
        # Every result is there before the first is stored, so a result may lie over an input.
        results = run_reference(step.op, arrays, step.attrs)
        for place, result in zip(step.outputs, results):
            if result.shape != place.type.shape or result.dtype.name != place.type.dtype:
                raise EngineError(f"{step.op}: its reference gave {result.dtype}{result.shape}, not {place.type}.")
            _view(externals, place)[...] = result


def _view(externals: Sequence[Array], place: Buffer) -> Array:
    raw = externals[place.base - 1].reshape(-1).view(np.uint8)
    return (
        raw[place.offset : place.offset + place.type.nbytes]
        .view(numpy_dtype(place.type.dtype))
        .reshape(place.type.dims)
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
        self._writes = program.writes
        self._stateless = not program.variables and not program.derived
        self._none_stale = bytes(program.n_guards)
        self._binding: _Binding | None = None
        self._arenas: list[Array] = []
        self._arenas_mutex = threading.Lock()
        self._cut = any(step.kernel is None for step in program.steps)
        self._segments = self._make_segments()

    def _make_segments(self) -> list[_Native | _Host]:
        """Host steps need to see the arena, so a program that has any keeps it as one more external buffer."""
        steps: Sequence[Step] = self.program.steps
        arena_bytes, externals = self.program.arena_bytes, self.program.externals
        if self._cut:
            externals = [*externals, (arena_bytes, True)]
            arena_bytes, base = 0, len(externals)
            steps = [_rebase(step, base) for step in steps]
        segments: list[_Native | _Host] = []
        run: list[Step] = []
        for step in (*steps, None):
            if step is not None and step.kernel is not None:
                run.append(step)
                continue
            if run:
                segments.append(_Native(run, arena_bytes, externals))
                run = []
            if step is not None:
                segments.append(_Host(step))
        return segments

    def run(
        self, inputs: Sequence[Array], buffers: Sequence[Bound] = (), outputs: Sequence[Array] | None = None
    ) -> list[Array]:
        """The outputs for these inputs; the Variables in `buffers` get their new values in place.

        Args:
            inputs: C-contiguous arrays of exactly the planned types.
            buffers: the Variables at the graph's positions.
            outputs: arrays to write into; fresh ones where None.

        Raises:
            EngineError: an array is not of the planned type.
        """
        if len(inputs) != len(self._inputs):
            raise EngineError(f"Received {len(inputs)} inputs; the program takes {len(self._inputs)}.")
        for array, (shape, dtype) in zip(inputs, self._inputs):
            if array.shape != shape or array.dtype != dtype or not array.flags.c_contiguous:
                _check(array, shape, dtype, "Input")
        if outputs is None:
            results = [np.empty(shape, dtype) for shape, dtype in self._outputs]
        else:
            results = list(outputs)
            for array, (shape, dtype) in zip(results, self._outputs, strict=True):
                _check(array, shape, dtype, "Output")
        binding = self._binding
        if (
            binding is None
            or len(buffers) != len(binding.buffers)
            or not all(map(operator.is_, binding.buffers, buffers))
        ):
            binding = self._binding = _Binding(self.program, self._constants, tuple(buffers))
        externals = [*inputs, *results, *binding.fixed]
        if self._stateless:
            self._run_segments(externals, self._none_stale)
        elif self._writes:
            self._run_exclusive(externals, binding)
        else:
            self._run_shared(externals, binding)
        return results

    def _run_shared(self, externals: list[Array], binding: _Binding) -> None:
        STATE.acquire_shared()
        try:
            if not binding.watched or binding.seen == [v.version for v in binding.watched]:
                return self._run_segments(externals, self._none_stale)
        finally:
            STATE.release_shared()
        self._run_exclusive(externals, binding)

    def _run_exclusive(self, externals: list[Array], binding: _Binding) -> None:
        STATE.acquire_exclusive()
        try:
            guards = bytearray(self._none_stale)
            for held, guard in zip(binding.derived, binding.guards):
                guards[guard] |= held.stale
            try:
                self._run_segments(externals, bytes(guards))
            finally:
                for i in self._writes:  # after a failure too: what was written is not known
                    binding.buffers[i].version += 1
            for held in binding.derived:
                held.mark_made()
            binding.seen = [v.version for v in binding.watched]
        finally:
            STATE.release_exclusive()

    def _run_segments(self, externals: list[Array], guards: bytes) -> None:
        if not self._cut:
            for segment in self._segments:
                segment.run(externals, guards)
            return
        with self._arenas_mutex:
            arena = self._arenas.pop() if self._arenas else None
        if arena is None:
            arena = native.aligned_empty((self.program.arena_bytes,), "uint8")
        externals.append(arena)
        try:
            for segment in self._segments:
                segment.run(externals, guards)
        finally:
            with self._arenas_mutex:
                self._arenas.append(arena)


def _rebase(step: Step, base: int) -> Step:
    """The step with the arena (base 0) moved to the external `base - 1`."""

    def moved(places: tuple[Buffer, ...]) -> tuple[Buffer, ...]:
        return tuple(Buffer(base, b.offset, b.type) if b.base == 0 else b for b in places)

    return Step(step.op, step.kernel, moved(step.inputs), moved(step.outputs), step.attrs, step.guard)
