"""Graph -> Executable: the ordered list of passes, then the plan."""

from __future__ import annotations

import os
from collections.abc import Callable

from striate.compiler.dump import Dump
from striate.compiler.passes.crop_to_windows import crop_to_windows
from striate.compiler.passes.eliminate_common_subexpressions import eliminate_common_subexpressions
from striate.compiler.passes.fold_batch_norm import fold_batch_norm
from striate.compiler.passes.fold_constants import fold_constants
from striate.compiler.passes.fuse_activation import fuse_activation
from striate.compiler.passes.fuse_bias import fuse_bias
from striate.compiler.passes.fuse_norm import fuse_norm
from striate.compiler.passes.fuse_padding import fuse_padding
from striate.compiler.passes.fuse_update import fuse_update
from striate.compiler.passes.gather_statistics import gather_statistics
from striate.compiler.passes.keep_pool_indices import keep_pool_indices
from striate.compiler.passes.shrink_pool_gradients import shrink_pool_gradients
from striate.compiler.passes.simplify import simplify
from striate.compiler.passes.use_dense import use_dense
from striate.compiler.passes.use_products import use_products
from striate.compiler.plan.build import build
from striate.engine.executable import Executable
from striate.ir.graph import Graph
from striate.ir.verify import verify

Pass = Callable[[Graph], Graph]

#: In this order. Dead code goes by itself: Graph.nodes holds what the roots need.
PASSES: tuple[Pass, ...] = (
    fold_constants,
    simplify,
    eliminate_common_subexpressions,
    use_dense,
    fuse_padding,
    fuse_bias,
    fold_batch_norm,
    fuse_activation,
    use_products,
    shrink_pool_gradients,
    keep_pool_indices,
    crop_to_windows,
    fuse_norm,
    gather_statistics,
    simplify,
    eliminate_common_subexpressions,
    fuse_update,
)
#: Left out of training steps and of graphs that write Variables: weights do not hold still there.
INFERENCE_ONLY: frozenset[Pass] = frozenset({fold_batch_norm})


def run_passes(graph: Graph, *, training: bool, dump: Dump | None = None) -> Graph:
    """The graph after all passes; verified after each where STRIATE_VERIFY=1."""
    dump = dump or Dump()
    verifying = os.environ.get("STRIATE_VERIFY", "") == "1"
    dump.graph("traced", graph)
    if verifying:
        verify(graph, after="tracing", static=True)
    for transform in PASSES:
        if transform in INFERENCE_ONLY and (training or graph.updates):
            continue
        graph = transform(graph)
        name = transform.__name__
        dump.graph(name, graph)
        if verifying:
            verify(graph, after=name, static=True)
    return graph


def compile_graph(graph: Graph, *, training: bool) -> Executable:
    """A program for this graph at its shapes, all of which must be known.

    Args:
        training: whether it is a training step; passes that rely on weights holding still then keep out.
    """
    dump = Dump()
    executable = build(run_passes(graph, training=training, dump=dump), training=training)
    dump.plan(executable.plan)
    return executable


__all__ = ["Executable", "compile_graph", "run_passes"]
