"""The types of what users' code gives for tensors with open axes, found by running it on two examples.

Code of users asks for the length of the batch and computes with it: `ops.zeros((ops.shape(x)[0], 3))`. So it is
followed twice, with other lengths in the place of the open ones; what comes out different is open, the rest is not.
Layers of ours are followed with open axes, once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from striate.backend import context
from striate.backend.apply import dtype_of
from striate.backend.functional_node import compute_spec
from striate.backend.tensor import KerasTensor
from striate.core import tree
from striate.core.errors import StriateError

#: (batch, other axes): multiples of what people divide by, whose quotients differ too.
EXAMPLES = ((12, 256), (24, 384))


def compute_spec_by_examples(fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """As `compute_spec`: fresh KerasTensors of the types of `fn`'s results, and nothing recorded."""
    given = tree.flatten((args, kwargs))
    if context.in_spec_scope() or not any(isinstance(t, KerasTensor) and None in t.shape for t in given):
        return compute_spec(fn, args, kwargs)
    try:
        first, second = (_run(fn, args, kwargs, batch, other) for batch, other in EXAMPLES)
    except Exception as error:
        return _with_open_axes(fn, args, kwargs, error)
    return tree.map_structure(_meet, first, second)


def _with_open_axes(fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], error: Exception) -> Any:
    """What does not work with an example's lengths may do so without; if nothing does, no message shows examples."""
    try:
        return compute_spec(fn, args, kwargs)
    except StriateError:
        raise
    except Exception:
        raise error from None


def _run(fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], batch: int, other: int) -> Any:
    def example(leaf: Any) -> Any:
        if not isinstance(leaf, KerasTensor) or None not in leaf.shape:
            return leaf
        lengths = [batch if axis == 0 else other for axis in range(len(leaf.shape))]
        return KerasTensor([n if d is None else d for d, n in zip(leaf.shape, lengths)], leaf.dtype, name=leaf.name)

    args, kwargs = tree.map_structure(example, (args, kwargs))
    with context.example_batch(batch):
        return compute_spec(fn, args, kwargs)


def _meet(a: Any, b: Any) -> Any:
    if not hasattr(a, "shape") or isinstance(a, np.generic):
        return a
    return KerasTensor([m if m == n else None for m, n in zip(a.shape, b.shape, strict=True)], dtype_of(a))
