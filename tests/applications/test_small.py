"""Networks for small images, counted by hand; shortcuts without weights; squeeze-and-excitation by its formula."""

from __future__ import annotations

import numpy as np
import pytest

import striate
from striate import applications, layers
from striate.applications.resnet_basic import with_zeros
from striate.applications.senet import squeeze_excite
from striate.backend import only_shapes
from tests.support.random_weights import with_random_weights


def windows(*sizes: tuple[int, int, int]) -> int:
    """Weights and biases of convolutions: (window, maps before, maps after) of each."""
    return sum(n * n * before * after + after for n, before, after in sizes)


def test_nin_by_hand() -> None:
    counted = windows(
        (5, 3, 192), (1, 192, 160), (1, 160, 96), (5, 96, 192), (1, 192, 192), (1, 192, 192), (3, 192, 192),
        (1, 192, 192), (1, 192, 10),
    )  # fmt: skip
    with only_shapes():
        assert applications.NiN().count_params() == counted == 966_986


def test_all_cnn_by_hand() -> None:
    counted = windows(
        (3, 3, 96), (3, 96, 96), (3, 96, 96), (3, 96, 192), (3, 192, 192), (3, 192, 192), (3, 192, 192), (1, 192, 192),
        (1, 192, 10),
    )  # fmt: skip
    with only_shapes():
        model = applications.AllCNN()
    assert model.count_params() == counted == 1_369_738
    assert model.get_layer("conv9").output.shape == (None, 6, 6, 10)


@pytest.mark.parametrize(("make", "n", "trained"), [("ResNet20", 3, 269_722), ("ResNet56", 9, 853_018)])
def test_a_resnet_for_small_images_by_hand(make: str, n: int, trained: int) -> None:
    def stage(before: int, maps: int) -> int:
        """2n windows without biases, each with a gamma and a beta for each map."""
        return 9 * before * maps + (2 * n - 1) * 9 * maps * maps + 2 * n * 2 * maps

    counted = 9 * 3 * 16 + 2 * 16 + stage(16, 16) + stage(16, 32) + stage(32, 64) + 64 * 10 + 10
    with only_shapes():
        model = getattr(applications, make)()
    assert sum(w.size for w in model.trainable_weights) == counted == trained
    convolutions = [layer for layer in model.layers if isinstance(layer, layers.Conv2D)]
    assert len(convolutions) + 1 == 6 * n + 2


def test_maps_of_zeros() -> None:
    x = striate.Input((2, 3, 4))
    y = striate.Model(x, with_zeros(x, 6))(np.ones((1, 2, 3, 4), "float32"))
    assert y.shape == (1, 2, 3, 6) and (y[..., :4] == 1).all() and not y[..., 4:].any()


def test_squeeze_and_excitation_by_its_formula() -> None:
    def make() -> striate.Model:
        x = striate.Input((5, 4, 6))
        return striate.Model(x, squeeze_excite(x, ratio=3))

    model = with_random_weights(make)
    x = np.random.default_rng(3).normal(size=(2, 5, 4, 6)).astype("float32")
    w1, b1, w2, b2 = (w.astype("float64") for w in model.get_weights())
    hidden = np.maximum(x.mean(axis=(1, 2)) @ w1 + b1, 0)
    factors = 1 / (1 + np.exp(-(hidden @ w2 + b2)))
    np.testing.assert_allclose(model(x), x * factors[:, None, None, :], rtol=2e-6)
    with pytest.raises(ValueError, match=r"from 1 to the number of maps, 6\. Received: ratio=7"):
        squeeze_excite(striate.Input((5, 4, 6)), ratio=7)
