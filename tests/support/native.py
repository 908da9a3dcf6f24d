"""One kernel at a time: a program of one step, its results poisoned and fenced."""

from __future__ import annotations

from typing import Any

import numpy as np

from striate.engine import _native
from striate.engine.program import step_spec
from striate.ir.attrs import NO_ATTRS, Attrs
from striate.ir.opdef import infer_types
from striate.ir.types import TensorType, numpy_dtype

Array = np.ndarray[Any, Any]
FENCE = 128  # bytes after each result that must stay as they are


def types_of(arrays: tuple[Array, ...]) -> tuple[TensorType, ...]:
    return tuple(TensorType(x.shape, x.dtype.name) for x in arrays)


def spec_of(op: str, inputs: tuple[Array, ...], attrs: Attrs = NO_ATTRS) -> Any:
    return step_spec(types_of(inputs), infer_types(op, types_of(inputs), attrs), attrs)


def refusal(kernel: str, op: str, inputs: tuple[Array, ...], attrs: Attrs = NO_ATTRS) -> str | None:
    return _native.probe(kernel, spec_of(op, inputs, attrs))


def run_kernel(kernel: str, op: str, inputs: tuple[Array, ...], attrs: Attrs = NO_ATTRS) -> tuple[Array, ...]:
    """The results of one kernel. Their bytes start as 0xFF (NaN in floats); what lies after them must not change."""
    outputs = infer_types(op, types_of(inputs), attrs)
    held = [np.full(t.nbytes + FENCE, 0xFF, np.uint8) for t in outputs]
    externals = [*((x.nbytes, False) for x in inputs), *((h.nbytes, True) for h in held)]
    places = [(1 + i, 0) for i in range(len(externals))]
    step = (kernel, places, spec_of(op, inputs, attrs), -1)
    handle = _native.compile({"arena_bytes": 0, "externals": externals, "steps": [step]})
    _native.run(handle, [*inputs, *held], b"")
    for h, t in zip(held, outputs):
        assert (h[t.nbytes :] == 0xFF).all(), f"{kernel} wrote past a result"
    return tuple(h[: t.nbytes].view(numpy_dtype(t.dtype)).reshape(t.dims) for h, t in zip(held, outputs))


def kernels_of(*ops: str) -> list[tuple[str, str]]:
    """(op, kernel name) for every instruction set of this CPU."""
    return [(op, name) for op, name, _ in _native.kernels() if op in ops]
