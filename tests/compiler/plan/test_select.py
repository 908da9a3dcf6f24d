"""Which convolution algorithm is chosen, and what may have a say in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import striate as keras
from striate.backend import TracedFunction
from striate.compiler.plan import select
from striate.compiler.plan.select import choose_kernel
from striate.core.errors import ArgumentError
from striate.ir.graph import Node, input_node
from striate.ir.opdef import make_node
from striate.ir.ops.attrs import ConvAttrs
from striate.ir.types import TensorType
from tests.support.kernel_runs import EPS
from tests.support.winograd import FACTOR, winograd


@pytest.fixture
def algorithms() -> Iterator[Any]:
    yield keras.config.set_convolution
    keras.config.set_convolution("auto")


def conv(batch: int, size: int, channels: int, filters: int) -> Node:
    x = input_node(0, "x", TensorType((batch, size, size, channels)))
    w = input_node(1, "w", TensorType((3, 3, channels, filters)))
    return make_node("conv2d", (x.result(), w.result()), ConvAttrs(padding="same"))


def test_the_batch_has_a_say_in_training_only() -> None:
    alone, many = conv(1, 7, 256, 256), conv(64, 7, 256, 256)
    assert "direct" in (choose_kernel(alone).kernel or "")
    assert "direct" in (choose_kernel(many).kernel or "")
    assert "direct" in (choose_kernel(alone, training=True).kernel or "")
    assert "winograd" in (choose_kernel(many, training=True).kernel or "")
    for batch in (1, 64):
        assert "winograd" in (choose_kernel(conv(batch, 14, 64, 128)).kernel or "")


@pytest.mark.usefixtures("algorithms")
def test_winograd_can_be_turned_off(algorithms: Any) -> None:
    node = conv(2, 28, 32, 32)
    algorithms("direct")
    choice = choose_kernel(node)
    assert "winograd" not in (choice.kernel or "winograd")
    assert any("set_convolution" in why for _, why in choice.refused)
    algorithms("auto")
    assert "winograd" in (choose_kernel(node).kernel or "")
    with pytest.raises(ArgumentError, match="'auto' or 'direct'"):
        algorithms("fft")


@pytest.mark.usefixtures("algorithms")
def test_cached_programs_follow_the_setting(algorithms: Any) -> None:
    random = np.random.default_rng(0)
    x, w = random.standard_normal((2, 20, 20, 32), "float32"), random.standard_normal((3, 3, 32, 32), "float32")
    for run in (keras.ops.conv, TracedFunction(keras.ops.conv)):
        auto = run(x, w)
        algorithms("direct")
        direct = run(x, w)
        algorithms("auto")
        assert np.asarray(auto).tobytes() == np.asarray(run(x, w)).tobytes() != np.asarray(direct).tobytes()
        bound = FACTOR * EPS * winograd("conv2d", [x, w], ConvAttrs(), direct.shape, absolute=True)
        assert (np.abs(auto - direct) <= 2 * bound).all()


@pytest.mark.usefixtures("algorithms")
def test_training_goes_the_same_way_with_either(algorithms: Any) -> None:
    """Some steps of a small network from the same seed: losses agree to what float32 keeps."""
    random = np.random.default_rng(1)
    x, y = random.standard_normal((64, 28, 28, 1), "float32"), random.integers(0, 10, 64)
    losses = []
    for algorithm in ("auto", "direct"):
        algorithms(algorithm)
        keras.utils.set_random_seed(5)
        layers = keras.layers
        model = keras.Sequential(
            [
                layers.Input((28, 28, 1)),
                layers.Conv2D(16, 3, activation="relu", padding="same"),
                layers.Conv2D(24, 3, activation="relu", padding="same"),
                layers.MaxPooling2D(),
                layers.Conv2D(32, 3, activation="relu"),
                layers.GlobalAveragePooling2D(),
                layers.Dense(10),
            ]
        )
        model.compile(
            keras.optimizers.SGD(0.05), keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=[]
        )
        losses.append(model.fit(x, y, batch_size=16, epochs=3, shuffle=False, verbose=0).history["loss"])
    np.testing.assert_allclose(losses[0], losses[1], rtol=2e-5)


@pytest.fixture
def batch_counts() -> Iterator[None]:
    """A prediction's kernels may depend on the batch."""
    keras.config.set_batch_invariant(False)
    yield
    keras.config.set_batch_invariant(True)


def test_a_prediction_lets_the_batch_count_where_that_is_asked_for(batch_counts: None) -> None:
    alone, many = conv(1, 7, 256, 256), conv(64, 7, 256, 256)
    assert "direct" in (choose_kernel(alone).kernel or "") and "winograd" in (choose_kernel(many).kernel or "")
    keras.config.set_batch_invariant(True)
    assert "direct" in (choose_kernel(many).kernel or "")


def test_programs_follow_whether_the_batch_counts(batch_counts: None) -> None:
    random = np.random.default_rng(0)
    x, w = random.standard_normal((64, 7, 7, 256), "float32"), random.standard_normal((3, 3, 256, 256), "float32")
    for run in (keras.ops.conv, TracedFunction(keras.ops.conv)):
        keras.config.set_batch_invariant(False)
        counted = np.asarray(run(x, w))
        assert np.asarray(run(x, w)).tobytes() == counted.tobytes()
        assert np.asarray(run(x[:1], w)).tobytes() != counted[:1].tobytes()
        keras.config.set_batch_invariant(True)
        whole = np.asarray(run(x, w))
        assert np.asarray(run(x[:1], w)).tobytes() == whole[:1].tobytes()
        np.testing.assert_allclose(counted, whole, atol=5e-3)


def test_what_is_measured_is_of_this_batch_then(batch_counts: None) -> None:
    keys = {select._key(conv(n, 7, 64, 64), training=False) for n in (1, 3)}
    assert len(keys) == 2 and all(key.startswith("prediction of this batch: ") for key in keys)
    keras.config.set_batch_invariant(True)
    assert len({select._key(conv(n, 7, 64, 64), training=False) for n in (1, 3)}) == 1


def test_whether_the_batch_counts_is_true_or_false() -> None:
    assert keras.config.batch_invariant() is True
    with pytest.raises(ArgumentError, match=r"True or False\. Received: 'no'"):
        keras.config.set_batch_invariant("no")  # type: ignore[arg-type]
