"""Writes a network as an ONNX file: `python -m bench.peers.onnx_file OUT BATCH < spec.json`.

Batch sizes are fixed in the file, since runtimes plan better then; images are NCHW.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from bench.spec import BN_EPSILON, Net, Node, Shape, weights

OPSET, IR = 17, 8
SIMPLE = {"relu": "Relu", "tanh": "Tanh", "sigmoid": "Sigmoid"}


def write(net: Net, batch: int) -> onnx.ModelProto:
    """The model, weights inside."""
    shapes, arrays = net.shapes(), weights(net)
    producers = {node.name: node for node in net.nodes}
    nodes: list[Any] = []
    held: dict[str, np.ndarray] = {}

    def keep(name: str, array: np.ndarray) -> str:
        held[name] = np.ascontiguousarray(array)
        return name

    for node in net.nodes:
        made = list(arrays.get(node.name, ()))
        if node.op in ("conv", "depthwise"):
            made[0] = made[0].transpose((3, 2, 0, 1) if node.op == "conv" else (2, 3, 0, 1))
        if node.op == "dense" and (before := producers.get(node.inputs[0])) is not None and before.op == "flatten":
            h, w, c = shapes[before.inputs[0]]  # ONNX flattens channel by channel
            made[0] = made[0].reshape(h, w, c, -1).transpose(2, 0, 1, 3).reshape(h * w * c, -1)
        names = [keep(f"{node.name}.{i}", array) for i, array in enumerate(made)]
        nodes += _nodes(node, names, shapes[node.inputs[0]], keep)
    height, width, channels = net.input_shape
    image = helper.make_tensor_value_info("input", TensorProto.FLOAT, [batch, channels, height, width])
    output = helper.make_tensor_value_info(net.nodes[-1].name, TensorProto.FLOAT, [batch, net.classes])
    graph = helper.make_graph(
        nodes, net.name, [image], [output], [numpy_helper.from_array(a, n) for n, a in held.items()]
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
    onnx.checker.check_model(model)
    return model


def _nodes(node: Node, names: list[str], shape: Shape, keep: Any) -> list[Any]:
    inputs, out = list(node.inputs), [node.name]

    def one(op: str, *more: str, **attrs: Any) -> list[Any]:
        return [helper.make_node(op, [*inputs, *more], out, name=node.name, **attrs)]

    if node.op in ("conv", "depthwise"):
        return one(
            "Conv", *names, kernel_shape=[node["kernel"]] * 2, strides=[node["stride"]] * 2, pads=[node["pad"]] * 4,
            group=node["groups"] if node.op == "conv" else shape[-1],
        )  # fmt: skip
    if node.op == "dense":
        return one("Gemm", *names)
    if node.op == "batch_norm":
        return one("BatchNormalization", *names, epsilon=BN_EPSILON)
    if node.op == "max_pool":
        return one("MaxPool", kernel_shape=[node["window"]] * 2, strides=[node["stride"]] * 2, pads=[node["pad"]] * 4)
    if node.op == "avg_pool":
        return one("AveragePool", kernel_shape=[node["window"]] * 2, strides=[node["stride"]] * 2)
    if node.op == "global_avg_pool":
        if node["keep"]:
            return one("GlobalAveragePool")
        pooled = f"{node.name}.pooled"
        return [
            helper.make_node("GlobalAveragePool", inputs, [pooled], name=pooled),
            helper.make_node("Flatten", [pooled], out, name=node.name),
        ]
    if node.op == "dropout":
        return one("Identity")
    if node.op != "activation":
        return one({"flatten": "Flatten", "add": "Add", "multiply": "Mul"}[node.op])
    kind = node["kind"]
    if kind == "softmax":
        return one("Softmax", axis=1)
    if kind == "relu6":
        low, high = keep(f"{node.name}.low", np.float32(0)), keep(f"{node.name}.high", np.float32(6))
        return one("Clip", low, high)
    if kind == "silu":
        gate = f"{node.name}.gate"
        return [
            helper.make_node("Sigmoid", inputs, [gate], name=gate),
            helper.make_node("Mul", [*inputs, gate], out, name=node.name),
        ]
    return one(SIMPLE[kind])


def main() -> None:
    out, batch = sys.argv[1:3]
    onnx.save(write(Net.from_json(sys.stdin.read()), int(batch)), out)


if __name__ == "__main__":
    main()
