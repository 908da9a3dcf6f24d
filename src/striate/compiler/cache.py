"""Programs by the graph they run, the least recently used dropped first.

Batch sizes that vary for ever must not grow memory, so there is a capacity. Names of Variables are no part of the key:
two models of the same structure share programs, each bound to its own Variables.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from striate.compiler.structure import Structure, structure_of_graph
from striate.engine.executable import Executable
from striate.engine.lock import renew_after_fork
from striate.ir.graph import Graph


class ProgramCache:
    """At most `capacity` programs.

    Example:
        >>> cache = ProgramCache(capacity=32)
        >>> len(cache)
        0
    """

    def __init__(self, capacity: int) -> None:
        assert capacity >= 1, f"capacity={capacity}: at least one program must fit"
        self.capacity = capacity
        self._held: OrderedDict[tuple[Structure, bool], Executable] = OrderedDict()
        self._mutex = threading.Lock()
        renew_after_fork(self, "_mutex")

    def __len__(self) -> int:
        return len(self._held)

    def get(self, graph: Graph, *, training: bool, make: Callable[[], Executable]) -> Executable:
        """The program of this graph, made by `make` where it is not held."""
        key = (structure_of_graph(graph), training)
        with self._mutex:
            held = self._held.get(key)
            if held is not None:
                self._held.move_to_end(key)
                return held
        made = make()  # outside the lock: it may take a second
        with self._mutex:
            held = self._held.setdefault(key, made)
            self._held.move_to_end(key)
            while len(self._held) > self.capacity:
                self._held.popitem(last=False)
        return held

    def clear(self) -> None:
        with self._mutex:
            self._held.clear()
