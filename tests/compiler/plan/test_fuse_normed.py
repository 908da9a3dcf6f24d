"""Convolutions normalise what they read where a batch norm's result would be written for them alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import striate as keras
from striate.compiler.plan import build, fuse_normed
from striate.explain import plan
from striate.ir.ops.attrs import NormAttrs
from tests.support.graphs import Builder, ops_of

LAYERS = keras.layers


def model_of(form: str = "", clamp: float | None = 6.0) -> Any:
    keras.utils.set_random_seed(5)
    x = keras.Input((14, 15, 16))
    y = LAYERS.Conv2D(24, 3, padding="same")(x)
    if form == "dense":  # no convolution before the batch norm: its statistics are left
        y = LAYERS.Concatenate()([y, x])
    y = LAYERS.BatchNormalization()(y)
    y = LAYERS.Activation("tanh")(y) if form == "tanh" else LAYERS.ReLU(clamp)(y)
    middle = y
    window = 3 if form == "window" else 1
    y = LAYERS.BatchNormalization()(LAYERS.Conv2D(40, window, padding="same", use_bias=False)(y))
    if form == "twice":
        y = LAYERS.Concatenate()([y, middle])
    elif form == "depthwise":
        y = LAYERS.ReLU(clamp)(y)
        y = LAYERS.BatchNormalization()(LAYERS.DepthwiseConv2D(3, padding="same", use_bias=False)(y))
        y = LAYERS.DepthwiseConv2D(3, 2, padding="same")(LAYERS.ReLU(clamp)(y))  # no batch norm behind it
    elif form == "two":
        y = LAYERS.Add()([y, LAYERS.BatchNormalization()(LAYERS.Conv2D(40, 1)(middle))])
    model = keras.Model(x, LAYERS.Dense(3, activation="softmax")(LAYERS.GlobalAveragePooling2D()(y)))
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


def normed(model: Any) -> list[str]:
    return sorted(row.op for row in plan(model, 4, training=True).rows if "_normed" in row.op)


def test_in_training() -> None:
    model = model_of()
    assert normed(model) == ["conv2d_normed_grad_w", "conv2d_normed_moments"]
    assert [row.op for row in plan(model, 4, training=True).rows].count("batch_norm_infer") == 1  # the mean reads it
    assert not [row.op for row in plan(model, 4).rows if "_normed" in row.op]


def test_each_of_two_convolutions_normalises() -> None:
    assert normed(model_of("two")) == ["conv2d_normed_grad_w"] * 2 + ["conv2d_normed_moments"] * 2


def test_depthwise_convolutions_normalise() -> None:
    """The first gathers statistics, the second does not."""
    assert normed(model_of("depthwise")) == [
        "conv2d_normed_grad_w", "conv2d_normed_moments",
        "depthwise_conv2d_normed", "depthwise_conv2d_normed_grad_w", "depthwise_conv2d_normed_grad_w",
        "depthwise_conv2d_normed_moments",
    ]  # fmt: skip


def test_behind_no_convolution_the_statistics_are_left() -> None:
    model = model_of("dense")
    assert normed(model) == ["conv2d_normed_grad_w", "conv2d_normed_moments"]
    norms = [row.op for row in plan(model, 4, training=True).rows if "batch_norm" in row.op]
    assert sorted(norms) == ["batch_norm_infer", "batch_norm_statistics"] + ["batch_norm_train_grad"] * 2


@pytest.mark.parametrize("large", [False, True])
def test_a_large_map_is_made_once_more_for_winograd_s_gradient(large: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its forward transform normalises, its gradient of filters does not; for a small one nothing changes."""
    model, at = model_of("window"), 4 * 14 * 15 * 24 * 4
    monkeypatch.setattr(fuse_normed, "LEAST_AGAIN", at if large else at + 1)
    assert normed(model) == (["conv2d_normed_moments"] if large else [])
    steps = plan(model, 4, training=True).rows
    order = [row.op for row in steps if row.op in ("batch_norm_infer", "conv2d_grad_w", "batch_norm_train_grad")]
    end, grad = "batch_norm_train_grad", "conv2d_grad_w"
    expected = ["batch_norm_infer", end, "batch_norm_infer", grad, end, grad]
    assert order == (expected if large else ["batch_norm_infer", "batch_norm_infer", end, grad, end, grad])


def test_a_batch_norm_that_nobody_reads() -> None:
    b = Builder()
    _, mean, variance = b.op("batch_norm_train", b.input(4, 5), b.variable(5), b.variable(5), attrs=NormAttrs(1e-3))
    graph = b.graph(mean, variance)
    assert ops_of(build.fuse_normed(graph, training=True)) == ops_of(graph)


def depthwise(window: int, dilation: int = 1) -> Any:
    keras.utils.set_random_seed(5)
    x = keras.Input((9, 10, 16))
    y = LAYERS.ReLU()(LAYERS.BatchNormalization()(LAYERS.Conv2D(16, 1)(x)))
    y = LAYERS.DepthwiseConv2D(window, padding="same", dilation_rate=dilation)(y)
    model = keras.Model(x, LAYERS.Dense(3, activation="softmax")(LAYERS.GlobalAveragePooling2D()(y)))
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


@pytest.mark.parametrize(("window", "wanted"), [(5, 2), (7, 0)])
def test_tall_windows_read_what_is_written(window: int, wanted: int) -> None:
    assert len(normed(depthwise(window))) == wanted


def test_a_dilated_window_holds_no_more_rows_than_an_image_has() -> None:
    model = depthwise(3, 100_000)
    assert len(normed(model)) == 2
    assert plan(model, 4, training=True).memory.peak < 4 << 20
    x = np.random.default_rng(0).standard_normal((4, 9, 10, 16)).astype("float32")
    assert np.isfinite(model.train_on_batch(x, np.array([0, 1, 2, 0])))


@pytest.mark.parametrize("form", ["tanh", "twice"])
def test_where_another_reads_it(form: str) -> None:
    """An activation that is no clamp; a map that is an input of a concatenation too."""
    assert not normed(model_of(form))


def test_where_a_kernel_has_no_such_form() -> None:
    """A strided 3x3 window gathers pixels tap by tap."""
    keras.utils.set_random_seed(5)
    x = keras.Input((14, 15, 16))
    y = LAYERS.ReLU()(LAYERS.BatchNormalization()(LAYERS.Conv2D(24, 1)(x)))
    y = LAYERS.Conv2D(8, 3, strides=2)(y)
    model = keras.Model(x, LAYERS.Dense(3, activation="softmax")(LAYERS.GlobalAveragePooling2D()(y)))
    model.compile("sgd", "sparse_categorical_crossentropy")
    assert not normed(model)


def trained(form: str, clamp: float | None) -> list[bytes]:
    model, rng = model_of(form, clamp), np.random.default_rng(0)
    x, y = rng.standard_normal((24, 14, 15, 16)).astype("float32"), rng.integers(0, 3, 24)
    model.fit(x, y, batch_size=8, epochs=1, verbose=0)
    return [w.tobytes() for w in model.get_weights()]


@pytest.mark.parametrize(
    ("form", "clamp"), [("window", None), ("", 6.0), ("", None), ("two", None), ("depthwise", 6.0), ("dense", None)]
)
def test_changes_no_bit(form: str, clamp: float | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuse_normed, "LEAST_AGAIN", 0)
    fused = trained(form, clamp)
    assert normed(model_of(form, clamp))
    arena = plan(model_of(form, clamp), 8, training=True).memory.arena
    monkeypatch.setattr(build, "fuse_normed", lambda graph, training: graph)
    assert not normed(model_of(form, clamp))
    assert trained(form, clamp) == fused
    assert arena < plan(model_of(form, clamp), 8, training=True).memory.arena
