"""STRIATE_DUMP=folder writes what the compiler made: the graph after each pass, then the plan.

Files are named 0003-02-fuse_bias.txt: the third program of this process, its second pass. For people.
"""

from __future__ import annotations

import itertools
import os
from pathlib import Path

from striate.ir.graph import Graph
from striate.ir.text import graph_text

_programs = itertools.count(1)


class Dump:
    """Writes one program's files; does nothing where STRIATE_DUMP is not set."""

    def __init__(self) -> None:
        folder = os.environ.get("STRIATE_DUMP", "")
        self.folder = Path(folder) if folder else None
        self.number = next(_programs) if folder else 0
        self.stage = 0

    def graph(self, name: str, graph: Graph) -> None:
        if self.folder is not None:
            self._write(name, graph_text(graph))

    def plan(self, plan: object) -> None:
        if self.folder is not None:
            self._write("plan", str(plan))

    def _write(self, name: str, text: str) -> None:
        assert self.folder is not None
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / f"{self.number:04}-{self.stage:02}-{name}.txt").write_text(text, encoding="utf-8")
        self.stage += 1
