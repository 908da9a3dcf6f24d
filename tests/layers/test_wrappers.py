"""TimeDistributed and SpectralNormalization: what the conformance rows do not see."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import striate
from striate import layers, ops

RNG = np.random.default_rng(0)


def normal(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype("float32")


def test_steps_are_treated_alone() -> None:
    x = normal(2, 3, 6, 5, 2)
    layer = layers.TimeDistributed(layers.Conv2D(4, 3))
    y = layer(x)
    for step in range(3):
        np.testing.assert_allclose(y[:, step], layer.layer(x[:, step]), rtol=1e-5, atol=1e-6)


def test_statistics_follow_each_step_in_training() -> None:
    x = normal(8, 3, 2)
    layer = layers.TimeDistributed(layers.BatchNormalization(momentum=0.5))
    y = layer(x, training=True)
    mean = np.zeros(2)
    for step in range(3):
        np.testing.assert_allclose(np.asarray(y[:, step]).mean(axis=0), 0, atol=1e-6)
        mean = 0.5 * mean + 0.5 * x[:, step].mean(axis=0)
    np.testing.assert_allclose(layer.layer.moving_mean.numpy(), mean, rtol=1e-4, atol=1e-6)


def test_one_product_runs_for_all_steps() -> None:
    inputs = layers.Input((9, 4))
    model = striate.Model(inputs, layers.TimeDistributed(layers.Dense(3))(inputs))
    assert [row.op for row in striate.explain.plan(model, batch_size=2).rows] == ["dense"]


def test_the_mask_of_each_step_is_given_to_a_layer_that_takes_one() -> None:
    class Kept(striate.Layer):
        def call(self, inputs: Any, mask: Any = None) -> Any:
            return inputs * ops.cast(mask, "float32")[:, None]

    x, mask = normal(2, 3, 4), np.array([[True, False, True], [False, True, True]])
    y = layers.TimeDistributed(Kept())(x, mask=mask)
    np.testing.assert_array_equal(y, x * mask[..., None])
    with pytest.raises(ValueError, match=r"TimeDistributed` layer has a shape.*Give a mask of shape"):
        layers.TimeDistributed(Kept())(x, mask=mask[:, :2])


def test_a_model_goes_through_time_with_open_axes() -> None:
    inside = striate.Sequential([layers.Conv1D(4, 3, padding="same"), layers.GlobalMaxPooling1D()])
    inputs = layers.Input((None, 6, 2))
    model = striate.Model(inputs, layers.TimeDistributed(inside)(inputs))
    assert model.output_shape == (None, None, 4)
    assert model.predict(normal(2, 5, 6, 2), verbose=0).shape == (2, 5, 4)


def test_the_spectral_norm_goes_to_one_and_u_is_kept() -> None:
    layer = layers.SpectralNormalization(layers.Dense(3, use_bias=False))
    x = normal(2, 5)
    layer(x)
    layer.layer.set_weights([normal(5, 3)])
    before = layer.vector_u.numpy()
    np.testing.assert_allclose(layer(x), x @ layer.layer.kernel.numpy(), rtol=1e-5)
    np.testing.assert_array_equal(layer.vector_u.numpy(), before)
    for _ in range(40):
        layer(x, training=True)
    assert abs(np.linalg.norm(layer.layer.kernel.numpy(), 2) - 1) < 1e-4
    assert abs(np.linalg.norm(layer.vector_u.numpy()) - 1) < 1e-5


def test_a_kernel_of_zeros_stays_and_gives_finite_gradients() -> None:
    layer = layers.SpectralNormalization(layers.Dense(3, kernel_initializer="zeros"))
    x = normal(2, 5)
    layer(x)
    _, gradients = striate.value_and_grad(lambda: ops.sum(layer(x, training=True)), layer.trainable_variables)()
    assert all(np.isfinite(g).all() for g in gradients)
    assert not layer.layer.kernel.numpy().any()


@pytest.mark.parametrize(
    "call, text",
    [
        (lambda: layers.TimeDistributed("dense"), "isn't a supported layer type"),
        (lambda: layers.TimeDistributed(layers.Dense(2))(normal(2, 3)), "at least three axes"),
        (lambda: layers.SpectralNormalization(layers.Dense(2), power_iterations=0), "`power_iterations`"),
        (lambda: layers.SpectralNormalization(layers.ReLU())(normal(2, 3)), "no attribute 'kernel'"),
    ],
)
def test_refusals(call: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        call()
