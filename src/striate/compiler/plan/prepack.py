"""Transform the filters of 3x3 and 5x5 convolutions once a change of the weights, where nothing is trained.

    before:  y = conv2d(x, w, b)
    after:   u = winograd_filters(w)      y = winograd_conv2d(x, u, b)

Where so few tiles are multiplied that u is not worth reading (one image of a 7x7 map), u is w, laid out for kernels
that transform it on the fly. Both have the same bits.

Why: transforming the filters costs as much as convolving several small images, and weights hold still between two
predictions. `u` depends on weights alone, so it is kept (`compiler/derived.py`). Fires where `w` depends on Variables
and constants alone and this CPU has kernels that take both steps; they know what pays. The panel that `u` is laid out
in is an instruction set's: each is asked. With `STRIATE_TUNE=1` a measurement decides instead.
"""

from __future__ import annotations

from striate.compiler.derived import weight_only
from striate.compiler.passes._nodes import node_at
from striate.compiler.plan.select import Choice, choose_kept, choose_kernel
from striate.compiler.settings import convolution, tuning
from striate.ir.graph import Graph, Node
from striate.ir.ops.attrs import ConvAttrs, WinogradConvAttrs, WinogradFilterAttrs

WINDOWS = ((3, 3), (5, 5))
#: two vectors of AVX-512, AVX2, and of 16 bytes
PANELS = (32, 16, 8)
#: one of AVX-512: filters that are transformed on the fly
VECTORS = (16,)


def prepack(graph: Graph) -> tuple[Graph, dict[Node, Choice]]:
    """The graph with filters transformed apart; as it is where it updates Variables, whose values then do not hold.

    Also the choices that were made by measuring: the nodes' kernels are settled by them.
    """
    chosen: dict[Node, Choice] = {}
    if graph.updates or convolution() == "direct":
        return graph, chosen
    kept = weight_only(graph)

    def rule(old: Node, new: Node) -> Node | None:
        if new.op != "conv2d" or new.inputs[1].type.dims[:2] not in WINDOWS or new.inputs[1].type.dtype != "float32":
            return None
        w = old.inputs[1].node
        if w.op != "variable" and w not in kept:
            return None
        made = _split(new)
        if made is None or not tuning():
            return made
        choice = choose_kept(new, made)
        taken = made if (choice.kernel or "").startswith(made.op) else new
        chosen[taken] = choice
        return taken

    return graph.rewrite(rule), chosen


def _split(node: Node) -> Node | None:
    for transformed, panels in ((False, VECTORS), (True, PANELS)):
        for panel in panels:
            if made := _taking(node, panel, transformed):
                return made
    return None


def _taking(node: Node, panel: int, transformed: bool) -> Node | None:
    """The convolution in two, where both have a kernel."""
    x, w, *bias = node.inputs
    a = node.attrs
    assert isinstance(a, ConvAttrs)
    filters = node_at(node, "winograd_filters", w, attrs=WinogradFilterAttrs(panel, a.groups, transformed))
    if choose_kernel(filters).kernel is None:
        return None
    attrs = WinogradConvAttrs(
        a.strides, a.padding, a.pads, a.dilation, a.groups, a.epilogue, a.alpha, w.type.dims[3], panel,
        w.type.dims[0], transformed,
    )  # fmt: skip
    made = node_at(node, "winograd_conv2d", x, filters.result(), *bias, attrs=attrs)
    return made if choose_kernel(made).kernel is not None else None
