"""Graph -> Executable: the ordered list of passes, then the plan."""

from __future__ import annotations

from collections.abc import Callable

from striate.compiler.dump import Dump
from striate.compiler.plan.build import build
from striate.engine.executable import Executable
from striate.ir.graph import Graph

Pass = Callable[[Graph], Graph]

#: For every graph, in this order.
PASSES: tuple[Pass, ...] = ()
#: After those, for graphs that change nothing: there weights hold still from run to run.
INFERENCE_PASSES: tuple[Pass, ...] = ()


def run_passes(graph: Graph, *, training: bool, dump: Dump | None = None) -> Graph:
    """The graph after all passes; verified after each where STRIATE_VERIFY=1."""
    return graph


def compile_graph(graph: Graph, *, training: bool) -> Executable:
    """A program for this graph at its shapes, all of which must be known.

    Args:
        training: whether it is a training step; passes that rely on weights holding still then keep out.
    """
    dump = Dump()
    executable = build(run_passes(graph, training=training, dump=dump))
    dump.plan(executable.plan)
    return executable


__all__ = ["Executable", "compile_graph", "run_passes"]
