"""Perspectives and scalings: against their equations, and against what they must do to simple pictures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import striate as keras
from striate import ops

RNG = np.random.default_rng(0)
CORNERS = np.array([[0, 0], [0, 7], [7, 0], [7, 7]], "float32")


def test_a_shift_of_the_corners_shifts_the_picture() -> None:
    image = RNG.normal(size=(8, 8, 2)).astype("float32")
    moved = ops.image.perspective_transform(image, CORNERS, CORNERS + np.float32([2, 1]), fill_value=9.0)
    np.testing.assert_allclose(moved[1:, 2:], image[:-1, :-2], atol=1e-4)
    assert (moved[0] == 9).all() and (moved[:, :2] == 9).all()


def test_each_corner_goes_where_it_should() -> None:
    """A pixel of the result at an end point holds what stood at the start point."""
    ys, xs = np.mgrid[0:16, 0:16].astype("float32")
    place = np.stack([xs, ys], axis=-1)  # each pixel holds its own place
    start = np.array([[2, 3], [3, 12], [13, 1], [12, 14]], "float32")
    end = np.array([[4, 1], [1, 10], [14, 5], [9, 13]], "float32")
    seen = ops.image.perspective_transform(place[None], start[None], end[None])[0]
    for (x, y), (u, v) in zip(end.astype(int), start):
        np.testing.assert_allclose(seen[y, x], [u, v], atol=1e-3)
    first = ops.image.perspective_transform(np.moveaxis(place, -1, 0), start, end, data_format="channels_first")
    np.testing.assert_allclose(np.moveaxis(first, 0, -1), seen, atol=1e-5)


@pytest.mark.parametrize("method", ["linear", "cubic", "lanczos3", "lanczos5"])
@pytest.mark.parametrize("size", [(12, 18), (3, 4)])
def test_a_scaling_without_a_move_is_a_resize(method: str, size: Any) -> None:
    image = RNG.normal(size=(6, 9, 2)).astype("float32")
    scale = np.array([size[0] / 6, size[1] / 9])
    got = ops.image.scale_and_translate(image, (*size, 2), scale, [0.0, 0.0], (0, 1), method)
    name = {"linear": "bilinear", "cubic": "bicubic"}.get(method, method)
    np.testing.assert_allclose(got, ops.image.resize(image, size, name, antialias=True), atol=2e-5)


def test_a_move_leaves_zeros_behind() -> None:
    row = np.arange(1.0, 6.0, dtype="float32")[None]
    moved = ops.image.scale_and_translate(row, (1, 5), [1.0], [2.0], [1], "linear")
    assert moved.tolist() == [[0, 0, 1, 2, 3]]
    assert ops.image.scale_and_translate(row.astype("uint8"), (1, 5), [1.0], [2.0], [1], "linear").dtype == "uint8"


def test_shapes_are_inferred() -> None:
    image = keras.Input((8, 8, 3))
    assert ops.image.perspective_transform(image, CORNERS, CORNERS).shape == (None, 8, 8, 3)
    assert ops.image.scale_and_translate(image, (None, 4, 5, 3), [0.5, 0.5], [0, 0], (1, 2), "linear").shape == (
        None, 4, 5, 3,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda x: ops.image.perspective_transform(x[0, 0], CORNERS, CORNERS), "Invalid images rank: expected rank 3"),
        (lambda x: ops.image.perspective_transform(x, CORNERS[:3], CORNERS), "Invalid start_points shape: expected"),
        (lambda x: ops.image.perspective_transform(x, CORNERS, CORNERS[0]), "Invalid end_points shape: expected"),
        (lambda x: ops.image.perspective_transform(x, CORNERS, CORNERS * [1, 0]), "Give four corners"),
        (lambda x: ops.image.perspective_transform(x, np.stack([CORNERS] * 3), CORNERS), "2 images, and points of 3"),
        (lambda x: ops.image.scale_and_translate(x, x.shape, [1], [0], (1,), "sinc"), "argument `method`"),
        (lambda x: ops.image.scale_and_translate(x, (2, 8, 4, 3), [1], [0], (1,), "linear"), "the axes [1] only"),
        (lambda x: ops.image.scale_and_translate(x, x.shape, [1, 1], [0], (1,), "linear"), "Received 2 and 1"),
    ],
)
def test_refusals(call: Any, text: str) -> None:
    with pytest.raises(ValueError) as caught:
        call(np.zeros((2, 8, 8, 3), "float32"))
    assert text in str(caught.value)
