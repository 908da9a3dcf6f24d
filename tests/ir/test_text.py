"""The text of a graph: readable, and the same whenever the graph is made."""

from __future__ import annotations

import numpy as np

import striate.ir.ops  # noqa: F401
from striate.ir.graph import Graph, constant_node, input_node, variable_node
from striate.ir.opdef import make_node
from striate.ir.ops.attrs import ConvAttrs, TopKAttrs
from striate.ir.text import graph_text, node_text
from striate.ir.types import TensorType

EXPECTED = """\
%0 = input 0 "images"                                            float32[?, 8, 8, 1]
%1 = variable 0 "conv2d/kernel"                                  float32[3, 3, 1, 2]
%2 = constant 0.5                                                float32[]
%3 = conv2d(%0, %1; padding='same', epilogue='relu')             float32[?, 8, 8, 2]
%4 = top_k(%3; k=1)                                              float32[?, 8, 8, 1], int32[?, 8, 8, 1]
%5 = multiply(%1, %2)                                            float32[3, 3, 1, 2]
unused variable 1 "conv2d/bias"                                  float32[2]
return %4.1
variable 0 <- %5
"""


def _graph() -> Graph:
    images = input_node(0, "images", TensorType((None, 8, 8, 1)))
    kernel = variable_node(0, "conv2d/kernel", TensorType((3, 3, 1, 2)))
    bias = variable_node(1, "conv2d/bias", TensorType((2,)))
    half = constant_node(np.float32(0.5)).result()
    attrs = ConvAttrs(padding="same", epilogue="relu")
    conv = make_node("conv2d", (images.result(), kernel.result()), attrs)
    top = make_node("top_k", (conv.result(),), TopKAttrs(1))
    decayed = make_node("multiply", (kernel.result(), half))
    return Graph((images,), (kernel, bias), (top.result(1),), ((0, decayed.result()),))


def test_text() -> None:
    assert graph_text(_graph()) == EXPECTED


def test_text_is_stable() -> None:
    assert graph_text(_graph()) == graph_text(_graph())


def test_large_constants_are_not_written_out() -> None:
    assert node_text(constant_node(np.arange(4.0))) == "constant 0.0, 1.0, 2.0, 3.0"
    assert node_text(constant_node(np.arange(5.0))) == "constant ..."


def test_nodes_alone_name_their_inputs_by_serial() -> None:
    x = input_node(0, "x", TensorType((2,)))
    assert node_text(make_node("neg", (x.result(),))) == f"neg(#{x.serial})"
