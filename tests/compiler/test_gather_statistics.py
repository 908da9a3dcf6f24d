"""Convolutions that gather the statistics of the batch norm behind them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import striate as keras
from striate.backend import TracedFunction
from striate.compiler.passes.fuse_norm import fuse_norm
from striate.compiler.passes.gather_statistics import gather_statistics
from striate.engine.interpreter import interpret
from striate.ir.graph import Graph
from striate.ir.ops.attrs import ConvAttrs, NormAttrs
from tests.support.graphs import Builder, ops_of


def block(b: Builder, op: str, window: int, bias: bool, attrs: ConvAttrs) -> Graph:
    x = b.input(2, 5, 6, 3)
    w = b.variable(window, window, 3, 4 if op == "conv2d" else 2)
    k = w.type.dims[3] if op == "conv2d" else 6
    y = b.op(op, x, w, *((b.variable(k),) if bias else ()), attrs=attrs)
    residual = b.input(*y.type.dims)
    z, mean, variance = b.op("batch_norm_train", y, b.variable(k), b.variable(k), attrs=NormAttrs(1e-3))
    s = b.op("relu", b.op("add", z, residual))
    return b.graph(s, mean, variance, b.op("neg", y))


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize(("op", "window", "strides"), [("conv2d", 1, 1), ("conv2d", 1, 2), ("depthwise_conv2d", 3, 1)])
def test_statistics_are_gathered(op: str, window: int, strides: int, bias: bool) -> None:
    b = Builder()
    graph = fuse_norm(block(b, op, window, bias, ConvAttrs((strides, strides), "same")))
    after = gather_statistics(graph)
    assert sorted(ops_of(after)) == ["batch_norm_infer", f"{op}_moments", "neg"]
    for want, got in zip(interpret(graph, b.arrays, b.state)[0], interpret(after, b.arrays, b.state)[0], strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("window", "attrs"),
    [
        (3, ConvAttrs(padding="same")),
        (1, ConvAttrs(padding="explicit", pads=(1, 1, 1, 1))),
        (1, ConvAttrs(epilogue="relu")),
    ],
)
def test_what_has_no_such_kernel_stays(window: int, attrs: ConvAttrs) -> None:
    graph = block(Builder(), "conv2d", window, False, attrs)
    assert ops_of(gather_statistics(graph)) == ops_of(graph)


def network() -> Any:
    layers = keras.layers
    x = keras.Input((14, 15, 3))
    y = layers.ReLU(6.0)(layers.BatchNormalization()(layers.Conv2D(24, 1, use_bias=False)(x)))
    y = layers.ReLU(6.0)(layers.BatchNormalization()(layers.DepthwiseConv2D(3, padding="same", strides=2)(y)))
    y = layers.BatchNormalization()(layers.Conv2D(72, 1)(y))
    return keras.Model(x, layers.Dense(5)(layers.GlobalAveragePooling2D()(y)))


def weights_after_training(threads: int) -> list[bytes]:
    keras.config.set_threads(threads)
    keras.utils.set_random_seed(3)
    model = network()
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((12, 14, 15, 3)).astype("float32"), rng.integers(0, 5, 12)
    model.fit(x, y, batch_size=4, epochs=1, verbose=0)
    return [np.asarray(w).tobytes() for w in model.get_weights()]


def test_a_step_has_no_host_step_and_the_threads_change_no_bit() -> None:
    model = network()
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    given = (np.zeros((4, 14, 15, 3), "float32"), np.zeros(4, "int32"))
    model._prepare(given, training=True)
    plan = TracedFunction(model.train_step).trace((given,)).executable.plan
    assert not plan.host_steps
    assert {"conv2d_moments", "depthwise_conv2d_moments"} <= {row.op for row in plan.describe()}
    try:
        assert len({tuple(weights_after_training(n)) for n in (1, 2, 3, 8)}) == 1
    finally:
        keras.config.set_threads(0)
