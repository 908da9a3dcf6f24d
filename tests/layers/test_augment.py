"""Augmentation: what is drawn and when, dicts of images, labels and masks, and models with it inside."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import striate as keras
from striate import layers
from striate.layers.augment import RandomImageLayer

Array = np.ndarray[Any, Any]

RANDOM: dict[str, dict[str, Any]] = {
    "RandomFlip": {},
    "RandomRotation": {"factor": 0.3},
    "RandomZoom": {"height_factor": 0.5, "width_factor": 0.5},
    "RandomTranslation": {"height_factor": 0.5, "width_factor": 0.5},
    "RandomShear": {"x_factor": 0.5, "y_factor": 0.5},
    "RandomContrast": {"factor": 0.8},
    "RandomBrightness": {"factor": 0.5},
    "RandomSaturation": {"factor": [0.1, 0.9]},
    "RandomHue": {"factor": 0.8},
    "RandomColorJitter": {"brightness_factor": 0.3, "hue_factor": 0.4},
    "RandomGrayscale": {},
    "RandomErasing": {"factor": [1, 1]},
    "RandomInvert": {},
    "RandomPosterization": {"factor": 5},
    "RandomSharpness": {"factor": 1.0},
    "RandomGaussianBlur": {"sigma": (0.5, 1.0)},
    "Solarization": {"addition_factor": 0.5},
}
SIZED = {"RandomCrop": {"height": 5, "width": 4}}
every_random = pytest.mark.parametrize("name", [*RANDOM, *SIZED])


def make(name: str, **more: Any) -> Any:
    return getattr(layers, name)(**{**RANDOM, **SIZED}[name], **more)


def images(count: int = 6, dtype: str = "float32") -> Array:
    return np.random.default_rng(2).uniform(20, 230, (count, 9, 8, 3)).astype(dtype)


@every_random
def test_a_seed_says_what_is_drawn(name: str) -> None:
    x = images()
    one, same, other = make(name, seed=7), make(name, seed=7), make(name, seed=8)
    draws = [one(x, training=True) for _ in range(4)]
    np.testing.assert_array_equal([same(x, training=True) for _ in range(4)], draws)
    first = draws[0]
    assert any((first != later).any() for later in draws[1:]), "each call draws anew"
    assert (other(x, training=True) != first).any()
    keras.utils.set_random_seed(3)
    unseeded = make(name)(x, training=True)
    keras.utils.set_random_seed(3)
    np.testing.assert_array_equal(make(name)(x, training=True), unseeded)


@every_random
def test_nothing_is_drawn_at_inference(name: str) -> None:
    x = images()
    layer = make(name, seed=7)
    first = make(name, seed=7)(x, training=True)
    still = layer(x, training=False)
    if name in RANDOM:
        np.testing.assert_array_equal(still, x)
    np.testing.assert_array_equal(layer(x, training=False), still)
    np.testing.assert_array_equal(layer(x, training=True), first)


@every_random
def test_a_call_that_does_not_say_is_training(name: str) -> None:
    np.testing.assert_array_equal(make(name, seed=7)(images()), make(name, seed=7)(images(), training=True))


@pytest.mark.parametrize("name", RANDOM)
def test_every_image_has_a_draw_of_its_own(name: str) -> None:
    x = np.repeat(images(1), 12, axis=0)
    y = make(name, seed=7)(x, training=True)
    different = {image.tobytes() for image in y}
    if name == "RandomPosterization":
        assert 3 <= len(different) <= 4  # 1 to 4 bits
    elif name in ("RandomFlip", "RandomGrayscale", "RandomInvert", "RandomGaussianBlur"):
        assert len(different) == 2
    else:
        assert len(different) >= 11


@every_random
def test_one_image_is_a_batch_of_one(name: str) -> None:
    x = images(1)
    batch = make(name, seed=7)(x, training=True)
    np.testing.assert_array_equal(make(name, seed=7)(x[0], training=True), batch[0])
    shape = make(name).compute_output_shape(x.shape)
    assert batch.shape == shape and make(name).compute_output_shape(x.shape[1:]) == shape[1:]


@every_random
@pytest.mark.parametrize("training", [False, True])
def test_bytes_are_taken_as_floats(name: str, training: bool) -> None:
    x = images(dtype="uint8")
    y = make(name, seed=7)(x, training=training)
    assert y.dtype == np.float32
    np.testing.assert_array_equal(y, make(name, seed=7)(x.astype("float32"), training=training))


@every_random
def test_channels_first(name: str) -> None:
    x = images()
    more: dict[str, Any] = (
        {"fill_value": 9.0} if name == "RandomErasing" else {}
    )  # noise would be drawn in other places
    last = make(name, seed=7, data_format="channels_last", **more)(x, training=True)
    first = make(name, seed=7, data_format="channels_first", **more)(np.moveaxis(x, -1, 1), training=True)
    np.testing.assert_allclose(np.moveaxis(first, 1, -1), last, rtol=0, atol=255 * 2.0**-20)


@every_random
def test_labels_stay_and_masks_move_with_the_images(name: str) -> None:
    x = images()
    mask = np.round(x[..., :1] / 50).astype("int32")
    data = {"images": x, "labels": np.arange(6), "segmentation_masks": mask, "names": np.arange(6.0)}
    got = make(name, seed=7)(data, training=True)
    assert list(got) == list(data)
    np.testing.assert_array_equal(got["images"], make(name, seed=7)(x, training=True))
    np.testing.assert_array_equal(got["labels"], np.arange(6))
    np.testing.assert_array_equal(got["names"], np.arange(6.0))
    moves = name in ("RandomFlip", "RandomCrop", *(n for n in RANDOM if hasattr(make(n), "fill_mode")))
    if not moves:
        np.testing.assert_array_equal(got["segmentation_masks"], mask)
        return
    nearest = {"interpolation": "nearest"} if hasattr(make(name), "interpolation") else {}
    as_image = make(name, seed=7, **nearest)(mask.astype("float32"), training=True)
    np.testing.assert_array_equal(got["segmentation_masks"], as_image)
    assert got["segmentation_masks"].dtype == np.int32
    still = make(name)(data, training=False)
    assert still["segmentation_masks"].shape[1:3] == still["images"].shape[1:3]
    if name != "RandomCrop":
        np.testing.assert_array_equal(still["segmentation_masks"], mask)


@pytest.mark.parametrize("name", ["CenterCrop", "Resizing"])
def test_sizes_of_masks_are_those_of_images(name: str) -> None:
    x = images()
    mask = (x[..., :1] > 100).astype("uint8")
    for size in ((4, 5), (12, 5)):
        got = getattr(layers, name)(*size)({"images": x, "segmentation_masks": mask, "labels": [1, 2]})
        assert got["images"].shape == (6, *size, 3) and got["segmentation_masks"].shape == (6, *size, 1)
        assert set(np.unique(got["segmentation_masks"])) <= {0, 1} and got["segmentation_masks"].dtype == np.uint8


def test_boxes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"no bounding boxes.*transform them yourself"):
        layers.RandomFlip(bounding_box_format="xyxy")({"images": images(), "bounding_boxes": {}})


def test_boxes_stay_where_pixels_do() -> None:
    data = {"images": images(), "bounding_boxes": {"boxes": np.ones((6, 2, 4)), "labels": np.ones((6, 2))}}
    for name in ("RandomBrightness", "RandomContrast", "RandomErasing", "Solarization"):
        got = make(name, bounding_box_format="xyxy")(data, training=True)
        np.testing.assert_array_equal(got["bounding_boxes"]["boxes"], np.ones((6, 2, 4)))


def within(values: Array, low: float, high: float) -> None:
    """Draws of a uniform distribution: their range, and mean and deviation within 6 standard errors."""
    n, width = values.size, high - low
    assert low <= values.min() and values.max() <= high
    assert values.min() < low + 0.01 * width and values.max() > high - 0.01 * width
    assert abs(values.mean() - (low + high) / 2) < 6 * width / (12 * n) ** 0.5
    assert abs(values.std() - width / 12**0.5) < 6 * width / (12 * n) ** 0.5


@pytest.mark.parametrize(
    ("layer", "key", "low", "high"),
    [
        (layers.RandomRotation([-0.1, 0.3], seed=1), "angle", -36, 108),
        (layers.RandomZoom(0.2, seed=1), "height_zoom", 0.8, 1.2),
        (layers.RandomContrast([0.2, 0.6], seed=1), "contrast_factor", 0.8, 1.6),
        (layers.RandomContrast(0.5, seed=1), "contrast_factor", 1.0, 1.5),
        (layers.RandomBrightness(0.5, value_range=[0, 1], seed=1), "rgb_delta", -0.5, 0.5),
        (layers.RandomHue(0.6, seed=1), "factor", -0.3, 0.3),
        (layers.Solarization([0.2, 0.6], seed=1), "additions", 51, 153),
    ],
)
def test_draws_are_uniform(layer: Any, key: str, low: float, high: float) -> None:
    drawn = layer.get_random_transformation(np.zeros((4000, 2, 2, 3), "float32"), training=True)
    within(np.asarray(drawn[key]), low, high)


def test_shifts_are_parts_of_height_and_width() -> None:
    layer = layers.RandomTranslation([0.1, 0.2], [-0.5, 0.5], seed=1)
    drawn = layer.get_random_transformation(np.zeros((4000, 10, 40, 1), "float32"))["translations"]
    within(drawn[:, 0], -20, 20)
    within(drawn[:, 1], 1, 2)


def test_half_of_the_images_are_mirrored() -> None:
    x = np.arange(4, dtype="float32").reshape(1, 2, 2, 1).repeat(4000, axis=0)
    y = layers.RandomFlip(seed=1)(x, training=True)[..., 0].reshape(4000, 4)
    turned = (y == [3, 2, 1, 0]).all(axis=1)
    assert (turned | (y == [0, 1, 2, 3]).all(axis=1)).all()
    assert abs(turned.mean() - 0.5) < 6 * 0.5 / 4000**0.5
    grey = layers.RandomGrayscale(0.3, seed=1)(images(1).repeat(4000, axis=0), training=True)
    share = (grey[:, 0, 0, 0] == grey[:, 0, 0, 1]).mean()
    assert abs(share - 0.3) < 6 * (0.21 / 4000) ** 0.5


def test_crops_begin_everywhere_alike() -> None:
    layer = layers.RandomCrop(4, 3, seed=1)
    x = np.arange(6 * 5, dtype="float32").reshape(1, 6, 5, 1)
    corners = np.array([layer(x, training=True)[0, 0, 0, 0] for _ in range(900)])
    allowed = sorted(5 * i + j for i in range(3) for j in range(3))
    counts = [int((corners == c).sum()) for c in allowed]
    assert sum(counts) == 900
    assert all(abs(c - 100) < 6 * 900**0.5 * (8 / 81) ** 0.5 for c in counts)


def test_erased_rectangles() -> None:
    layer = layers.RandomErasing([1, 1], scale=[0.04, 0.25], fill_value=0.0, seed=1)
    erased = layer(np.ones((2000, 40, 30, 2), "float32"), training=True) == 0
    assert (erased[..., 0] == erased[..., 1]).all()
    rows, columns = erased[..., 0].any(axis=2), erased[..., 0].any(axis=1)
    np.testing.assert_array_equal(erased[..., 0], rows[:, :, None] & columns[:, None, :])
    # Sides are square roots of what is drawn from [0.04, 0.25]: their mean is (2/3)(0.5^3 - 0.2^3) / 0.21 = 0.371.
    for sides, length in ((rows, 40), (columns, 30)):
        inside = sides.sum(axis=1)
        assert inside.min() >= int(0.2 * length) and inside.max() <= round(0.5 * length + 1)
        assert abs(inside.mean() / length - 0.3714) < 6 * 0.09 / 2000**0.5
        # They begin between pixels, so that the first pixel is never inside, as in Keras.
        assert sides.any(axis=0)[1:].all(), "rectangles reach every other row and column"
    noise = layers.RandomErasing([1, 1], scale=[1, 1], seed=1)(np.full((1, 60, 60, 3), -1.0, "float32"), training=True)
    assert noise.min() == 0 and noise.max() == 255 and 0.4 < (noise == 0).mean() < 0.6
    half = layers.RandomErasing(1.0, fill_value=[1, 2, 3], seed=1)(np.zeros((2000, 6, 6, 3), "float32"), training=True)
    assert abs((half.sum(axis=(1, 2, 3)) > 0).mean() - 0.5) < 6 * 0.5 / 2000**0.5  # fewer where a rectangle is thin
    assert set(np.unique(half[..., 2])) == {0, 3}


def test_auto_contrast_leaves_plain_channels_and_works_at_inference() -> None:
    x = np.stack([np.full((3, 3), 7.0), np.arange(9.0).reshape(3, 3)], axis=-1).astype("float32")
    for training in (False, True):
        y = layers.AutoContrast()(x, training=training)
        np.testing.assert_array_equal(y[..., 0], 7)
        np.testing.assert_allclose(y[..., 1].ravel(), np.linspace(0, 255, 9), rtol=1e-6)
    first = layers.AutoContrast(data_format="channels_first")(np.moveaxis(x, -1, 0))
    np.testing.assert_array_equal(np.moveaxis(first, 0, -1), y)


def test_equalization_spreads_values_evenly() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(100, 12, (1, 64, 64, 2)).round().clip(0, 255).astype("float32")
    y = layers.Equalization()(x, training=True)
    for c in range(2):
        values, counts = np.unique(x[..., c], return_counts=True)
        below = np.cumsum(counts)
        want = np.round((below - below[0]) * 255 / (below[-1] - below[0]))
        assert all((y[..., c][x[..., c] == v] == w).all() for v, w in zip(values[::7], want[::7], strict=True))
        ordered = np.sort(y[..., c].ravel())
        assert np.abs(ordered - np.linspace(0, 255, ordered.size)).max() < 255 * counts.max() / x[..., c].size + 1
    plain = np.full((2, 4, 4, 1), 99.0, "float32")
    np.testing.assert_array_equal(layers.Equalization()(plain, training=True), plain)
    np.testing.assert_array_equal(layers.Equalization()(x, training=False), x)
    broken = x.copy()
    broken[0, 0, 0, 0] = np.nan
    assert np.isfinite(layers.Equalization()(broken, training=True)).all()


def test_a_rotation_of_integers_stays_one() -> None:
    x = images(2, "uint8")
    layer = layers.RandomRotation([0.25, 0.25], interpolation="nearest", dtype="uint8")
    y = layer(x[:, :8], training=True)
    assert y.dtype == np.uint8
    np.testing.assert_array_equal(y, np.rot90(x[:, :8], 1, axes=(1, 2)))


# In models -----------------------------------------------------------------------------------------------------------


def block(seed: int | None = None) -> list[Any]:
    return [make(name, seed=seed) for name in RANDOM]


def small_model(augmentation: Any = ()) -> Any:
    model = keras.Sequential(
        [keras.Input((9, 8, 3)), *augmentation, layers.Rescaling(1 / 255), layers.Flatten(), layers.Dense(2)]
    )
    model.compile("sgd", "mse")
    return model


def test_a_model_augments_when_it_is_fitted_and_not_when_it_predicts() -> None:
    x, y = images(8), np.ones((8, 2), "float32")

    def seeded(augmented: bool) -> Any:
        keras.utils.set_random_seed(1)
        model = small_model(block() if augmented else ())
        model.layers[-1].set_weights([np.full((216, 2), 0.01, "float32"), np.zeros(2, "float32")])
        return model

    model, plain = seeded(True), seeded(False)
    np.testing.assert_allclose(model.predict(x, verbose=0), plain.predict(x, verbose=0), rtol=1e-6)
    np.testing.assert_allclose(model.evaluate(x, y, verbose=0), plain.evaluate(x, y, verbose=0), rtol=1e-6)
    ours = model.fit(x, y, epochs=2, verbose=0).history["loss"]
    theirs = plain.fit(x, y, epochs=2, verbose=0).history["loss"]
    assert abs(ours[0] - theirs[0]) > 1e-4
    again = seeded(True).fit(x, y, epochs=2, verbose=0).history["loss"]
    assert again == ours, "the same seed draws the same"
    assert keras.explain.plan(model, 8, training=True).host_steps == ()


def test_a_model_with_augmentation_comes_back_from_a_file(tmp_path: Path) -> None:
    model = small_model([*block(seed=4), layers.AutoContrast(), layers.Pipeline([layers.RandomFlip(), layers.ReLU()])])
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert [type(a) for a in again.layers] == [type(a) for a in model.layers]
    plain = [json.loads(json.dumps([a.get_config() for a in m.layers])) for m in (again, model)]
    assert plain[0] == plain[1]
    np.testing.assert_array_equal(again.predict(images(), verbose=0), model.predict(images(), verbose=0))


def test_a_functional_model_of_images_and_masks() -> None:
    images_in = keras.Input((9, 8, 3), name="images")
    masks_in = keras.Input((9, 8, 1), dtype="int32", name="segmentation_masks")
    inputs = {"images": images_in, "segmentation_masks": masks_in}
    outputs = layers.RandomCrop(5, 4, seed=3)(inputs)
    assert outputs["images"].shape == (None, 5, 4, 3) and outputs["segmentation_masks"].shape == (None, 5, 4, 1)
    assert outputs["segmentation_masks"].dtype == "int32"
    model = keras.Model(inputs, outputs)
    x = images()
    got = model({"images": x, "segmentation_masks": np.ones((6, 9, 8, 1), "int32")}, training=True)
    np.testing.assert_array_equal(got["images"], layers.RandomCrop(5, 4, seed=3)(x, training=True))


def test_a_layer_of_ones_own() -> None:
    class Darker(RandomImageLayer):
        def __init__(self, seed: int | None = None, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self._begin(seed)

        def _draw(self, shape: tuple[int, ...], seed: Any) -> Any:
            return self._uniform((shape[0], 1, 1, 1), (0.5, 1.0), seed)

        def _transformed(self, images: Any, transformation: Any) -> Any:
            return images * transformation

    class Brighter(layers.RandomBrightness):
        def get_random_transformation(self, data: Any, training: bool = True, seed: Any = None) -> Any:
            return {"rgb_delta": np.full((len(data), 1, 1, 1), 10.0, "float32")}

    x = images()
    y = Darker(seed=1)(x, training=True)
    assert (y < x).all() and (y >= 0.5 * x - 1e-3).all()
    np.testing.assert_allclose(Brighter(0.1)(x, training=True), np.minimum(x + 10, 255))


def test_a_pipeline_passes_training_and_mask_on() -> None:
    class Canary(layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.supports_masking = True

        def call(self, x: Any, training: bool = False, mask: Any = None) -> Any:
            self.seen = (training, mask is not None)
            return x

    first, second = Canary(), Canary()
    pipeline = layers.Pipeline([first, second])
    with pytest.warns(UserWarning, match="was passed an input with a mask"):  # the pipeline itself, as in Keras
        pipeline(np.zeros(1, "float32"), training=True, mask=np.zeros(1))
    assert first.seen == (True, True) and second.seen == (True, True)
    pipeline(np.zeros(1, "float32"), training=False)
    assert first.seen == (False, False)
    x = images()
    steps = layers.Pipeline([layers.RandomCrop(5, 4, seed=1), layers.RandomFlip(seed=2)])
    assert steps.compute_output_shape(x.shape) == (6, 5, 4, 3)
    want = layers.RandomFlip(seed=2)(layers.RandomCrop(5, 4, seed=1)(x, training=True), training=True)
    np.testing.assert_array_equal(steps(x, training=True), want)
    again = layers.Pipeline.from_config(steps.get_config())
    assert again.get_config() == steps.get_config()
    with pytest.raises(ValueError, match="must have a list of `layers`"):
        layers.Pipeline.from_config({"name": "test"})
    with pytest.raises(ValueError, match="Pipeline takes a list of layers"):
        layers.Pipeline("RandomFlip")
