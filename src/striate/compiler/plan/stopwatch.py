"""Times a step by itself as it would run in a program: through the engine, on the threads in use.

    sweep       16 MB are read and written: weights are not in a core's own cache when a program comes to them
    fresh       what the step before would have written (the maps, or their gradient) is written
    the step    what is timed, inside the run, by the engine's clock

A step timed in a loop finds all of its weights in cache, which favours the algorithm that reads most of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from striate.compiler.plan.choice import Contender
from striate.engine import native
from striate.engine.program import READ, WRITTEN, step_spec
from striate.ir.attrs import NO_ATTRS
from striate.ir.types import TensorType

Array = np.ndarray[Any, Any]
#: Runs the contender of that number once: seconds.
Clock = Callable[[int], float]

#: Several times a core's own caches (2 MB at most where this was written), less than what cores share.
SWEEP = TensorType((16 << 18,))
_THE_STEP = 2


def _fresh_input(op: str) -> int:
    return 1 if op == "conv2d_grad_w" else 0  # inputs x, g: the maps were made long before


def _fill(array: Array) -> None:
    """Numbers of ordinary size: denormals and zeros could take another time."""
    block = np.random.default_rng(0).uniform(0.5, 1.5, 1 << 14).astype(array.dtype)
    if array.dtype.kind != "u":  # indices of a pool's cells are bytes
        block[::2] *= -1
    flat = array.reshape(-1)
    for start in range(0, flat.size, block.size):
        part = flat[start : start + block.size]
        part[...] = block[: part.size]


def stopwatch(contenders: Sequence[Contender]) -> Clock:
    """A clock for these; the memory of their operands is shared, and goes with the clock.

    Raises:
        MemoryError: it does not suffice.
    """
    arrays: dict[tuple[str, int, TensorType], Array] = {}

    def operand(role: str, index: int, type_: TensorType) -> Array:
        key = (role, index, type_)
        if key not in arrays:
            arrays[key] = native.aligned_empty(type_.dims, type_.dtype)
            _fill(arrays[key])
        return arrays[key]

    (negate, *_) = native.candidates("neg")
    runs: list[tuple[Any, list[Array]]] = []
    for c in contenders:
        fresh = _fresh_input(c.op)
        externals = [
            operand("sweep", 0, SWEEP),
            *(operand("input", i, t) for i, t in enumerate(c.inputs)),
            *(operand("output", i, t) for i, t in enumerate(c.outputs)),
        ]
        count = len(c.inputs)
        access = [READ if 1 <= i <= count and i != 1 + fresh else WRITTEN for i in range(len(externals))]

        def negated(base: int, type_: TensorType) -> tuple[Any, ...]:
            return negate.name, [(base, 0), (base, 0)], step_spec((type_,), (type_,), NO_ATTRS), -1

        places = [(2 + i, 0) for i in range(len(externals) - 1)]
        steps = [
            negated(1, SWEEP),
            negated(2 + fresh, c.inputs[fresh]),
            (c.kernel, places, step_spec(c.inputs, c.outputs, c.attrs), -1),
        ]
        program = {
            "arena_bytes": 0,
            "externals": [(a.nbytes, how) for a, how in zip(externals, access)],
            "steps": steps,
        }
        runs.append((native.compile_program(program), externals))

    def clock(number: int) -> float:
        handle, externals = runs[number]
        native.set_timing(handle, True)  # from zero
        native.run(handle, externals, b"")
        return native.step_times(handle)[_THE_STEP]

    return clock
