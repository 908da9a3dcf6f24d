"""A network of bench/spec.py in plain NumPy, and contenders that need no other framework."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from bench.peers import BY_NAME, OURS, Row
from bench.spec import BN_EPSILON, Builder, Net, Node

ACTIVATIONS = {
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "silu": lambda x: x / (1 + np.exp(-x)),
    "softmax": lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True),
}


def twin(name: str, module: str = "", **changes: object) -> Row:
    """A row that is Striate again, or a class of tests/bench/odd_peers.py in its place."""
    return replace(BY_NAME[OURS], name=name, **({"module": module} if module else {}), **changes)  # type: ignore[arg-type]


def tiny() -> Net:
    """Every op once, at sizes at which "same" pads both sides alike, and at sizes at which it does not."""
    b = Builder("tiny", (12, 9, 3))
    x = b.conv("input", 6, 3, 2, norm=True, activation="relu")  # 12: pads by hand; 9: as "same"
    y = b.depthwise(x, 3, activation="silu")
    y = b.conv(y, 8, 3, groups=2, activation="relu6")
    gate = b.conv(b.global_avg_pool(y, keep=True), 8, 1, activation="sigmoid")
    y = b.conv(b.add_node("multiply", y, gate), 6, 1, norm=True, gain=0.5)
    x = b.activation(b.add_node("add", x, y), "relu")
    x = b.max_pool(x, 3, 2, pad=1)
    x = b.avg_pool(b.conv(x, 5, 3, activation="tanh"), 2)
    x = b.dense(b.add_node("flatten", x), 7, "tanh", dropout=0.5)
    return b.done(x, 4)


def windows(x: np.ndarray, size: int, stride: int, pad: int, filling: float = 0.0) -> np.ndarray:
    """(N, OH, OW, size, size, C)."""
    x = np.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)), constant_values=filling)
    seen = np.lib.stride_tricks.sliding_window_view(x, (size, size), axis=(1, 2))
    return seen[:, ::stride, ::stride].transpose(0, 1, 2, 4, 5, 3)


def forward(net: Net, weights: dict[str, list[np.ndarray]], x: np.ndarray) -> np.ndarray:
    """Probabilities, in float64."""
    made = {"input": x.astype(np.float64)}
    for node in net.nodes:
        arrays = [a.astype(np.float64) for a in weights.get(node.name, ())]
        made[node.name] = _forward(node, [made[name] for name in node.inputs], arrays)
    return made[net.nodes[-1].name]


def _forward(node: Node, inputs: list[np.ndarray], arrays: list[np.ndarray]) -> np.ndarray:
    x = inputs[0]
    if node.op == "conv":
        groups = node["groups"]
        seen = windows(x, node["kernel"], node["stride"], node["pad"])
        parts = zip(np.split(seen, groups, -1), np.split(arrays[0], groups, -1))
        y = np.concatenate([np.einsum("nijuvc,uvck->nijk", a, w) for a, w in parts], -1)
        return y + arrays[1] if node["bias"] else y
    if node.op == "depthwise":
        seen = windows(x, node["kernel"], node["stride"], node["pad"])
        y = np.einsum("nijuvc,uvc->nijc", seen, arrays[0][..., 0])
        return y + arrays[1] if node["bias"] else y
    if node.op == "dense":
        return x @ arrays[0] + arrays[1]
    if node.op == "batch_norm":
        gamma, beta, mean, variance = arrays
        return (x - mean) / np.sqrt(variance + BN_EPSILON) * gamma + beta
    if node.op == "activation":
        return np.asarray(ACTIVATIONS[node["kind"]](x))
    if node.op == "max_pool":
        return windows(x, node["window"], node["stride"], node["pad"], -np.inf).max((3, 4))
    if node.op == "avg_pool":
        return windows(x, node["window"], node["stride"], 0).mean((3, 4))
    if node.op == "global_avg_pool":
        return x.mean((1, 2), keepdims=node["keep"])
    if node.op == "flatten":
        return x.reshape(len(x), -1)
    return x + inputs[1] if node.op == "add" else x * inputs[1] if node.op == "multiply" else x
