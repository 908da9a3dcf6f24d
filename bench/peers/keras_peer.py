"""Striate and real Keras, by the same lines: `keras` is whichever of the two the worker was asked for."""

from __future__ import annotations

import os
from importlib.metadata import version
from typing import Any

import numpy as np

from bench.peers.base import LEARNING_RATE, Peer
from bench.spec import BN_EPSILON, BN_MOMENTUM, Net, Node, out_size


def build(keras: Any, net: Net) -> Any:
    """The functional model of a network."""
    shapes = net.shapes()
    made = {"input": keras.Input(shape=net.input_shape)}
    for node in net.nodes:
        inputs = [made[name] for name in node.inputs]
        made[node.name] = _layer(keras.layers, node, inputs, shapes[node.inputs[0]])
    return keras.Model(made["input"], made[net.nodes[-1].name], name=net.name)


def _same(sizes: tuple[int, ...], window: int, stride: int, pad: int) -> bool:
    """Whether padding="same" pads these sizes alike on both sides, and by just `pad`."""
    total = [max((-(-size // stride) - 1) * stride + window - size, 0) for size in sizes]
    out = [out_size(size, window, stride, pad) == -(-size // stride) for size in sizes]
    return all(t == 2 * pad for t in total) and all(out)


def _layer(layers: Any, node: Node, inputs: list[Any], shape: tuple[int, ...]) -> Any:
    x = inputs[0]
    name = {"name": node.name}
    if node.op in ("conv", "depthwise", "max_pool"):
        window = node["window"] if node.op == "max_pool" else node["kernel"]
        padding = "valid"
        if node["pad"] and _same(shape[:2], window, node["stride"], node["pad"]):
            padding = "same"
        elif node["pad"]:  # as Keras's own applications pad (pools follow a ReLU, so zeros are as good as -inf)
            x = layers.ZeroPadding2D(node["pad"], name=f"{node.name}_pad")(x)
        common = {"strides": node["stride"], "padding": padding, **name}
        if node.op == "max_pool":
            return layers.MaxPooling2D(window, **common)(x)
        if node.op == "depthwise":
            return layers.DepthwiseConv2D(window, use_bias=node["bias"], **common)(x)
        return layers.Conv2D(node["filters"], window, groups=node["groups"], use_bias=node["bias"], **common)(x)
    if node.op == "dense":
        return layers.Dense(node["units"], **name)(x)
    if node.op == "batch_norm":
        return layers.BatchNormalization(momentum=BN_MOMENTUM, epsilon=BN_EPSILON, **name)(x)
    if node.op == "activation":
        return layers.Activation(node["kind"], **name)(x)
    if node.op == "avg_pool":
        return layers.AveragePooling2D(node["window"], strides=node["stride"], **name)(x)
    if node.op == "global_avg_pool":
        return layers.GlobalAveragePooling2D(keepdims=node["keep"], **name)(x)
    if node.op == "flatten":
        return layers.Flatten(**name)(x)
    if node.op == "dropout":
        return layers.Dropout(node["rate"], **name)(x) if node["rate"] else x
    return {"add": layers.Add, "multiply": layers.Multiply}[node.op](**name)(inputs)


class KerasPeer(Peer):
    """`options["stack"]`: "striate", "tensorflow", "jax" or "torch"; `options["jit"]`: compile's jit_compile."""

    def __init__(self, threads: int, **options: Any) -> None:
        super().__init__(threads, **options)
        self.stack = options["stack"]
        self.inference_mode: Any = None
        if self.stack == "striate":
            import striate as keras
        else:
            os.environ["KERAS_BACKEND"] = self.stack
            if self.stack == "tensorflow":
                import tensorflow as tf

                tf.config.threading.set_intra_op_parallelism_threads(threads)
                tf.config.threading.set_inter_op_parallelism_threads(threads)
            if self.stack == "torch":
                import torch

                torch.set_num_threads(threads)
                self.inference_mode = torch.inference_mode
            import keras
        self.keras = keras

    def versions(self) -> dict[str, str]:
        if self.stack == "striate":
            return {"striate": self.keras.__version__}
        distribution = {"tensorflow": "tensorflow-cpu"}.get(self.stack, self.stack)
        return {"keras": self.keras.__version__, distribution: version(distribution)}

    def load(self, net: Net, batch: int, *, training: bool, weights: dict[str, list[np.ndarray]] | None) -> None:
        self.model: Any = None  # one that was there for a check makes room
        self.keras.utils.set_random_seed(1)
        self.model = build(self.keras, net)
        for name, arrays in (weights or {}).items():
            self.model.get_layer(name).set_weights(arrays)
        self.model.compile(
            optimizer=self.keras.optimizers.SGD(LEARNING_RATE),
            loss="sparse_categorical_crossentropy",
            metrics=["accuracy"],
            **({"jit_compile": self.options["jit"]} if "jit" in self.options else {}),
        )

    def call(self, x: np.ndarray) -> np.ndarray:
        if self.stack != "torch":
            return np.asarray(self.model(x, training=False))
        with self.inference_mode():
            return np.asarray(self.model(x, training=False))

    def call_compiled(self, x: np.ndarray) -> np.ndarray:
        return np.asarray(self.model.predict_on_batch(x))

    def predict(self, x: np.ndarray, batch: int) -> None:
        self.model.predict(x, batch_size=batch, verbose=0)

    def fit(self, x: np.ndarray, y: np.ndarray, batch: int, epochs: int, shuffle: bool = True) -> float:
        history = self.model.fit(x, y, batch_size=batch, epochs=epochs, verbose=0, shuffle=shuffle)
        return float(history.history["loss"][-1])


def make(threads: int, **options: Any) -> Peer:
    return KerasPeer(threads, **options)
