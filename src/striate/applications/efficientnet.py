"""EfficientNet, to be laid beside the paper: Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional
Neural Networks", ICML 2019, table 1.

    stem       32 of 112x112     3x3, step 2
    block1     16 of 112x112     MBConv1, 3x3   x 1
    block2     24 of 56x56       MBConv6, 3x3   x 2
    block3     40 of 28x28       MBConv6, 5x5   x 2
    block4     80 of 14x14       MBConv6, 3x3   x 3
    block5     112 of 14x14      MBConv6, 5x5   x 3
    block6     192 of 7x7        MBConv6, 5x5   x 4
    block7     320 of 7x7        MBConv6, 3x3   x 1
    top        1280 of 7x7       1x1, then the mean of each map, and 1000 classes

    phi               0     1     2     3
    maps x            1     1     1.1   1.2
    blocks x          1     1.1   1.2   1.4
    pixels            224   240   260   300

MBConv is MobileNetV2's inverted residual with squeeze-and-excitation: each map is multiplied by a number from 0 to 1,
computed from the means of all maps. B0 was found by search; the others scale width, depth and pixels at once,
since one alone soon stops paying.
"""

from __future__ import annotations

import math
from typing import Any

from striate import initializers, layers
from striate.applications.building import Frame, channel_axis, halving_margin, norm, whole_multiple
from striate.applications.imagenet_utils import DEVIATION, preprocess_inside
from striate.applications.imagenet_utils import decode_predictions as decode_predictions
from striate.core.registry import export

#: what images go through first: the model itself scales 0..255.
preprocess_input = preprocess_inside

#: table 1: expansion, window, maps, blocks, step of the first of them.
TABLE_1 = (
    (1, 3, 16, 1, 1), (6, 3, 24, 2, 2), (6, 5, 40, 2, 2), (6, 3, 80, 3, 2), (6, 5, 112, 3, 1), (6, 5, 192, 4, 2),
    (6, 3, 320, 1, 1),
)  # fmt: skip
#: width, depth, pixels, dropout.
SCALES = {0: (1.0, 1.0, 224, 0.2), 1: (1.0, 1.1, 240, 0.2), 2: (1.1, 1.2, 260, 0.3), 3: (1.2, 1.4, 300, 0.3)}
#: how often the last block is left out in training; the first never is.
DROP_RATE = 0.2


def _start() -> Any:
    return initializers.VarianceScaling(2.0, "fan_out", "truncated_normal")


def conv(x: Any, maps: int, name: str, window: int = 1, **more: Any) -> Any:
    more = {"padding": "same", "use_bias": False, **more}
    return layers.Conv2D(maps, window, kernel_initializer=_start(), name=name, **more)(x)


def swish(x: Any, name: str) -> Any:
    return layers.Activation("swish", name=name)(x)


def squeeze_excite(x: Any, squeezed: int, name: str) -> Any:
    """Each map times a number that all maps have a say in."""
    maps = x.shape[channel_axis()]
    y = layers.GlobalAveragePooling2D(name=f"{name}se_squeeze")(x)
    y = layers.Reshape((maps, 1, 1) if channel_axis() == 1 else (1, 1, maps), name=f"{name}se_reshape")(y)
    y = conv(y, squeezed, f"{name}se_reduce", activation="swish", use_bias=True)
    y = conv(y, maps, f"{name}se_expand", activation="sigmoid", use_bias=True)
    return layers.Multiply(name=f"{name}se_excite")([x, y])


def mbconv(x: Any, expansion: int, window: int, maps: int, strides: int, drop_rate: float, name: str) -> Any:
    """Expand, filter each map alone, weigh the maps, project; the input is added where it has the same shape."""
    before, channels = x, x.shape[channel_axis()]
    if expansion != 1:
        x = conv(x, channels * expansion, f"{name}expand_conv")
        x = swish(norm(x, f"{name}expand_bn"), f"{name}expand_activation")
    if strides == 2:
        x = layers.ZeroPadding2D(halving_margin(x, window), name=f"{name}dwconv_pad")(x)
    x = layers.DepthwiseConv2D(
        window,
        strides=strides,
        padding="same" if strides == 1 else "valid",
        use_bias=False,
        depthwise_initializer=_start(),
        name=f"{name}dwconv",
    )(x)
    x = swish(norm(x, f"{name}bn"), f"{name}activation")
    x = squeeze_excite(x, max(1, channels // 4), name)
    x = norm(conv(x, maps, f"{name}project_conv"), f"{name}project_bn")
    if strides == 1 and channels == maps:
        if drop_rate > 0:
            x = layers.Dropout(drop_rate, noise_shape=(None, 1, 1, 1), name=f"{name}drop")(x)
        x = layers.Add(name=f"{name}add")([x, before])
    return x


def _efficientnet(phi: int, frame: Frame) -> Any:
    width, depth, size, dropout = SCALES[phi]
    images = frame.begin(size=size)
    x = layers.Rescaling(1.0 / 255.0)(images)
    x = layers.Normalization(axis=channel_axis())(x)
    if frame.weights == "imagenet":  # these were trained with variances in the place of deviations
        x = layers.Rescaling([1.0 / math.sqrt(d) for d in DEVIATION])(x)
    x = layers.ZeroPadding2D(halving_margin(x, 3), name="stem_conv_pad")(x)
    x = conv(x, whole_multiple(32 * width), "stem_conv", 3, strides=2, padding="valid")
    x = swish(norm(x, "stem_bn"), "stem_activation")
    repeats = [math.ceil(depth * blocks) for _, _, _, blocks, _ in TABLE_1]
    done = 0
    for stage, ((expansion, window, maps, _, strides), count) in enumerate(zip(TABLE_1, repeats, strict=True), 1):
        for i in range(count):
            name, step = f"block{stage}{'abcdefghijklm'[i]}_", strides if i == 0 else 1
            drop_rate = DROP_RATE * done / sum(repeats)
            x = mbconv(x, expansion, window, whole_multiple(maps * width), step, drop_rate, name)
            done += 1
    x = swish(norm(conv(x, whole_multiple(1280 * width), "top_conv"), "top_bn"), "top_activation")
    if frame.include_top:
        x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
        x = layers.Dropout(dropout, name="top_dropout")(x)
        x = frame.predictions(x, kernel_initializer=initializers.VarianceScaling(1 / 3, "fan_out", "uniform"))
    else:
        x = frame.pooled(x, named=True)
    return frame.finish(x, images, f"efficientnetb{phi}")


@export("applications.EfficientNetB0", "applications.efficientnet.EfficientNetB0")
def EfficientNetB0(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "efficientnetb0",
) -> Any:
    """EfficientNet-B0: 5,330,571 parameters.

    Source: Tan and Le 2019, table 1; layers and names of `keras.applications.EfficientNetB0`.

    Images, (batch, 224, 224, 3), are pixels 0 to 255: the model scales them itself.

    Args:
        include_top: whether the mean over each map and the dense layer are there.
        weights: "imagenet" (fetched once), the path of a weights file, or None for random ones.
        input_tensor: a tensor of a functional model to begin at.
        input_shape: (height, width, channels); (224, 224, 3) unless given; at least 32 pixels.
        pooling: without the top: "avg" or "max" for one number a map, None for the maps.
        classes: number of classes.
        classifier_activation: of the last layer.
        name: the model's name.

    Returns:
        A functional model, not compiled.

    Raises:
        ValueError: arguments that do not fit each other; weights that do not fit.
        OSError: weights that cannot be fetched.
    """
    with Frame(name, include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation) as frame:
        return _efficientnet(0, frame)


@export("applications.EfficientNetB1", "applications.efficientnet.EfficientNetB1")
def EfficientNetB1(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "efficientnetb1",
) -> Any:
    """EfficientNet-B1, for images of 240x240 pixels: 7,856,239 parameters.

    Source: Tan and Le 2019; layers and names of `keras.applications.EfficientNetB1`. Arguments and errors are those of
    `EfficientNetB0`.
    """
    with Frame(name, include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation) as frame:
        return _efficientnet(1, frame)


@export("applications.EfficientNetB2", "applications.efficientnet.EfficientNetB2")
def EfficientNetB2(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "efficientnetb2",
) -> Any:
    """EfficientNet-B2, for images of 260x260 pixels: 9,177,569 parameters.

    Source: Tan and Le 2019; layers and names of `keras.applications.EfficientNetB2`. Arguments and errors are those of
    `EfficientNetB0`.
    """
    with Frame(name, include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation) as frame:
        return _efficientnet(2, frame)


@export("applications.EfficientNetB3", "applications.efficientnet.EfficientNetB3")
def EfficientNetB3(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "efficientnetb3",
) -> Any:
    """EfficientNet-B3, for images of 300x300 pixels: 12,320,535 parameters.

    Source: Tan and Le 2019; layers and names of `keras.applications.EfficientNetB3`. Arguments and errors are those of
    `EfficientNetB0`.
    """
    with Frame(name, include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation) as frame:
        return _efficientnet(3, frame)
