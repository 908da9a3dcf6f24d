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
@pytest.mark.parametrize(
    ("op", "window", "strides"),
    [("conv2d", 1, 1), ("conv2d", 1, 2), ("conv2d", 3, 1), ("conv2d", 3, 2), ("depthwise_conv2d", 3, 1)],
)
def test_statistics_are_gathered(op: str, window: int, strides: int, bias: bool) -> None:
    b = Builder()
    graph = fuse_norm(block(b, op, window, bias, ConvAttrs((strides, strides), "same")))
    after = gather_statistics(graph)
    assert sorted(ops_of(after)) == ["batch_norm_infer", f"{op}_moments", "neg"]
    for want, got in zip(interpret(graph, b.arrays, b.state)[0], interpret(after, b.arrays, b.state)[0], strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)


def test_padding_is_no_reason_to_stay() -> None:
    graph = block(Builder(), "conv2d", 1, False, ConvAttrs(padding="explicit", pads=(1, 1, 1, 1)))
    assert "conv2d_moments" in ops_of(gather_statistics(graph))


def test_an_activation_stays_before_the_statistics() -> None:
    graph = block(Builder(), "conv2d", 1, False, ConvAttrs(epilogue="relu"))
    assert ops_of(gather_statistics(graph)) == ops_of(graph)


@pytest.mark.parametrize(("columns", "taken"), [(384, True), (385, False)])
def test_depthwise_rows_are_as_wide_as_a_block(columns: int, taken: bool) -> None:
    b = Builder()
    y = b.op("depthwise_conv2d", b.input(1, 2, columns, 2), b.variable(1, 1, 2, 1), attrs=ConvAttrs())
    graph = b.graph(*b.op("batch_norm_train", y, b.variable(2), b.variable(2), attrs=NormAttrs(1e-3)))
    assert ("depthwise_conv2d_moments" in ops_of(gather_statistics(graph))) == taken


def network() -> Any:
    layers = keras.layers
    x = keras.Input((14, 15, 3))
    y = layers.ReLU(6.0)(layers.BatchNormalization()(layers.Conv2D(24, 3, padding="same", use_bias=False)(x)))
    y = layers.ReLU(6.0)(layers.BatchNormalization()(layers.Conv2D(24, 3, padding="same", use_bias=False)(y)))
    y = layers.ReLU(6.0)(layers.BatchNormalization()(layers.Conv2D(24, 1, use_bias=False)(y)))
    y = layers.ReLU(6.0)(layers.BatchNormalization()(layers.DepthwiseConv2D(3, padding="same", strides=2)(y)))
    y = layers.BatchNormalization()(layers.Conv2D(72, 1)(y))
    y = layers.BatchNormalization()(layers.Conv2D(20, 3, strides=2)(y))
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
    steps = plan.describe()
    assert "batch_norm_train" not in {row.op for row in steps}
    kernels = {(row.kernel or "").replace("_normed", "").rpartition("_")[0] for row in steps}
    assert {f"conv2d_moments_{kind}" for kind in ("few", "winograd", "1x1", "direct")} <= kernels
    assert "depthwise_moments" in kernels
    try:
        assert len({tuple(weights_after_training(n)) for n in (1, 2, 3, 8)}) == 1
    finally:
        keras.config.set_threads(0)
