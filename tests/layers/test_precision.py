"""Weights read in the dtype that a layer computes in: AutocastScope, mixed policies."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import striate as keras
from striate import layers, ops
from striate.backend import AutocastScope

X = np.linspace(-1, 1, 12, dtype="float32").reshape(4, 3)


class Scale(layers.Layer):
    """A user's layer: it knows nothing of dtypes."""

    def build(self, input_shape: Any) -> None:
        self.factor = self.add_weight(shape=(input_shape[-1],), initializer="ones")
        self.kept = self.add_weight(shape=(input_shape[-1],), initializer="ones", autocast=False, trainable=False)
        self.steps = self.add_weight(shape=(), initializer="zeros", dtype="int32", trainable=False)
        self.seen: list[str] = []

    def call(self, x: Any) -> Any:
        self.seen.append(f"{self.factor.dtype} {self.kept.dtype} {self.steps.dtype}")
        return x * self.factor


@pytest.mark.parametrize("short", ["float16", "bfloat16"])
def test_a_users_layer_computes_in_the_short_dtype_and_keeps_the_long_one(short: str) -> None:
    layer = Scale(dtype=f"mixed_{short}")
    y = layer(X)
    assert y.dtype.name == short and layer.seen == [f"{short} float32 int32"]
    assert layer.factor.dtype == "float32" and layer(keras.Input((3,))).dtype == short


def test_it_trains_in_the_long_dtype() -> None:
    model = keras.Sequential([keras.Input((3,)), Scale(dtype="mixed_bfloat16"), layers.Dense(1, dtype="float32")])
    model.compile(keras.optimizers.SGD(1e-4), "mse")
    before = model.get_weights()
    model.fit(X, np.ones((4, 1), "float32"), verbose=0)
    factor = model.layers[0].factor.numpy()
    # A step of 1e-5 from 1: bfloat16 has nothing between 1 and 1 + 2**-7.
    assert factor.dtype == np.float32 and 0 < np.abs(factor - before[0]).max() < 1e-3


def test_layers_inside_have_their_own() -> None:
    inner = Scale(dtype="float32")

    class Outer(layers.Layer):
        def __init__(self) -> None:
            super().__init__(dtype="mixed_float16")
            self.inner = inner

        def call(self, x: Any) -> Any:
            return self.inner(x)

    assert Outer()(X).dtype == np.float32 and inner.seen == ["float32 float32 int32"]


def test_the_gradient_is_the_weights() -> None:
    layer = Scale(dtype="mixed_float16")
    layer.build((None, 3))
    _, (gradient,) = keras.value_and_grad(lambda: ops.sum(ops.cast(layer(X), "float32")), [layer.factor])()
    assert gradient.dtype == np.float32
    np.testing.assert_allclose(gradient, X.sum(axis=0), atol=4 * 2**-11)


def test_a_scope_changes_what_is_read_not_what_is_kept() -> None:
    large = keras.Variable(np.full(2, 70000.0, "float32"))
    fixed = keras.Variable(np.full(2, 70000.0, "float32"), autocast=False)
    count = keras.Variable(np.arange(2))
    with AutocastScope("float16"):
        assert large.dtype == large.value.dtype == large.numpy().dtype == "float16" and count.dtype == "int64"
        assert np.isinf(large.numpy()).all() and fixed.value.tolist() == [70000.0, 70000.0]
        large.assign_add([1.0, 2.0])  # in its own dtype: nothing is lost
        with AutocastScope(None):
            assert large.dtype == "float32"
        assert (large + np.zeros(2, "float16")).dtype == np.float16
    assert large.numpy().tolist() == [70001.0, 70002.0]


def test_a_scope_is_left_when_something_fails() -> None:
    v = keras.Variable(1.0)
    with pytest.raises(KeyError), AutocastScope("float16"):
        raise KeyError
    assert v.dtype == "float32"
    with pytest.raises(ValueError, match=r"floating-point target dtype.*'int32'"):
        AutocastScope("int32")


BFLOAT16 = """
import numpy as np, striate as keras
keras.config.set_dtype_policy("mixed_bfloat16")
x = keras.Input((6, 6, 8))
y = keras.layers.GlobalAveragePooling2D()(keras.layers.ReLU()(keras.layers.Conv2D(8, 1)(x)))
model = keras.Model(x, keras.layers.Dense(3)(y))
model.compile("sgd", "mse")
assert np.isfinite(model.train_on_batch(np.ones((2, 6, 6, 8), "float32"), np.ones((2, 3), "float32")))
"""


def test_bfloat16_needs_nobody_who_has_told_numpy_of_it() -> None:
    """NumPy knows the name once ml_dtypes is imported; gradients made constants of it before."""
    subprocess.run([sys.executable, "-c", BFLOAT16], check=True)
