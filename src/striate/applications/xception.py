"""Xception, to be laid beside the paper: Chollet, "Xception: Deep Learning with Depthwise Separable Convolutions", CVPR
2017, figure 5.

    entry flow     block1    32, 64         3x3, the first in steps of 2
                   block2    128, 128       separable, then a 3x3 pool in steps of 2; a 1x1 shortcut beside each block
                   block3    256, 256
                   block4    728, 728
    middle flow    5 to 12   728, 728, 728  separable, the input added to the output
    exit flow      block13   728, 1024      as in the entry flow
                   block14   1536, 2048     separable, then the mean of each map, and 1000 classes

InceptionV3's idea to its end: an inception module looks at colours and at places in separate steps, here every
convolution does (a window for each map alone, then 1x1 over all maps), with no ReLU between the two steps.
"""

from __future__ import annotations

from typing import Any

from striate import layers
from striate.applications.building import Frame, norm, relu
from striate.applications.imagenet_utils import decode_predictions as decode_predictions
from striate.applications.imagenet_utils import preprocess_tf
from striate.core.registry import export

#: what images go through first.
preprocess_input = preprocess_tf


def separable(x: Any, maps: int, name: str) -> Any:
    """A separable convolution and normalization."""
    x = layers.SeparableConv2D(maps, 3, padding="same", use_bias=False, name=name)(x)
    return norm(x, f"{name}_bn")


def halving_block(x: Any, maps: tuple[int, int], name: str, relu_first: bool = True) -> Any:
    """Two separable convolutions and a pool, beside a 1x1 convolution in steps of 2."""
    shortcut = layers.Conv2D(maps[1], 1, strides=2, padding="same", use_bias=False)(x)
    shortcut = norm(shortcut, None)
    if relu_first:
        x = relu(x, f"{name}_sepconv1_act")
    x = separable(x, maps[0], f"{name}_sepconv1")
    x = separable(relu(x, f"{name}_sepconv2_act"), maps[1], f"{name}_sepconv2")
    x = layers.MaxPooling2D(3, strides=2, padding="same", name=f"{name}_pool")(x)
    return layers.Add()([x, shortcut])


def _xception(frame: Frame) -> Any:
    images = frame.begin(size=299, least=71)
    x = layers.Conv2D(32, 3, strides=2, use_bias=False, name="block1_conv1")(images)
    x = relu(norm(x, "block1_conv1_bn"), "block1_conv1_act")
    x = layers.Conv2D(64, 3, use_bias=False, name="block1_conv2")(x)
    x = relu(norm(x, "block1_conv2_bn"), "block1_conv2_act")
    x = halving_block(x, (128, 128), "block2", relu_first=False)
    x = halving_block(x, (256, 256), "block3")
    x = halving_block(x, (728, 728), "block4")
    for block in range(5, 13):
        before = x
        for i in (1, 2, 3):
            name_of = f"block{block}_sepconv{i}"
            x = separable(relu(x, f"{name_of}_act"), 728, name_of)
        x = layers.Add()([x, before])
    x = halving_block(x, (728, 1024), "block13")
    for i, maps in ((1, 1536), (2, 2048)):
        x = relu(separable(x, maps, f"block14_sepconv{i}"), f"block14_sepconv{i}_act")
    return frame.finish(frame.averaged_top(x, named=False), images, "xception")


@export("applications.Xception", "applications.xception.Xception")
def Xception(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "xception",
) -> Any:
    """Xception: 22,910,480 parameters.

    Source: Chollet 2017, figure 5; layers and names of `keras.applications.Xception`.

    Images, (batch, 299, 299, 3), go through `xception.preprocess_input` first.

    Args:
        include_top: whether the mean over each map and the dense layer are there.
        weights: "imagenet" (fetched once), the path of a weights file, or None for random ones.
        input_tensor: a tensor of a functional model to begin at.
        input_shape: (height, width, channels); (299, 299, 3) unless given; at least 71 pixels.
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
        return _xception(frame)
