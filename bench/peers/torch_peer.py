"""torch as its users write it: nn modules, a loop over shuffled batches, SGD, mean loss and accuracy."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import torch
from torch import nn

from bench.peers.base import LEARNING_RATE, Peer
from bench.spec import BN_EPSILON, BN_MOMENTUM, Net, Node, Shape

ACTIVATIONS = {"relu": nn.ReLU, "relu6": nn.ReLU6, "tanh": nn.Tanh, "silu": nn.SiLU, "sigmoid": nn.Sigmoid}


class Network(nn.Module):
    """A network of bench/spec.py. In training it gives logits, which is what its loss wants."""

    def __init__(self, net: Net) -> None:
        super().__init__()
        shapes = net.shapes()
        self.steps: list[tuple[str, str, tuple[str, ...]]] = []
        self.last_uses: list[tuple[str, ...]] = []
        for node in net.nodes:
            if node.op not in ("add", "multiply") and (node.op, node.attrs.get("kind")) != ("activation", "softmax"):
                self.add_module(node.name, _module(node, shapes[node.inputs[0]], net))
            kind = "softmax" if node.attrs.get("kind") == "softmax" else node.op
            self.steps.append((node.name, kind, node.inputs))
        for i, (_, _, inputs) in enumerate(self.steps):  # results are let go when nobody reads them any more
            later = {name for _, _, names in self.steps[i + 1 :] for name in names}
            self.last_uses.append(tuple(set(inputs) - later))

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        made = {"input": image}
        for (name, kind, inputs), done in zip(self.steps, self.last_uses):
            x = made[inputs[0]]
            if kind == "add":
                x = x + made[inputs[1]]
            elif kind == "multiply":
                x = x * made[inputs[1]]
            elif kind == "softmax":
                x = x if self.training else torch.softmax(x, dim=1)
            else:
                x = self.get_submodule(name)(x)
            for old in done:
                del made[old]
            made[name] = x
        return made[self.steps[-1][0]]

    @torch.no_grad()
    def set_weights(self, net: Net, weights: dict[str, list[np.ndarray]]) -> None:
        shapes = net.shapes()
        producers = {node.name: node for node in net.nodes}
        for node in net.nodes:
            if node.name not in weights:
                continue
            arrays = [np.asarray(a) for a in weights[node.name]]
            if node.op in ("conv", "depthwise"):
                order = (3, 2, 0, 1) if node.op == "conv" else (2, 3, 0, 1)
                arrays[0] = arrays[0].transpose(order)
            elif node.op == "dense":
                before = producers.get(node.inputs[0])
                if before is not None and before.op == "flatten":  # torch flattens channel by channel
                    h, w, c = shapes[before.inputs[0]]
                    arrays[0] = arrays[0].reshape(h, w, c, -1).transpose(2, 0, 1, 3).reshape(h * w * c, -1)
                arrays[0] = arrays[0].T
            module = self.get_submodule(node.name)
            names = ("weight", "bias", "running_mean", "running_var")[: len(arrays)]
            for name, array in zip(names, arrays):
                getattr(module, name).copy_(torch.from_numpy(np.ascontiguousarray(array)))


def _module(node: Node, shape: Shape, net: Net) -> nn.Module:
    channels = shape[-1]
    if node.op == "conv":
        return nn.Conv2d(
            channels, node["filters"], node["kernel"], node["stride"], node["pad"],
            groups=node["groups"], bias=node["bias"],
        )  # fmt: skip
    if node.op == "depthwise":
        return nn.Conv2d(
            channels, channels, node["kernel"], node["stride"], node["pad"], groups=channels, bias=node["bias"]
        )
    if node.op == "dense":
        return nn.Linear(channels, node["units"])
    if node.op == "batch_norm":
        return nn.BatchNorm2d(channels, eps=BN_EPSILON, momentum=1 - BN_MOMENTUM)
    if node.op == "activation":
        kind = ACTIVATIONS[node["kind"]]
        alone = net.readers(node.inputs[0]) == 1 and node.inputs[0] != "input"
        return kind(inplace=True) if node["kind"] in ("relu", "relu6", "silu") and alone else kind()
    if node.op == "max_pool":
        return nn.MaxPool2d(node["window"], node["stride"], node["pad"])
    if node.op == "avg_pool":
        return nn.AvgPool2d(node["window"], node["stride"])
    if node.op == "global_avg_pool":
        return nn.AdaptiveAvgPool2d(1) if node["keep"] else nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return {"flatten": nn.Flatten, "dropout": lambda: nn.Dropout(node["rate"])}[node.op]()


class TorchPeer(Peer):
    """`options`: `channels_last`, `compiled` (both false by default)."""

    def __init__(self, threads: int, **options: Any) -> None:
        super().__init__(threads, **options)
        torch.set_num_threads(threads)
        if options.get("compiled") and os.environ.get("BENCH_ISA") == "avx2":
            import torch._inductor.config as inductor

            inductor.cpp.simdlen = 256
        self.channels_last = options.get("channels_last", False)
        self.layout = "nhwc" if self.channels_last else "nchw"

    def versions(self) -> dict[str, str]:
        return {"torch": torch.__version__}

    def load(self, net: Net, batch: int, *, training: bool, weights: dict[str, list[np.ndarray]] | None) -> None:
        torch.manual_seed(1)
        network = Network(net)
        if weights is not None:
            network.set_weights(net, weights)
        if self.channels_last:
            network = network.to(memory_format=torch.channels_last)
        self.network = network.train(training)
        self.run: Any = torch.compile(network) if self.options.get("compiled") else network
        self.optimizer = torch.optim.SGD(network.parameters(), lr=LEARNING_RATE) if training else None
        self.loss = nn.CrossEntropyLoss()

    def _tensor(self, x: np.ndarray) -> torch.Tensor:
        """Without a copy: an NHWC array, seen as NCHW, is torch's channels_last."""
        tensor = torch.from_numpy(x)
        return tensor.permute(0, 3, 1, 2) if self.channels_last else tensor

    def call(self, x: np.ndarray) -> np.ndarray:
        if self.network.training:
            self.network.eval()
        with torch.inference_mode():
            made: np.ndarray = self.run(self._tensor(x)).numpy()
        return made

    def fit(self, x: np.ndarray, y: np.ndarray, batch: int, epochs: int, shuffle: bool = True) -> float:
        if not self.network.training:
            self.network.train()
        assert self.optimizer is not None
        mean = 0.0
        for _ in range(epochs):
            order = np.random.permutation(len(x)) if shuffle else np.arange(len(x))
            total, right = torch.zeros(()), torch.zeros((), dtype=torch.int64)
            for i in range(0, len(x), batch):
                rows = order[i : i + batch]
                labels = torch.from_numpy(y[rows]).long()
                self.optimizer.zero_grad(set_to_none=True)
                logits = self.run(self._tensor(x[rows]))
                loss = self.loss(logits, labels)
                loss.backward()
                self.optimizer.step()
                total += loss.detach() * len(rows)
                right += (logits.detach().argmax(1) == labels).sum()
            mean = float(total) / len(x)
            float(right)
        return mean


def make(threads: int, **options: Any) -> Peer:
    return TorchPeer(threads, **options)
