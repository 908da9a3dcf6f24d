"""MobileNet, to be laid beside the paper: Howard et al., "MobileNets: Efficient Convolutional Neural Networks for
Mobile Vision Applications", 2017, table 1.

    conv1           32 of 112x112     3x3, step 2
    1               64 of 112x112     each: 3x3 for each map alone, then 1x1 over all maps
    2, 3            128 of 56x56
    4, 5            256 of 28x28
    6, 7 to 11      512 of 14x14
    12, 13          1024 of 7x7       then the mean of each map, and 1000 classes

A 3x3 convolution over C maps that gives C' takes 9 C C' products a pixel; one for each map alone and a 1x1 one take
9 C + C C', for C' = 512 nearly nine times fewer. `alpha` scales the maps, a smaller image the pixels.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from striate import layers
from striate.applications.building import Frame, norm, spatial
from striate.applications.imagenet_utils import decode_predictions as decode_predictions
from striate.applications.imagenet_utils import preprocess_tf
from striate.core.errors import ArgumentError
from striate.core.registry import export

#: what images go through first.
preprocess_input = preprocess_tf

#: table 1: maps and steps of the blocks.
TABLE_1 = (
    (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1), (512, 1), (512, 1), (512, 1), (512, 1),
    (1024, 2), (1024, 1),
)  # fmt: skip
#: sizes of images for which weights are published.
SIZES = (128, 160, 192, 224)


def separable(x: Any, maps: int, strides: int, number: int, depth_multiplier: int = 1) -> Any:
    """A window for each map alone, then one of 1x1 over all maps; normalization and ReLU6 after both."""
    if strides > 1:
        x = layers.ZeroPadding2D(((0, 1), (0, 1)), name=f"conv_pad_{number}")(x)
    x = layers.DepthwiseConv2D(
        3,
        strides=strides,
        padding="same" if strides == 1 else "valid",
        depth_multiplier=depth_multiplier,
        use_bias=False,
        name=f"conv_dw_{number}",
    )(x)
    x = layers.ReLU(6.0, name=f"conv_dw_{number}_relu")(norm(x, f"conv_dw_{number}_bn"))
    x = layers.Conv2D(maps, 1, padding="same", use_bias=False, name=f"conv_pw_{number}")(x)
    return layers.ReLU(6.0, name=f"conv_pw_{number}_relu")(norm(x, f"conv_pw_{number}_bn"))


def published_size(shape: Any, sizes: Sequence[int]) -> int:
    """Rows and columns where weights are published for this shape of images, else 224."""
    rows, columns = (None, None) if shape is None else spatial(shape)
    return rows if rows is not None and rows == columns and rows in sizes else 224


def published_rows(frame: Frame, sizes: Sequence[int], alpha: float, alphas: Sequence[float]) -> int | None:
    """Rows of the images, as they stand in the model's name; with the weights of "imagenet", those the file is for."""
    rows, columns = spatial(frame.shape)
    if frame.weights != "imagenet":
        return rows
    if alpha not in alphas:
        raise ArgumentError(
            f"The weights of 'imagenet' are published for alpha {', '.join(map(str, alphas))}. Received: "
            f"alpha={alpha}. Take one of these, or weights=None."
        )
    if rows is None or rows != columns or rows not in sizes:
        warnings.warn(
            f"`input_shape` is open, or no square of {', '.join(map(str, sizes))} pixels: the weights for 224x224 are "
            "loaded.",
            stacklevel=3,
        )
        return 224
    return rows


def _mobilenet(frame: Frame, alpha: float, depth_multiplier: int, dropout: float) -> Any:
    images = frame.begin(published_size(frame.input_shape, SIZES))
    rows = published_rows(frame, SIZES, alpha, (0.25, 0.5, 0.75, 1.0))
    if frame.weights == "imagenet" and depth_multiplier != 1:
        raise ArgumentError(
            f"The weights of 'imagenet' are for depth_multiplier=1. Received: {depth_multiplier}. Give weights=None."
        )
    x = layers.Conv2D(int(32 * alpha), 3, strides=2, padding="same", use_bias=False, name="conv1")(images)
    x = layers.ReLU(6.0, name="conv1_relu")(norm(x, "conv1_bn"))
    for number, (maps, strides) in enumerate(TABLE_1, 1):
        x = separable(x, int(maps * alpha), strides, number, depth_multiplier)
    if frame.include_top:
        x = layers.GlobalAveragePooling2D(keepdims=True)(x)
        x = layers.Dropout(dropout, name="dropout")(x)
        x = layers.Conv2D(frame.classes, 1, padding="same", name="conv_preds")(x)
        x = layers.Reshape((frame.classes,), name="reshape_2")(x)
        x = layers.Activation(frame.classifier_activation, name="predictions")(x)
    else:
        x = frame.pooled(x)
    frame.name = frame.name or f"mobilenet_{alpha:0.2f}_{rows}"
    share = {1.0: "1_0", 0.75: "7_5", 0.5: "5_0"}.get(alpha, "2_5")
    return frame.finish(x, images, f"mobilenet_{share}_{rows}_tf")


@export("applications.MobileNet", "applications.mobilenet.MobileNet")
def MobileNet(
    input_shape: Any = None,
    alpha: float = 1.0,
    depth_multiplier: int = 1,
    dropout: float = 0.001,
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str | None = None,
) -> Any:
    """MobileNet: 4,253,864 parameters with alpha=1.

    Source: Howard et al. 2017; layers and names of `keras.applications.MobileNet`.

    Images, (batch, 224, 224, 3), go through `mobilenet.preprocess_input` first.

    Args:
        input_shape: (height, width, channels); (224, 224, 3) unless given; at least 32 pixels.
        alpha: share of the maps; weights are published for 0.25, 0.5, 0.75 and 1.
        depth_multiplier: windows of each map; 1 in the paper.
        dropout: before the last layer.
        include_top: whether it ends in classes.
        weights: "imagenet" (fetched once; Keras publishes no hash of them), the path of a weights file, or None.
        input_tensor: a tensor of a functional model to begin at.
        pooling: without the top: "avg" or "max" for one number a map, None for the maps.
        classes: number of classes.
        classifier_activation: of the last layer.
        name: the model's name; "mobilenet_1.00_224" and the like unless given.

    Returns:
        A functional model, not compiled.

    Raises:
        ValueError: arguments that do not fit each other; weights that do not fit.
        OSError: weights that cannot be fetched.

    Example:
        >>> MobileNet(alpha=0.25, weights=None).count_params()
        475544
    """
    with Frame(name, include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation) as frame:
        return _mobilenet(frame, alpha, depth_multiplier, dropout)
