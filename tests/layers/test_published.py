"""The layers of LeNet-5 and AlexNet: what they compute, against plain NumPy, and their gradients, against slopes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from striate import backend, layers, ops

EPS = np.finfo("float32").eps
TABLE = [[0], [1, 3], [2, 0, 3], [0, 1, 2, 3]]

rng = np.random.default_rng(5)
IMAGES = rng.normal(size=(2, 6, 5, 4)).astype("float32")


def _with_weights(layer: Any, shape: Any) -> Any:
    layer.build(shape)
    layer.set_weights([rng.uniform(-1, 1, w.shape).astype(w.dtype) for w in layer.weights])
    return layer


# ---- against NumPy, in float64


@pytest.mark.parametrize("beta", [0.75, 0.5, 1.0])
@pytest.mark.parametrize("n", [1, 3, 5, 9, 99])
def test_local_response_normalization_is_the_paper_s_formula(n: int, beta: float) -> None:
    x = rng.normal(size=(2, 3, 4, 7)).astype("float32") * 30
    k, alpha = 2.0, 1e-2
    expected = np.empty(x.shape)
    for c in range(7):
        near = x[..., max(0, c - n // 2) : min(6, c + n // 2) + 1].astype("float64")
        expected[..., c] = x[..., c] / (k + alpha * (near**2).sum(-1)) ** beta
    got = layers.LocalResponseNormalization(n, alpha, beta, k)(x)
    # A square and at most 7 sums are rounded, twice the base, each weighed by beta; the power's own few; a product.
    assert (np.abs(got - expected) <= 16 * EPS * np.abs(expected)).all()


def test_local_response_normalization_is_1_over_k_to_the_beta_where_all_is_quiet() -> None:
    x = np.full((1, 1, 1, 3), 1e-6, "float32")
    np.testing.assert_allclose(layers.LocalResponseNormalization()(x), x / 2**0.75, rtol=1e-6)


def test_subsampling_sums_each_window() -> None:
    layer = _with_weights(layers.Subsampling2D((3, 2), "scaled_tanh"), IMAGES.shape)
    a, b = (w.astype("float64") for w in layer.get_weights())
    sums = IMAGES[:, :6, :4].astype("float64").reshape(2, 2, 3, 2, 2, 4).sum((2, 4))
    np.testing.assert_allclose(layer(IMAGES), 1.7159 * np.tanh(2 / 3 * (a * sums + b)), rtol=0, atol=40 * EPS)


def test_table_convolution_is_a_convolution_that_misses_connections() -> None:
    layer = _with_weights(layers.TableConv2D(TABLE, 3, padding="same"), IMAGES.shape)
    kernel, bias = layer.get_weights()
    full = np.zeros((3, 3, 4, 4), "float32")
    place = 0
    for k, seen in enumerate(TABLE):
        for c in seen:
            full[:, :, c, k] = kernel[..., place]
            place += 1
    assert place == kernel.shape[-1] == 10
    np.testing.assert_array_equal(np.asarray(layer.full_kernel()), full)
    plain = layers.Conv2D(4, 3, padding="same")
    plain.build(IMAGES.shape)
    plain.set_weights([full, bias])
    np.testing.assert_array_equal(layer(IMAGES), plain(IMAGES))


def test_a_map_that_is_not_seen_changes_nothing() -> None:
    layer = _with_weights(layers.TableConv2D(TABLE, 3), IMAGES.shape)
    moved = IMAGES.copy()
    moved[..., 1] += 1
    changed = np.any(layer(IMAGES) != layer(moved), axis=(0, 1, 2))
    assert changed.tolist() == [1 in seen for seen in TABLE]


def test_rbf_is_the_squared_distance_also_close_to_a_center() -> None:
    layer = _with_weights(layers.EuclideanRBF(3), (None, 4))
    centers = layer.get_weights()[0].astype("float64")
    x = (centers.T[[1, 0]] + 1e-4 * rng.normal(size=(2, 4))).astype("float32")
    expected = ((x.astype("float64")[:, :, None] - centers) ** 2).sum(1)
    # Each difference is rounded once, relative to itself; so are its square and three sums.
    assert (np.abs(layer(x) - expected) <= 8 * EPS * expected).all()


# ---- gradients, in float64


@pytest.mark.parametrize(
    "layer",
    [
        layers.Subsampling2D(2, "scaled_tanh", dtype="float64"),
        layers.TableConv2D(TABLE, (3, 2), strides=2, padding="same", activation="tanh", dtype="float64"),
        layers.EuclideanRBF(3, dtype="float64"),
        layers.LocalResponseNormalization(3, 0.5, 0.75, 1.0, dtype="float64"),
        layers.LocalResponseNormalization(4, 0.5, 1.25, 2.0, dtype="float64"),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_gradient_is_the_slope(layer: Any) -> None:
    x = backend.Variable(rng.normal(size=(2, 4, 3, 4)), dtype="float64")
    _with_weights(layer, x.shape)
    y = layer(x.numpy())
    tilt = rng.normal(size=y.shape)
    variables = [x, *layer.trainable_variables]

    def loss() -> Any:
        return ops.sum(layer(x) * tilt)

    _, gradients = backend.value_and_grad(loss, variables)()
    step = 1e-5  # the error is about step^2 f'''/6 + 1e-16 |L| / step: 1e-10 for values near 1
    for variable, gradient in zip(variables, gradients, strict=True):
        value, slope = variable.numpy(), np.empty(variable.shape)
        for place in np.ndindex(*variable.shape):
            ends = []
            for sign in (1, -1):
                moved = value.copy()
                moved[place] += sign * step
                variable.assign(moved)
                ends.append(float(loss()))
            slope[place] = (ends[0] - ends[1]) / (2 * step)
        variable.assign(value)
        np.testing.assert_allclose(gradient, slope, rtol=0, atol=1e-8 * (1 + np.abs(slope).max()))


# ---- mistakes


@pytest.mark.parametrize(
    "call, text",
    [
        (lambda: layers.TableConv2D([], 3), "at least one input map"),
        (lambda: layers.TableConv2D([[0], []], 3), "at least one input map"),
        (lambda: layers.TableConv2D([[0, -1]], 3), "counted from 0"),
        (lambda: layers.TableConv2D([[0], [1, 2, 1]], 3), r"connections\[1\]=\[1, 2, 1\]"),
        (lambda: layers.TableConv2D([[4]], 3)(IMAGES), "names the input map 4 .* but the input has 4"),
        (lambda: layers.EuclideanRBF(0), "`units`"),
        (lambda: layers.EuclideanRBF(3).build((None, None)), "known length"),
        (lambda: layers.Subsampling2D(2).build((None, 4, 4, None)), "number must be known"),
        (lambda: layers.Subsampling2D(9)(IMAGES), "window of 9 pixels"),
    ],
)
def test_mistakes_are_named(call: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        call()
