"""Convolutions take the 2x2 max pool behind them along, and filters' gradients its gradient."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import striate as keras
from striate.compiler.plan import build
from striate.explain import plan

LAYERS = keras.layers


def model_of(
    size: int = 28, *, activation: str = "relu", pool: Any = 2, padding: str = "valid", twice: bool = False
) -> Any:
    keras.utils.set_random_seed(5)
    x = keras.Input((size, size, 1))
    first = LAYERS.Conv2D(40, 5, activation=activation, padding="same")(x)
    y = LAYERS.MaxPooling2D(pool, 2, padding)(first)
    y = LAYERS.Conv2D(48, 3, activation=activation, padding="same")(y)
    y = LAYERS.MaxPooling2D(pool, 2, padding)(y)
    outputs = LAYERS.Dense(3, activation="softmax")(LAYERS.Flatten()(y))
    model = keras.Model(x, [outputs, LAYERS.GlobalAveragePooling2D()(first)] if twice else outputs)
    model.compile("sgd", ["sparse_categorical_crossentropy", "mse"] if twice else "sparse_categorical_crossentropy")
    return model


def ops_of(model: Any, training: bool) -> list[str]:
    return [row.op for row in plan(model, 4, training=training).rows if "conv2d" in row.op or "pool2d" in row.op]


def test_in_prediction() -> None:
    assert ops_of(model_of(), False) == ["conv2d_max_pool2d", "winograd_conv2d_max_pool2d"]


def test_in_training() -> None:
    assert ops_of(model_of(), True) == [
        "conv2d_max_pool2d_indices", "conv2d_max_pool2d_indices",
        "max_unpool2d", "conv2d_grad_w", "conv2d_grad_x_masked",  # read twice
        "conv2d_grad_w_unpool",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "form",
    [
        {"activation": "tanh"},  # applied to what is stored
        {"pool": 3},
        {"size": 26, "padding": "same", "pool": 3},
    ],
)
@pytest.mark.parametrize("training", [False, True])
def test_where_it_does_not_fit(form: dict[str, Any], training: bool) -> None:
    ops = ops_of(model_of(**form), training)
    assert not any("conv2d_max_pool2d" in op or op == "conv2d_grad_w_unpool" for op in ops)


def test_maps_that_others_read_stay() -> None:
    """Here the first layer's; the second goes."""
    assert ops_of(model_of(twice=True), False) == ["conv2d", "max_pool2d", "winograd_conv2d_max_pool2d"]


def test_padding_that_pads_nothing_is_no_hindrance() -> None:
    assert ops_of(model_of(padding="same"), False) == ["conv2d_max_pool2d", "winograd_conv2d_max_pool2d"]


def trained(model: Any) -> list[bytes]:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((24, 28, 28, 1)).astype("float32"), rng.integers(0, 3, 24)
    model.fit(x, y, batch_size=8, epochs=1, verbose=0)
    return [w.tobytes() for w in [*model.get_weights(), model.predict(x, verbose=0)]]


def test_changes_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    fused = trained(model_of())
    monkeypatch.setattr(build, "fuse_pool", lambda graph, chosen, training: (graph, chosen))
    assert "conv2d_max_pool2d" not in ops_of(model_of(), False)
    assert trained(model_of()) == fused


def test_threads_change_no_bit() -> None:
    results = []
    try:
        for threads in (1, 2, 3, 8):
            keras.config.set_threads(threads)
            results.append(trained(model_of()))
    finally:
        keras.config.set_threads(0)
    assert all(r == results[0] for r in results)


@pytest.mark.parametrize("size", [27, 28, 29, 30])
def test_an_image_does_not_depend_on_the_others(size: int) -> None:
    model = model_of(size)
    x = np.random.default_rng(0).standard_normal((9, size, size, 1), "float32")
    assert model.predict(x, verbose=0)[4:5].tobytes() == model.predict(x[4:5], verbose=0).tobytes()
