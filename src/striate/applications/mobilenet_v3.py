"""MobileNetV3, to be laid beside the paper: Howard et al., "Searching for MobileNetV3", ICCV 2019, tables 1 and 2.

V2's inverted residuals, found by search; with squeeze-and-excitation in some; with hard swish, x * relu6(x + 3) / 6,
which looks like swish and needs no exponential; and with a top that takes the mean of each map before the last widening
and not after it. `minimalistic` leaves out what is slow without special hardware: 5x5 windows, hard swish, squeezing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from striate import layers
from striate.applications.building import Frame, channel_axis, halving_margin, norm, whole_multiple
from striate.applications.imagenet_utils import decode_predictions as decode_predictions
from striate.applications.imagenet_utils import preprocess_inside
from striate.core.errors import ArgumentError
from striate.core.registry import export

#: what images go through first: the model itself scales 0..255.
preprocess_input = preprocess_inside

#: expansion, maps, window, step, whether maps are weighed, whether hard swish is used (else ReLU).
Row = tuple[float, int, int, int, bool, bool]
#: table 1
LARGE: tuple[Row, ...] = (
    (1, 16, 3, 1, False, False),
    (4, 24, 3, 2, False, False), (3, 24, 3, 1, False, False),
    (3, 40, 5, 2, True, False), (3, 40, 5, 1, True, False), (3, 40, 5, 1, True, False),
    (6, 80, 3, 2, False, True), (2.5, 80, 3, 1, False, True),
    (2.3, 80, 3, 1, False, True), (2.3, 80, 3, 1, False, True),
    (6, 112, 3, 1, True, True), (6, 112, 3, 1, True, True),
    (6, 160, 5, 2, True, True), (6, 160, 5, 1, True, True), (6, 160, 5, 1, True, True),
)  # fmt: skip
#: table 2
SMALL: tuple[Row, ...] = (
    (1, 16, 3, 2, True, False),
    (72 / 16, 24, 3, 2, False, False), (88 / 24, 24, 3, 1, False, False),
    (4, 40, 5, 2, True, True), (6, 40, 5, 1, True, True), (6, 40, 5, 1, True, True),
    (3, 48, 5, 1, True, True), (3, 48, 5, 1, True, True),
    (6, 96, 5, 2, True, True), (6, 96, 5, 1, True, True), (6, 96, 5, 1, True, True),
)  # fmt: skip
NORM = {"epsilon": 1e-3, "momentum": 0.999}


def relu(x: Any) -> Any:
    return layers.ReLU()(x)


def hard_swish(x: Any) -> Any:
    return layers.Activation("hard_swish")(x)


def squeeze_excite(x: Any, name: str) -> Any:
    """Each map times a number that all maps have a say in: a hard sigmoid, relu6(y + 3) / 6."""
    maps = x.shape[channel_axis()]
    y = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}squeeze_excite_avg_pool")(x)
    y = layers.Conv2D(whole_multiple(maps * 0.25), 1, padding="same", name=f"{name}squeeze_excite_conv")(y)
    y = layers.ReLU(name=f"{name}squeeze_excite_relu")(y)
    y = layers.Conv2D(maps, 1, padding="same", name=f"{name}squeeze_excite_conv_1")(y)
    y = layers.ReLU(6.0)(y + 3.0) * (1.0 / 6.0)
    return layers.Multiply(name=f"{name}squeeze_excite_mul")([x, y])


def inverted_residual(
    x: Any, expansion: float, maps: int, window: int, strides: int, weighed: bool, activation: Callable[[Any], Any],
    number: int,
) -> Any:  # fmt: skip
    """Expand, filter each map alone, perhaps weigh the maps, project; add the input where it has the same shape."""
    before, channels = x, x.shape[channel_axis()]
    name = f"expanded_conv_{number}_" if number else "expanded_conv_"
    if number:
        x = layers.Conv2D(
            whole_multiple(channels * expansion), 1, padding="same", use_bias=False, name=f"{name}expand"
        )(x)
        x = activation(norm(x, f"{name}expand_bn", **NORM))
    if strides == 2:
        x = layers.ZeroPadding2D(halving_margin(x, window), name=f"{name}depthwise_pad")(x)
    padding = "same" if strides == 1 else "valid"
    x = layers.DepthwiseConv2D(window, strides=strides, padding=padding, use_bias=False, name=f"{name}depthwise")(x)
    x = activation(norm(x, f"{name}depthwise_bn", **NORM))
    if weighed:
        x = squeeze_excite(x, name)
    x = layers.Conv2D(maps, 1, padding="same", use_bias=False, name=f"{name}project")(x)
    x = norm(x, f"{name}project_bn", **NORM)
    return layers.Add(name=f"{name}add")([before, x]) if strides == 1 and channels == maps else x


def _mobilenet_v3(
    frame: Frame, table: Sequence[Row], last: int, size: str, alpha: float, minimalistic: bool, dropout_rate: float,
    include_preprocessing: bool,
) -> Any:  # fmt: skip
    images = frame.begin(size=None)
    if frame.weights == "imagenet" and alpha not in ((1.0,) if minimalistic else (0.75, 1.0)):
        raise ArgumentError(
            f"The weights of 'imagenet' are published for alpha 0.75 and 1.0, minimalistic for 1.0. Received: "
            f"alpha={alpha}, minimalistic={minimalistic}. Take one of these, or weights=None."
        )
    swish = relu if minimalistic else hard_swish
    x = layers.Rescaling(1.0 / 127.5, -1.0)(images) if include_preprocessing else images
    x = layers.Conv2D(16, 3, strides=2, padding="same", use_bias=False, name="conv")(x)
    x = swish(norm(x, "conv_bn", **NORM))
    for number, (expansion, maps, window, strides, weighed, swishes) in enumerate(table):
        x = inverted_residual(
            x,
            expansion,
            whole_multiple(maps * alpha),
            3 if minimalistic else window,
            strides,
            weighed and not minimalistic,
            swish if swishes else relu,
            number,
        )
    widest = whole_multiple(x.shape[channel_axis()] * 6)
    x = layers.Conv2D(widest, 1, padding="same", use_bias=False, name="conv_1")(x)
    x = swish(norm(x, "conv_1_bn", **NORM))
    if frame.include_top:
        x = layers.GlobalAveragePooling2D(keepdims=True)(x)
        hidden = whole_multiple(last * alpha) if alpha > 1.0 else last
        x = swish(layers.Conv2D(hidden, 1, padding="same", name="conv_2")(x))
        if dropout_rate > 0:
            x = layers.Dropout(dropout_rate)(x)
        x = layers.Conv2D(frame.classes, 1, padding="same", name="logits")(x)
        x = layers.Activation(frame.classifier_activation, name="predictions")(layers.Flatten()(x))
    else:
        x = frame.pooled(x, named=True)
    form = "_minimalistic" if minimalistic else ""
    return frame.finish(x, images, f"mobilenet_v3_{size}{form}_224_{float(alpha)}_float")


@export("applications.MobileNetV3Large")
def MobileNetV3Large(
    input_shape: Any = None,
    alpha: float = 1.0,
    minimalistic: bool = False,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    classes: int = 1000,
    pooling: str | None = None,
    dropout_rate: float = 0.2,
    classifier_activation: Any = "softmax",
    include_preprocessing: bool = True,
    name: str = "MobileNetV3Large",
) -> Any:
    """MobileNetV3-Large: 5,507,432 parameters with alpha=1.

    Source: Howard et al. 2019, table 1; layers and names of `keras.applications.MobileNetV3Large`.

    Args:
        input_shape: (height, width, channels), at least 32 pixels; (None, None, 3), any size, unless given.
        alpha: share of the maps, rounded to multiples of 8; weights are published for 0.75 and 1.
        minimalistic: no 5x5 windows, hard swish, squeeze-and-excitation; weights are published for alpha 1.
        include_top: whether it ends in classes.
        weights: "imagenet" (fetched once), the path of a weights file, or None for random ones.
        input_tensor: a tensor of a functional model to begin at.
        classes: number of classes.
        pooling: without the top: "avg" or "max" for one number a map, None for the maps.
        dropout_rate: before the last layer.
        classifier_activation: of the last layer.
        include_preprocessing: whether the model itself scales pixels 0..255 to -1..1; else give it these.
        name: the model's name.

    Returns:
        A functional model, not compiled.

    Raises:
        ValueError: arguments that do not fit each other; weights that do not fit.
        OSError: weights that cannot be fetched.
    """
    with Frame(name, include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation) as frame:
        return _mobilenet_v3(frame, LARGE, 1280, "large", alpha, minimalistic, dropout_rate, include_preprocessing)


@export("applications.MobileNetV3Small")
def MobileNetV3Small(
    input_shape: Any = None,
    alpha: float = 1.0,
    minimalistic: bool = False,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    classes: int = 1000,
    pooling: str | None = None,
    dropout_rate: float = 0.2,
    classifier_activation: Any = "softmax",
    include_preprocessing: bool = True,
    name: str = "MobileNetV3Small",
) -> Any:
    """MobileNetV3-Small: 2,554,968 parameters with alpha=1.

    Source: Howard et al. 2019, table 2; layers and names of `keras.applications.MobileNetV3Small`. Arguments and errors
    are those of `MobileNetV3Large`.
    """
    with Frame(name, include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation) as frame:
        return _mobilenet_v3(frame, SMALL, 1024, "small", alpha, minimalistic, dropout_rate, include_preprocessing)
