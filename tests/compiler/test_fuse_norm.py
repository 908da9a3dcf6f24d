"""Batch norms that take over what follows them, and gradients that tell the mask from x."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import striate as keras
from striate.compiler import pipeline
from striate.compiler.passes.fuse_norm import fuse_norm
from striate.engine.interpreter import interpret
from striate.ir.graph import Graph, Node, Value
from striate.ir.ops.attrs import NormAttrs
from tests.support.graphs import Builder, ops_of

ATTRS = NormAttrs(1e-3)


def norm(b: Builder, x: Value) -> Any:
    """(y, mean, variance)"""
    c = x.type.dims[-1]
    return b.op("batch_norm_train", x, b.variable(c), b.variable(c), attrs=ATTRS)


def the(op: str, graph: Graph) -> Node:
    (node,) = [n for n in graph.nodes if n.op == op]
    return node


def same_meaning(b: Builder, before: Graph, after: Graph) -> None:
    for want, got in zip(interpret(before, b.arrays, b.state)[0], interpret(after, b.arrays, b.state)[0], strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("act", ["relu", "relu6"])
def test_the_activation_goes_into_the_norm(act: str) -> None:
    b = Builder()
    y, mean, variance = norm(b, b.input(4, 5, 3))
    graph = b.graph(b.op(act, y), mean, variance)
    after = fuse_norm(graph)
    assert ops_of(after) == ["batch_norm_train"]
    assert the("batch_norm_train", after).attrs == NormAttrs(1e-3, act)  # type: ignore[arg-type]
    same_meaning(b, graph, after)


@pytest.mark.parametrize("act", ["none", "relu", "relu6"])
@pytest.mark.parametrize("swapped", [False, True])
def test_the_residual_goes_into_the_norm(act: str, swapped: bool) -> None:
    b = Builder()
    x, residual = b.input(4, 5, 3), b.input(4, 5, 3)
    y, mean, _ = norm(b, x)
    s = b.op("add", *((residual, y) if swapped else (y, residual)))
    graph = b.graph(s if act == "none" else b.op(act, s), mean)
    after = fuse_norm(graph)
    assert ops_of(after) == ["batch_norm_train"]
    assert the("batch_norm_train", after).inputs[3].op == "input"
    same_meaning(b, graph, after)


def test_of_two_norms_the_later_takes_the_earlier_and_blocks_may_follow_one_another() -> None:
    b = Builder()
    x = b.input(6, 3)
    first, mean1, _ = norm(b, x)
    second, mean2, _ = norm(b, b.op("exp", x))
    out = b.op("relu", b.op("add", first, second))
    third, mean3, _ = norm(b, b.op("tanh", out))
    graph = b.graph(b.op("add", out, third), mean1, mean2, mean3)
    after = fuse_norm(graph)
    assert ops_of(after) == ["batch_norm_train", "exp", "batch_norm_train", "tanh", "batch_norm_train"]
    same_meaning(b, graph, after)


def test_what_must_stay_stays() -> None:
    b = Builder()
    x = b.input(4, 3)
    y, mean, _ = norm(b, x)
    assert ops_of(fuse_norm(b.graph(b.op("relu", y), y))) == ["batch_norm_train", "relu"]  # y has another reader
    assert ops_of(fuse_norm(b.graph(b.op("tanh", y)))) == ["batch_norm_train", "tanh"]
    assert ops_of(fuse_norm(b.graph(b.op("add", y, y)))) == ["batch_norm_train", "add"]
    assert ops_of(fuse_norm(b.graph(b.op("add", y, b.input(3))))) == ["batch_norm_train", "add"]  # broadcast
    graph = b.graph(b.op("add", y, b.op("multiply", x, mean)))  # a residual that the norm's own result makes
    assert ops_of(fuse_norm(graph)) == ["batch_norm_train", "multiply", "add"]


def test_prediction_takes_the_activation_too() -> None:
    b = Builder()
    y = b.op("batch_norm_infer", b.input(4, 3), *(b.variable(3, value=0.5) for _ in range(4)), attrs=ATTRS)
    graph = b.graph(b.op("relu", y))
    after = fuse_norm(graph)
    assert ops_of(after) == ["batch_norm_infer"]
    same_meaning(b, graph, after)


def gradient(b: Builder, act: str, residual: bool = False) -> tuple[Value, Any]:
    """(the mask's result, the gradient's three) behind batch norm and activation."""
    x, gamma, beta, g = b.input(6, 3), b.variable(3), b.variable(3), b.input(6, 3)
    more = (b.input(6, 3),) if residual else ()
    y, mean, variance = b.op("batch_norm_train", x, gamma, beta, *more, attrs=NormAttrs(1e-3, act))  # type: ignore[arg-type]
    h = b.op(f"{act}_grad", g, y)
    return h, b.op("batch_norm_train_grad", h, x, gamma, mean, variance, attrs=ATTRS)


@pytest.mark.parametrize("act", ["relu", "relu6"])
def test_the_mask_goes_into_the_gradient(act: str) -> None:
    b = Builder()
    graph = b.graph(*gradient(b, act)[1])
    after = fuse_norm(graph)
    assert ops_of(after) == ["batch_norm_train", "batch_norm_train_grad"]
    assert len(the("batch_norm_train_grad", after).inputs) == 6
    same_meaning(b, graph, after)


def test_the_mask_stays_where_it_is_read_elsewhere_or_told_from_a_sum() -> None:
    b = Builder()
    h, got = gradient(b, "relu")
    assert "relu_grad" in ops_of(fuse_norm(b.graph(h, *got)))
    assert "relu_grad" in ops_of(fuse_norm(b.graph(*gradient(b, "relu", residual=True)[1])))


def residual_network() -> Any:
    x = keras.Input((8, 8, 3))
    y = keras.layers.Conv2D(16, 1, use_bias=False)(x)
    skip = y = keras.layers.ReLU()(keras.layers.BatchNormalization()(y))
    y = keras.layers.BatchNormalization()(keras.layers.Conv2D(16, 3, padding="same", use_bias=False)(y))
    y = keras.layers.Activation("relu")(keras.layers.Add()([y, skip]))
    y = keras.layers.ReLU(6.0)(keras.layers.BatchNormalization()(keras.layers.Conv2D(24, 1)(y)))
    return keras.Model(x, keras.layers.Dense(5)(keras.layers.GlobalAveragePooling2D()(y)))


def trained(monkeypatch: pytest.MonkeyPatch, fuse: bool) -> list[bytes]:
    """The weights after three steps, with the pass or without it."""
    with monkeypatch.context() as patch:
        if not fuse:
            patch.setattr(pipeline, "PASSES", tuple(p for p in pipeline.PASSES if p is not fuse_norm))
        keras.utils.set_random_seed(3)
        model = residual_network()
        model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        rng = np.random.default_rng(0)
        x, y = rng.standard_normal((12, 8, 8, 3)).astype("float32"), rng.integers(0, 5, 12)
        model.fit(x, y, batch_size=4, epochs=1, verbose=0)
        return [np.asarray(w).tobytes() for w in model.get_weights()]


def test_training_keeps_every_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    assert trained(monkeypatch, fuse=True) == trained(monkeypatch, fuse=False)
