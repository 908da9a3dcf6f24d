"""Small problems for every op: inputs, attributes, and what is known of them. Each op of the table goes through the
conformance kit by having cases here; a test says which op has none.

Inputs are float32 (or what the op takes) drawn from a generator keyed by the op's name, so that a new case moves no
other op's numbers.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from striate.ir.attrs import NO_ATTRS, Attrs

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, eq=False)
class Case:
    """One problem. `batched`: the inputs whose first axis is the batch, so may be open (then with `open_attrs`).
    `smooth`: differentiable at these inputs, so that finite differences say what the gradient is."""

    op: str
    label: str
    inputs: tuple[Array, ...]
    attrs: Attrs = NO_ATTRS
    batched: tuple[int, ...] = ()
    open_attrs: Attrs | None = None
    smooth: bool = True

    def __str__(self) -> str:
        return f"{self.op}-{self.label}"


def words(text: str) -> list[str]:
    """Names of ops, as a list that stays readable when it is long."""
    return text.split()


class Draw:
    """Numbers for one op's cases."""

    def __init__(self, op: str) -> None:
        self.rng = np.random.default_rng(zlib.crc32(op.encode()))

    def normal(self, *shape: int) -> Array:
        return self.rng.standard_normal(shape).astype(np.float32)

    def uniform(self, low: float, high: float, *shape: int) -> Array:
        return self.rng.uniform(low, high, shape).astype(np.float32)

    def integers(self, low: int, high: int, *shape: int, dtype: str = "int32") -> Array:
        return self.rng.integers(low, high, shape).astype(dtype)

    def bools(self, *shape: int) -> Array:
        return self.rng.integers(0, 2, shape).astype(bool)


#: op -> what makes its cases
MAKERS: dict[str, Callable[[str, Draw], Iterator[Case]]] = {}


def cases_for(*ops: str) -> Callable[[Callable[[str, Draw], Iterator[Case]]], Callable[[str, Draw], Iterator[Case]]]:
    """Mark a generator of cases, called as maker(op, draw), as that of the given ops."""

    def mark(maker: Callable[[str, Draw], Iterator[Case]]) -> Callable[[str, Draw], Iterator[Case]]:
        for op in ops:
            assert op not in MAKERS, f"two makers of cases for {op}"
            MAKERS[op] = maker
        return maker

    return mark


def all_cases() -> list[Case]:
    """Every case of every op, in a stable order."""
    from tests.support import (  # noqa: F401
        cases_bottleneck,
        cases_conv_normed,
        cases_conv_pool,
        cases_elementwise,
        cases_layers,
        cases_matrices,
        cases_moves,
        cases_products,
        cases_rare,
    )

    return [case for op in sorted(MAKERS) for case in MAKERS[op](op, Draw(op))]
