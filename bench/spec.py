"""Networks in a neutral form: a list of nodes that every stack is built from, with the same weights.

Images are (height, width, channels); weights have Keras's shapes. Padding is always symmetric and written in pixels, so
that no stack has to pad by hand what another has built in. Nothing here needs more than NumPy: workers of all peers
import this file.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from math import prod
from typing import Any

import numpy as np

Shape = tuple[int, ...]
ACTIVATIONS = ("relu", "relu6", "tanh", "silu", "sigmoid", "softmax")
#: op -> the names of its attributes
OPS: dict[str, tuple[str, ...]] = {
    "conv": ("filters", "kernel", "stride", "pad", "groups", "bias"),
    "depthwise": ("kernel", "stride", "pad", "bias"),
    "dense": ("units", "last"),
    "batch_norm": ("gain",),
    "activation": ("kind",),
    "max_pool": ("window", "stride", "pad"),
    "avg_pool": ("window", "stride"),
    "global_avg_pool": ("keep",),
    "flatten": (),
    "dropout": ("rate",),
    "add": (),
    "multiply": (),
}
BN_EPSILON, BN_MOMENTUM = 1e-3, 0.99  # Keras's


@dataclass(frozen=True)
class Node:
    """One layer: `inputs` are names of earlier nodes; "input" is the image."""

    name: str
    op: str
    inputs: tuple[str, ...]
    attrs: Mapping[str, Any]

    def __getitem__(self, attr: str) -> Any:
        return self.attrs[attr]


@dataclass(frozen=True)
class Net:
    """A network whose last node is its output: probabilities of classes."""

    name: str
    input_shape: Shape
    nodes: tuple[Node, ...]

    @property
    def classes(self) -> int:
        return self.shapes()[self.nodes[-1].name][0]

    def shapes(self) -> dict[str, Shape]:
        """The shape of each node's result, without the batch.

        Raises:
            ValueError: a node that does not fit its inputs, or is no op of `OPS`.
        """
        shapes: dict[str, Shape] = {"input": self.input_shape}
        for node in self.nodes:
            if node.op not in OPS or set(node.attrs) != set(OPS[node.op]):
                raise ValueError(f"{self.name}: node {node.name} is {node.op} with {sorted(node.attrs)}; see OPS")
            shape = _shape(node, [shapes[i] for i in node.inputs])
            if min(shape) < 1:
                raise ValueError(f"{self.name}: node {node.name} has no result: shape {shape}")
            shapes[node.name] = shape
        return shapes

    def weight_shapes(self) -> dict[str, list[Shape]]:
        """Shapes of each node's weights, in Keras's order and layout."""
        shapes = self.shapes()
        return {n.name: made for n in self.nodes if (made := _weight_shapes(n, shapes[n.inputs[0]]))}

    def parameters(self) -> int:
        return sum(prod(shape) for shapes in self.weight_shapes().values() for shape in shapes)

    def readers(self, name: str) -> int:
        return sum(n.inputs.count(name) for n in self.nodes)

    def without_dropout(self) -> Net:
        """The same network where nothing is random, for checks of training steps."""
        nodes = tuple(replace(n, attrs={"rate": 0.0}) if n.op == "dropout" else n for n in self.nodes)
        return replace(self, nodes=nodes)

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Net:
        made = json.loads(text)
        nodes = tuple(Node(n["name"], n["op"], tuple(n["inputs"]), n["attrs"]) for n in made["nodes"])
        return cls(made["name"], tuple(made["input_shape"]), nodes)


def out_size(size: int, window: int, stride: int, pad: int) -> int:
    return (size + 2 * pad - window) // stride + 1


def _shape(node: Node, inputs: list[Shape]) -> Shape:
    x = inputs[0]
    if node.op in ("conv", "depthwise", "max_pool", "avg_pool"):
        window = node["kernel"] if node.op in ("conv", "depthwise") else node["window"]
        pad = node.attrs.get("pad", 0)
        out = tuple(out_size(size, window, node["stride"], pad) for size in x[:2])
        return (*out, node["filters"] if node.op == "conv" else x[2])
    if node.op == "dense":
        return (node["units"],)
    if node.op == "global_avg_pool":
        return (1, 1, x[2]) if node["keep"] else (x[2],)
    if node.op == "flatten":
        return (prod(x),)
    if node.op == "add" and len(set(inputs)) != 1:
        raise ValueError(f"node {node.name} adds results of shapes {inputs}")
    return x


def _weight_shapes(node: Node, x: Shape) -> list[Shape]:
    channels = x[-1]
    if node.op == "conv":
        kernel: Shape = (node["kernel"], node["kernel"], channels // node["groups"], node["filters"])
        return [kernel, (node["filters"],)] if node["bias"] else [kernel]
    if node.op == "depthwise":
        kernel = (node["kernel"], node["kernel"], channels, 1)
        return [kernel, (channels,)] if node["bias"] else [kernel]
    if node.op == "dense":
        return [(channels, node["units"]), (node["units"],)]
    if node.op == "batch_norm":
        return [(channels,)] * 4
    return []


def weights(net: Net, seed: int = 0) -> dict[str, list[np.ndarray]]:
    """The weights of a network, drawn so that results keep their size from layer to layer (He et al. 2015).

    Each node draws from a generator of its own. Batch norms have statistics and scales that are not the identity, so
    that leaving one out shows.
    """
    made = {}
    for node in net.nodes:
        shapes = net.weight_shapes().get(node.name) if node.op in ("conv", "depthwise", "dense", "batch_norm") else None
        if shapes:
            random = np.random.default_rng([seed, zlib.crc32(f"{net.name}/{node.name}".encode())])
            made[node.name] = _drawn(node, shapes, random)
    return made


def _drawn(node: Node, shapes: list[Shape], random: np.random.Generator) -> list[np.ndarray]:
    if node.op == "batch_norm":
        count = shapes[0]
        gamma = node["gain"] * random.uniform(0.8, 1.2, count)
        beta, mean = 0.1 * random.standard_normal(count), 0.1 * random.standard_normal(count)
        return [a.astype(np.float32) for a in (gamma, beta, mean, random.uniform(0.8, 1.2, count))]
    fan_in = prod(shapes[0][:2] if node.op == "depthwise" else shapes[0][:-1])
    gain = 1.0 if node.op == "dense" and node["last"] else 2.0
    kernel = random.standard_normal(shapes[0], dtype=np.float32) * np.float32((gain / fan_in) ** 0.5)
    return [kernel, *(0.1 * random.standard_normal(shape, dtype=np.float32) for shape in shapes[1:])]


def images(net: Net, count: int, seed: int = 1) -> np.ndarray:
    """Standardised images (count, height, width, channels), float32."""
    return np.random.default_rng(seed).standard_normal((count, *net.input_shape), dtype=np.float32)


def labels(net: Net, count: int, seed: int = 2) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, net.classes, count, dtype=np.int32)


class Builder:
    """Writes a Net down: each method adds a node and gives its name."""

    def __init__(self, name: str, input_shape: Shape) -> None:
        self.net = Net(name, input_shape, ())

    def add_node(self, op: str, *inputs: str, **attrs: Any) -> str:
        name = f"{op}_{sum(n.op == op for n in self.net.nodes)}"
        self.net = replace(self.net, nodes=(*self.net.nodes, Node(name, op, inputs, attrs)))
        return name

    def conv(
        self, x: str, filters: int, kernel: int, stride: int = 1, pad: int | None = None, groups: int = 1,
        bias: bool = True, activation: str = "", norm: bool = False, gain: float = 1.0,
    ) -> str:  # fmt: skip
        """Padded so that stride 1 keeps the size, unless told otherwise; with `norm`, a batch norm for the bias."""
        pad = kernel // 2 if pad is None else pad
        bias = bias and not norm
        x = self.add_node("conv", x, filters=filters, kernel=kernel, stride=stride, pad=pad, groups=groups, bias=bias)
        return self._finish(x, activation, norm, gain)

    def depthwise(self, x: str, kernel: int, stride: int = 1, activation: str = "", norm: bool = True) -> str:
        x = self.add_node("depthwise", x, kernel=kernel, stride=stride, pad=kernel // 2, bias=not norm)
        return self._finish(x, activation, norm, 1.0)

    def _finish(self, x: str, activation: str, norm: bool, gain: float) -> str:
        x = self.add_node("batch_norm", x, gain=gain) if norm else x
        return self.activation(x, activation) if activation else x

    def activation(self, x: str, kind: str) -> str:
        if kind not in ACTIVATIONS:
            raise ValueError(f"no activation {kind!r}; there are {', '.join(ACTIVATIONS)}")
        return self.add_node("activation", x, kind=kind)

    def max_pool(self, x: str, window: int = 2, stride: int | None = None, pad: int = 0) -> str:
        return self.add_node("max_pool", x, window=window, stride=stride or window, pad=pad)

    def avg_pool(self, x: str, window: int = 2) -> str:
        return self.add_node("avg_pool", x, window=window, stride=window)

    def global_avg_pool(self, x: str, keep: bool = False) -> str:
        return self.add_node("global_avg_pool", x, keep=keep)

    def dense(self, x: str, units: int, activation: str = "", dropout: float = 0.0, last: bool = False) -> str:
        x = self._finish(self.add_node("dense", x, units=units, last=last), activation, False, 1.0)
        return self.add_node("dropout", x, rate=dropout) if dropout else x

    def done(self, x: str, classes: int) -> Net:
        """The classifier behind `x`, then the network, its shapes checked."""
        self.activation(self.dense(x, classes, last=True), "softmax")
        self.net.shapes()
        return self.net
