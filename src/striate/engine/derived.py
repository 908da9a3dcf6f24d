"""Persistent buffers of what depends on Variables alone: folded batch norms, packed and transformed weights.

One store for the process: programs of other batch sizes, or of other outputs, that need the same arithmetic on the same
Variables share one buffer. It is remade when a Variable's version has moved, and dropped with the last program bound
to it.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Hashable, Sequence
from typing import Any, Protocol
from weakref import WeakValueDictionary

import numpy as np

from striate.engine.lock import renew_after_fork
from striate.engine.native import aligned_empty
from striate.engine.program import Derived

Array = np.ndarray[Any, Any]


class Bound(Protocol):
    """What a program needs of a Variable: its memory, never replaced, and a number that moves when it is written."""

    version: int

    @property
    def array(self) -> Array: ...


class DerivedBuffer:
    """One stored value, the Variables it is made from, and their versions when it was made."""

    __slots__ = ("__weakref__", "array", "made_from", "variables")

    def __init__(self, array: Array, variables: tuple[Bound, ...]) -> None:
        self.array = array
        self.variables = variables
        self.made_from: list[int] | None = None

    @property
    def stale(self) -> bool:
        return self.made_from != self.versions()

    def versions(self) -> list[int]:
        return [v.version for v in self.variables]


_store: WeakValueDictionary[Hashable, DerivedBuffer] = WeakValueDictionary()
_mutex = threading.Lock()
renew_after_fork(sys.modules[__name__], "_mutex")


def shared_buffer(derived: Derived, variables: Sequence[Bound]) -> DerivedBuffer:
    """The buffer of this arithmetic on these Variables; made, and stale, where there is none yet.

    A stored buffer keeps its Variables alive, so that an `id` in the key cannot come to mean another Variable.
    """
    used = tuple(variables[i] for i in derived.variables)
    key = (derived.expression, derived.type, tuple(map(id, used)))
    with _mutex:
        held = _store.get(key)
        if held is None:
            held = _store[key] = DerivedBuffer(aligned_empty(derived.type.dims, derived.type.dtype), used)
        return held


def stored_bytes() -> int:
    """Bytes in derived buffers now."""
    with _mutex:
        return sum(held.array.nbytes for held in _store.values())
