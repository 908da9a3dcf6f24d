"""Arrays as pictures, and what the layers of a model see."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

import striate
from striate.core.errors import ArgumentError, ShapeError, StateError
from striate.explain import images
from striate.explain.images import data_uri, png, stretch, stretch_map, stretch_signed, tile


def opened(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)))


def test_stretching():
    np.testing.assert_array_equal(stretch(np.float32([2, 3, 4])), np.float32([0, 0.5, 1]))
    np.testing.assert_array_equal(stretch(np.float32([7, 7])), np.float32([0.5, 0.5]))
    np.testing.assert_array_equal(stretch_signed(np.float32([-1, 0, 2])), np.float32([0.25, 0.5, 1]))
    np.testing.assert_array_equal(stretch_signed(np.zeros(2, "float32")), np.float32([0.5, 0.5]))
    np.testing.assert_array_equal(stretch_map(np.float32([1, 2])), np.float32([0.5, 1]))
    np.testing.assert_array_equal(stretch_map(np.float32([-1, 1])), np.float32([0, 1]))
    np.testing.assert_array_equal(stretch_map(np.zeros(3, "float32")), np.zeros(3, "float32"))
    top = np.finfo("float32").max
    assert np.isfinite(stretch(np.float32([-top, top]))).all()


def test_tiles_stand_side_by_side():
    one, two, three = (np.full((2, 3), v, "float32") for v in (0.1, 0.2, 0.3))
    sheet = tile(np.stack([one, two, three]), columns=2, gap=1, scale=2)
    assert sheet.shape == (4 + 1 + 4, 6 + 1 + 6)
    np.testing.assert_array_equal(sheet[:4, :6], np.float32(0.1))
    np.testing.assert_array_equal(sheet[:4, 7:], np.float32(0.2))
    np.testing.assert_array_equal(sheet[5:, :6], np.float32(0.3))
    assert np.isnan(sheet[4]).all() and np.isnan(sheet[:, 6]).all() and np.isnan(sheet[5:, 7:]).all()
    assert tile(np.zeros((3, 4, 4, 3)), columns=9).shape == (4, 3 * 4 + 2, 3)
    assert tile(np.zeros((4, 2, 2)), background=1.0)[2, 2] == 1
    with pytest.raises(ShapeError, match=r"tile\(\) takes images .* Received an array of shape \(4, 4\)"):
        tile(np.zeros((4, 4)))


def test_png_is_the_picture():
    grey = np.random.default_rng(0).random((5, 7), "float32")
    np.testing.assert_array_equal(opened(png(grey)), np.floor(grey * 255 + 0.5).astype("uint8"))
    np.testing.assert_array_equal(opened(png(grey[..., None])), opened(png(grey)))
    colour = np.random.default_rng(0).integers(0, 256, (5, 7, 3), "uint8")
    np.testing.assert_array_equal(opened(png(colour)), colour)
    assert base64.b64decode(data_uri(colour).removeprefix("data:image/png;base64,")) == png(colour)
    np.testing.assert_array_equal(opened(png(np.float32([[-1, 2]]))), [[0, 255]])


def test_gaps_are_see_through():
    sheet = opened(png(tile(np.ones((2, 2, 2), "float32"))))
    assert sheet.shape == (2, 5, 2)
    np.testing.assert_array_equal(sheet[..., 1], [[255, 255, 0, 255, 255]] * 2)
    assert opened(png(tile(np.ones((2, 2, 2, 3), "float32")))).shape == (2, 5, 4)


def test_filters_as_images():
    kernel = np.zeros((3, 3, 1, 2), "float32")
    kernel[:, 1, 0, 0] = 4
    kernel[1, :, 0, 1] = -4
    vertical, horizontal = striate.explain.filter_images(kernel)
    np.testing.assert_array_equal(vertical, [[0.5, 1, 0.5]] * 3)
    np.testing.assert_array_equal(horizontal, [[0.5] * 3, [0] * 3, [0.5] * 3])
    assert striate.explain.filter_images(np.ones((3, 3, 3, 5))).shape == (5, 3, 3, 3)
    assert striate.explain.filter_images(np.ones((3, 3, 8, 5))).shape == (5, 3, 3)
    with pytest.raises(ShapeError, match="4 axes"):
        striate.explain.filter_images(np.ones((3, 3)))
    assert images.filter_images is striate.explain.filter_images


@pytest.fixture
def model():
    striate.utils.set_random_seed(1)
    return striate.Sequential(
        [
            striate.Input((8, 8, 1)),
            striate.layers.Conv2D(3, 3, activation="relu", name="conv"),
            striate.layers.MaxPooling2D(2, name="pool"),
            striate.layers.Flatten(name="flat"),
            striate.layers.Dense(2, name="dense"),
        ]
    )


def test_feature_maps_are_the_layers_outputs(model):
    image = np.random.default_rng(0).random((8, 8, 1), "float32")
    maps = striate.explain.feature_maps(model, image)
    assert {name: m.shape for name, m in maps.items()} == {"conv": (6, 6, 3), "pool": (3, 3, 3)}
    conv = np.asarray(model.get_layer("conv")(image[None]))
    np.testing.assert_allclose(maps["conv"], conv[0], rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(maps["pool"], np.asarray(model.get_layer("pool")(maps["conv"][None]))[0])
    assert list(striate.explain.feature_maps(model, image, ["pool"])) == ["pool"]


def test_feature_maps_of_a_functional_model():
    inputs = striate.Input((6, 6, 2))
    a = striate.layers.Conv2D(2, 3, padding="same", name="a")(inputs)
    outputs = striate.layers.GlobalAveragePooling2D()(striate.layers.Add(name="sum")([a, inputs]))
    image = np.ones((6, 6, 2), "float32")
    maps = striate.explain.feature_maps(striate.Model(inputs, outputs), image)
    assert list(maps) == ["a", "sum"]
    np.testing.assert_allclose(maps["sum"], maps["a"] + image, rtol=1e-6)


def test_feature_maps_that_cannot_be(model):
    with pytest.raises(
        ShapeError, match=r"takes one image of shape \(8, 8, 1\). Received an array of shape \(1, 8, 8, 1\)"
    ):
        striate.explain.feature_maps(model, np.zeros((1, 8, 8, 1)))
    with pytest.raises(ShapeError, match=r"Received an array of shape \(8, 9, 1\)"):
        striate.explain.feature_maps(model, np.zeros((8, 9, 1)))
    with pytest.raises(ArgumentError, match="the output of dense has no rows, columns and maps"):
        striate.explain.feature_maps(model, np.zeros((8, 8, 1)), ["conv", "dense"])
    with pytest.raises(StateError, match="that is built"):
        striate.explain.feature_maps(striate.Sequential([striate.layers.Conv2D(2, 3)]), np.zeros((8, 8, 1)))
    flat = striate.Sequential([striate.Input((3,)), striate.layers.Dense(2)])
    assert striate.explain.feature_maps(flat, np.zeros(3)) == {}
