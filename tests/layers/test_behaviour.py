"""What single layers promise beyond the conformance tests."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import striate
from striate import backend, layers, ops
from striate.utils import PyDataset

RNG = np.random.default_rng(0)


def test_the_lecture_s_padding_example() -> None:
    images = np.ones((1, 1, 13, 1), "float32")
    assert layers.Conv2D(1, (1, 6), strides=(1, 5), padding="same")(images).shape == (1, 1, 3, 1)
    assert layers.Conv2D(1, (1, 6), strides=(1, 5), padding="valid")(images).shape == (1, 1, 2, 1)


def test_convolution_is_the_sum_over_the_window() -> None:
    x = RNG.normal(size=(2, 5, 6, 3)).astype("float32")
    layer = layers.Conv2D(4, (3, 2), strides=(2, 1), padding="same", bias_initializer="ones")
    y = layer(x)
    kernel = layer.kernel.numpy().astype("float64")
    # n=5, k=3, s=2: one row of zeros on each side; n=6, k=2, s=1: one column, on the right.
    padded = np.pad(x, ((0, 0), (1, 1), (0, 1), (0, 0))).astype("float64")
    for i, j in [(0, 0), (1, 3), (2, 5)]:
        window = padded[:, 2 * i : 2 * i + 3, j : j + 2]
        expected = np.einsum("nuvc,uvck->nk", window, kernel) + 1
        np.testing.assert_allclose(y[:, i, j], expected, rtol=1e-4, atol=1e-5)


def test_average_pooling_with_same_divides_by_the_cells_inside() -> None:
    x = np.arange(1, 17, dtype="float32").reshape(1, 4, 4, 1)
    y = layers.AveragePooling2D(3, 2, "same")(x)
    np.testing.assert_allclose(y.ravel(), [6, 7.5, 12, 13.5])


def test_integer_images_are_computed_in_float() -> None:
    images = RNG.integers(0, 255, size=(1, 4, 4, 1)).astype("uint8")
    assert layers.Conv2D(2, 3)(images).dtype == np.float32
    assert layers.MaxPooling2D()(images).dtype == np.float32
    np.testing.assert_allclose(layers.Rescaling(1 / 255)(images), images / 255.0, rtol=1e-6)


def test_flatten_of_channels_first_keeps_the_order_of_channels_last() -> None:
    x = RNG.normal(size=(2, 3, 4, 5)).astype("float32")
    moved = np.moveaxis(x, -1, 1)
    np.testing.assert_array_equal(layers.Flatten(data_format="channels_first")(moved), x.reshape(2, -1))


@pytest.mark.parametrize("spatial", [(None, None), (None, 4)])
def test_open_axes_stay_open(spatial: tuple[int | None, int | None]) -> None:
    x = layers.Input((*spatial, 3))
    assert layers.Conv2D(5, 3, padding="same")(x).shape == (None, *spatial, 5)
    assert layers.MaxPooling2D()(x).shape == (None, None, None if spatial[1] is None else 2, 3)
    assert layers.Flatten()(x).shape == (None, None)
    assert layers.GlobalAveragePooling2D()(x).shape == (None, 3)
    assert layers.Reshape((-1, 3))(x).shape == (None, None, 3)


class TestBatchNormalization:
    X = RNG.normal(2.0, 3.0, size=(8, 5, 5, 4)).astype("float32")

    def test_training_normalises_by_the_batch_and_moves_the_statistics(self) -> None:
        layer = layers.BatchNormalization(momentum=0.9)
        y = layer(self.X, training=True)
        mean, variance = self.X.mean(axis=(0, 1, 2)), self.X.var(axis=(0, 1, 2))
        np.testing.assert_allclose(y, (self.X - mean) / np.sqrt(variance + 1e-3), rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(layer.moving_mean.numpy(), 0.1 * mean, rtol=1e-4)
        # The biased variance, as Keras; not n / (n - 1) times it, as PyTorch.
        np.testing.assert_allclose(layer.moving_variance.numpy(), 0.9 + 0.1 * variance, rtol=1e-4)

    def test_inference_uses_the_moving_statistics_and_leaves_them(self) -> None:
        layer = layers.BatchNormalization()
        layer.build(self.X.shape)
        layer.moving_mean.assign([1.0, 2.0, 3.0, 4.0])
        before = layer.moving_mean.version
        np.testing.assert_allclose(layer(self.X), (self.X - [1, 2, 3, 4]) / np.sqrt(1.001), rtol=1e-4, atol=1e-5)
        assert layer.moving_mean.version == before

    def test_not_trainable_means_inference(self) -> None:
        layer = layers.BatchNormalization(trainable=False)
        np.testing.assert_array_equal(layer(self.X, training=True), layer(self.X))
        np.testing.assert_array_equal(layer.moving_mean.numpy(), np.zeros(4))
        assert layer.trainable_weights == [] and len(layer.non_trainable_weights) == 4

    def test_order_of_weights(self) -> None:
        layer = layers.BatchNormalization()
        layer.build((None, 4))
        assert [w.name for w in layer.weights] == ["gamma", "beta", "moving_mean", "moving_variance"]
        assert [w.name for w in layer.trainable_weights] == ["gamma", "beta"]


class TestDropout:
    ONES = np.ones((4, 1000), "float32")

    def test_only_in_training(self) -> None:
        layer = layers.Dropout(0.5, seed=1)
        np.testing.assert_array_equal(layer(self.ONES), self.ONES)
        first, second = layer(self.ONES, training=True), layer(self.ONES, training=True)
        assert set(np.unique(first)) == {0.0, 2.0} and not np.array_equal(first, second)

    def test_same_seed_same_mask(self) -> None:
        a, b = layers.Dropout(0.5, seed=1), layers.Dropout(0.5, seed=1)
        np.testing.assert_array_equal(a(self.ONES, training=True), b(self.ONES, training=True))

    def test_rate_one_gives_zeros_and_rate_zero_has_no_generator(self) -> None:
        assert not layers.Dropout(1.0)(self.ONES, training=True).any()
        assert not hasattr(layers.Dropout(0.0), "seed_generator")

    def test_the_counter_is_no_weight(self) -> None:
        layer = layers.Dropout(0.5)
        assert layer.weights == []
        assert [v.name for v in layer.variables] == ["seed_generator_state"]

    def test_gradient_has_the_mask_of_the_output(self) -> None:
        layer, x = layers.Dropout(0.5, seed=1), backend.Variable(self.ONES)
        y = layers.Dropout(0.5, seed=1)(self.ONES, training=True)
        _, (gradient,) = backend.value_and_grad(lambda: ops.sum(layer(x, training=True)), [x])()
        np.testing.assert_array_equal(gradient, y)


class TestNormalization:
    X = RNG.normal(3.0, 2.0, size=(50, 4, 3)).astype("float32")

    @pytest.mark.parametrize("axis", [-1, 1, (1, 2), None])
    def test_adapt(self, axis: int | tuple[int, ...] | None) -> None:
        layer = layers.Normalization(axis=axis)
        layer.adapt(self.X)
        kept = {-1: (2,), 1: (1,), (1, 2): (1, 2), None: ()}[axis]
        axes = tuple(i for i in range(3) if i not in kept)
        expected = (self.X - self.X.mean(axis=axes, keepdims=True)) / self.X.std(axis=axes, keepdims=True)
        np.testing.assert_allclose(layer(self.X), expected, rtol=1e-4, atol=1e-5)

    def test_batches_give_what_the_whole_gives(self) -> None:
        whole, parts = layers.Normalization(), layers.Normalization()
        whole.adapt(self.X)
        parts.adapt([self.X[:7], (self.X[7:30], "labels"), self.X[30:]])
        np.testing.assert_allclose(parts.adapt_mean.numpy(), whole.adapt_mean.numpy(), rtol=1e-6)
        np.testing.assert_allclose(parts.adapt_variance.numpy(), whole.adapt_variance.numpy(), rtol=1e-5)

    def test_a_py_dataset_ends_after_its_last_batch(self) -> None:
        class Batches(PyDataset):
            def __len__(self) -> int:
                return 2

            def __getitem__(batches, index: int) -> Any:
                return self.X[25 * index : 25 * index + 25], None

        whole, parts = layers.Normalization(), layers.Normalization()
        whole.adapt(self.X)
        parts.adapt(Batches())
        np.testing.assert_allclose(parts.adapt_mean.numpy(), whole.adapt_mean.numpy(), rtol=1e-6)

    def test_adapting_again_replaces(self) -> None:
        layer = layers.Normalization()
        layer.adapt(self.X + 100)
        layer.adapt(self.X)
        np.testing.assert_allclose(layer(self.X).mean(axis=(0, 1)), np.zeros(3), atol=1e-4)

    def test_invert_undoes(self) -> None:
        mean, variance = [1.0, 2.0, 3.0], [4.0, 5.0, 6.0]
        there = layers.Normalization(mean=mean, variance=variance)
        back = layers.Normalization(mean=mean, variance=variance, invert=True)
        np.testing.assert_allclose(back(there(self.X)), self.X, rtol=1e-5)

    def test_other_data_is_refused(self) -> None:
        layer = layers.Normalization()
        layer.adapt(self.X)
        with pytest.raises(ValueError, match=r"data of shape \(5, 4, 2\)"):
            layer.adapt(self.X[:5, :, :2])


def test_softmax_with_a_mask() -> None:
    mask = np.array([[True, True, False]])
    y = layers.Softmax()(np.zeros((1, 3), "float32"), mask=mask)
    np.testing.assert_allclose(y, [[0.5, 0.5, 0.0]])


def test_merge_functions_are_the_layers() -> None:
    a, b = RNG.normal(size=(2, 3)).astype("float32"), RNG.normal(size=(2, 3)).astype("float32")
    np.testing.assert_allclose(layers.add([a, b]), a + b)
    np.testing.assert_allclose(layers.subtract([a, b]), a - b)
    np.testing.assert_allclose(layers.multiply([a, b]), a * b)
    np.testing.assert_allclose(layers.average([a, b]), (a + b) / 2, rtol=1e-6)
    np.testing.assert_allclose(layers.maximum([a, b]), np.maximum(a, b))
    np.testing.assert_allclose(layers.minimum([a, b]), np.minimum(a, b))
    np.testing.assert_allclose(layers.concatenate([a, b], axis=0), np.concatenate([a, b]))


def test_regularizers_are_part_of_the_losses() -> None:
    layer = layers.Dense(2, kernel_regularizer=striate.regularizers.L2(0.5), bias_regularizer="l1")
    layer.build((None, 3))
    kernel = layer.kernel.numpy()
    assert float(layer.losses[0]) == pytest.approx(0.5 * (kernel**2).sum(), rel=1e-5)
    assert float(layer.losses[1]) == 0.0


def test_input() -> None:
    x = layers.Input((28, 28, 1), batch_size=4, dtype="uint8", name="img")
    assert x.shape == (4, 28, 28, 1) and x.dtype == "uint8"
    layer = x._keras_history.operation
    assert layer.get_config() == {
        "batch_shape": [4, 28, 28, 1],
        "dtype": "uint8",
        "sparse": False,
        "ragged": False,
        "name": "img",
    }
    again = layers.InputLayer.from_config(layer.get_config())
    assert again.batch_shape == layer.batch_shape and again.dtype == "uint8"
    assert layers.Input(tensor=x) is x or layers.Input(tensor=x).shape == x.shape


def test_half_precision_policy_computes_in_it() -> None:
    x = np.ones((1, 4, 4, 2), "float32")
    layer = layers.Conv2D(3, 3, dtype="mixed_float16")
    assert layer(x).dtype == np.float16 and layer.kernel.dtype == "float32"
    norm = layers.BatchNormalization(dtype="mixed_float16")
    assert norm(x).dtype == np.float16 and norm.gamma.dtype == "float32"


@pytest.mark.parametrize(
    "layer, shape, axes",
    [
        (layers.SpatialDropout1D(0.5, seed=1), (3, 7, 40), (1,)),
        (layers.SpatialDropout2D(0.5, seed=1), (3, 4, 5, 40), (1, 2)),
        (layers.SpatialDropout2D(0.5, "channels_first", seed=1), (3, 40, 4, 5), (2, 3)),
        (layers.SpatialDropout3D(0.5, seed=1), (3, 2, 3, 2, 40), (1, 2, 3)),
    ],
)
def test_whole_feature_maps_are_dropped(layer: layers.Layer, shape: tuple[int, ...], axes: tuple[int, ...]) -> None:
    y = np.asarray(layer(np.ones(shape, "float32"), training=True))
    assert set(y.ravel().tolist()) == {0.0, 2.0}
    np.testing.assert_array_equal(y.min(axis=axes), y.max(axis=axes))
    assert 0.3 < (y == 0).mean() < 0.7  # 120 maps: 5 standard errors are 0.23
    np.testing.assert_array_equal(layer(np.ones(shape, "float32")), 1)


def test_noise_has_the_moments_it_should_have() -> None:
    """Standard errors of 40000 draws: 0.005 of a mean, 0.0035 of a deviation, in units of the deviation."""
    x = np.full((40000,), 2.0, "float32")
    noise = np.asarray(layers.GaussianNoise(0.5, seed=1)(x, training=True))
    assert abs(noise.mean() - 2) < 0.0125 and abs(noise.std() - 0.5) < 0.01
    dropped = np.asarray(layers.GaussianDropout(0.2, seed=1)(x, training=True))
    assert abs(dropped.mean() - 2) < 0.025 and abs(dropped.std() - 1) < 0.02  # 2 * sqrt(0.2 / 0.8)
    normal = RNG.normal(size=40000).astype("float32")
    kept = np.asarray(layers.AlphaDropout(0.3, seed=1)(normal, training=True))
    assert abs(kept.mean()) < 0.03 and abs(kept.std() - 1) < 0.03
    assert abs(np.unique(kept, return_counts=True)[1].max() / 40000 - 0.3) < 0.0115  # the dropped ones are equal
    for layer in (layers.GaussianNoise(0.5), layers.GaussianDropout(0.2), layers.AlphaDropout(0.3)):
        np.testing.assert_array_equal(layer(normal), normal)
        assert (layer(normal, training=True) != layer(normal, training=True)).any()


def test_alpha_dropout_drops_whole_axes_with_a_noise_shape() -> None:
    y = np.asarray(layers.AlphaDropout(0.5, (None, 1), seed=1)(np.ones((64, 5), "float32"), training=True))
    np.testing.assert_array_equal(y.min(axis=1), y.max(axis=1))
    assert len(set(y[:, 0].tolist())) == 2


def test_a_penalty_on_activity_is_that_of_a_sample() -> None:
    layer = layers.ActivityRegularization(l1=0.5, l2=0.25)
    layer(np.array([[1.0, -3.0], [0.0, 2.0]], "float32"))
    (loss,) = layer.losses
    assert float(loss) == (0.5 * 6 + 0.25 * 14) / 2


def test_a_response_is_divided_by_its_neighbours() -> None:
    x = RNG.normal(size=(2, 3, 6)).astype("float32")
    y = np.asarray(layers.LocalResponseNormalization(4, alpha=0.5, beta=0.75, k=2.0)(x))
    for c in range(6):  # two maps before, the map, one after
        around = (x[..., max(c - 2, 0) : c + 2].astype("float64") ** 2).sum(axis=-1)
        np.testing.assert_allclose(y[..., c], x[..., c] / (2 + 0.5 * around) ** 0.75, rtol=1e-5)


def test_a_layer_s_description_makes_it_again() -> None:
    described = layers.serialize(layers.TimeDistributed(layers.Dense(3, activation="relu")))
    again = layers.deserialize(described)
    assert isinstance(again, layers.TimeDistributed) and again.layer.units == 3
    with pytest.raises(ValueError, match="no layer"):
        layers.deserialize(striate.losses.serialize(striate.losses.MeanSquaredError()))


def test_groups_are_normalised_alone() -> None:
    x = RNG.normal(2, 3, size=(3, 5, 4, 6)).astype("float32")
    y = np.asarray(layers.GroupNormalization(3)(x)).reshape(3, 5, 4, 3, 2)
    np.testing.assert_allclose(y.mean(axis=(1, 2, 4)), 0, atol=1e-5)
    np.testing.assert_allclose(y.std(axis=(1, 2, 4)), 1, atol=1e-3)
    z = np.asarray(layers.LayerNormalization([1, 2, 3])(x))
    np.testing.assert_allclose(z.mean(axis=(1, 2, 3)), 0, atol=1e-5)


def test_bilinear_upsampling_has_half_pixel_centres() -> None:
    x = np.array([0.0, 4.0], "float32").reshape(1, 1, 2, 1)
    y = layers.UpSampling2D((1, 2), interpolation="bilinear")(x)
    np.testing.assert_allclose(y.ravel(), [0, 1, 3, 4])


def test_nearest_takes_the_pixel_under_the_centre() -> None:
    x = np.arange(4, dtype="float32").reshape(1, 4, 1, 1)
    np.testing.assert_array_equal(ops.image.resize(x, (3, 1), "nearest").ravel(), [0, 2, 3])


def test_integer_images_are_resized_in_their_dtype() -> None:
    x = np.array([0, 255], "uint8").reshape(1, 2, 1)
    y = layers.Resizing(1, 4)(x)
    assert y.dtype == np.uint8
    assert y.ravel().tolist() == [0, 64, 191, 255]


@pytest.mark.parametrize("mode", ["crop_to_aspect_ratio", "pad_to_aspect_ratio"])
def test_proportions_stay(mode: str) -> None:
    x = np.ones((4, 8, 1), "float32")
    y = np.asarray(layers.Resizing(4, 4, **{mode: True})(x))
    assert y.shape == (4, 4, 1)
    if mode == "crop_to_aspect_ratio":
        np.testing.assert_allclose(y, 1, rtol=1e-6)
    else:  # 8 x 8 with 2 rows of zeros above and below, halved
        np.testing.assert_allclose(y[:, 0, 0], [0, 1, 1, 0], atol=1e-6)


def test_a_center_crop_enlarges_what_is_smaller() -> None:
    x = np.arange(12, dtype="float32").reshape(1, 3, 4, 1)
    np.testing.assert_array_equal(layers.CenterCrop(1, 2)(x).ravel(), [5, 6])
    assert layers.CenterCrop(6, 4)(x).shape == (1, 6, 4, 1)


@pytest.mark.parametrize(
    "make, shape, symbolic",
    [
        (lambda: layers.Cropping2D(1), (6, 7, 3), (None, None, None, 3)),
        (lambda: layers.ZeroPadding3D(1), (2, 3, 4, 3), (None, None, None, None, 3)),
        (lambda: layers.UpSampling2D(2, interpolation="bilinear"), (3, 4, 3), (None, None, None, 3)),
        (lambda: layers.UpSampling1D(2), (4, 3), (None, None, 3)),
        (lambda: layers.Resizing(4, 5), (3, 7, 3), (None, 4, 5, 3)),
        (lambda: layers.CenterCrop(4, 5), (6, 7, 3), (None, 4, 5, 3)),
        (lambda: layers.GroupNormalization(3), (4, 5, 3), (None, None, None, 3)),
        (lambda: layers.LayerNormalization(), (4, 5, 3), (None, None, None, 3)),
        (lambda: layers.PReLU(shared_axes=[1, 2]), (4, 5, 3), (None, None, None, 3)),
    ],
)
def test_sizes_left_open_are_known_when_it_runs(make: Any, shape: tuple[int, ...], symbolic: Any) -> None:
    layer = make()
    inputs = layers.Input((*(None for _ in shape[:-1]), shape[-1]))
    model = striate.Model(inputs, layer(inputs))
    assert model.output_shape == symbolic
    x = RNG.normal(size=(2, *shape)).astype("float32")
    np.testing.assert_allclose(model.predict(x, verbose=0), layer(x), rtol=1e-5, atol=1e-5)
