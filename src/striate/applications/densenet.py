"""DenseNet, to be laid beside the paper: Huang, Liu, van der Maaten and Weinberger, "Densely Connected Convolutional
Networks", CVPR 2017, table 1 (growth rate 32, bottlenecks, compression 0.5: DenseNet-BC).

    conv1           64 of 112x112    7x7, step 2, then a 3x3 pool in steps of 2
    dense block 1   56x56            [1x1, 128; 3x3, 32]   x 6   6   6
    transition      28x28            1x1 to half as many maps, 2x2 average pool
    dense block 2   28x28                                  x 12  12  12
    dense block 3   14x14                                  x 24  32  48
    dense block 4   7x7                                    x 16  32  32
                                                           121  169 201 layers

Every layer sees the maps of all layers before it in its block, side by side, and adds 32 of its own: nothing has to be
learned or passed on twice, so that few weights are enough.
"""

from __future__ import annotations

from typing import Any

from striate import layers
from striate.applications.building import Frame, channel_axis, norm, relu
from striate.applications.imagenet_utils import decode_predictions as decode_predictions
from striate.applications.imagenet_utils import preprocess_torch
from striate.core.registry import export

#: what images go through first.
preprocess_input = preprocess_torch

#: table 1: layers of the four dense blocks.
TABLE_1 = {121: (6, 12, 24, 16), 169: (6, 12, 32, 32), 201: (6, 12, 48, 32)}
GROWTH_RATE = 32
EPSILON = 1.001e-5


def dense_layer(x: Any, name: str) -> Any:
    """The maps so far, and 32 new ones that are computed from all of them."""
    new = relu(norm(x, f"{name}_0_bn", epsilon=EPSILON), f"{name}_0_relu")
    new = layers.Conv2D(4 * GROWTH_RATE, 1, use_bias=False, name=f"{name}_1_conv")(new)
    new = relu(norm(new, f"{name}_1_bn", epsilon=EPSILON), f"{name}_1_relu")
    new = layers.Conv2D(GROWTH_RATE, 3, padding="same", use_bias=False, name=f"{name}_2_conv")(new)
    return layers.Concatenate(axis=channel_axis(), name=f"{name}_concat")([x, new])


def transition(x: Any, name: str) -> Any:
    """Half as many maps, of half the size."""
    x = relu(norm(x, f"{name}_bn", epsilon=EPSILON), f"{name}_relu")
    x = layers.Conv2D(x.shape[channel_axis()] // 2, 1, use_bias=False, name=f"{name}_conv")(x)
    return layers.AveragePooling2D(2, strides=2, name=f"{name}_pool")(x)


def _densenet(depth: int, frame: Frame) -> Any:
    images = frame.begin()
    x = layers.ZeroPadding2D(3)(images)
    x = layers.Conv2D(64, 7, strides=2, use_bias=False, name="conv1_conv")(x)
    x = relu(norm(x, "conv1_bn", epsilon=EPSILON), "conv1_relu")
    x = layers.MaxPooling2D(3, strides=2, name="pool1")(layers.ZeroPadding2D(1)(x))
    for block, count in enumerate(TABLE_1[depth], 2):
        if block > 2:
            x = transition(x, f"pool{block - 1}")
        for i in range(1, count + 1):
            x = dense_layer(x, f"conv{block}_block{i}")
    x = relu(norm(x, "bn", epsilon=EPSILON), "relu")
    return frame.finish(frame.averaged_top(x), images, f"densenet{depth}")


@export("applications.DenseNet121", "applications.densenet.DenseNet121")
def DenseNet121(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "densenet121",
) -> Any:
    """DenseNet with 121 layers: 8,062,504 parameters.

    Source: Huang et al. 2017, table 1; layers and names of `keras.applications.DenseNet121`.

    Images, (batch, 224, 224, 3), go through `densenet.preprocess_input` first.

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
        return _densenet(121, frame)


@export("applications.DenseNet169", "applications.densenet.DenseNet169")
def DenseNet169(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "densenet169",
) -> Any:
    """DenseNet with 169 layers: 14,307,880 parameters.

    Source: Huang et al. 2017, table 1; layers and names of `keras.applications.DenseNet169`. Arguments and errors are
    those of `DenseNet121`.
    """
    with Frame(name, include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation) as frame:
        return _densenet(169, frame)


@export("applications.DenseNet201", "applications.densenet.DenseNet201")
def DenseNet201(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "densenet201",
) -> Any:
    """DenseNet with 201 layers: 20,242,984 parameters.

    Source: Huang et al. 2017, table 1; layers and names of `keras.applications.DenseNet201`. Arguments and errors are
    those of `DenseNet121`.
    """
    with Frame(name, include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation) as frame:
        return _densenet(201, frame)
