"""Wrong arguments and wrong inputs: ValueErrors that say what was received and how to mend it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from striate import layers


def _image(*shape: int) -> np.ndarray:
    return np.ones(shape, "float32")


@pytest.mark.parametrize(
    "call, text",
    [
        (lambda: layers.Conv2D(0, 3), "`filters` should be a positive integer. Received: filters=0"),
        (lambda: layers.Conv2D(4, (3, 3, 3)), "`kernel_size` must be one integer or a tuple of 2"),
        (lambda: layers.Conv2D(4, 3, strides=0), "`strides`"),
        (lambda: layers.Conv2D(4, 3, padding="full"), "'valid' or 'same'"),
        (lambda: layers.Conv2D(4, 3, padding="causal"), "'valid' or 'same'"),
        (lambda: layers.Conv2D(4, 3, data_format="NCHW"), "data_format"),
        (lambda: layers.Conv2D(4, 3, groups=3), "groups=3, filters=4"),
        (lambda: layers.Conv2D(4, 3, strides=2, dilation_rate=2), "strides > 1"),
        (lambda: layers.Conv2D(4, 3, activation="rellu"), "Did you mean 'relu'"),
        (lambda: layers.Conv2D(4, 3, groups=2)(_image(1, 5, 5, 3)), "3 channels"),
        (lambda: layers.Conv2D(4, 3)(_image(5, 5, 3)), "expected min_ndim=4, found ndim=3"),
        (lambda: layers.Conv2D(4, 7)(_image(1, 5, 5, 3)), "window of 7 pixels"),
        (lambda: layers.Conv2D(4, 3).build((None, 5, 5, None)), "known number of channels"),
        (lambda: layers.DepthwiseConv2D(3, depth_multiplier=0), "`depth_multiplier`"),
        (lambda: layers.Conv1D(4, 3, padding="casual"), "Did you mean 'causal'"),
        (lambda: layers.RandomFlip("sideways"), "`mode` must be 'horizontal' or"),
        (lambda: layers.RandomRotation(1.5), "The `factor` argument should be a number"),
        (lambda: layers.RandomRotation(0.1, fill_mode="edge"), "`fill_mode` must be 'reflect' or"),
        (lambda: layers.RandomZoom(-1.0), "in the range (-1.0, 1.0]. Received: height_factor=-1.0"),
        (lambda: layers.RandomZoom(0.1, (0.2, 1.2)), "Received: width_factor=(0.2, 1.2)"),
        (lambda: layers.RandomTranslation((0.1, 0.2, 0.3), 0), "`height_factor` argument should be a number"),
        (lambda: layers.RandomTranslation(0.1, "wide"), "`width_factor` argument should be a number"),
        (lambda: layers.RandomShear((-0.1, 0.3)), "in the range [0.0, 1.0]. Received: x_factor=(-0.1, 0.3)"),
        (lambda: layers.RandomContrast((2, 3)), "in the range [0, 1]. Received: factor=(2, 3)"),
        (lambda: layers.RandomBrightness(0.1, value_range=[10]), "`value_range` argument should be a list of two"),
        (lambda: layers.RandomBrightness(0.1, value_range=(1, 1)), "The numbers of `value_range` must differ"),
        (lambda: layers.RandomHue(-0.1), "in the range [0, 1]"),
        (lambda: layers.RandomHue(0.1)(_image(1, 4, 4, 1)), "Input images must have 3 channels"),
        (lambda: layers.RandomGrayscale(1.1), "`factor` should be between 0 and 1. Received: factor=1.1"),
        (lambda: layers.RandomCrop(0, 3), "`height` should be a positive integer"),
        (lambda: layers.RandomErasing(fill_value=[1, 2]), "a number (or a list of three numbers), or None"),
        (lambda: layers.Solarization(threshold_factor=300), "Received: threshold_factor=300"),
        (lambda: layers.Equalization(bins=0), "`bins` should be a positive integer"),
        (lambda: layers.AutoContrast()(_image(4, 4)), "Expected the input image to be rank 3 or 4"),
        (lambda: layers.Conv1D(4, (3, 3)), "`kernel_size` must be one integer or a tuple of 1"),
        (lambda: layers.Conv1D(4, 3)(_image(5, 3)), "expected min_ndim=3, found ndim=2"),
        (lambda: layers.Conv1D(4, 3).build((None, 5, 5, 3)), "Conv1D takes signals (batch, steps, channels)"),
        (lambda: layers.Conv3D(4, 3).build((None, 5, 5, 5, None)), "Conv3D takes volumes"),
        (lambda: layers.Conv3D(4, 3, padding="causal"), "'valid' or 'same'"),
        (lambda: layers.Conv3D(4, 3)(_image(1, 2, 5, 5, 1)), "window of 3 pixels"),
        (lambda: layers.SeparableConv2D(0, 3), "`filters`"),
        (lambda: layers.SeparableConv1D(4, 3, depth_multiplier=0), "`depth_multiplier`"),
        (lambda: layers.Conv2DTranspose(4, 3, strides=2, output_padding=2), "`output_padding` must be less than"),
        (lambda: layers.Conv2DTranspose(4, 3, strides=2, output_padding=-1), "`output_padding`"),
        (lambda: layers.Conv2DTranspose(4, 3, strides=2, dilation_rate=2), "strides > 1"),
        (lambda: layers.Conv1DTranspose(4, 6, padding="same", output_padding=0)(_image(1, 1, 1)), "nothing is left"),
        (lambda: layers.MaxPooling2D(3)(_image(1, 2, 2, 1)), "window of 3 pixels"),
        (lambda: layers.MaxPooling2D(2)(_image(2, 2, 1)), "expected ndim=4"),
        (lambda: layers.MaxPooling1D(3)(_image(1, 2, 1)), "window of 3 pixels"),
        (lambda: layers.AveragePooling3D((2, 2)), "`pool_size` must be one integer or a tuple of 3"),
        (lambda: layers.AveragePooling3D(3)(_image(1, 2, 4, 4, 1)), "window of 3 pixels"),
        (lambda: layers.GlobalMaxPooling1D()(_image(1, 2, 2, 1)), "expected ndim=3"),
        (lambda: layers.AdaptiveMaxPooling2D((2, 0)), "`output_size` must be one integer or a tuple of 2"),
        (lambda: layers.AdaptiveMaxPooling1D((2, 2)), "`output_size` must be one integer or a tuple of 1"),
        (lambda: layers.AdaptiveMaxPooling1D(0), "`output_size`"),
        (lambda: layers.Dense(-3), "`units`"),
        (lambda: layers.Dense(3, name=0), "`name` is a string"),
        (lambda: layers.Dense(3, lora_rank=4), "`lora_rank` is not supported"),
        (lambda: layers.Dense(3).build((None, None)), "known length"),
        (lambda: layers.Dense(3)(_image(4)), "expected min_ndim=2"),
        (lambda: layers.BatchNormalization(axis=4)(_image(1, 2, 2, 3)), "axis=4"),
        (lambda: layers.BatchNormalization(synchronized=True), "`synchronized` is not supported"),
        (lambda: layers.Dropout(1.5), "between 0 and 1"),
        (lambda: layers.Dropout(0.5, noise_shape="all"), "`noise_shape`"),
        (lambda: layers.Dropout(0.5, noise_shape=(None, 0)), "`noise_shape`"),
        (lambda: layers.ReLU(max_value=-1), "max_value of a ReLU layer cannot be None or a negative"),
        (lambda: layers.ReLU(negative_slope=None), "negative_slope of a ReLU layer cannot be None"),
        (lambda: layers.LeakyReLU(-0.1), "negative_slope of a LeakyReLU"),
        (lambda: layers.Reshape((-1, -1)), "at most one -1"),
        (lambda: layers.Reshape((3, 5))(_image(2, 12)), "12 elements a sample"),
        (lambda: layers.Permute((0, 1)), "1 to 2 in some order"),
        (lambda: layers.ZeroPadding2D((1, 2, 3)), "`padding`"),
        (lambda: layers.ZeroPadding2D(-1), "padding"),
        (lambda: layers.ZeroPadding1D((1, 2, 3)), "`padding` must be one integer or a tuple of 2"),
        (lambda: layers.ZeroPadding3D((1, 2)), "tuple of 3 integers"),
        (lambda: layers.Cropping2D(3)(_image(1, 6, 9, 1)), "leaves something of each axis"),
        (lambda: layers.Cropping1D(-1), "`cropping`"),
        (lambda: layers.Cropping3D((1, 1)), "tuple of 3 integers"),
        (lambda: layers.UpSampling1D(0), "`size`"),
        (lambda: layers.UpSampling2D(2, interpolation="linear"), "Did you mean 'bilinear'"),
        (lambda: layers.RepeatVector(0), "`n`"),
        (lambda: layers.Resizing(0, 4), "`height`"),
        (lambda: layers.Resizing(4, 4, crop_to_aspect_ratio=True, pad_to_aspect_ratio=True), "Received both"),
        (lambda: layers.Resizing(4, 4)(_image(4, 4)), "a batch of them"),
        (lambda: layers.CenterCrop(4, 4)(_image(4, 4)), "a batch of them"),
        (lambda: layers.LayerNormalization(axis=4)(_image(1, 2, 2, 3)), "axis=[4]"),
        (lambda: layers.LayerNormalization().build((None, None)), "should have a defined dimension"),
        (lambda: layers.GroupNormalization(0), "`groups`"),
        (lambda: layers.GroupNormalization(3)(_image(1, 2, 2, 4)), "Choose groups that divide 4"),
        (lambda: layers.LocalResponseNormalization(0), "`size`"),
        (lambda: layers.LocalResponseNormalization(k=0), "`k` must be above 0"),
        (lambda: layers.LocalResponseNormalization()(layers.Input((3, None))), "known number of channels"),
        (lambda: layers.UnitNormalization(axis=3)(_image(2, 2)), "out of bounds"),
        (lambda: layers.SpatialDropout2D(1.5), "between 0 and 1"),
        (lambda: layers.SpatialDropout2D(0.5)(_image(2, 2, 2)), "expected ndim=4"),
        (lambda: layers.GaussianNoise(-1.0), "`stddev`"),
        (lambda: layers.GaussianDropout(1.0)(_image(2, 2), training=True), "Give a rate below 1"),
        (lambda: layers.AlphaDropout(2), "`rate`"),
        (lambda: layers.PReLU(shared_axes=[0])(_image(2, 2)), "counted from 1"),
        (lambda: layers.PReLU().build((None, None, 3)), "shared_axes=[1, 2]"),
        (lambda: layers.Dot(1)([_image(2, 3)] * 3), "exactly 2 inputs"),
        (lambda: layers.Dot(0)([_image(2, 3)] * 2), "the batch, cannot be summed over"),
        (lambda: layers.Dot((1, 2))([_image(2, 3), _image(2, 3, 4)]), "3 is not 4"),
        (lambda: layers.Dot((1, 2, 3)), "two integers"),
        (lambda: layers.Add()(_image(1, 2)), "list of inputs"),
        (lambda: layers.Add()([_image(2, 3), _image(2, 4)]), "3 and 4 do not broadcast"),
        (lambda: layers.Add()([_image(2, 3), _image(3, 3)]), "different batch sizes"),
        (lambda: layers.Subtract()([_image(2, 3)] * 3), "exactly 2 inputs"),
        (lambda: layers.Concatenate()([_image(2, 3, 4), _image(2, 2, 4)]), "matching shapes"),
        (lambda: layers.Concatenate(axis=5)([_image(2, 3)] * 2), "axis=5"),
        (lambda: layers.Normalization(mean=1.0), "both `mean` and `variance` must be set"),
        (lambda: layers.Normalization(mean=[1.0], variance=[1.0, 2.0]), "same shape"),
        (lambda: layers.Normalization(mean=[[1.0]], variance=[[1.0]]), "rank of `mean`"),
        (lambda: layers.Normalization(axis=3)(_image(2, 3)), "axis=(3,)"),
        (lambda: layers.Normalization(mean=1.0, variance=1.0).adapt(_image(2, 3)), "nothing to adapt"),
        (lambda: layers.Normalization().adapt([]), "no data"),
        (lambda: layers.Input(), "must pass a `shape`"),
        (lambda: layers.Input((2,), batch_shape=(1, 2)), "both `shape` and `batch_shape`"),
        (lambda: layers.Input(batch_size=2, batch_shape=(1, 2)), "Leave one out"),
        (lambda: layers.Input((2,), sparse=True), "`sparse=True` is not supported"),
        (lambda: layers.Input("ab"), "`shape` must be a tuple"),
        (lambda: layers.Input(tensor=_image(2, 2)), "KerasTensor"),
        (lambda: layers.Input((3,), tensor=layers.Input((2,))), "incompatible `shape`"),
    ],
)
def test_error(call: Any, text: str) -> None:
    with pytest.raises(ValueError) as caught:
        call()
    assert text in str(caught.value)


@pytest.mark.parametrize(
    "call",
    [
        lambda: layers.UpSampling1D(1.5),
        lambda: layers.RepeatVector("3"),
        lambda: layers.LayerNormalization(axis="last"),
        lambda: layers.UnitNormalization(axis=None),
        lambda: layers.Dot("last"),
        lambda: layers.AdaptiveMaxPooling2D("all"),
        lambda: layers.AdaptiveMaxPooling2D((2, 2, 2)),
        lambda: layers.AdaptiveAveragePooling3D([2, 2]),
    ],
)
def test_another_type_is_a_type_error(call: Any) -> None:
    with pytest.raises(TypeError, match="Received"):
        call()


def test_aliases_are_the_same_class() -> None:
    for alias, name in {
        "Convolution1D": "Conv1D",
        "Convolution2D": "Conv2D",
        "Convolution3D": "Conv3D",
        "Convolution1DTranspose": "Conv1DTranspose",
        "Convolution2DTranspose": "Conv2DTranspose",
        "Convolution3DTranspose": "Conv3DTranspose",
        "SeparableConvolution1D": "SeparableConv1D",
        "SeparableConvolution2D": "SeparableConv2D",
        "MaxPool1D": "MaxPooling1D",
        "MaxPool2D": "MaxPooling2D",
        "MaxPool3D": "MaxPooling3D",
        "AvgPool1D": "AveragePooling1D",
        "AvgPool3D": "AveragePooling3D",
        "GlobalAvgPool1D": "GlobalAveragePooling1D",
        "GlobalMaxPool3D": "GlobalMaxPooling3D",
        "AvgPool2D": "AveragePooling2D",
        "GlobalAvgPool2D": "GlobalAveragePooling2D",
        "GlobalMaxPool2D": "GlobalMaxPooling2D",
    }.items():
        assert getattr(layers, alias) is getattr(layers, name)


def test_positional_arguments_are_in_keras_order() -> None:
    conv = layers.Conv2D(8, 3, 2, "same", None, 1, 2, "relu", False)
    config = conv.get_config()
    assert [config[k] for k in ("filters", "groups", "activation", "use_bias")] == [8, 2, "relu", False]
    transposed = layers.Conv3DTranspose(8, 3, 2, "same", "channels_first", 1, 1, "relu", False).get_config()
    assert [transposed[k] for k in ("data_format", "output_padding", "activation", "use_bias")] == [
        "channels_first", (1, 1, 1), "relu", False
    ]  # fmt: skip
    separable = layers.SeparableConv1D(8, 3, 1, "same", None, 2, 3, "relu").get_config()
    assert [separable[k] for k in ("dilation_rate", "depth_multiplier", "activation")] == [(2,), 3, "relu"]
    depthwise = layers.DepthwiseConv2D(3, 1, "same", 2).get_config()
    assert depthwise["depth_multiplier"] == 2
    assert layers.MaxPooling2D(2, 1, "same", None, "pool").name == "pool"


def test_leaky_relu_takes_the_older_name() -> None:
    assert layers.LeakyReLU(alpha=0.2).negative_slope == 0.2


def test_an_input_of_a_given_tensor_is_dense() -> None:
    with pytest.raises(ValueError, match="cannot provide an incompatible `sparse`"):
        layers.InputLayer(sparse=True, input_tensor=layers.Input((3,)))


def test_the_older_name_of_an_inputs_shape() -> None:
    with pytest.warns(UserWarning, match="Argument `input_shape` is deprecated. Use `shape` instead."):
        assert layers.InputLayer(input_shape=(2, 3)).batch_shape == (None, 2, 3)
