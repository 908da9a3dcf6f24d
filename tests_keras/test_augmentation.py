"""Augmentation: a given transformation makes the same image; what is drawn from one number is the same too."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import striate
from striate.layers import augment_place
from support import both, close, ours, same_both_ways

#: few, since XLA compiles each operation for each shape anew
SIZES = [(2, 7, 9, 3), (3, 6, 4, 3)]
MODES = {"fill_mode": ["reflect", "wrap", "constant", "nearest"], "fill_value": [0.0, 60.0]}
RANGES = {"value_range": [[0, 255], [0, 1]]}


def column(rng, n, low, high):
    return rng.uniform(low, high, (n, 1)).astype("float32")


def pixel(rng, n, low, high):
    return rng.uniform(low, high, (n, 1, 1, 1)).astype("float32")


def turned(rng, shape):
    made = rng.uniform(-1, 1, (shape[0], 8)) * [1, 1, 3, 1, 1, 3, 0, 0]
    return {"rotation_matrix": made.astype("float32")}


def erased(rng, shape):
    return {
        "apply_erasing": rng.uniform(size=shape[0]) < 0.7,
        "batch_masks": rng.uniform(size=shape) < 0.4,
        "fill_value": np.float32(3.0),
    }


#: layer -> arguments that it needs, choices of others, and a transformation of images of a shape
TABLE = {
    "RandomFlip": ({}, {"mode": augment_place.FLIPS}, lambda r, s: {"flips": pixel(r, s[0], 0, 1) < 0.5}),
    "RandomRotation": ({"factor": 0.1}, MODES, turned),
    "RandomZoom": (
        {"height_factor": 0.1}, MODES,
        lambda r, s: {"height_zoom": column(r, s[0], 0.3, 1.9), "width_zoom": column(r, s[0], 0.3, 1.9)},
    ),
    "RandomTranslation": (
        {"height_factor": 0.1, "width_factor": 0.1}, MODES,
        lambda r, s: {"translations": np.concatenate([column(r, s[0], -8, 8), column(r, s[0], -8, 8)], axis=1)},
    ),
    "RandomShear": (
        {"x_factor": 0.1}, MODES,
        lambda r, s: {"shear_factor": np.concatenate([column(r, s[0], -1, 1), column(r, s[0], -1, 1)], axis=1)},
    ),
    "RandomContrast": ({"factor": 0.1}, RANGES, lambda r, s: {"contrast_factor": pixel(r, s[0], 0, 2)}),
    "RandomBrightness": ({"factor": 0.1}, RANGES, lambda r, s: {"rgb_delta": pixel(r, s[0], -99, 99)}),
    # Saturations above 1 leave the range of colours in Keras where that is (0, 255): see the layer.
    "RandomSaturation": (
        {"factor": 0.1}, {"value_range": [[0, 1]]}, lambda r, s: {"factor": column(r, s[0], 0, 3)[:, 0]}
    ),
    "RandomHue": ({"factor": 0.1}, RANGES, lambda r, s: {"factor": column(r, s[0], -0.5, 0.5)[:, 0]}),
    "RandomGrayscale": ({}, {}, lambda r, s: pixel(r, s[0], 0, 1) < 0.5),
    "RandomErasing": ({}, RANGES, erased),
    "RandomInvert": ({}, RANGES, lambda r, s: {"apply_inversion": r.uniform(size=s[0]) < 0.5}),
    "RandomPosterization": (
        {"factor": 3}, RANGES, lambda r, s: {"shift_factor": r.integers(0, 8, s[0]).astype("uint8")}
    ),
    "RandomSharpness": ({"factor": 0.1}, RANGES, lambda r, s: {"factor": column(r, s[0], 0, 1)[:, 0]}),
    "RandomGaussianBlur": (
        {}, {**RANGES, "kernel_size": [3, [5, 1]]},
        lambda r, s: {"should_apply_blur": r.uniform(size=s[0]) < 0.7,
                      "blur_factor": r.uniform(0.2, 1.5, 2).astype("float32")},
    ),
    "Solarization": (
        {}, {**RANGES, "bounding_box_format": [None]},
        lambda r, s: {"additions": pixel(r, s[0], 0, 99), "thresholds": pixel(r, s[0], 0, 255)},
    ),
}  # fmt: skip

APPLIED = """
layer = keras.layers.NAME(**config)
result = np.asarray(layer.transform_images(keras.ops.convert_to_tensor(x), transformation, training=True))
"""
CALLED = """
layer = keras.layers.NAME(**config)
result = np.asarray(layer(x, training=True))
"""


def images(data, rng, config, first=False):
    top = 1.0 if config.get("value_range") == [0, 1] else 255.0
    x = rng.uniform(0, top, data.draw(st.sampled_from(SIZES))).astype("float32")
    if data.draw(st.booleans()):
        x = np.round(x * (255 / top)) * np.float32(top / 255)  # whole numbers, equal ones among them
    return np.ascontiguousarray(np.moveaxis(x, -1, 1)) if first else x


@pytest.mark.parametrize("name", TABLE)
@given(data=st.data())
def test_a_given_transformation(oracle, name, data):
    needed, choices, make = TABLE[name]
    config = {**needed, **{k: data.draw(st.sampled_from(v)) for k, v in choices.items()}}
    rng = np.random.default_rng(data.draw(st.integers(0, 2**16)))
    first = data.draw(st.booleans())
    x = images(data, rng, config, first)
    transformation = make(rng, x.shape)
    config["data_format"] = "channels_first" if first else "channels_last"
    got, want = both(oracle, APPLIED.replace("NAME", name), config=config, x=x, transformation=transformation)
    close(got, want)


#: layer -> arguments with which every draw is the same
FIXED = {
    "RandomRotation": lambda f: {"factor": [f, f]},
    "RandomZoom": lambda f: {"height_factor": [f, f], "width_factor": [-f, -f]},
    "RandomTranslation": lambda f: {"height_factor": [f, f], "width_factor": [-f, -f]},
    "RandomContrast": lambda f: {"factor": [-f, f]},
    "RandomBrightness": lambda f: {"factor": [f, f]},
    "RandomSaturation": lambda f: {"factor": [f / 2, f / 2]},
    "RandomHue": lambda f: {"factor": [1.0, 1.0]},  # half a circle, either way
    "RandomGrayscale": lambda f: {"factor": 1.0},
    "RandomColorJitter": lambda f: {
        "brightness_factor": [f / 3, f / 3], "contrast_factor": [-f, f], "saturation_factor": [f / 2, f / 2],
        "hue_factor": [0.0, 0.0],
    },
    "RandomInvert": lambda f: {"factor": [1.0, 1.0]},
    "RandomPosterization": lambda f: {"factor": [1 + int(7 * f), 1 + int(7 * f)]},
    "RandomSharpness": lambda f: {"factor": [f, f]},
    "RandomGaussianBlur": lambda f: {"factor": [1.0, 1.0], "sigma": [f, f]},
    "Solarization": lambda f: {},
    "AutoContrast": lambda f: {},
    "Equalization": lambda f: {"bins": 16},
}  # fmt: skip


def level_is_a_half(x, config):
    """Pixels that Equalization gives a level next to a half: XLA divides by the reciprocal, so it rounds either way."""
    last, shape = config["bins"] - 1, x.shape
    x = np.moveaxis(x, -1, 0).reshape(x.shape[-1], -1) * np.float32(255 / config["value_range"][1])
    halves = []
    for channel in x:
        below = np.bincount((channel * last / 255).clip(0, last).astype(int), minlength=last + 1).cumsum()
        lowest = below[below > 0][0]
        levels = (below - lowest) * 255 / max(below[-1] - lowest, 1)
        halves.append((np.abs(levels % 1 - 0.5) < 1e-4)[(channel / 255 * last).clip(0, last).astype(int)])
    return np.stack(halves, -1).reshape(shape)


@pytest.mark.parametrize("name", FIXED)
@given(data=st.data())
def test_draws_of_one_number(oracle, name, data):
    config = FIXED[name](data.draw(st.sampled_from([0.1, 0.3, 0.9])))
    if name in ("RandomContrast", "RandomBrightness", "RandomHue", *list(FIXED)[-8:]):
        config["value_range"] = data.draw(st.sampled_from(RANGES["value_range"]))
    x = images(data, np.random.default_rng(data.draw(st.integers(0, 2**16))), config)
    x = x[0] if data.draw(st.booleans()) else x
    got, want = both(oracle, CALLED.replace("NAME", name), config=config, x=x)
    if name == "Equalization":
        either = level_is_a_half(x, config)
        assert np.abs(got - want)[either].max(initial=0) <= 1.01 * config["value_range"][1] / 255
        close(np.where(either, 0, got), np.where(either, 0, want))
    else:
        close(got, want)


def test_equalization_in_256_bins(oracle):
    """The one of 8-bit images; Keras on JAX counts bin by bin."""
    x = np.random.default_rng(0).normal(90, 30, (2, 20, 20, 1)).round().clip(0, 255).astype("float32")
    got, want = both(oracle, CALLED.replace("NAME", "Equalization"), config={}, x=x)
    np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("size", [(12, 4), (4, 12), (12, 12), (10, 3), (10, 6)], ids=str)
def test_crops_that_are_not_smaller_than_the_image(oracle, size):
    x = np.random.default_rng(0).uniform(size=(2, 10, 6, 3)).astype("float32")
    config = {"height": size[0], "width": size[1], "seed": 1}
    close(*both(oracle, CALLED.replace("NAME", "RandomCrop"), config=config, x=x))
    # At inference Keras 3.15.1 gives images of another size than its own compute_output_shape; its documentation says
    # what ours does: the largest window of the size's proportions, resized.
    source = CALLED.replace("NAME", "RandomCrop").replace("True", "False")
    got, want = both(oracle, source, config=config, x=x)
    assert want.shape == x.shape, "Keras has mended RandomCrop: compare it at inference, too"
    source = "result = np.asarray(keras.layers.Resizing(**config, crop_to_aspect_ratio=True)(x))"
    close(got, oracle("run_script", source=source, config={"height": size[0], "width": size[1]}, x=x))


STATISTICS = """
keras.utils.set_random_seed(5)
layer = keras.layers.NAME(**config)
drawn = layer.get_random_transformation(np.zeros((4000, 8, 6, 3), "float32"), training=True)
result = {k: np.asarray(drawn[k], "float32").reshape(4000, -1) for k in keys}
"""


@pytest.mark.parametrize(
    "name, config, keys",
    [
        ("RandomFlip", {}, ["flips"]),
        ("RandomRotation", {"factor": 0.2}, ["angle"]),
        ("RandomRotation", {"factor": [0.1, 0.3]}, ["angle", "rotation_matrix"]),
        ("RandomZoom", {"height_factor": 0.2, "width_factor": [-0.5, 0.1]}, ["height_zoom", "width_zoom"]),
        ("RandomTranslation", {"height_factor": 0.2, "width_factor": [-0.5, 0.1]}, ["translations"]),
        ("RandomShear", {"x_factor": 0.2, "y_factor": [0.1, 0.5]}, ["shear_factor"]),
        ("RandomContrast", {"factor": 0.4}, ["contrast_factor"]),
        ("RandomContrast", {"factor": [0.2, 0.6]}, ["contrast_factor"]),
        ("RandomBrightness", {"factor": 0.4, "value_range": [0, 1]}, ["rgb_delta"]),
        ("RandomSaturation", {"factor": 0.4}, ["factor"]),
        ("RandomHue", {"factor": [0.2, 0.6]}, ["factor"]),
        ("RandomErasing", {"factor": 0.8, "fill_value": 1.0}, ["apply_erasing"]),
        ("Solarization", {"addition_factor": 0.3, "threshold_factor": 0.9}, ["additions", "thresholds"]),
        ("RandomInvert", {"factor": 0.8}, ["apply_inversion"]),
        ("RandomPosterization", {"factor": [2, 6]}, ["shift_factor"]),
        ("RandomPosterization", {"factor": 5}, ["shift_factor"]),
        ("RandomSharpness", {"factor": 0.7}, ["factor"]),
        ("RandomGaussianBlur", {"factor": [0.2, 0.9]}, ["should_apply_blur"]),
    ],
)
def test_draws_have_the_same_distribution(oracle, name, config, keys):
    """Means and standard deviations of 4,000 draws, within 6 of their standard errors, and ends nearly the same."""
    for key, (got, want) in {
        k: (g, w) for (k, g), (_, w) in zip(*(r.items() for r in both(
            oracle, STATISTICS.replace("NAME", name), config=config, keys=keys)))
    }.items():  # fmt: skip
        assert got.shape == want.shape, key
        spread = want.std(axis=0)
        allowed = 6 * spread * (2 / len(want)) ** 0.5 + 1e-6
        assert (np.abs(got.mean(axis=0) - want.mean(axis=0)) <= allowed).all(), key
        assert (np.abs(got.std(axis=0) - spread) <= allowed).all(), key
        width = np.ptp(want, axis=0) + 1e-6
        for end in (np.min, np.max):
            assert (np.abs(end(got, axis=0) - end(want, axis=0)) <= 0.02 * width).all(), key


CONFIGS = {
    "RandomFlip": [{}, {"mode": "vertical", "seed": 4}],
    "RandomRotation": [{"factor": 0.1}, {"factor": [-0.2, 0.3], "fill_mode": "wrap", "interpolation": "nearest"}],
    "RandomZoom": [{"height_factor": 0.2}, {"height_factor": (-0.3, 0.2), "width_factor": 0.4, "fill_value": 2.0}],
    "RandomTranslation": [{"height_factor": 0.2, "width_factor": (0.1, 0.2), "seed": 4}],
    "RandomShear": [{}, {"x_factor": (0.1, 0.2), "y_factor": (0.3, 0.1)}],
    "RandomContrast": [{"factor": 0.2}, {"factor": (0.5, 0.1), "value_range": (0, 1), "seed": 4}],
    "RandomBrightness": [{"factor": 0.2}, {"factor": (0.5, 0.1), "value_range": (1, 0)}],
    "RandomSaturation": [{"factor": 0.2}, {"factor": (0.5, 0.1), "value_range": (0.0, 1.0)}],
    "RandomHue": [{"factor": 0.2}, {"factor": (0.5, 0.1), "value_range": (0.0, 1.0)}],
    "RandomColorJitter": [{}, {"hue_factor": 0.1, "contrast_factor": (0.1, 0.2), "seed": 4}],
    "RandomGrayscale": [{}, {"factor": 0.2, "data_format": "channels_first"}],
    "RandomCrop": [{"height": 3, "width": 4, "seed": 4}],
    "RandomErasing": [{}, {"factor": (0.5, 0.1), "scale": (0.1, 0.2), "fill_value": (1, 2, 3), "seed": 4}],
    "RandomInvert": [{}, {"factor": (0.5, 0.1), "value_range": (0, 1), "seed": 4}],
    "RandomPosterization": [{"factor": 3}, {"factor": (5, 2), "value_range": (1, 0), "data_format": "channels_first"}],
    "RandomSharpness": [{"factor": 0.2}, {"factor": (0.5, 0.1), "value_range": (0.0, 1.0), "seed": 4}],
    "RandomGaussianBlur": [{}, {"factor": 0.2, "kernel_size": (5, 3), "sigma": (0.1, 0.5), "value_range": (0, 1)}],
    "Solarization": [{}, {"addition_factor": 0.2, "threshold_factor": (0.1, 0.9), "value_range": (0, 1)}],
    "AutoContrast": [{}, {"value_range": (0, 1)}],
    "Equalization": [{}, {"value_range": (0, 1), "bins": 8, "data_format": "channels_first"}],
    "CenterCrop": [{"height": 3, "width": 4}],
    "Resizing": [{"height": 3, "width": 4}],
}


@pytest.mark.parametrize("name", CONFIGS)
def test_configs(oracle, name):
    for config in CONFIGS[name]:
        layer = getattr(striate.layers, name)(**config, name="it")
        source = "layer = keras.layers.NAME(**config, name='it')\nresult = keras.saving.serialize_keras_object(layer)"
        theirs = oracle("run_script", source=source.replace("NAME", name), config=config)
        same_both_ways(oracle, layer, theirs)


def test_a_shear_of_one_number_can_be_read_again(oracle):
    """Keras 3.15.1 writes x_factor=0.2 as (-0.2, 0.2), which its constructor refuses; both read ours, and we theirs."""
    layer = striate.layers.RandomShear(0.2)
    described = striate.saving.serialize_keras_object(layer)
    assert oracle("revive", described=described)["config"]["config"]["x_factor"] == (-0.2, 0.2)
    source = "result = keras.saving.serialize_keras_object(keras.layers.RandomShear(0.2))"
    read = striate.saving.deserialize_keras_object(oracle("run_script", source=source))
    assert read.get_config()["x_factor"] == 0.2


PIPELINE = """
made = keras.layers.Pipeline([keras.layers.AutoContrast(name="a"), keras.layers.RandomZoom(0.2, name="z"),
                              keras.layers.Rescaling(1 / 255, name="r")], name="p")
config = keras.saving.serialize_keras_object(made)
again = keras.saving.deserialize_keras_object(config)
result = [config, np.asarray(again(x, training=False))]
"""


def test_pipeline(oracle):
    x = np.random.default_rng(0).uniform(20, 90, (2, 5, 4, 3)).astype("float32")
    got, want = both(oracle, PIPELINE, x=x)
    close(got[1], want[1])
    same_both_ways(oracle, striate.saving.deserialize_keras_object(got[0]), want[0])


AUGMENTED = """
L = keras.layers
keras.utils.set_random_seed(0)
model = keras.Sequential([
    keras.Input((9, 8, 3)), L.RandomFlip("horizontal", seed=3), L.RandomRotation(0.1), L.RandomZoom(0.2, (0.1, 0.2)),
    L.RandomTranslation(0.1, 0.2), L.RandomShear((0.1, 0.2)), L.RandomContrast(0.2), L.RandomBrightness(0.1),
    L.RandomSaturation(0.3), L.RandomHue(0.1), L.RandomColorJitter(hue_factor=0.1), L.RandomGrayscale(0.3, seed=4),
    L.RandomErasing(), L.RandomInvert(), L.RandomPosterization(4), L.RandomSharpness(0.3), L.RandomGaussianBlur(),
    L.Solarization(), L.AutoContrast(), L.Pipeline([L.RandomFlip(), L.Rescaling(1 / 255)]),
    L.Conv2D(4, 3), L.RMSNormalization(), L.Flatten(), L.Dense(2)])
model.compile("adam", keras.losses.Circle())
model.save(path)
result = model.predict(x, verbose=0)
"""
READ = "result = keras.saving.load_model(path).predict(x, verbose=0)"


def test_files_go_both_ways(oracle, tmp_path):
    x = np.random.default_rng(0).uniform(0, 255, (3, 9, 8, 3)).astype("float32")
    theirs = oracle("run_script", source=AUGMENTED, x=x, path=str(tmp_path / "theirs.keras"))
    close(ours(READ, x=x, path=str(tmp_path / "theirs.keras")), theirs)
    mine = ours(AUGMENTED, x=x, path=str(tmp_path / "ours.keras"))
    close(oracle("run_script", source=READ, x=x, path=str(tmp_path / "ours.keras")), mine)
