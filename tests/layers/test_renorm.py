"""Batch renormalisation, and LayerNormalization's rms_scaling; compared with real Keras in tests_keras."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import striate as keras
from striate import layers, ops
from striate.saving import deserialize_keras_object, serialize_keras_object

X = np.random.default_rng(4).normal(2.0, 3.0, size=(6, 5, 4)).astype("float32")
NAMES = ["gamma", "beta", "moving_mean", "moving_variance", "moving_stddev", "renorm_mean", "renorm_stddev"]


def test_weights_are_keras_s_in_its_order() -> None:
    layer = layers.BatchNormalization(renorm=True, moving_variance_initializer=keras.initializers.Constant(4.0))
    layer.build((None, 5, 4))
    assert [w.name for w in layer.weights] == NAMES and len(layer.trainable_weights) == 2
    assert layer.moving_stddev.numpy().tolist() == layer.renorm_stddev.numpy().tolist() == [2.0] * 4


def test_with_statistics_that_are_the_batch_s_it_is_batch_normalization() -> None:
    plain, renormed = layers.BatchNormalization(), layers.BatchNormalization(renorm=True)
    renormed.build(X.shape)
    renormed.renorm_mean.assign(X.mean(axis=(0, 1)))
    renormed.renorm_stddev.assign(np.sqrt(X.var(axis=(0, 1)) + 1e-3))
    np.testing.assert_allclose(renormed(X, training=True), plain(X, training=True), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(renormed.moving_mean.numpy(), plain.moving_mean.numpy(), rtol=1e-6)


def test_without_bounds_it_normalises_by_the_slow_statistics() -> None:
    """Batch mean and deviation cancel: ((x - m) / s * s / S + (m - M) / S) = (x - M) / S."""
    layer = layers.BatchNormalization(renorm=True)
    layer.build(X.shape)
    layer.renorm_mean.assign([1.0, 2.0, 3.0, 4.0])
    layer.renorm_stddev.assign([1.0, 2.0, 3.0, 4.0])
    layer.beta.assign([0.0, 0.5, 1.0, 1.5])
    slow = np.arange(1, 5)
    np.testing.assert_allclose(layer(X, training=True), (X - slow) / slow + np.arange(4) * 0.5, rtol=1e-4, atol=1e-5)


def test_bounds() -> None:
    """r = 1 and d = 0 is batch normalization, whatever the slow statistics are."""
    layer = layers.BatchNormalization(renorm=True, renorm_clipping={"rmin": 1.0, "rmax": 1.0, "dmax": 0.0})
    layer.build(X.shape)
    layer.renorm_mean.assign([9.0] * 4)
    plain = layers.BatchNormalization()
    np.testing.assert_allclose(layer(X, training=True), plain(X, training=True), rtol=1e-5, atol=1e-6)


def test_slow_deviations_of_nothing_are_epsilon_s() -> None:
    layer = layers.BatchNormalization(renorm=True, moving_variance_initializer="zeros", epsilon=0.25)
    y = layer(X, training=True)
    np.testing.assert_allclose(y, X / 0.5, rtol=1e-4, atol=1e-4)


def test_a_constant_channel_has_no_negative_variance() -> None:
    layer = layers.BatchNormalization(renorm=True, moving_variance_initializer="zeros", momentum=0.0)
    layer(np.full((8, 2), 3.0, "float32"), training=True)
    assert (layer.moving_variance.numpy() >= 0).all() and layer.moving_variance.numpy().max() < 1e-9


def test_no_gradient_flows_through_the_corrections() -> None:
    """dy/dx is that of plain normalization, times r."""
    renormed, plain = layers.BatchNormalization(renorm=True), layers.BatchNormalization()
    x = keras.Variable(X)
    gradients = []
    for layer in (plain, renormed):
        layer.build(X.shape)
        _, (g,) = keras.value_and_grad(lambda of=layer: ops.sum(of(x, training=True) ** 3), [x])()
        gradients.append(g)
    assert np.isfinite(gradients[1]).all() and not np.allclose(*gradients)

    def summed(layer: Any) -> Any:
        return ops.sum(layer(x, training=True) * np.cos(np.arange(X.size, dtype="float32")).reshape(X.shape))

    fresh = [layers.BatchNormalization(), layers.BatchNormalization(renorm=True)]
    (_, (one,)), (_, (two,)) = [keras.value_and_grad(lambda of=layer: summed(of), [x])() for layer in fresh]
    r = np.sqrt(X.var(axis=(0, 1)) + 1e-3)  # renorm_stddev is 1
    np.testing.assert_allclose(two, one * r, rtol=1e-4, atol=1e-5)


def test_inference_and_frozen_layers_use_the_moving_statistics() -> None:
    layer = layers.BatchNormalization(renorm=True)
    np.testing.assert_allclose(layer(X), layers.BatchNormalization()(X), rtol=1e-6)
    layer.trainable = False
    np.testing.assert_array_equal(layer(X, training=True), layer(X))


def test_config_and_file(tmp_path: Any) -> None:
    bounds = {"rmax": 3.0, "rmin": 0.3, "dmax": 5.0}
    layer = layers.BatchNormalization(renorm=True, renorm_clipping=bounds, renorm_momentum=0.95)
    assert deserialize_keras_object(serialize_keras_object(layer)).get_config() == layer.get_config()
    assert layer.get_config()["renorm_clipping"] == bounds
    model = keras.Sequential([keras.Input((5, 4)), layer])
    model.compile("sgd", "mse")
    model.fit(X, X, verbose=0)
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    for a, b in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"random_key": 1.0}, "Received invalid keys.*random_key.*rmax"),
        ({"rmax": 0.0, "rmin": 1.0}, "rmax should be at least rmin.*rmax=0.0, rmin=1.0"),
        ({"dmax": -1.0}, "dmax should be non-negative.*-1.0"),
        (3.0, "must be a dictionary.*3.0"),
    ],
)
def test_bounds_refused(given: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        layers.BatchNormalization(renorm=True, renorm_clipping=given)


def test_rms_scaling_divides_by_the_deviation_and_says_that_it_is_old() -> None:
    with pytest.warns(UserWarning, match="rms_scaling=True`, which is deprecated"):
        layer = layers.LayerNormalization(rms_scaling=True, epsilon=0.0)
    x = np.array([[1.0, 3.0, 8.0]], "float32")
    np.testing.assert_allclose(layer(x), x / x.std(), rtol=1e-6)
    assert [w.name for w in layer.weights] == ["gamma"] and layer.get_config()["rms_scaling"] is True
    with pytest.warns(UserWarning, match="ops.rms_normalization"):
        y = ops.layer_normalization(x, np.full(3, 2.0, "float32"), epsilon=0.0, rms_scaling=True)
    np.testing.assert_allclose(y, 2 * x / x.std(), rtol=1e-6)


def test_layer_normalization_of_several_axes() -> None:
    gamma = np.arange(20, dtype="float32").reshape(5, 4)
    plain = ops.layer_normalization(X, axis=(1, 2), epsilon=1e-3)
    for given in (gamma, gamma[None]):  # of the axes' lengths, or of the input's rank
        np.testing.assert_allclose(
            ops.layer_normalization(X, given, axis=[2, 1], epsilon=1e-3), plain * gamma, rtol=1e-5, atol=1e-6
        )
    with pytest.raises(ValueError, match=r"\(5, 4\).*Received: a shape of \(4, 5\)"):
        ops.layer_normalization(X, gamma.T, axis=(1, 2))
    with pytest.raises(TypeError, match="sigma"):
        ops.layer_normalization(X, sigma=1)
