"""elastic_transform: what moves, how far, and what stays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import striate as keras
from striate import ops
from striate.backend import KerasTensor

transform = ops.image.elastic_transform
#: A ramp across and a ramp down: what a pixel shows is where it was read.
ROWS, COLUMNS = np.mgrid[:60, :80].astype("float32")
RAMPS = np.stack([ROWS, COLUMNS], axis=-1)


def displacement(**options: Any) -> np.ndarray:
    moved = (
        np.asarray(transform(RAMPS[None].repeat(8, axis=0), **{"fill_mode": "nearest", "seed": 3, **options})) - RAMPS
    )
    return moved[:, 20:-20, 20:-20]  # where no edge is near


def test_displacements_are_as_far_and_as_smooth_as_said() -> None:
    for alpha, sigma in ((10.0, 2.0), (20.0, 4.0)):
        moved = displacement(alpha=alpha, sigma=sigma)
        # A field of variance sigma**2 under a bell has the variance sigma**2 / (4 pi sigma**2).
        assert moved.std() == pytest.approx(alpha / np.sqrt(4 * np.pi), rel=0.15)
        # ... and, between neighbours, the correlation exp(-1 / (4 sigma**2)).
        step = np.diff(moved, axis=1)
        assert (step**2).mean() == pytest.approx(2 * moved.var() * (1 - np.exp(-1 / (4 * sigma**2))), rel=0.15)


def test_both_axes_and_every_image_have_their_own() -> None:
    moved = displacement()
    assert abs(np.corrcoef(moved[..., 0].ravel(), moved[..., 1].ravel())[0, 1]) < 0.35
    assert np.abs(moved[0] - moved[1]).mean() > 1


def test_a_seed_says_it_all_and_channels_move_together() -> None:
    image = np.random.default_rng(0).uniform(size=(12, 16, 3)).astype("float32")
    first = transform(image, alpha=5.0, sigma=1.5, seed=7)
    np.testing.assert_array_equal(first, transform(image, alpha=5.0, sigma=1.5, seed=7))
    assert not np.array_equal(first, transform(image, alpha=5.0, sigma=1.5, seed=8))
    channels_first = transform(image.transpose(2, 0, 1), alpha=5.0, sigma=1.5, seed=7, data_format="channels_first")
    np.testing.assert_array_equal(np.asarray(channels_first).transpose(1, 2, 0), first)
    np.testing.assert_array_equal(transform(image[..., :1], alpha=5.0, sigma=1.5, seed=7), np.asarray(first)[..., :1])


def test_bytes_stay_bytes_and_modes_are_those_of_other_transforms() -> None:
    image = np.full((9, 9, 1), 200, "uint8")
    assert transform(image, seed=1).dtype == np.uint8 and (np.asarray(transform(image, seed=1)) == 200).all()
    edge = np.asarray(transform(image, alpha=60.0, fill_mode="constant", fill_value=7, interpolation="nearest", seed=1))
    assert set(np.unique(edge)) == {7, 200}


def test_in_a_model_and_in_a_program() -> None:
    assert transform(KerasTensor((None, 20, 20, 3))).shape == (None, 20, 20, 3)
    made = keras.function(lambda x: transform(x, seed=5))(RAMPS)
    np.testing.assert_allclose(made, transform(RAMPS, seed=5), rtol=1e-6, atol=1e-4)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"sigma": 0}, "above 0.*sigma=0"),
        ({"images": np.zeros((4, 4), "float32")}, "Invalid images rank: expected rank 3"),
        ({"fill_mode": "edge"}, "fill_mode"),
        ({"interpolation": "bicubic"}, "interpolation"),
    ],
)
def test_refused(given: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        transform(**{"images": RAMPS, **given})
