"""Filters of 3x3 convolutions are transformed once a change of the weights, in prediction only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import striate as keras
from striate.engine import native
from striate.explain import plan
from tests.support.kernel_runs import EPS


@pytest.fixture
def direct() -> Iterator[None]:
    keras.config.set_convolution("direct")
    yield
    keras.config.set_convolution("auto")


def small() -> Any:
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [
            keras.Input((14, 14, 3)),
            keras.layers.Conv2D(32, 3, padding="same", activation="relu"),
            keras.layers.Conv2D(48, 3, padding="same"),
            keras.layers.BatchNormalization(),
            keras.layers.ReLU(),
            keras.layers.Conv2D(24, 7),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(4, activation="softmax"),
        ]
    )
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


def rows(model: Any, training: bool = False) -> list[tuple[str, bool]]:
    return [(row.op, row.derived) for row in plan(model, 2, training=training).rows]


def test_in_prediction_only() -> None:
    model = small()
    predicting = rows(model)
    assert ("winograd_filters", True) in predicting and ("winograd_conv2d", False) in predicting
    # The first layer has too few channels, the last has another window.
    assert [op for op, _ in predicting].count("conv2d") == 2
    assert not any(op.startswith("winograd") for op, _ in rows(model, training=True))


@pytest.mark.usefixtures("direct")
def test_not_where_winograd_is_turned_off() -> None:
    assert not any(op.startswith("winograd") for op, _ in rows(small()))


@pytest.mark.parametrize(("channels", "window", "apart"), [(16, 3, False), (64, 3, True), (64, 5, True)])
def test_groups_are_convolutions_of_their_own(channels: int, window: int, apart: bool) -> None:
    keras.utils.set_random_seed(3)
    layer = keras.layers.Conv2D(2 * channels, window, groups=2, padding="same")
    model = keras.Sequential([keras.Input((14, 14, channels)), layer])
    assert [op for op, _ in rows(model)] == (["winograd_filters", "winograd_conv2d"] if apart else ["conv2d"])
    x = np.random.default_rng(0).standard_normal((2, 14, 14, channels), "float32")
    kernel, bias = model.get_weights()
    half = channels // 2

    def halves(images: Any, filters: Any) -> Any:
        parts = [(images[..., i * half :][..., :half], filters[..., i * channels :][..., :channels]) for i in (0, 1)]
        return np.concatenate([keras.ops.conv(*part, padding="same") for part in parts], axis=3)

    # The products of a sum each, and the two ways may both be off (docs/numerics.md); 8 channels of a group run direct.
    terms = 2 * (window**2 * half + 3) * EPS * halves(np.abs(x), np.abs(kernel))
    assert (np.abs(model.predict(x, verbose=0) - halves(x, kernel) - bias) <= terms + EPS).all()


def test_follows_the_weights() -> None:
    """Set, trained, loaded: the next prediction is that of the new weights."""
    model = small()
    random = np.random.default_rng(0)
    x, y = random.standard_normal((8, 14, 14, 3), "float32"), random.integers(0, 4, 8)
    seen = [model.predict(x, verbose=0)]
    model.layers[1].set_weights([w * 1.5 for w in model.layers[1].get_weights()])
    seen.append(model.predict(x, verbose=0))
    model.fit(x, y, verbose=0)
    seen.append(model.predict(x, verbose=0))
    copy = small()
    copy.set_weights(model.get_weights())
    assert copy.predict(x, verbose=0).tobytes() == seen[-1].tobytes()
    keras.config.set_convolution("direct")
    try:
        direct = copy.predict(x, verbose=0)
    finally:
        keras.config.set_convolution("auto")
    np.testing.assert_allclose(direct, seen[-1], atol=1e-5)
    assert len({s.tobytes() for s in seen}) == 3


def test_few_tiles_take_filters_as_they_are() -> None:
    """One image of a 7x7 map: by kernels that transform filters on the fly, where the CPU has them; the same bits."""
    keras.utils.set_random_seed(3)
    layers = [keras.layers.Conv2D(80, 3, padding="same", activation="relu") for _ in range(2)]
    model = keras.Sequential([keras.Input((7, 7, 64)), *layers, keras.layers.MaxPooling2D()])
    kept = {n: [r.result for r in plan(model, n).rows if r.op == "winograd_filters"] for n in (1, 2)}
    flying = any(row.isa == "avx512" for row in native.candidates("winograd_filters"))
    assert [len(results) for results in kept.values()] == [2, 2]
    assert all(result.startswith("float32[1, ") == flying for result in kept[1])
    assert all(result.startswith("float32[36, ") for result in kept[2])
    told = ["on the fly" in r.reason for r in plan(model, 1).rows if r.op.startswith("winograd_conv2d")]
    assert told == [flying, flying]
    x = np.random.default_rng(1).standard_normal((9, 7, 7, 64), "float32")
    many = model.predict(x, verbose=0)
    assert model.predict(x[:1], verbose=0).tobytes() == many[:1].tobytes()
    model.set_weights([w * 1.5 for w in model.get_weights()])
    again = model.predict(x, verbose=0)
    assert again.tobytes() != many.tobytes()
    assert model.predict(x[4:5], verbose=0).tobytes() == again[4:5].tobytes()


def test_one_image_is_one_of_many() -> None:
    model = small()
    x = np.random.default_rng(1).standard_normal((40, 14, 14, 3), "float32")
    many = model.predict(x, verbose=0)
    assert model.predict(x[:1], verbose=0).tobytes() == many[:1].tobytes()
    assert model.predict(x[7:9], verbose=0).tobytes() == many[7:9].tobytes()
