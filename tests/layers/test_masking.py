"""Masks of padded sequences: made, handed from layer to layer, used, and taken into account by losses and metrics."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import striate as keras
from striate import backend, layers, ops
from striate.backend import get_keras_mask, masking, set_keras_mask

#: two signals of four steps with two values each; the padded steps are zeros.
X = np.array([[[1, 5], [2, 5], [0, 0], [0, 0]], [[3, 1], [0, 0], [4, 0], [0, 0]]], np.float32)
COUNTS = np.array([[True, True, False, False], [True, False, True, False]])


def mask_of(x: Any) -> Any:
    found = get_keras_mask(x)
    return None if found is None else np.asarray(found).tolist()


class Seen(layers.Layer):
    """Notes the masks that its calls are given, and hands them on."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.supports_masking = True
        self.masks: list[Any] = []

    def call(self, x: Any, mask: Any = None) -> Any:
        self.masks.append(mask)
        return x * 1.0


def test_arrays_carry_masks_as_long_as_they_live() -> None:
    x = layers.Masking()(X)
    assert mask_of(x) == COUNTS.tolist() and mask_of(X) is None
    before = len(masking._of_arrays)
    y = layers.ReLU()(x)
    assert mask_of(y) == COUNTS.tolist() and len(masking._of_arrays) > before
    del y
    gc.collect()
    assert len(masking._of_arrays) == before
    set_keras_mask(x, None)
    assert mask_of(x) is None
    set_keras_mask(np.float32(3), COUNTS)  # a number: nothing to carry
    assert mask_of(np.float32(3)) is None


def test_masking() -> None:
    layer = layers.Masking(mask_value=5.0)
    x = np.array([[[5, 5], [5, 1]]], np.float32)
    assert layer(x).tolist() == [[[0, 0], [5, 1]]] and mask_of(layer(x)) == [[False, True]]
    assert layers.Masking.from_config(layer.get_config()).mask_value == 5.0
    assert layer.supports_masking and layer.compute_mask(x).tolist() == [[False, True]]


@pytest.mark.parametrize(
    "layer",
    [
        lambda: layers.Dense(3), lambda: layers.Activation("tanh"), lambda: layers.LayerNormalization(),
        lambda: layers.Dropout(0.5), lambda: layers.PReLU(), lambda: layers.UnitNormalization(),
        lambda: layers.TimeDistributed(layers.Dense(2)), lambda: layers.Rescaling(0.5),
    ],
)  # fmt: skip
def test_what_treats_each_step_alone_hands_the_mask_on(layer: Any) -> None:
    assert mask_of(layer()(layers.Masking()(X))) == COUNTS.tolist()
    assert mask_of(layer()(layers.Masking()(X.astype("float64")))) == COUNTS.tolist()  # cast on the way


@pytest.mark.parametrize("layer", [lambda: layers.Conv1D(2, 3, padding="same"), lambda: layers.MaxPooling1D(2)])
def test_windows_over_several_steps_end_it_with_a_warning(layer: Any) -> None:
    with pytest.warns(UserWarning, match="does not support masking and will therefore destroy the mask"):
        assert mask_of(layer()(layers.Masking()(X))) is None


def test_a_call_is_given_the_mask_of_its_argument() -> None:
    layer, x = Seen(), layers.Masking()(X)
    layer(X), layer(x), layer(x, mask=~COUNTS), layer(x, ~COUNTS), layer(x, mask=None)
    given = [None if mask is None else np.asarray(mask).tolist() for mask in layer.masks]
    assert given == [None, COUNTS.tolist(), (~COUNTS).tolist(), (~COUNTS).tolist(), COUNTS.tolist()]
    assert mask_of(layer(X, mask=~COUNTS)) == (~COUNTS).tolist()


def test_arguments_have_masks_by_their_names() -> None:
    class Both(layers.Layer):
        def call(self, a: Any, b: Any, b_mask: Any = None) -> Any:
            return a + b if b_mask is None else ops.where(ops.expand_dims(b_mask, -1), a + b, a)

    x = layers.Masking()(X)
    assert Both()(X, x).tolist() == (2 * X).tolist()
    set_keras_mask(x, ~COUNTS)
    assert Both()(X, x).tolist() == X.tolist()


def test_an_own_compute_mask_supports_masking() -> None:
    class Half(layers.Layer):
        def call(self, x: Any) -> Any:
            return x[:, ::2]

        def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
            return None if previous_mask is None else previous_mask[:, ::2]

    assert Half().supports_masking and not layers.Conv1D(1, 1).supports_masking
    assert mask_of(Half()(layers.Masking()(X))) == COUNTS[:, ::2].tolist() and mask_of(Half()(X)) is None


def test_the_mean_of_the_steps_that_count() -> None:
    expected = [[1.5, 5.0], [3.5, 0.5]]
    assert layers.GlobalAveragePooling1D()(layers.Masking()(X)).tolist() == expected
    assert mask_of(layers.GlobalAveragePooling1D()(layers.Masking()(X))) is None
    model = keras.Sequential([keras.Input((4, 2)), layers.Masking(), layers.ReLU(), layers.GlobalAveragePooling1D()])
    assert model(X).tolist() == model.predict(X, verbose=0).tolist() == expected


def test_batch_statistics_of_the_steps_that_count() -> None:
    layer = layers.BatchNormalization(momentum=0.0, epsilon=0.0)
    y = layer(layers.Masking()(X), training=True)
    counted = X[COUNTS]
    np.testing.assert_allclose(layer.moving_mean, counted.mean(0), rtol=1e-6)
    np.testing.assert_allclose(layer.moving_variance, counted.var(0), rtol=1e-6)
    np.testing.assert_allclose(y[COUNTS], (counted - counted.mean(0)) / counted.std(0), rtol=1e-5)
    renormalized = layers.BatchNormalization(momentum=0.0, renorm=True, renorm_momentum=0.0)
    renormalized(layers.Masking()(X), training=True)
    np.testing.assert_allclose(renormalized.moving_mean, counted.mean(0), rtol=1e-6)
    np.testing.assert_allclose(renormalized.renorm_stddev, np.sqrt(counted.var(0) + 1e-3), rtol=1e-5)
    none = layers.BatchNormalization()(X, training=True, mask=np.zeros((2, 4), bool))
    assert np.isfinite(none).all()


def test_merges() -> None:
    a, b = layers.Masking()(X), np.full_like(X, 2.0)
    assert mask_of(layers.Add()([a, b])) is None  # all of b counts
    set_keras_mask(b, ~COUNTS)
    assert mask_of(layers.Add()([a, b])) == [[True] * 4] * 2
    # Where one alone counts, it is taken as it is: a masked 0 would make a product 0, a masked 2 the largest.
    only = np.where(COUNTS[..., None], X, b)
    for layer in (layers.Multiply, layers.Maximum, layers.Minimum):
        np.testing.assert_array_equal(layer()([a, b]), only)
    set_keras_mask(b, None)
    np.testing.assert_array_equal(layers.Multiply()([a, b]), np.where(COUNTS[..., None], X * 2, 2.0))
    assert mask_of(layers.Concatenate(axis=1)([a, b])) == np.hstack([COUNTS, np.ones((2, 4), bool)]).tolist()


# Models -------------------------------------------------------------------------------------------------------------


def masked_model() -> Any:
    inputs = keras.Input((None, 2))
    y = layers.Dense(3, activation="tanh", name="hidden")(layers.Masking()(inputs))
    return keras.Model(inputs, layers.Dense(1, name="out")(y))


def by_hand(model: Any, y: Any, weights: Any) -> float:
    """The mean squared error over the steps that count: their number stands in the place of all steps'."""
    error = np.square(np.asarray(model.predict(X, verbose=0)) - y)[..., 0]
    return float((error * weights * COUNTS).sum() / COUNTS.sum())


@pytest.mark.parametrize("eagerly", [False, True])
def test_losses_leave_padded_steps_out(eagerly: bool) -> None:
    model, y = masked_model(), np.ones((2, 4, 1), np.float32)
    model.compile("sgd", "mse", run_eagerly=eagerly)
    weights = np.array([[1, 2, 3, 4], [0.5, 1, 0, 1]], np.float32)
    for given in (None, weights):
        expected = by_hand(model, y, 1.0 if given is None else given)
        np.testing.assert_allclose(model.test_on_batch(X, y, sample_weight=given), expected, rtol=1e-5)
    # What stands at the padded steps has no gradient.
    before = [w.copy() for w in model.get_weights()]
    model.fit(X, np.where(COUNTS[..., None], y, 1e6), verbose=0)
    first = model.get_weights()
    model.set_weights(before)
    model.fit(X, y, verbose=0)
    for a, b in zip(first, model.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)


@pytest.mark.parametrize("metric", ["mae", keras.metrics.MeanMetricWrapper(keras.losses.mean_absolute_error, "mae")])
def test_metrics_leave_padded_steps_out(metric: Any) -> None:
    model, y = masked_model(), np.zeros((2, 4, 1), np.float32)
    model.compile("sgd", "mse", metrics=[metric])
    error = np.abs(np.asarray(model.predict(X, verbose=0)))[..., 0]
    got = model.test_on_batch(X, y, return_dict=True)["mae"]
    np.testing.assert_allclose(got, error[COUNTS].mean(), rtol=1e-5)


def test_masks_in_a_functional_model_and_its_file(tmp_path: Path) -> None:
    inputs = keras.Input((4, 2))
    x = layers.Masking()(inputs)
    assert isinstance(get_keras_mask(x), backend.KerasTensor) and tuple(get_keras_mask(x).shape) == (None, 4)
    model = keras.Model(inputs, layers.GlobalAveragePooling1D()(x))
    assert [type(layer).__name__ for layer in model.layers] == ["InputLayer", "Masking", "GlobalAveragePooling1D"]
    assert model(X).tolist() == [[1.5, 5.0], [3.5, 0.5]]
    model.save(tmp_path / "a.keras")
    again = keras.models.load_model(tmp_path / "a.keras")
    assert again(X).tolist() == keras.models.clone_model(model)(X).tolist() == model(X).tolist()
    joined = layers.Concatenate(axis=1)([x, inputs])
    masks = keras.Model(inputs, get_keras_mask(joined))
    assert masks(X).tolist() == np.hstack([COUNTS, np.ones((2, 4), bool)]).tolist()


def test_masks_go_into_models_inside() -> None:
    for inside in (
        keras.Sequential([layers.ReLU(), layers.GlobalAveragePooling1D()]),
        keras.Model(i := keras.Input((4, 2)), layers.GlobalAveragePooling1D()(layers.ReLU()(i))),
    ):
        model = keras.Sequential([keras.Input((4, 2)), layers.Masking(), inside])
        assert model(X).tolist() == model.predict(X, verbose=0).tolist() == [[1.5, 5.0], [3.5, 0.5]]
    inside = keras.Sequential([layers.Masking(), layers.ReLU()])  # ... and come out of them
    model = keras.Sequential([keras.Input((4, 2)), inside, layers.GlobalAveragePooling1D()])
    assert model(X).tolist() == model.predict(X, verbose=0).tolist() == [[1.5, 5.0], [3.5, 0.5]]


def test_a_layer_that_needs_values_says_its_shape() -> None:
    class Checks(layers.Layer):
        def call(self, x: Any, mask: Any = None) -> Any:
            assert np.asarray(mask).tolist() == COUNTS.tolist()
            return x

        def compute_output_shape(self, input_shape: Any) -> Any:
            return input_shape

    layer = Checks()
    layer.supports_masking = True
    model = keras.Sequential([layers.Masking(), layer])
    assert model(X).tolist() == X.tolist() and model.output_shape == (None, 4, 2)
