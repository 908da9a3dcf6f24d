"""Images read between their pixels, and colours: functions of `ops.image` on drawn images."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support import both, close

#: few, since XLA compiles each operation for each shape anew
SHAPE = st.sampled_from([(2, 7, 9, 3), (3, 4, 5, 1), (1, 1, 6, 4), (2, 8, 1, 2)])


def drawn(data, shape, dtype):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**16)))
    return rng.uniform(0, 255, shape).astype(dtype), rng


def sure(places):
    """Where a place is not so near to a half that rounding it is anyone's."""
    return (np.abs(np.abs(places) % 1 - 0.5) > 1e-4).all(axis=0)


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
@given(data=st.data())
def test_affine_transform(oracle, interpolation, data):
    x, rng = drawn(data, data.draw(SHAPE), data.draw(st.sampled_from(["float32", "uint8", "int32"])))
    transform = (rng.uniform(-1.5, 1.5, (len(x), 8)) * [1, 1, 5, 1, 1, 5, 0, 0]).astype("float32")
    config = {
        "interpolation": interpolation,
        "fill_mode": data.draw(st.sampled_from(["constant", "nearest", "wrap", "mirror", "reflect"])),
        "fill_value": data.draw(st.sampled_from([0, 7.5])) if x.dtype == np.float32 else 7,
        "data_format": data.draw(st.sampled_from(["channels_last", "channels_first"])),
    }
    first = config["data_format"] == "channels_first"
    given_ = np.moveaxis(x, -1, 1) if first else x
    source = "result = np.asarray(keras.ops.image.affine_transform(x, t, **config))"
    got, want = both(oracle, source, x=given_, t=transform, config=config)
    assert got.dtype == want.dtype
    if interpolation == "nearest":
        t = transform.astype("float64").T[:, :, None, None]
        rows, columns = np.mgrid[: x.shape[1], : x.shape[2]]
        known = sure(np.stack([t[0] * columns + t[1] * rows + t[2], t[3] * columns + t[4] * rows + t[5]]))
        got, want = (np.moveaxis(y, 1, -1)[known] if first else y[known] for y in (got, want))
        np.testing.assert_array_equal(got, want)
    elif x.dtype == np.float32:
        close(got, want)
    else:  # a sum next to a half may be rounded either way
        assert np.abs(got.astype(int) - want).max() <= 1 and (got != want).mean() < 0.01


@given(data=st.data())
def test_map_coordinates(oracle, data):
    shape = data.draw(st.sampled_from([(6,), (1,), (5, 4), (3, 1, 5)]))
    x, rng = drawn(data, shape, "float32")
    config = {
        "order": data.draw(st.sampled_from([0, 1])),
        "fill_mode": data.draw(st.sampled_from(["constant", "nearest", "wrap", "mirror", "reflect"])),
        "fill_value": 3.0,
    }
    places = rng.uniform(-15, 20, (len(shape), 4, 5)).astype("float32")
    source = "result = np.asarray(keras.ops.image.map_coordinates(x, places, **config))"
    got, want = both(oracle, source, x=x, places=places, config=config)
    known = sure(places) if config["order"] == 0 else np.ones((4, 5), bool)
    close(got[known], want[known])


@pytest.mark.parametrize("name", ["rgb_to_hsv", "hsv_to_rgb", "rgb_to_grayscale"])
@given(data=st.data())
def test_colours(oracle, name, data):
    few = data.draw(st.booleans())  # equal channels, greys, black
    x, rng = drawn(data, (2, 3, 5, 3), "float32")
    x = (
        rng.choice([-0.5, 0.0, 0.25, 1.0], x.shape).astype("float32")
        if few
        else x / data.draw(st.sampled_from([1, 255]))
    )
    if name == "rgb_to_grayscale" and data.draw(st.booleans()):
        x = np.clip(x, 0, 255).astype("uint8")
    first = data.draw(st.booleans())
    x = np.moveaxis(x, -1, 1) if first else x
    source = f"result = np.asarray(keras.ops.image.{name}(x, data_format=data_format))"
    got, want = both(oracle, source, x=x, data_format="channels_first" if first else "channels_last")
    assert got.dtype == want.dtype
    close(got, want)


FUNCTIONS = {
    "pad": "keras.ops.image.pad_images(x, 1, 2, target_height=14, right_padding=3)",
    "crop": "keras.ops.image.crop_images(x, 1, left_cropping=2, bottom_cropping=3, target_width=4)",
    "patches": "keras.ops.image.extract_patches(x, (2, 3))",
    "dilated patches": "keras.ops.image.extract_patches(x, 3, strides=1, dilation_rate=2, padding='same')",
    "patches first": "keras.ops.image.extract_patches(x, (2, 4), strides=(1, 2), data_format='channels_first')",
    "patches of volumes": "keras.ops.image.extract_patches_3d(np.stack([x, x], axis=-1), (2, 3, 1), strides=2)",
    "depth": "keras.ops.space_to_depth(x, 2)",
    "depth first": "keras.ops.space_to_depth(x, 4, data_format='channels_first')",
    "space": "keras.ops.depth_to_space(x, 2)",
    "space first": "keras.ops.depth_to_space(np.moveaxis(x, -1, 1), 2, data_format='channels_first')",
    "blur": "keras.ops.image.gaussian_blur(x, (5, 5), (1.5, 1.5), data_format='channels_last')",
    "wide blur": "keras.ops.image.gaussian_blur(x, (5, 3), (1.5, 0.7), data_format='channels_last')",
    "blur first": "keras.ops.image.gaussian_blur(x, data_format='channels_first')",
    "sobel": "keras.ops.image.sobel_edges(x)",
    "ssim": "keras.ops.image.ssim(x, x[::-1] * 0.5 + x * 0.5, filter_size=5, filter_sigma=1.2)",
    "ssim of one": "keras.ops.image.ssim(x[0], x[1], max_val=2.0, filter_size=3, k1=0.05)",
    "psnr": "keras.ops.psnr(x, x[::-1] * 0.5, 2.0)",
    "multi hot": "keras.ops.multi_hot(np.array([[0, 3], [2, 2]]), num_classes=4)",
    "multi hot of one": "keras.ops.multi_hot(np.array([0, 3]), num_classes=4)",
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_cutting_and_filters(oracle, name):
    x = np.random.default_rng(0).uniform(size=(2, 8, 8, 4)).astype("float32")
    got, want = both(oracle, f"result = np.asarray({FUNCTIONS[name]})", x=x)
    assert got.dtype == want.dtype
    close(got, want)
