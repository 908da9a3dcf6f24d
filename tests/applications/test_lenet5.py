"""LeNet-5 beside its paper: every layer's numbers, what is fixed, that it trains, slides, and goes through a file."""

from __future__ import annotations

import numpy as np
import pytest

import striate
from striate import losses, metrics
from striate.applications import lenet5

#: layer: (output, parameters, connections) as in section II.B of the paper
PAPER = {
    "C1": ((28, 28, 6), 156, 122_304),
    "S2": ((14, 14, 6), 12, 5_880),
    "C3": ((10, 10, 16), 1_516, 151_600),
    "S4": ((5, 5, 16), 32, 2_000),
    "C5": ((1, 1, 120), 48_120, 48_120),
    "F6": ((84,), 10_164, 10_164),
}
MODERN = {"C1": 156, "S2": 0, "C3": 2_416, "S4": 0, "C5": 48_120, "F6": 10_164, "output": 850}


def published(loss=None, optimizer="adam"):
    striate.utils.set_random_seed(3)
    model = striate.applications.LeNet5()
    model.compile(optimizer, loss or losses.SparsePenalty(), metrics=[metrics.SparsePenaltyAccuracy()])
    return model


@pytest.fixture(scope="module")
def garments():
    (x, y), _ = striate.datasets.fashion_mnist_mini.load_data()
    return lenet5.preprocess_input(x[:1500]), y[:1500]


def test_the_numbers_are_the_paper_s():
    model = striate.applications.LeNet5("1998")
    counted = lenet5.connections(model)
    for name, (output, parameters, connections) in PAPER.items():
        layer = model.get_layer(name)
        assert (layer.output.shape[1:], layer.count_params(), counted[name]) == (output, parameters, connections), name
    assert sum(w.size for w in model.trainable_weights) == 60_000
    assert sum(counted.values()) == 340_908
    assert [w.path.split("/")[-2:] for w in model.non_trainable_weights] == [["output", "centers"]]


def test_the_modern_form_s_numbers():
    model = striate.applications.LeNet5("modern")
    assert {layer.name: layer.count_params() for layer in model.layers if layer.name != "flatten"} == MODERN
    assert model.count_params() == 61_706 == 60_000 + 900 - 44 + 850
    pools = striate.applications.LeNet5("modern", pooling="max", activation="relu")
    assert type(pools.get_layer("S2")) is striate.layers.MaxPooling2D and pools.count_params() == 61_706


def test_table_i_breaks_the_symmetry():
    assert sum(map(len, lenet5.TABLE_I)) == 60 and len(set(lenet5.TABLE_I)) == 16
    assert [sum(c in seen for seen in lenet5.TABLE_I) for c in range(6)] == [10] * 6


def test_weights_start_within_2_4_over_fan_in():
    striate.utils.set_random_seed(0)
    model = striate.applications.LeNet5()
    fan_in = {"C1": 25, "S2": 4, "S4": 4, "C5": 400, "F6": 120}
    for name, n in fan_in.items():
        for w in model.get_layer(name).get_weights():
            assert 0 < np.abs(w).max() <= 2.4 / n, name
    kernel, bias = model.get_layer("C3").get_weights()
    per_connection = [25 * len(seen) for seen in lenet5.TABLE_I for _ in seen]
    assert (np.abs(kernel) <= 2.4 / np.array(per_connection)).all() and np.abs(kernel).max() > 2.4 / 80
    assert (np.abs(bias) <= [2.4 / (25 * len(seen)) for seen in lenet5.TABLE_I]).all()


def test_inputs_have_the_paper_s_mean_and_range(garments):
    x = lenet5.preprocess_input(np.array([[[0] * 28] * 28, [[255] * 28] * 28], "uint8"))
    assert x.shape == (2, 32, 32, 1) and x.dtype == np.float32
    np.testing.assert_allclose([x[0].max(), x[1, 0, 0, 0], x[1, 2:30, 2:30].min()], [-0.1, -0.1, 1.175], rtol=1e-6)


def test_the_model_can_bring_its_own_preprocessing():
    striate.utils.set_random_seed(1)
    inside = striate.applications.LeNet5(input_shape=(28, 28, 1), include_preprocessing=True)
    outside = striate.applications.LeNet5()
    outside.set_weights(inside.get_weights())
    pixels = np.random.default_rng(0).integers(0, 256, (3, 28, 28), dtype="uint8")
    mine = inside.predict(pixels[..., None].astype("float32") / 255, verbose=0)
    # The margin is 0 before it is scaled, and so is background.
    np.testing.assert_allclose(mine, outside.predict(lenet5.preprocess_input(pixels), verbose=0), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("loss", [losses.SparsePenalty(), losses.SparsePenaltyCrossentropy()], ids=["eq8", "eq9"])
def test_it_learns_and_the_codes_stay(garments, loss):
    model = published(loss, striate.optimizers.Adam(2e-3))
    codes = model.get_layer("output").get_weights()[0]
    history = model.fit(*garments, batch_size=25, epochs=4, verbose=0).history
    # By chance 0.1; 0.71 and 0.72 on 2026-11-29.
    assert history["accuracy"][-1] > 0.5 and history["loss"][-1] < 0.75 * history["loss"][0]
    np.testing.assert_array_equal(model.get_layer("output").get_weights()[0], codes)


def test_the_modern_form_learns(garments):
    striate.utils.set_random_seed(3)
    model = striate.applications.LeNet5("modern")
    model.compile(striate.optimizers.Adam(2e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(*garments, batch_size=25, epochs=3, verbose=0).history
    assert history["accuracy"][-1] > 0.65  # 0.76 on 2026-11-29


@pytest.mark.parametrize("variant", ["1998", "modern"])
@pytest.mark.parametrize("training", [True, False])
def test_no_step_runs_on_the_host(variant, training):
    model = striate.applications.LeNet5(variant)
    own = variant == "1998"
    model.compile(
        "sgd",
        losses.SparsePenaltyCrossentropy() if own else "sparse_categorical_crossentropy",
        metrics=[metrics.SparsePenaltyAccuracy() if own else "accuracy"],
    )
    assert striate.explain.plan(model, 4, training=training).host_steps == ()


def test_it_goes_through_a_file_and_trains_on(garments, tmp_path):
    x, y = garments[0][:50], garments[1][:50]
    model = published()
    model.fit(x, y, batch_size=25, verbose=0)
    model.save(tmp_path / "lenet5.keras")
    again = striate.saving.load_model(tmp_path / "lenet5.keras")
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
    assert sum(w.size for w in again.trainable_weights) == 60_000
    for one in (model, again):
        one.fit(x, y, batch_size=25, verbose=0, shuffle=False)
    for a, b in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_it_slides_over_a_larger_image():
    """Space displacement: what the large model says at (i, j) is what the small one says of the window at (4i, 4j)."""
    striate.utils.set_random_seed(2)
    small, wide = striate.applications.LeNet5(), striate.applications.LeNet5(input_shape=(36, 48, 1))
    wide.set_weights(small.get_weights())
    image = np.random.default_rng(1).uniform(-0.1, 1.175, (1, 36, 48, 1)).astype("float32")
    field = wide.predict(image, verbose=0)
    assert field.shape == (1, 2, 5, 10)
    for i, j in np.ndindex(2, 5):
        window = image[:, 4 * i : 4 * i + 32, 4 * j : 4 * j + 32]
        np.testing.assert_allclose(field[:, i, j], small.predict(window, verbose=0), rtol=1e-4, atol=1e-4)


def test_the_paper_s_schedule_drives_an_optimizer(garments):
    model = published(optimizer=striate.optimizers.SGD(1.0))
    rates = striate.callbacks.LearningRateScheduler(lambda epoch: lenet5.learning_rate(epoch, scale=2.0))
    history = model.fit(garments[0][:25], garments[1][:25], epochs=13, verbose=0, callbacks=[rates]).history
    expected = [1e-3] * 2 + [4e-4] * 3 + [2e-4] * 3 + [1e-4] * 4 + [2e-5]
    np.testing.assert_allclose(history["learning_rate"], expected, rtol=1e-6)


@pytest.mark.parametrize(
    "call, text",
    [
        (lambda: striate.applications.LeNet5("1989"), "'1998' or 'modern'|1989"),
        (lambda: striate.applications.LeNet5(classes=26), "codes of 10 digits.*classes=26"),
        (lambda: striate.applications.LeNet5(pooling="max"), "pooling='max'"),
        (lambda: striate.applications.LeNet5(input_shape=(28, 28, 1)), "32x32 pixels.*include_preprocessing"),
        (lambda: striate.applications.LeNet5("modern", pooling="sum"), "`pooling`"),
    ],
)
def test_mistakes_are_named(call, text):
    with pytest.raises(ValueError, match=text):
        call()
