"""MobileNetV2, to be laid beside the paper: Sandler, Howard, Zhu, Zhmoginov and Chen, "MobileNetV2: Inverted Residuals
and Linear Bottlenecks", CVPR 2018, table 2.

    Conv1        32 of 112x112
    block 0      16 of 112x112    not expanded
    1, 2         24 of 56x56      6 times as many maps inside
    3 to 5       32 of 28x28
    6 to 9       64 of 14x14
    10 to 12     96 of 14x14
    13 to 15     160 of 7x7
    16           320 of 7x7
    Conv_1       1280 of 7x7      then the mean of each map, and 1000 classes

ResNet's bottleneck turned round: few maps between blocks, many inside, where each 3x3 window sees one map alone. What
leaves a block has no ReLU, which would destroy what few maps hold.
"""

from __future__ import annotations

from typing import Any

from striate import layers
from striate.applications.building import Frame, channel_axis, halving_margin, norm, whole_multiple
from striate.applications.imagenet_utils import decode_predictions as decode_predictions
from striate.applications.imagenet_utils import preprocess_tf
from striate.applications.mobilenet import published_rows, published_size
from striate.core.registry import export

#: what images go through first.
preprocess_input = preprocess_tf

#: table 2: expansion, maps, blocks, step of the first of them.
TABLE_2 = (
    (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
)  # fmt: skip
#: sizes of images and shares of the maps for which weights are published.
SIZES = (96, 128, 160, 192, 224)
ALPHAS = (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)
NORM = {"epsilon": 1e-3, "momentum": 0.999}


def inverted_residual(x: Any, expansion: int, maps: int, strides: int, number: int) -> Any:
    """Expand, filter each map alone, project; the input is added where it has the same shape."""
    before, channels = x, x.shape[channel_axis()]
    prefix = f"block_{number}_" if number else "expanded_conv_"
    if number:
        x = layers.Conv2D(expansion * channels, 1, padding="same", use_bias=False, name=f"{prefix}expand")(x)
        x = layers.ReLU(6.0, name=f"{prefix}expand_relu")(norm(x, f"{prefix}expand_BN", **NORM))
    if strides == 2:
        x = layers.ZeroPadding2D(halving_margin(x, 3), name=f"{prefix}pad")(x)
    padding = "same" if strides == 1 else "valid"
    x = layers.DepthwiseConv2D(3, strides=strides, padding=padding, use_bias=False, name=f"{prefix}depthwise")(x)
    x = layers.ReLU(6.0, name=f"{prefix}depthwise_relu")(norm(x, f"{prefix}depthwise_BN", **NORM))
    x = layers.Conv2D(maps, 1, padding="same", use_bias=False, name=f"{prefix}project")(x)
    x = norm(x, f"{prefix}project_BN", **NORM)
    return layers.Add(name=f"{prefix}add")([before, x]) if channels == maps and strides == 1 else x


def _mobilenet_v2(frame: Frame, alpha: float) -> Any:
    inside = frame.input_shape is None and frame.input_tensor is not None
    given = frame.input_tensor.shape[1:] if inside else frame.input_shape
    images = frame.begin(published_size(given, SIZES))
    rows = published_rows(frame, SIZES, alpha, ALPHAS)
    x = layers.Conv2D(whole_multiple(32 * alpha), 3, strides=2, padding="same", use_bias=False, name="Conv1")(images)
    x = layers.ReLU(6.0, name="Conv1_relu")(norm(x, "bn_Conv1", **NORM))
    number = 0
    for expansion, maps, blocks, strides in TABLE_2:
        for i in range(blocks):
            x = inverted_residual(x, expansion, whole_multiple(int(maps * alpha)), strides if i == 0 else 1, number)
            number += 1
    x = layers.Conv2D(whole_multiple(1280 * max(alpha, 1.0)), 1, use_bias=False, name="Conv_1")(x)
    x = layers.ReLU(6.0, name="out_relu")(norm(x, "Conv_1_bn", **NORM))
    if frame.include_top:
        x = frame.predictions(layers.GlobalAveragePooling2D()(x))
    else:
        x = frame.pooled(x)
    frame.name = frame.name or f"mobilenetv2_{alpha:0.2f}_{rows}"
    return frame.finish(x, images, f"mobilenet_v2_weights_tf_dim_ordering_tf_kernels_{float(alpha)}_{rows}")


@export("applications.MobileNetV2", "applications.mobilenet_v2.MobileNetV2")
def MobileNetV2(
    input_shape: Any = None,
    alpha: float = 1.0,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str | None = None,
) -> Any:
    """MobileNetV2: 3,538,984 parameters with alpha=1.

    Source: Sandler et al. 2018; layers and names of `keras.applications.MobileNetV2`.

    Images, (batch, 224, 224, 3), go through `mobilenet_v2.preprocess_input` first.

    Args:
        input_shape: (height, width, channels); (224, 224, 3) unless given; at least 32 pixels.
        alpha: share of the maps, rounded to multiples of 8; weights are published for 0.35, 0.5, 0.75, 1, 1.3 and 1.4.
        include_top: whether it ends in classes.
        weights: "imagenet" (fetched once; Keras publishes no hash of them), the path of a weights file, or None.
        input_tensor: a tensor of a functional model to begin at.
        pooling: without the top: "avg" or "max" for one number a map, None for the maps.
        classes: number of classes.
        classifier_activation: of the last layer.
        name: the model's name; "mobilenetv2_1.00_224" and the like unless given.

    Returns:
        A functional model, not compiled.

    Raises:
        ValueError: arguments that do not fit each other; weights that do not fit.
        OSError: weights that cannot be fetched.

    Example:
        >>> MobileNetV2(alpha=0.35, include_top=False, weights=None).count_params()
        410208
    """
    with Frame(name, include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation) as frame:
        return _mobilenet_v2(frame, alpha)
