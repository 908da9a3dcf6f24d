"""One row (or more) a layer: what every layer is put through by being listed here.

A new layer needs a row; `test_every_layer_has_a_case` says so when it is missing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Case:
    """A layer, its arguments, the shapes of its inputs (batch first) and what weights it must make."""

    layer: str
    arguments: dict[str, Any]
    inputs: list[Shape]
    weights: dict[str, Shape] = field(default_factory=dict)
    #: False where the output is made of steps: no gradient reaches the input then.
    differentiable: bool = True
    #: whether there is no gradient at all: the steps are flat.
    flat: bool = False

    @property
    def id(self) -> str:
        plain = {k: v["class_name"] if isinstance(v, dict) else v for k, v in self.arguments.items()}
        said = ",".join(f"{k}={v}" for k, v in plain.items())
        return f"{self.layer}({said})"


IMAGES = [(2, 7, 6, 4)]
COLOURS = [(2, 7, 6, 3)]
SIGNALS = [(2, 9, 4)]
VOLUMES = [(2, 5, 6, 7, 4)]
PAIR = [(2, 5, 4, 3), (2, 5, 4, 3)]


def _case(name: str, inputs: list[Shape], weights: dict[str, Shape] | None = None, /, **arguments: Any) -> Case:
    return Case(name, arguments, inputs, weights or {})


def _stepped(name: str, inputs: list[Shape], /, **arguments: Any) -> Case:
    return Case(name, arguments, inputs, differentiable=False)


def _flat(name: str, inputs: list[Shape], /, **arguments: Any) -> Case:
    return Case(name, arguments, inputs, differentiable=False, flat=True)


def _inner(name: str, **config: Any) -> dict[str, Any]:
    """A layer as an argument, in the form of files, so that each test makes one of its own."""
    return {"module": "keras.layers", "class_name": name, "config": config, "registered_name": None}


def _kernel(*shape: int, bias: int | None = None) -> dict[str, Shape]:
    return {"kernel": shape} if bias is None else {"kernel": shape, "bias": (bias,)}


def _separable(depthwise: Shape, pointwise: Shape, bias: int | None = None) -> dict[str, Shape]:
    return {
        "depthwise_kernel": depthwise, "pointwise_kernel": pointwise, **({} if bias is None else {"bias": (bias,)})
    }  # fmt: skip


_BATCH_NORM = dict.fromkeys(("gamma", "beta", "moving_mean", "moving_variance"), (4,))
_BATCH_RENORM = {**_BATCH_NORM, **dict.fromkeys(("moving_stddev", "renorm_mean", "renorm_stddev"), (4,))}

_COEFFICIENTS = {"coefficient": (4,), "bias": (4,)}

CASES = [
    _case("Conv2D", IMAGES, _kernel(3, 3, 4, 5, bias=5), filters=5, kernel_size=3),
    _case("Conv2D", IMAGES, _kernel(2, 3, 4, 5, bias=5), filters=5, kernel_size=(2, 3), strides=2, padding="same"),
    _case("Conv2D", IMAGES, _kernel(3, 3, 2, 6), filters=6, kernel_size=3, groups=2, use_bias=False),
    # A group for each channel, two maps of each.
    _case(
        "Conv2D",
        IMAGES,
        _kernel(3, 2, 1, 8, bias=8),
        filters=8,
        kernel_size=(3, 2),
        groups=4,
        strides=2,
        padding="same",
        activation="relu",
    ),
    _case("Conv1D", SIGNALS, _kernel(3, 1, 8, bias=8), filters=8, kernel_size=3, groups=4, dilation_rate=2),
    _case("Conv2D", IMAGES, _kernel(3, 3, 4, 2, bias=2), filters=2, kernel_size=3, dilation_rate=2, padding="same"),
    _case("Conv2D", IMAGES, _kernel(1, 1, 4, 3, bias=3), filters=3, kernel_size=1, activation="relu"),
    _case("DepthwiseConv2D", IMAGES, _kernel(3, 3, 4, 1, bias=4), kernel_size=3),
    _case("DepthwiseConv2D", IMAGES, _kernel(3, 2, 4, 2, bias=8), kernel_size=(3, 2), strides=2, depth_multiplier=2),
    _case("DepthwiseConv2D", IMAGES, _kernel(3, 3, 4, 1), kernel_size=3, padding="SAME", use_bias=False),
    _case("Conv1D", SIGNALS, _kernel(3, 4, 5, bias=5), filters=5, kernel_size=3),
    _case(
        "Conv1D",
        SIGNALS,
        _kernel(4, 2, 6),
        filters=6,
        kernel_size=4,
        strides=2,
        padding="same",
        groups=2,
        use_bias=False,
    ),
    _case(
        "Conv1D",
        SIGNALS,
        _kernel(3, 4, 3, bias=3),
        filters=3,
        kernel_size=3,
        padding="causal",
        dilation_rate=2,
        activation="relu",
    ),
    _case(
        "Conv1D",
        SIGNALS,
        _kernel(2, 4, 3, bias=3),
        filters=3,
        kernel_size=2,
        padding="causal",
        strides=3,
        activation="gelu",
    ),
    _case("Conv3D", VOLUMES, _kernel(3, 3, 3, 4, 5, bias=5), filters=5, kernel_size=3),
    _case(
        "Conv3D",
        VOLUMES,
        _kernel(2, 3, 1, 4, 5, bias=5),
        filters=5,
        kernel_size=(2, 3, 1),
        strides=(2, 1, 3),
        padding="same",
        activation="tanh",
    ),
    _case(
        "Conv3D",
        VOLUMES,
        _kernel(2, 2, 2, 2, 6),
        filters=6,
        kernel_size=2,
        groups=2,
        use_bias=False,
        dilation_rate=(2, 1, 2),
    ),
    _case("Conv3D", VOLUMES, _kernel(1, 3, 3, 4, 2, bias=2), filters=2, kernel_size=(1, 3, 3)),
    _case("DepthwiseConv1D", SIGNALS, _kernel(3, 4, 1, bias=4), kernel_size=3),
    _case(
        "DepthwiseConv1D",
        SIGNALS,
        _kernel(4, 4, 2),
        kernel_size=4,
        strides=2,
        padding="same",
        depth_multiplier=2,
        use_bias=False,
        activation="relu",
    ),
    _case("SeparableConv1D", SIGNALS, _separable((3, 4, 1), (1, 4, 5), 5), filters=5, kernel_size=3),
    _case(
        "SeparableConv1D",
        SIGNALS,
        _separable((4, 4, 2), (1, 8, 3)),
        filters=3,
        kernel_size=4,
        strides=2,
        padding="same",
        depth_multiplier=2,
        use_bias=False,
        activation="elu",
    ),
    _case("SeparableConv2D", IMAGES, _separable((3, 3, 4, 1), (1, 1, 4, 5), 5), filters=5, kernel_size=3),
    _case(
        "SeparableConv2D",
        IMAGES,
        _separable((2, 3, 4, 2), (1, 1, 8, 3), 3),
        filters=3,
        kernel_size=(2, 3),
        strides=2,
        padding="same",
        depth_multiplier=2,
        activation="relu",
    ),
    _case("Conv1DTranspose", SIGNALS, _kernel(3, 5, 4, bias=5), filters=5, kernel_size=3),
    _case("Conv1DTranspose", SIGNALS, _kernel(2, 5, 4), filters=5, kernel_size=2, strides=3, use_bias=False),
    _case(
        "Conv1DTranspose",
        SIGNALS,
        _kernel(4, 3, 4, bias=3),
        filters=3,
        kernel_size=4,
        strides=3,
        padding="same",
        output_padding=1,
        activation="relu",
    ),
    _case("Conv2DTranspose", IMAGES, _kernel(3, 3, 5, 4, bias=5), filters=5, kernel_size=3),
    _case(
        "Conv2DTranspose",
        IMAGES,
        _kernel(3, 2, 5, 4, bias=5),
        filters=5,
        kernel_size=(3, 2),
        strides=2,
        padding="same",
        activation="relu",
    ),
    _case(
        "Conv2DTranspose",
        IMAGES,
        _kernel(1, 2, 5, 4),
        filters=5,
        kernel_size=(1, 2),
        strides=(3, 4),
        padding="same",
        use_bias=False,
    ),
    _case("Conv2DTranspose", IMAGES, _kernel(3, 3, 2, 4, bias=2), filters=2, kernel_size=3, dilation_rate=2),
    _case(
        "Conv2DTranspose",
        IMAGES,
        _kernel(3, 3, 2, 4, bias=2),
        filters=2,
        kernel_size=3,
        strides=(2, 3),
        output_padding=(1, 2),
    ),
    _case("Conv3DTranspose", VOLUMES, _kernel(2, 3, 2, 3, 4, bias=3), filters=3, kernel_size=(2, 3, 2)),
    _case(
        "Conv3DTranspose",
        VOLUMES,
        _kernel(3, 2, 3, 3, 4, bias=3),
        filters=3,
        kernel_size=(3, 2, 3),
        strides=2,
        padding="same",
        activation="relu",
    ),
    _case(
        "Conv3DTranspose",
        VOLUMES,
        _kernel(1, 1, 2, 3, 4),
        filters=3,
        kernel_size=(1, 1, 2),
        strides=(3, 1, 2),
        use_bias=False,
    ),
    _case(
        "Conv3DTranspose",
        VOLUMES,
        _kernel(2, 2, 2, 3, 4, bias=3),
        filters=3,
        kernel_size=2,
        dilation_rate=(2, 1, 2),
        padding="same",
    ),
    _case(
        "Conv3DTranspose",
        VOLUMES,
        _kernel(3, 3, 3, 3, 4, bias=3),
        filters=3,
        kernel_size=3,
        strides=(2, 3, 2),
        output_padding=(1, 2, 0),
    ),
    _case("MaxPooling2D", IMAGES),
    _case("MaxPooling2D", IMAGES, pool_size=(3, 2), strides=1, padding="same"),
    _case("AveragePooling2D", IMAGES, pool_size=2),
    _case("AveragePooling2D", IMAGES, pool_size=3, strides=2, padding="same"),
    _case("GlobalAveragePooling2D", IMAGES),
    _case("GlobalAveragePooling2D", IMAGES, keepdims=True),
    _case("GlobalMaxPooling2D", IMAGES),
    _case("GlobalMaxPooling2D", IMAGES, keepdims=True),
    _case("MaxPooling1D", SIGNALS),
    _case("MaxPooling1D", SIGNALS, pool_size=3, strides=1, padding="same"),
    _case("AveragePooling1D", SIGNALS, pool_size=2),
    _case("AveragePooling1D", SIGNALS, pool_size=4, strides=3, padding="same"),
    _case("GlobalAveragePooling1D", SIGNALS),
    _case("GlobalAveragePooling1D", SIGNALS, keepdims=True),
    _case("GlobalMaxPooling1D", SIGNALS),
    _case("GlobalMaxPooling1D", SIGNALS, keepdims=True),
    _case("MaxPooling3D", VOLUMES),
    _case("MaxPooling3D", VOLUMES, pool_size=(2, 3, 2), strides=(1, 2, 3), padding="same"),
    _case("AveragePooling3D", VOLUMES, pool_size=(3, 2, 2)),
    _case("AveragePooling3D", VOLUMES, pool_size=3, strides=2, padding="same"),
    _case("GlobalAveragePooling3D", VOLUMES),
    _case("GlobalAveragePooling3D", VOLUMES, keepdims=True),
    _case("GlobalMaxPooling3D", VOLUMES),
    _case("GlobalMaxPooling3D", VOLUMES, keepdims=True),
    _case("AdaptiveAveragePooling1D", SIGNALS, output_size=4),
    _case("AdaptiveMaxPooling1D", SIGNALS, output_size=(3,)),
    _case("AdaptiveAveragePooling2D", IMAGES, output_size=(5, 4)),
    _case("AdaptiveAveragePooling2D", IMAGES, output_size=1),
    _case("AdaptiveMaxPooling2D", IMAGES, output_size=3),
    _case("AdaptiveAveragePooling3D", VOLUMES, output_size=(2, 3, 4)),
    _case("AdaptiveMaxPooling3D", VOLUMES, output_size=(2, 6, 3)),
    _case("Flatten", IMAGES),
    _case("Flatten", [(3, 5)]),
    _case("Reshape", [(2, 12)], target_shape=(3, -1)),
    _case("Reshape", IMAGES, target_shape=(7, 24)),
    _case("Permute", [(2, 3, 5)], dims=(2, 1)),
    _case("ZeroPadding2D", IMAGES),
    _case("ZeroPadding2D", IMAGES, padding=((1, 0), (2, 3))),
    _case("ZeroPadding1D", SIGNALS),
    _case("ZeroPadding1D", SIGNALS, padding=(2, 0)),
    _case("ZeroPadding3D", VOLUMES),
    _case("ZeroPadding3D", VOLUMES, padding=(1, (0, 2), (1, 0))),
    _case("Cropping1D", SIGNALS),
    _case("Cropping1D", SIGNALS, cropping=(2, 0)),
    _case("Cropping2D", IMAGES),
    _case("Cropping2D", IMAGES, cropping=((1, 2), (0, 3))),
    _case("Cropping3D", VOLUMES),
    _case("Cropping3D", VOLUMES, cropping=(1, (0, 2), (3, 0))),
    _case("UpSampling1D", SIGNALS, size=3),
    _case("UpSampling2D", IMAGES),
    _case("UpSampling2D", IMAGES, size=(2, 3), interpolation="bilinear"),
    _case("UpSampling2D", IMAGES, size=(1, 2), interpolation="bicubic"),
    _case("UpSampling3D", VOLUMES, size=(1, 2, 3)),
    _case("RepeatVector", [(2, 5)], n=3),
    _case("Resizing", IMAGES, height=5, width=9),
    _case("Resizing", IMAGES, height=4, width=3, interpolation="nearest"),
    _case("Resizing", IMAGES, height=3, width=8, interpolation="bicubic", antialias=True),
    _case("Resizing", IMAGES, height=5, width=3, interpolation="lanczos3"),
    _case("Resizing", IMAGES, height=4, width=8, crop_to_aspect_ratio=True),
    _case("Resizing", IMAGES, height=4, width=8, pad_to_aspect_ratio=True, fill_value=0.5),
    _case("CenterCrop", IMAGES, height=4, width=3),
    _case("CenterCrop", IMAGES, height=9, width=3),
    _case("Dense", [(3, 4)], _kernel(4, 5, bias=5), units=5),
    _case("Dense", [(2, 3, 4)], _kernel(4, 5), units=5, use_bias=False, activation="tanh"),
    _case("Dense", [(3, 4)], _kernel(4, 5, bias=5), units=5, activation="softmax"),
    _case("BatchNormalization", IMAGES, _BATCH_NORM),
    _case("BatchNormalization", [(6, 4)], _BATCH_NORM, momentum=0.9, epsilon=1e-5),
    _case("BatchNormalization", [(2, 4, 3)], _BATCH_NORM, axis=1),
    _case("BatchNormalization", IMAGES, _BATCH_RENORM, renorm=True, renorm_momentum=0.9),
    _case(
        "BatchNormalization", IMAGES, dict.fromkeys(("moving_mean", "moving_variance"), (4,)), center=False, scale=False
    ),
    _case("LayerNormalization", IMAGES, dict.fromkeys(("gamma", "beta"), (4,))),
    _case("LayerNormalization", IMAGES, {"gamma": (7, 6, 4)}, axis=[1, 2, 3], epsilon=1e-5, center=False),
    _case("LayerNormalization", SIGNALS, {"beta": (9,)}, axis=1, scale=False),
    _case("GroupNormalization", IMAGES, dict.fromkeys(("gamma", "beta"), (4,)), groups=2),
    _case("GroupNormalization", IMAGES, dict.fromkeys(("gamma", "beta"), (7,)), groups=7, axis=1),
    _case("GroupNormalization", IMAGES, {"gamma": (4,)}, groups=-1, center=False, epsilon=1e-5),
    _case("GroupNormalization", [(3, 6)], {"beta": (6,)}, groups=1, scale=False),
    _case("LocalResponseNormalization", IMAGES),
    _case("LocalResponseNormalization", IMAGES, size=4, alpha=0.3, beta=0.5, k=1.5),
    _case("LayerScale", IMAGES, {"gamma": (4,)}, init_values=0.5, projection_dim=4),
    _case("StochasticDepth", IMAGES, drop_path_rate=0.3),
    _case("Masking", SIGNALS, mask_value=0.5),
    _case("UnitNormalization", IMAGES),
    _case("UnitNormalization", IMAGES, axis=[1, 2]),
    _case(
        "SpectralNormalization",
        IMAGES,
        {**_kernel(3, 3, 4, 5, bias=5), "vector_u": (1, 5)},
        layer=_inner("Conv2D", filters=5, kernel_size=3),
    ),
    _case(
        "SpectralNormalization",
        [(3, 4)],
        {**_kernel(4, 5), "vector_u": (1, 5)},
        power_iterations=3,
        layer=_inner("Dense", units=5, use_bias=False),
    ),
    _case(
        "TimeDistributed",
        [(2, 3, 5, 6, 4)],
        _kernel(3, 3, 4, 5, bias=5),
        layer=_inner("Conv2D", filters=5, kernel_size=3, activation="relu"),
    ),
    _case("TimeDistributed", [(2, 3, 4)], _BATCH_NORM, layer=_inner("BatchNormalization")),
    _case("TimeDistributed", [(2, 3, 4)], layer=_inner("Flatten")),
    _case("SpatialDropout1D", SIGNALS, rate=0.5, seed=3),
    _case("SpatialDropout2D", IMAGES, rate=0.5),
    _case("SpatialDropout3D", VOLUMES, rate=0.5),
    _case("GaussianNoise", IMAGES, stddev=0.5),
    _case("GaussianDropout", IMAGES, rate=0.5, seed=3),
    _case("AlphaDropout", IMAGES, rate=0.3),
    _case("AlphaDropout", IMAGES, rate=0.3, noise_shape=(None, 1, 1, None)),
    _case("ActivityRegularization", IMAGES, l1=0.1, l2=0.2),
    _case("Dropout", IMAGES, rate=0.5, seed=3),
    _case("Dropout", IMAGES, rate=0.5, noise_shape=(None, 1, 1, None)),
    _case("Activation", IMAGES, activation="gelu"),
    _case("Activation", IMAGES, activation="sparsemax"),
    _case("Activation", IMAGES, activation="celu"),
    _case("ReLU", IMAGES),
    _case("ReLU", IMAGES, max_value=0.5, negative_slope=0.1, threshold=0.2),
    _case("LeakyReLU", IMAGES),
    _case("ELU", IMAGES, alpha=0.5),
    _case("PReLU", IMAGES, {"alpha": (7, 6, 4)}, alpha_initializer="ones"),
    _case("PReLU", IMAGES, {"alpha": (1, 1, 4)}, shared_axes=[1, 2]),
    _case("Softmax", [(3, 5)]),
    _case("Softmax", [(3, 5, 2)], axis=1),
    _case("Softmax", [(3, 5, 2)], axis=[1, 2]),
    _case("Identity", IMAGES),
    _case("Rescaling", IMAGES, scale=1 / 255, offset=-1.0),
    _case("Rescaling", IMAGES, scale=[1.0, 2.0, 3.0, 4.0]),
    _case("Normalization", IMAGES, {"mean": (4,), "variance": (4,), "count": ()}),
    _case("Normalization", IMAGES, mean=0.5, variance=2.0),
    _case("Normalization", IMAGES, mean=[1.0, 2.0, 3.0, 4.0], variance=[1.0, 4.0, 9.0, 16.0], invert=True),
    _case("Normalization", [(3, 2, 4)], axis=None, mean=0.5, variance=4.0),
    _case("Add", PAIR),
    _case("Add", [(2, 5, 4, 3), (2, 1, 1, 3), (2, 3)]),
    _case("Subtract", PAIR),
    _case("Multiply", PAIR),
    _case("Average", PAIR),
    _case("Maximum", PAIR),
    _case("Minimum", PAIR),
    _case("Dot", [(3, 4), (3, 4)], axes=1),
    _case("Dot", [(2, 3, 4), (2, 5, 3)], axes=(1, 2)),
    _case("Dot", [(2, 4), (2, 5, 4, 3)], axes=(1, 2), normalize=True),
    _case("Concatenate", [(2, 5, 4, 3), (2, 5, 4, 1)]),
    _case("Concatenate", [(2, 5, 3), (2, 2, 3), (2, 1, 3)], axis=1),
    _case("Subsampling2D", IMAGES, _COEFFICIENTS),
    _case("Subsampling2D", IMAGES, _COEFFICIENTS, pool_size=(3, 2), activation="scaled_tanh"),
    _case("TableConv2D", IMAGES, _kernel(3, 3, 5, bias=3), connections=[[0], [1, 3], [2, 0]], kernel_size=3),
    _case(
        "TableConv2D",
        IMAGES,
        _kernel(2, 3, 4),
        connections=[[0, 1], [3, 2]],
        kernel_size=(2, 3),
        strides=2,
        padding="same",
        activation="tanh",
        use_bias=False,
    ),
    _case("EuclideanRBF", [(3, 4)], {"centers": (4, 5)}, units=5),
    _case("EuclideanRBF", [(2, 3, 2, 4)], {"centers": (4, 1)}, units=1),
    _case("RMSNormalization", IMAGES, {"scale": (4,)}),
    _case("RMSNormalization", IMAGES, {"scale": (6, 4)}, axis=[2, 3], epsilon=0.1),
    _case("RandomFlip", IMAGES, seed=3),
    _case("RandomFlip", IMAGES, mode="horizontal", seed=3),
    _case("RandomFlip", IMAGES, mode="vertical", seed=5),
    _case("RandomRotation", IMAGES, factor=0.2, seed=3),
    _case("RandomRotation", IMAGES, factor=[0.1, 0.3], fill_mode="constant", fill_value=0.5, seed=3),
    _case("RandomZoom", IMAGES, height_factor=[-0.4, 0.3], fill_mode="wrap", seed=3),
    _case("RandomZoom", IMAGES, height_factor=0.3, width_factor=[0.1, 0.5], fill_mode="nearest", seed=3),
    _case("RandomTranslation", IMAGES, height_factor=0.3, width_factor=[-0.1, 0.4], seed=3),
    _case("RandomTranslation", IMAGES, height_factor=0, width_factor=0.5, interpolation="nearest", seed=3),
    _case("RandomShear", IMAGES, x_factor=[0.1, 0.5], y_factor=[0.0, 0.2], seed=3),
    _case("RandomContrast", IMAGES, factor=0.5, value_range=[-4, 4], seed=3),
    _case("RandomBrightness", IMAGES, factor=0.2, value_range=[-4, 4], seed=3),
    _case("RandomSaturation", COLOURS, factor=[0.1, 0.7], value_range=[-4, 4], seed=3),
    _case("RandomHue", COLOURS, factor=0.4, value_range=[-4, 4], seed=3),
    _case("RandomColorJitter", COLOURS, value_range=[-4, 4], brightness_factor=0.2, hue_factor=0.3, seed=3),
    _case("RandomColorJitter", COLOURS, value_range=[-4, 4], contrast_factor=0.4, saturation_factor=0.3, seed=3),
    _case("RandomGrayscale", COLOURS, factor=1.0),
    _case("RandomInvert", IMAGES, factor=0.5, value_range=[-4, 4], seed=3),
    _flat("RandomPosterization", IMAGES, factor=4, value_range=[-4, 4], seed=3),
    _case("RandomSharpness", IMAGES, factor=0.9, value_range=[-4, 4], seed=3),
    _case("RandomGaussianBlur", IMAGES, factor=[1.0, 1.0], kernel_size=[5, 3], value_range=[-4, 4], seed=3),
    _case("RandomCrop", IMAGES, height=4, width=3, seed=3),
    _case("RandomCrop", IMAGES, height=9, width=3, seed=3),
    _case("RandomErasing", IMAGES, fill_value=0.5, value_range=[-4, 4], seed=3),
    _case("Solarization", IMAGES, addition_factor=0.2, threshold_factor=0.7, value_range=[-4, 4], seed=3),
    _case("AutoContrast", IMAGES, value_range=[-4, 4]),
    _stepped("Equalization", IMAGES, value_range=[-4, 4], bins=16),
]
