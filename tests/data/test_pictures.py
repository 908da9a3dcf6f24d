"""Image files as arrays and back, and data sets in two parts."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest

import striate as keras
from striate import utils

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_png_holds_what_was_saved(channels: int, tmp_path: Any) -> None:
    values = RNG.integers(0, 256, size=(5, 7, channels)).astype("float32")
    path = tmp_path / "picture.png"
    utils.save_img(path, values, scale=False)
    mode = {1: "grayscale", 3: "rgb", 4: "rgba"}[channels]
    again = utils.img_to_array(utils.load_img(path, color_mode=mode))
    assert again.dtype == "float32"
    np.testing.assert_array_equal(again, values)
    first = utils.img_to_array(utils.load_img(str(path), color_mode=mode), data_format="channels_first", dtype="uint8")
    np.testing.assert_array_equal(first, np.moveaxis(values, -1, 0).astype("uint8"))


def test_scaling_uses_the_whole_range() -> None:
    picture = utils.array_to_img(np.array([[[2.0], [3.0], [6.0]]]))
    assert utils.img_to_array(picture, dtype="uint8").ravel().tolist() == [0, 63, 255]
    assert np.asarray(utils.array_to_img(np.full((2, 2, 3), 7.0))).max() == 0
    assert utils.array_to_img(np.full((1, 1, 1), 300.0), scale=False).mode == "I"


def test_a_jpeg_is_not_transparent(tmp_path: Any) -> None:
    with pytest.warns(UserWarning, match="converting to RGB"):
        utils.save_img(tmp_path / "a.jpg", RNG.uniform(size=(8, 8, 4)))
    assert utils.load_img(tmp_path / "a.jpg").mode == "RGB"


def test_another_size() -> None:
    file = io.BytesIO()
    wide = np.zeros((4, 12, 3))
    wide[:, 4:8] = 255.0  # the middle third
    utils.save_img(file, wide, file_format="png", scale=False)
    assert utils.img_to_array(utils.load_img(file, target_size=(2, 6), interpolation="bilinear")).shape == (2, 6, 3)
    cut = utils.img_to_array(utils.load_img(file, target_size=(2, 2), keep_aspect_ratio=True))
    np.testing.assert_array_equal(cut, np.full((2, 2, 3), 255.0))


def test_a_picture_of_too_many_pixels_is_refused(monkeypatch: Any) -> None:
    file = io.BytesIO()
    utils.save_img(file, np.zeros((4, 5, 1)), file_format="png")
    monkeypatch.setattr("striate.data.pictures.MAX_PIXELS", 19)
    with pytest.raises(ValueError, match="5 x 4 pixels; at most 19 are read"):
        utils.load_img(file)


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (lambda: utils.img_to_array(np.zeros(3)), ValueError, "Unsupported image shape: (3,)"),
        (lambda: utils.array_to_img(np.zeros((3, 3))), ValueError, "rank 3 (single image)"),
        (lambda: utils.array_to_img(np.zeros((3, 3, 2))), ValueError, "Unsupported channel number: 2"),
        (lambda: utils.load_img("x.png", color_mode="cmyk"), ValueError, 'must be "grayscale", "rgb", or "rgba"'),
        (lambda: utils.load_img("x.png", interpolation="sinc"), ValueError, "`interpolation` must be"),
        (lambda: utils.load_img("no such file.png"), FileNotFoundError, "no such file"),
        (lambda: utils.load_img(io.BytesIO(b"no image")), ValueError, "no image that can be read"),
    ],
)
def test_refusals(call: Any, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind) as caught:
        call()
    assert text in str(caught.value)


def test_two_parts_hold_every_sample_once() -> None:
    x = np.arange(10.0)
    left, right = utils.split_dataset({"x": x, "y": x * 2}, left_size=0.7, shuffle=True, seed=3)
    assert (len(left), len(right)) == (7, 3)
    seen = [sample["x"] for part in (left, right) for sample in part]
    assert sorted(seen) == x.tolist() and seen != x.tolist()
    assert all(sample["y"] == 2 * sample["x"] for sample in left)
    again, _ = utils.split_dataset({"x": x, "y": x * 2}, left_size=7, shuffle=True, seed=3)
    assert [s["x"] for s in again] == [s["x"] for s in left]


def test_what_is_left_over_belongs_to_none() -> None:
    left, right = utils.split_dataset(range(10), left_size=0.5, right_size=2)
    assert list(left) == [0, 1, 2, 3, 4] and list(right) == [8, 9]


def test_a_model_fits_a_part() -> None:
    x = RNG.normal(size=(20, 3)).astype("float32")
    left, right = utils.split_dataset((x, x.sum(axis=1, keepdims=True)), right_size=0.25)
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    history = model.fit(left.batch(4), validation_data=right.batch(4), epochs=3, verbose=0).history
    assert history["val_loss"][-1] < history["val_loss"][0]
    assert [len(batch[0]) for batch in left.batch(4)] == [4, 4, 4, 3]


@pytest.mark.parametrize(
    ("arguments", "kind", "text"),
    [
        ({"dataset": []}, ValueError, "empty dataset"),
        ({"dataset": [1, 2]}, ValueError, "At least one of the `left_size` or `right_size`"),
        ({"dataset": [1, 2], "left_size": 1.5}, ValueError, "`left_size` must be between 0 and 1"),
        ({"dataset": [1, 2], "right_size": 2}, ValueError, "less than the 2 samples"),
        ({"dataset": [1, 2], "left_size": 0.6, "right_size": 0.9}, ValueError, "is greater than the 2 samples"),
        ({"dataset": [1, 2], "left_size": "1"}, TypeError, "Invalid `left_size`"),
        ({"dataset": 3, "left_size": 1}, TypeError, "The `dataset` argument must be"),
        ({"dataset": (np.zeros(3), np.zeros(4)), "left_size": 1}, ValueError, "as many samples each"),
    ],
)
def test_sizes_that_do_not_fit(arguments: Any, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind) as caught:
        utils.split_dataset(**arguments)
    assert text in str(caught.value)
