"""A program's steps, cut where a host step stands: native segments run in C++, host steps by their op's reference."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np

from striate.core.errors import EngineError
from striate.core.interrupts import Uninterrupted
from striate.engine import native
from striate.engine.program import WRITTEN, Buffer, Program, Step, encode
from striate.ir.opdef import run_reference
from striate.ir.types import numpy_dtype

Array = np.ndarray[Any, Any]


class Segments:
    """Runs all steps in order.

    A program without host steps is one call of the engine, which keeps an arena for each run at once. With host steps,
    which need to see it, the arena is one more external buffer, kept here.
    """

    def __init__(self, program: Program) -> None:
        steps: Sequence[Step] = program.steps
        arena_bytes, externals = program.arena_bytes, program.externals
        self._arena_bytes = -1
        if any(step.kernel is None for step in steps):
            self._arena_bytes = arena_bytes
            externals = [*externals, (arena_bytes, WRITTEN)]
            arena_bytes, base = 0, len(externals)
            steps = [_rebase(step, base) for step in steps]
        self._arenas: list[Array] = []
        # NumPy gives no buffer over arrays of a dtype that is not its own.
        self._foreign = any(t.dtype == "bfloat16" for t in (*program.inputs, *program.outputs))
        #: handles of native segments, and host steps
        self._parts: list[Any] = []
        #: seconds of each part that is a host step since `time_steps`; None: not measured
        self._host_seconds: list[float] | None = None
        run: list[Step] = []
        for step in (*steps, None):
            if step is not None and step.kernel is not None:
                run.append(step)
                continue
            if run:
                self._parts.append(native.compile_program(encode(tuple(run), arena_bytes, externals)))
                run = []
            if step is not None:
                self._parts.append(step)

    def run(
        self, arrays: list[Array], bound: list[Array], addresses: list[int], guards: bytes, whole: bool = False
    ) -> None:
        """`arrays` are inputs and outputs; `bound` the other externals, which lie at `addresses`.

        With `whole`, Ctrl-C waits for the last step. (One native segment is whole anyway.)
        """
        given = [native.address_of(a) for a in arrays] if self._foreign else arrays
        if self._arena_bytes < 0:
            for part in self._parts:  # one; none where nothing is computed
                native.run(part, [*given, *addresses], guards)
            return
        try:
            arena = self._arenas.pop()  # one operation: several threads may be here
        except IndexError:
            arena = native.aligned_empty((self._arena_bytes,), "uint8")
        externals = [*given, *addresses, native.address_of(arena)]
        views = [*arrays, *bound, arena]
        try:
            with Uninterrupted(second=False) if whole else nullcontext():
                for i, part in enumerate(self._parts):
                    if isinstance(part, Step):
                        begun = time.perf_counter()
                        _run_on_host(part, views, guards)
                        if (measured := self._host_seconds) is not None:
                            measured[i] += time.perf_counter() - begun
                    else:
                        native.run(part, externals, guards)
        finally:
            self._arenas.append(arena)

    def time_steps(self, on: bool) -> None:
        """Measure each step from the next run on, starting at zero; or stop."""
        self._host_seconds = [0.0] * len(self._parts) if on else None
        for part in self._parts:
            if not isinstance(part, Step):
                native.set_timing(part, on)

    def step_seconds(self) -> list[float]:
        """Seconds of each step of the program, summed over the runs since `time_steps`."""
        seconds: list[float] = []
        for part, on_host in zip(self._parts, self._host_seconds or [0.0] * len(self._parts)):
            seconds += [on_host] if isinstance(part, Step) else native.step_times(part)
        return seconds


def _run_on_host(step: Step, externals: Sequence[Array], guards: bytes) -> None:
    if step.guard >= 0 and not guards[step.guard]:
        return
    # Every result is there before the first is stored, so a result may lie over an input.
    with native.arithmetic():
        results = run_reference(step.op, tuple(_view(externals, b) for b in step.inputs), step.attrs)
    for place, result in zip(step.outputs, results, strict=True):
        if result.shape != place.type.shape or result.dtype.name != place.type.dtype:
            raise EngineError(f"{step.op}: its reference gave {result.dtype}{list(result.shape)}, not {place.type}.")
        _view(externals, place)[...] = result


def _view(externals: Sequence[Array], place: Buffer) -> Array:
    raw = externals[place.base - 1].reshape(-1).view(np.uint8)
    held = raw[place.offset : place.offset + place.type.nbytes]
    return held.view(numpy_dtype(place.type.dtype)).reshape(place.type.dims)


def _rebase(step: Step, base: int) -> Step:
    """The step with the arena (base 0) moved to the external `base - 1`."""

    def moved(places: tuple[Buffer, ...]) -> tuple[Buffer, ...]:
        return tuple(Buffer(base, b.offset, b.type) if b.base == 0 else b for b in places)

    return Step(step.op, step.kernel, moved(step.inputs), moved(step.outputs), step.attrs, step.guard)
