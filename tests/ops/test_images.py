"""Images read between their pixels, against NumPy's padding; colours, against the standard library's colorsys."""

from __future__ import annotations

import colorsys
import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import striate
from striate import ops
from striate.core.errors import ArgumentError, ShapeError
from striate.ops import sampling

Array = np.ndarray[Any, Any]

#: what NumPy calls the modes
PADS = {"constant": "constant", "nearest": "edge", "reflect": "symmetric", "mirror": "reflect", "wrap": "wrap"}
AROUND = 40


def read(image: Array, rows: Array, columns: Array, order: int, mode: str, fill: float) -> Array:
    """An image (height, width, channels) at places, in float64: pixels picked from the image with a wide margin."""
    more = {"constant_values": fill} if mode == "constant" else {}
    margin = ((AROUND, AROUND), (AROUND, AROUND), (0, 0))
    wide = np.pad(image.astype("float64"), margin, mode=PADS[mode], **more)  # type: ignore[call-overload]
    if order == 0:
        near = [(np.sign(p) * np.floor(np.abs(p) + 0.5)).astype(int) + AROUND for p in (rows, columns)]
        return np.asarray(wide[near[0], near[1]])
    low = [np.floor(p).astype(int) + AROUND for p in (rows, columns)]
    f, g = (np.asarray(p - np.floor(p))[..., None] for p in (rows, columns))
    top = wide[low[0], low[1]] * (1 - g) + wide[low[0], low[1] + 1] * g
    bottom = wide[low[0] + 1, low[1]] * (1 - g) + wide[low[0] + 1, low[1] + 1] * g
    return np.asarray(top * (1 - f) + bottom * f)


@pytest.mark.parametrize("mode", sampling.FILL_MODES)
@given(data=st.data())
def test_transformed_pixels_come_from_where_they_should(mode: str, data: st.DataObject) -> None:
    height, width, channels = (data.draw(st.integers(1, n)) for n in (7, 9, 4))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**16)))
    images = rng.uniform(-1, 1, (2, height, width, channels)).astype("float32")
    transform = (rng.uniform(-1, 1, (2, 8)) * [1, 1, 4, 1, 1, 4, 0, 0]).astype("float32")
    fill = 0.25
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    for order, interpolation in enumerate(("nearest", "bilinear")):
        got = ops.image.affine_transform(images, transform, interpolation, mode, fill)
        for i, t in enumerate(transform.astype("float64")):
            columns, rows = t[0] * x + t[1] * y + t[2], t[3] * x + t[4] * y + t[5]
            want = read(images[i], rows, columns, order, mode, fill)
            # Places are made in float32, of terms below 32: 8 roundings of them; pixels differ by at most 2.
            error = 8 * 32 * 2.0**-24
            halves = [np.abs(np.abs(p) % 1 - 0.5) for p in (rows, columns)]
            sure = np.ones(rows.shape, bool) if order else np.minimum(*halves) > error
            np.testing.assert_allclose(got[i][sure], want[sure], rtol=0, atol=4 * error if order else 0)
    np.testing.assert_array_equal(
        ops.image.affine_transform(np.moveaxis(images, -1, 1), transform, fill_mode=mode, data_format="channels_first"),
        np.moveaxis(ops.image.affine_transform(images, transform, fill_mode=mode), -1, 1),
    )


def test_transforms_of_one_image_and_of_integers() -> None:
    image = np.arange(12, dtype="float32").reshape(3, 4, 1)
    same = np.array([1, 0, 0, 0, 1, 0, 0, 0], "float32")
    np.testing.assert_array_equal(ops.image.affine_transform(image, same), image)
    batch = np.stack([image, 2 * image])
    half = np.array([1, 0, 0.5, 0, 1, 0, 0, 0], "float32")
    one, both = ops.image.affine_transform(image, half), ops.image.affine_transform(batch, half)
    assert one[..., 0].tolist() == [[0.5, 1.5, 2.5, 1.5], [4.5, 5.5, 6.5, 3.5], [8.5, 9.5, 10.5, 5.5]]
    np.testing.assert_array_equal(both, [one, 2 * one])
    # Integers are rounded, halves away from 0, and stay what they are; so do float16 and float64.
    assert ops.image.affine_transform(image.astype("uint8"), half)[0, :, 0].tolist() == [1, 2, 3, 2]
    for dtype in ("uint8", "int32", "float16", "float64"):
        assert ops.image.affine_transform(image.astype(dtype), half).dtype == dtype
    precise = np.full((1, 2, 1), 1 + 2.0**-40)
    assert ops.image.affine_transform(precise, same)[0, 0, 0] == 1 + 2.0**-40


def test_a_projection_divides() -> None:
    image = np.arange(8, dtype="float32").reshape(1, 8, 1)
    # x -> 2x / (x / 4 + 1): 0, 1.6, 2.67, 3.43, 4, 4.44, 4.8, 5.09
    squeezed = np.array([2, 0, 0, 0, 1, 0, 0.25, 0], "float32")
    x = np.arange(8)
    np.testing.assert_allclose(ops.image.affine_transform(image, squeezed).ravel(), 2 * x / (x / 4 + 1), rtol=1e-6)


def test_a_place_that_is_no_number_reads_nothing_from_elsewhere() -> None:
    images = np.ones((2, 3, 3, 1), "float32")
    lost = np.full(8, np.nan, "float32")
    for mode in sampling.FILL_MODES:
        got = ops.image.affine_transform(images, lost, "bilinear", mode)
        assert got.shape == images.shape and np.isnan(got).all()


def test_gradients_reach_images_and_transforms() -> None:
    rng = np.random.default_rng(3)
    # Slopes of brightness, which are read at places inside: the loss is linear in images and transforms.
    y, x = np.mgrid[:5, :6]
    slopes = rng.normal(size=(2, 1, 1, 2)) * x[..., None] + rng.normal(size=(2, 1, 1, 2)) * y[..., None]
    images = striate.Variable(slopes.astype("float32"))
    turn = np.array([0.6, 0.2, 0.3, 0.1, 0.5, 0.4, 0, 0], "float32")
    transform = striate.Variable(np.stack([turn, turn * 1.1]))
    tilt = rng.normal(size=(2, 5, 6, 2)).astype("float32")

    def loss(x: Any, t: Any) -> Any:
        return ops.sum(ops.image.affine_transform(x, t, fill_mode="reflect") * tilt)

    _, (for_images, for_transform) = striate.value_and_grad(lambda: loss(images, transform), [images, transform])()
    for variable, gradient in ((images, for_images), (transform, for_transform)):
        value = variable.numpy()
        for place in [(0,) * value.ndim, (1, 4) + (1,) * (value.ndim - 2)]:
            step = np.zeros_like(value)
            step[place] = 2.0**-7
            others = [v.numpy() for v in (images, transform)]
            up, down = others.copy(), others.copy()
            at = 0 if variable is images else 1
            up[at], down[at] = value + step, value - step
            slope = (float(loss(*up)) - float(loss(*down))) / 2.0**-6
            np.testing.assert_allclose(gradient[place], slope, rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize("mode", sampling.FILL_MODES)
def test_coordinates_of_any_rank(mode: str) -> None:
    rng = np.random.default_rng(5)
    line = rng.uniform(size=7).astype("float32")
    places = rng.uniform(-20, 25, (1, 50)).astype("float32")
    want = read(line[None, :, None], np.zeros(50), places[0].astype("float64"), 1, mode, 0.0)[..., 0]
    if mode == "constant":  # read() has a second row of the fill value, which weighs nothing
        assert (want == 0).sum() > 20
    got = ops.image.map_coordinates(line, places, order=1, fill_mode=mode)
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-5)
    volume = rng.uniform(size=(3, 4, 5, 2)).astype("float32")
    whole = np.stack(np.meshgrid(*(np.arange(n) for n in volume.shape), indexing="ij")).astype("float32")
    np.testing.assert_array_equal(ops.image.map_coordinates(volume, whole, order=0, fill_mode=mode), volume)
    np.testing.assert_array_equal(ops.image.map_coordinates(volume, whole, order=1, fill_mode=mode), volume)


def test_colours_are_those_of_colorsys() -> None:
    rng = np.random.default_rng(1)
    few = rng.choice([0.0, 0.25, 1.0], (40, 3))  # with equal channels, greys, black and white
    rgb = np.concatenate([rng.uniform(size=(60, 3)), few]).astype("float32").reshape(10, 10, 3)
    want = [[colorsys.rgb_to_hsv(*map(float, p)) for p in row] for row in rgb]
    hsv = ops.image.rgb_to_hsv(rgb)
    np.testing.assert_allclose(hsv, want, rtol=0, atol=1e-6)
    np.testing.assert_allclose(ops.image.hsv_to_rgb(hsv), rgb, rtol=0, atol=1e-6)
    # Hue goes round; value may lie in any range.
    np.testing.assert_allclose(ops.image.hsv_to_rgb(hsv + np.array([1, 0, 0], "float32")), rgb, rtol=0, atol=2e-6)
    np.testing.assert_allclose(ops.image.hsv_to_rgb(ops.image.rgb_to_hsv(255 * rgb)), 255 * rgb, rtol=0, atol=3e-4)
    first = np.moveaxis(rgb, -1, 0)
    np.testing.assert_array_equal(ops.image.rgb_to_hsv(first, data_format="channels_first"), np.moveaxis(hsv, -1, 0))
    grey = ops.image.rgb_to_grayscale(rgb)
    np.testing.assert_allclose(grey, rgb @ np.array([[0.2989], [0.587], [0.114]], "float32"), rtol=0, atol=1e-6)
    np.testing.assert_array_equal(ops.image.rgb_to_grayscale(grey), grey)
    bytes_ = (255 * rgb).astype("uint8")
    assert ops.image.rgb_to_grayscale(bytes_).dtype == "uint8"


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_colours_keep_their_dtype(dtype: str) -> None:
    image = ops.cast(np.random.default_rng(0).uniform(size=(4, 4, 3)).astype("float32"), dtype)
    for function in (ops.image.rgb_to_hsv, ops.image.hsv_to_rgb, ops.image.rgb_to_grayscale):
        assert function(image).dtype.name == dtype


def test_gradients_of_colours_are_finite_at_black_and_grey() -> None:
    image = striate.Variable(np.array([[[0, 0, 0], [0.5, 0.5, 0.5], [0.1, 0.4, 0.9]]], "float32"))
    _, (slope,) = striate.value_and_grad(lambda: ops.sum(ops.image.rgb_to_hsv(image)), [image])()
    assert np.isfinite(slope).all() and (slope[0, 2] != 0).any()


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda x: ops.image.rgb_to_hsv(x[0, 0]), ShapeError, "Invalid images rank: expected rank 3"),
        (
            lambda x: ops.image.rgb_to_hsv(x[..., :2]),
            ShapeError,
            "must have 3 channels, but received images with 2 channels",
        ),
        (lambda x: ops.image.hsv_to_rgb(x.astype("uint8")), ArgumentError, "expected float dtype.*uint8.*ops.cast"),
        (lambda x: ops.image.rgb_to_grayscale(x[..., :2]), ShapeError, "expected 3 .RGB. or 1"),
        (lambda x: ops.image.affine_transform(x, np.zeros(6)), ShapeError, r"8 numbers.*\(6,\)"),
        (lambda x: ops.image.affine_transform(x, np.zeros((5, 8))), ShapeError, r"\(5, 8\).*for each image"),
        (lambda x: ops.image.affine_transform(x[0, 0], np.zeros(8)), ShapeError, "Invalid images rank"),
        (lambda x: ops.image.affine_transform(x, np.zeros(8), "cubic"), ArgumentError, "`interpolation` must be"),
        (lambda x: ops.image.affine_transform(x, np.zeros(8), fill_mode="edge"), ArgumentError, "`fill_mode` must be"),
        (lambda x: ops.image.map_coordinates(x, np.zeros((3, 2)), 1), ShapeError, "the same as the rank of `inputs`"),
        (lambda x: ops.image.map_coordinates(x, np.zeros((4, 2)), 3), ArgumentError, "`order` must be 0"),
    ],
)
def test_refusals_say_what_to_do(call: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=f"(?s){text}"):
        call(np.ones((2, 4, 4, 3), "float32"))


# Cutting, filtering, comparing ---------------------------------------------------------------------------------------


def test_edges_are_given_by_two_of_three() -> None:
    x = np.arange(2 * 4 * 5 * 3, dtype="float32").reshape(2, 4, 5, 3)
    want = np.pad(x, ((0, 0), (1, 2), (0, 3), (0, 0)))
    for more in (
        {"top_padding": 1, "bottom_padding": 2, "left_padding": 0, "right_padding": 3},
        {"top_padding": 1, "target_height": 7, "left_padding": 0, "target_width": 8},
        {"bottom_padding": 2, "target_height": 7, "right_padding": 3, "target_width": 8},
    ):
        np.testing.assert_array_equal(ops.image.pad_images(x, **more), want)
        np.testing.assert_array_equal(ops.image.pad_images(x[0], **more), want[0])
    want = x[:, 1:3, 0:4]
    for more in (
        {"top_cropping": 1, "bottom_cropping": 1, "left_cropping": 0, "right_cropping": 1},
        {"top_cropping": 1, "target_height": 2, "left_cropping": 0, "target_width": 4},
        {"bottom_cropping": 1, "target_height": 2, "right_cropping": 1, "target_width": 4},
    ):
        np.testing.assert_array_equal(ops.image.crop_images(x, **more), want)
        first = ops.image.crop_images(np.moveaxis(x, -1, 1), data_format="channels_first", **more)
        np.testing.assert_array_equal(first, np.moveaxis(want, -1, 1))


def test_images_of_open_size_are_brought_to_a_known_one() -> None:
    x = striate.backend.KerasTensor((None, None, None, 3))
    assert ops.image.pad_images(x, 1, 2, target_height=9, target_width=8).shape == (None, 9, 8, 3)
    cropped = ops.image.crop_images(x, 1, 2, target_height=4, target_width=5)
    assert ops.image.pad_images(x, 1, 2, 3, 4).shape == (None, None, None, 3)
    known = striate.backend.KerasTensor((None, 8, 9, 3))
    assert ops.image.crop_images(known, 1, 2, target_height=4, right_cropping=1).shape == (None, 4, 6, 3)
    assert cropped.shape == (None, 4, 5, 3) and cropped._keras_history is not None
    with pytest.raises(ValueError, match="When the height of the images is unknown, target_height must be"):
        ops.image.crop_images(x, 1, 2, 3, 4)


@pytest.mark.parametrize("strides", [None, (1, 2), (2, 3)])
@pytest.mark.parametrize("dtype", ["float32", "int32"])
def test_patches_are_windows(strides: Any, dtype: str) -> None:
    x = np.random.default_rng(0).integers(0, 99, (2, 7, 8, 3)).astype(dtype)
    got = ops.image.extract_patches(x, (2, 3), strides)
    step = strides or (2, 3)
    for i, j in np.ndindex(got.shape[1:3]):
        window = x[:, i * step[0] : i * step[0] + 2, j * step[1] : j * step[1] + 3]
        np.testing.assert_array_equal(got[:, i, j], window.reshape(2, -1))
    assert got.dtype == dtype and got.shape[1:3] == ((7 - 2) // step[0] + 1, (8 - 3) // step[1] + 1)
    first = ops.image.extract_patches(np.moveaxis(x, -1, 1), (2, 3), strides, data_format="channels_first")
    np.testing.assert_array_equal(np.moveaxis(first, 1, -1), got)
    np.testing.assert_array_equal(ops.image.extract_patches(x[0], (2, 3), strides), got[0])


def test_patches_of_volumes_and_of_padded_images() -> None:
    x = np.random.default_rng(0).normal(size=(1, 4, 5, 6, 2)).astype("float32")
    got = ops.image.extract_patches_3d(x, 2)
    assert got.shape == (1, 2, 2, 3, 16)
    np.testing.assert_array_equal(got[0, 1, 1, 2], x[0, 2:4, 2:4, 4:6].ravel())
    close = ops.image.extract_patches(x, (2, 2, 2), strides=1)
    np.testing.assert_array_equal(close[0, 1, 2, 3], x[0, 1:3, 2:4, 3:5].ravel())
    around = ops.image.extract_patches(np.ones((1, 3, 3, 1), "float32"), 3, strides=1, padding="same")
    assert around.sum(axis=-1)[0].tolist() == [[4, 6, 4], [6, 9, 6], [4, 6, 4]]


def test_blocks_of_pixels_and_channels() -> None:
    x = np.arange(2 * 4 * 6 * 3, dtype="int32").reshape(2, 4, 6, 3)
    deep = ops.space_to_depth(x, 2)
    assert deep.shape == (2, 2, 3, 12)
    np.testing.assert_array_equal(deep[1, 1, 2], x[1, 2:4, 4:6].ravel())
    np.testing.assert_array_equal(ops.depth_to_space(deep, 2), x)
    first = np.moveaxis(x, -1, 1)
    deep_first = ops.space_to_depth(first, 2, data_format="channels_first")
    np.testing.assert_array_equal(deep_first[1, :, 1, 2], first[1, :, 2:4, 4:6].ravel())
    np.testing.assert_array_equal(ops.depth_to_space(deep_first, 2, data_format="channels_first"), first)
    assert ops.depth_to_space(striate.backend.KerasTensor((None, None, 5, 8)), 2).shape == (None, None, 10, 2)


def blurred(x: Array, kernel: Array) -> Array:
    """Each channel of one image correlated with a kernel, zeros around, in float64."""
    h, w = (n // 2 for n in kernel.shape)
    wide = np.pad(x.astype("float64"), ((h, h), (w, w), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(wide, kernel.shape, axis=(0, 1))
    return np.asarray(np.einsum("ijcuv,uv->ijc", windows, kernel))


def test_filters_are_their_kernels() -> None:
    x = np.random.default_rng(0).uniform(size=(2, 8, 9, 3)).astype("float32")
    bells = [np.exp(-0.5 * ((np.arange(n) - n // 2) / s) ** 2) for n, s in ((3, 0.7), (5, 1.5))]
    kernel = np.outer(*(b / b.sum() for b in bells))
    for image in x:
        got = ops.image.gaussian_blur(image, (5, 3), (1.5, 0.7))
        np.testing.assert_allclose(got, blurred(image, kernel), rtol=0, atol=20 * 2.0**-24)
    down = np.array([[-1, -2, -1], [0, 0, 0], [1, 2, 1]])
    edges = ops.image.sobel_edges(x)
    assert edges.shape == (*x.shape, 2)
    for image, edge in zip(x, edges, strict=True):
        for axis, weights in enumerate((down, down.T)):
            np.testing.assert_allclose(edge[..., axis], blurred(image, weights), rtol=0, atol=9 * 8 * 2.0**-24)
    first = ops.image.gaussian_blur(np.moveaxis(x, -1, 1), (5, 3), (1.5, 0.7), data_format="channels_first")
    np.testing.assert_allclose(np.moveaxis(first, 1, -1)[1], blurred(x[1], kernel), rtol=0, atol=20 * 2.0**-24)
    bytes_ = (255 * x).astype("uint8")
    assert ops.image.gaussian_blur(bytes_).dtype == "uint8"


def test_likeness_of_images() -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(size=(3, 16, 20, 2)).astype("float32")
    noise = rng.normal(size=x.shape).astype("float32")
    alike = [ops.image.ssim(x, x + s * noise) for s in (0.0, 0.05, 0.2, 1.0)]
    np.testing.assert_allclose(alike[0], 1, rtol=1e-5)
    assert all((a > b).all() for a, b in itertools.pairwise(alike)) and alike[3].shape == (3,)
    one = ops.image.ssim(x[0], x[0] + 0.2 * noise[0])
    assert one.shape == () and abs(one - alike[2][0]) < 1e-5
    np.testing.assert_allclose(ops.image.ssim(255 * x, 255 * x + 51 * noise, max_val=255), alike[2], rtol=1e-3)
    assert abs(float(ops.psnr(x, x + 0.1, 1.0)) - 20) < 1e-3
    assert np.isposinf(ops.psnr(x, x, 1.0))
    variable = striate.Variable(x + noise)
    _, (slope,) = striate.value_and_grad(lambda: ops.sum(ops.image.ssim(x, variable)), [variable])()
    assert np.isfinite(slope).all() and (slope != 0).any()


def test_several_labels_an_example() -> None:
    assert ops.multi_hot([[0, 2], [1, 1]], 3).tolist() == [[1, 0, 1], [0, 1, 0]]
    assert ops.multi_hot([3, 0], num_tokens=4, dtype="int32").tolist() == [1, 0, 0, 1]
    with pytest.raises(ValueError, match="`num_classes` must be specified"):
        ops.multi_hot([1])


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda x: ops.image.pad_images(x, 1, 1), ArgumentError, "exactly two of top_padding, bottom_padding"),
        (
            lambda x: ops.image.pad_images(x, 1, 1, target_height=3, target_width=9),
            ArgumentError,
            "bottom_padding must be >= 0",
        ),
        (lambda x: ops.image.crop_images(x, 3, 0, 3, 0), ArgumentError, "target_height must be >= 0"),
        (lambda x: ops.image.extract_patches(x, 0), ArgumentError, "`size` must be"),
        (lambda x: ops.image.extract_patches(x[0, 0], 2), ShapeError, "takes tensors of rank 3, or 4"),
        (lambda x: ops.depth_to_space(x, 2), ShapeError, "channels must be a multiple of 4"),
        (lambda x: ops.space_to_depth(x, 3), ShapeError, "height must be a multiple of 3"),
        (lambda x: ops.space_to_depth(x, 1), ArgumentError, "`block_size` must be at least 2"),
        (lambda x: ops.image.gaussian_blur(x, (0, 3)), ArgumentError, "`kernel_size` must be"),
        (lambda x: ops.image.sobel_edges(x[0]), ShapeError, "of rank 4"),
        (lambda x: ops.image.ssim(x, x[0]), ShapeError, "two images, or batches of images"),
        (lambda x: ops.psnr(x, x[0], 1.0), ShapeError, "tensors of one shape"),
    ],
)
def test_refusals_of_cutting_and_filters(call: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=f"(?s){text}"):
        call(np.ones((2, 4, 4, 3), "float32"))
