"""Random arrays on the host: what initializers draw with, and the functions that no traced step needs.

Everything here is made of the ops' own meaning (`ir/ops`, NumPy), so initial weights do not depend on the
instruction set the kernels were chosen for.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from striate import backend
from striate.core.errors import SymbolicError
from striate.ir.attrs import Attrs
from striate.ir.opdef import run_reference
from striate.ir.ops.attrs import ShapeAttrs

Array = np.ndarray[Any, Any]


def _draw(op: str, state: Array, shape: tuple[int, ...]) -> Array:
    attrs: Attrs = ShapeAttrs(shape)
    return run_reference(op, (state,), attrs)[0]


def concrete(state: Any, function: str) -> Array:
    """`state` as an array; in a trace it has no value yet."""
    if backend.is_symbolic(state):
        raise SymbolicError(
            f"random.{function}() runs on the host and cannot be part of a traced step. Received a generator inside a "
            f"trace. Draw with random.uniform() or random.normal() there, or run with run_eagerly=True."
        )
    return np.asarray(state)


def uniform(state: Array, shape: tuple[int, ...]) -> Array:
    """float32 in [0, 1), multiples of 2**-24."""
    return _draw("random_uniform", state, shape)


def normal(state: Array, shape: tuple[int, ...]) -> Array:
    """float32, mean 0, standard deviation 1."""
    return _draw("random_normal", state, shape)


def bits(state: Array, shape: tuple[int, ...]) -> Array:
    """int64 in [0, 2**32)."""
    return _draw("random_bits", state, shape)


def truncated_normal(state: Array, shape: tuple[int, ...]) -> Array:
    """Standard normal values within 2 standard deviations: those outside are drawn again (4.6% each round).

    Round r draws with r in the counter's high word, which no generator's counting reaches.
    """
    values = normal(state, shape).reshape(-1)
    out = np.flatnonzero(np.abs(values) > 2)
    for r in range(1, 2**31):
        if not out.size:
            break
        again = normal(state + np.array([0, r << 32]), (out.size,))
        values[out] = again
        out = out[np.abs(again) > 2]
    return values.reshape(shape)
