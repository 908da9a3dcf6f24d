"""verify finds each kind of broken graph, and passes whole ones."""

from __future__ import annotations

import numpy as np
import pytest

import striate.ir.ops  # noqa: F401
from striate.ir.attrs import NO_ATTRS
from striate.ir.graph import ConstantAttrs, Graph, Node, Value, constant_node, input_node, replace, variable_node
from striate.ir.opdef import make_node
from striate.ir.ops.attrs import AlphaAttrs, AxisAttrs, TopKAttrs
from striate.ir.types import TensorType
from striate.ir.verify import verify

X = TensorType((2, 3))


def _graph(*outputs: Value, updates: tuple[tuple[int, Value], ...] = ()) -> Graph:
    return Graph((IN,), (W,), outputs, updates)


IN, W = input_node(0, "x", X), variable_node(0, "w", X)
ADD = make_node("add", (IN.result(), W.result()))


def test_a_whole_graph_passes() -> None:
    top = make_node("top_k", (ADD.result(),), TopKAttrs(2))
    half = constant_node(np.float32(0.5)).result()
    verify(_graph(top.result(1), updates=((0, make_node("multiply", (ADD.result(), half)).result()),)), static=True)


def _refused(graph: Graph, text: str, **options: bool) -> None:
    with pytest.raises(AssertionError) as caught:
        verify(graph, after="fuse_nothing", **options)
    assert text in str(caught.value)
    assert str(caught.value).startswith("after fuse_nothing: ")


def test_wrong_types() -> None:
    wrong = replace(ADD, types=(TensorType((2, 4)),))
    _refused(_graph(wrong.result()), "its types should be float32[2, 3], are float32[2, 4]")


def test_inputs_that_do_not_fit() -> None:
    other = constant_node(np.zeros((5, 7), np.float32)).result()
    _refused(_graph(replace(ADD, inputs=(IN.result(), other)).result()), "its inputs do not fit: add: shapes")


def test_an_op_that_is_not_there() -> None:
    _refused(_graph(Node("convolve", (IN.result(),), NO_ATTRS, (X,)).result()), "there is no op convolve")


def test_wrong_attributes() -> None:
    _refused(_graph(replace(ADD, attrs=AlphaAttrs(1.0)).result()), "takes no attributes")
    softmax = make_node("softmax", (IN.result(),), AxisAttrs(1))
    _refused(_graph(replace(softmax, attrs=AlphaAttrs(1.0)).result()), "expected AxisAttrs")


def test_a_source_of_another_graph() -> None:
    stranger = input_node(0, "y", X)
    _refused(_graph(make_node("neg", (stranger.result(),)).result()), 'input 0 "y": is not among the graph\'s inputs')


def test_a_source_at_the_wrong_place() -> None:
    _refused(Graph((input_node(1, "x", X),), (), ()), "says position 1, stands at 0")


def test_a_result_that_is_not_there() -> None:
    neg = make_node("neg", (ADD.result(),))
    _refused(_graph(replace(neg, inputs=(Value(ADD, 1),)).result()), "reads result 1 of add(")


def test_updates() -> None:
    row = constant_node(np.zeros(3, np.float32)).result()
    _refused(_graph(updates=((0, row),)), 'float32[3] is written to variable 0 "w"')
    _refused(_graph(updates=((0, ADD.result()), (0, ADD.result()))), "a Variable is written twice")
    _refused(_graph(updates=((3, ADD.result()),)), "update 3 of 1 Variables")


def test_constants_are_frozen() -> None:
    loose = Node("constant", (), ConstantAttrs(np.zeros(3, np.float32)), (TensorType((3,)),))
    _refused(_graph(loose.result()), "its value can be written")


def test_a_constant_that_lies() -> None:
    lies = replace(constant_node(np.zeros(3, np.float32)), types=(TensorType((4,)),))
    _refused(_graph(lies.result()), "holds float32[3], says float32[4]")


def test_open_axes() -> None:
    opened = input_node(0, "x", TensorType((None, 3)))
    graph = Graph((opened,), (), (make_node("neg", (opened.result(),)).result(),))
    verify(graph)
    _refused(graph, "has an open axis", static=True)
