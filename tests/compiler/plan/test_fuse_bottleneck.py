"""Depthwise convolutions take the 1x1 convolutions around them along, in prediction, where maps are large."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import striate as keras
from striate.compiler.plan import fuse_bottleneck as fusion
from striate.explain import plan

LAYERS = keras.layers


def block(x: Any, wide: int, filters: int, strides: int = 1, kernel: int = 3, expand: bool = True) -> Any:
    if expand:
        x = LAYERS.ReLU(6.0)(LAYERS.BatchNormalization()(LAYERS.Conv2D(wide, 1, use_bias=False)(x)))
    x = LAYERS.DepthwiseConv2D(kernel, strides, "same", use_bias=False)(x)
    x = LAYERS.Activation("silu")(LAYERS.BatchNormalization()(x))
    return LAYERS.BatchNormalization()(LAYERS.Conv2D(filters, 1, use_bias=False)(x))


def model_of(size: int, *, twice: bool = False, expand: bool = True, strides: int = 1) -> Any:
    keras.utils.set_random_seed(5)
    x = keras.Input((size, size + 1, 24))
    y = block(x, 144 if expand else 24, 32, strides, expand=expand)
    outputs = [LAYERS.GlobalAveragePooling2D()(y)]
    model = keras.Model(x, outputs)
    if twice:
        inner = next(layer for layer in model.layers if isinstance(layer, LAYERS.Activation))
        model = keras.Model(x, [*outputs, inner.output])
    for layer in model.layers:  # statistics that change something
        if isinstance(layer, LAYERS.BatchNormalization):
            random = np.random.default_rng(1)
            layer.set_weights([w + random.uniform(0.1, 0.5, w.shape).astype("float32") for w in layer.get_weights()])
    model.compile("sgd", "mse")
    return model


def ops_of(model: Any, batch: int, training: bool = False) -> list[str]:
    return [row.op for row in plan(model, batch, training=training).rows if "conv2d" in row.op]


@pytest.mark.parametrize(
    ("form", "batch", "training", "expected"),
    [
        ({"size": 56}, 8, False, ["bottleneck_conv2d"]),
        ({"size": 56, "strides": 2}, 8, False, ["bottleneck_conv2d"]),
        ({"size": 120, "expand": False}, 8, False, ["bottleneck_conv2d"]),
        # Small maps stay in the caches.
        ({"size": 14}, 1, False, ["conv2d", "depthwise_conv2d", "conv2d"]),
        # Somebody else reads the depthwise result, so that it has to be there.
        ({"size": 56, "twice": True}, 8, False, ["bottleneck_conv2d", "conv2d"]),
    ],
)
def test_where_maps_are_large(form: Any, batch: int, training: bool, expected: list[str]) -> None:
    assert ops_of(model_of(**form), batch, training) == expected


def test_not_in_training() -> None:
    assert not any("bottleneck" in op for op in ops_of(model_of(56), 8, training=True))


@pytest.mark.parametrize("expand", [True, False])
@pytest.mark.parametrize("strides", [1, 2])
def test_changes_no_bit(expand: bool, strides: int, monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.random.default_rng(0).standard_normal((3, 37, 38, 24), "float32")
    results = []
    for least in (1, 2**60):
        monkeypatch.setattr(fusion, "LEAST_BYTES", least)
        model = model_of(37, expand=expand, strides=strides)
        assert ("bottleneck_conv2d" in ops_of(model, 3)) == (least == 1)
        results.append(model.predict(x, verbose=0))
    assert np.ptp(results[0]) > 0.1
    assert results[0].tobytes() == results[1].tobytes()


def test_an_image_does_not_depend_on_the_others() -> None:
    """One image's maps are too small to be fused, eight images' are not."""
    model = model_of(40)
    assert ops_of(model, 1) != ops_of(model, 8) == ["bottleneck_conv2d"]
    x = np.random.default_rng(0).standard_normal((8, 40, 41, 24), "float32")
    assert model.predict(x, verbose=0)[2:3].tobytes() == model.predict(x[2:3], verbose=0).tobytes()


def test_follows_the_weights() -> None:
    model = model_of(56)
    x = np.random.default_rng(0).standard_normal((4, 56, 57, 24), "float32")
    before = model.predict(x, verbose=0)
    model.set_weights([2 * w for w in model.get_weights()])
    assert (model.predict(x, verbose=0) != before).any()
