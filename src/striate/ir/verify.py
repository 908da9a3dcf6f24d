"""Checks that a Graph is what it promises to be. Tests and STRIATE_VERIFY=1 run it after every pass.

A graph that fails is a fault of ours, a pass's or a gradient rule's: AssertionError, naming the node.
"""

from __future__ import annotations

from striate.core.errors import StriateError
from striate.ir.attrs import NO_ATTRS
from striate.ir.graph import SOURCES, ConstantAttrs, Graph, Node, SourceAttrs, Value
from striate.ir.opdef import OPS, infer_types
from striate.ir.text import node_text
from striate.ir.types import DTYPES, TensorType


def verify(graph: Graph, *, after: str = "", static: bool = False) -> None:
    """Check every node, the sources and the roots.

    Args:
        graph: what to check.
        after: the pass that made it, for the message.
        static: whether all lengths must be known, as in a Program.

    Raises:
        AssertionError: something does not hold; the message names the node.
    """
    import striate.ir.ops  # noqa: F401  fills OPS

    when = f"after {after}: " if after else ""
    try:
        _verify_sources(graph)
        for node in graph.nodes:  # asserts that there is no cycle
            _verify_node(node, graph, static)
        _verify_roots(graph)
    except AssertionError as fault:
        raise AssertionError(f"{when}{fault}") from None


def _verify_sources(graph: Graph) -> None:
    for kind, nodes in (("input", graph.inputs), ("variable", graph.variables)):
        for i, node in enumerate(nodes):
            assert node.op == kind, f"{node_text(node)}: stands among the {kind}s"
            assert isinstance(node.attrs, SourceAttrs), f"{node_text(node)}: has attributes {node.attrs!r}"
            assert node.attrs.index == i, f"{node_text(node)}: says position {node.attrs.index}, stands at {i}"


def _verify_node(node: Node, graph: Graph, static: bool) -> None:
    name = node_text(node)
    assert node.types, f"{name}: has no result"
    for t in node.types:
        assert t.dtype in DTYPES, f"{name}: unknown dtype {t.dtype}"
        assert t.is_static or not static, f"{name}: has an open axis, {t}"
    for v in node.inputs:
        assert 0 <= v.index < len(v.node.types), f"{name}: reads result {v.index} of {node_text(v.node)}"
    if node.op in SOURCES:
        _verify_source(node, graph)
        return
    assert node.op in OPS, f"{name}: there is no op {node.op}"
    expected = OPS[node.op].attrs
    if expected is None:
        assert node.attrs is NO_ATTRS, f"{name}: takes no attributes, has {node.attrs!r}"
    else:
        assert type(node.attrs) is expected, f"{name}: attributes are {node.attrs!r}, expected {expected.__name__}"
        hash(node.attrs)
        node.attrs.encode()
    types = tuple(v.type for v in node.inputs)
    try:
        inferred = infer_types(node.op, types, node.attrs)
    except StriateError as error:
        raise AssertionError(f"{name}: its inputs do not fit: {error}") from error
    assert inferred == node.types, f"{name}: its types should be {_list(inferred)}, are {_list(node.types)}"


def _verify_source(node: Node, graph: Graph) -> None:
    name = node_text(node)
    assert not node.inputs and len(node.types) == 1, f"{name}: a source has no inputs and one result"
    if node.op == "constant":
        assert isinstance(node.attrs, ConstantAttrs), f"{name}: has attributes {node.attrs!r}"
        value = node.attrs.value
        assert not value.flags.writeable, f"{name}: its value can be written; make it by constant_node"
        held = TensorType(value.shape, value.dtype.name)
        assert held == node.types[0], f"{name}: holds {held}, says {node.types[0]}"
        return
    known = graph.inputs if node.op == "input" else graph.variables
    assert node in known, f"{name}: is not among the graph's {node.op}s"


def _verify_roots(graph: Graph) -> None:
    for v in graph.roots:
        assert isinstance(v, Value) and 0 <= v.index < len(v.node.types), f"{v!r}: is no result of its node"
    written = [i for i, _ in graph.updates]
    assert len(set(written)) == len(written), f"a Variable is written twice: positions {written}"
    for i, v in graph.updates:
        assert 0 <= i < len(graph.variables), f"update {i} of {len(graph.variables)} Variables"
        variable = graph.variables[i]
        assert v.type == variable.types[0], f"{node_text(v.node)}: {v.type} is written to {node_text(variable)}"


def _list(types: tuple[TensorType, ...]) -> str:
    return ", ".join(map(str, types))
