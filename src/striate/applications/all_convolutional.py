"""Two networks for images of 32x32 that have no dense layer, to be laid beside their papers.

Lin, Chen and Yan, "Network In Network", ICLR 2014, figure 2 (sizes from its published Caffe model for CIFAR-10):

    conv1    192 of 32x32    5x5, then 1x1: 160, 96;     3x3 pool /2, dropout 50%
    conv2    192 of 16x16    5x5, then 1x1: 192, 192;    3x3 mean /2, dropout 50%
    conv3    192 of 8x8      3x3, then 1x1: 192, 10;     the mean of each map

A 1x1 convolution is a small dense network that goes with the window from pixel to pixel. The last maps are the classes
themselves: one can look at where in the image a class was seen. Both ideas are in every network since.

Springenberg, Dosovitskiy, Brox and Riedmiller, "Striving for Simplicity: The All Convolutional Net", 2014, All-CNN-C of
tables 1 and 2:

    conv1 to 3    96 of 32x32, 32x32, 16x16       3x3, the third in steps of 2 where others have a pool
    conv4 to 6    192 of 16x16, 16x16, 8x8        3x3, the sixth in steps of 2
    conv7 to 9    192, 192, 10 of 6x6             3x3 without margin, 1x1, 1x1; the mean of each map
"""

from __future__ import annotations

from typing import Any

from striate import layers, models
from striate.core.registry import export


def _conv(maps: int, window: int, name: str, strides: int = 1, padding: str = "same") -> Any:
    return layers.Conv2D(
        maps, window, strides=strides, padding=padding, activation="relu", kernel_initializer="he_normal", name=name
    )


@export("applications.NiN")
def NiN(
    input_shape: Any = (32, 32, 3),
    classes: int = 10,
    classifier_activation: Any = "softmax",
    name: str | None = "nin",
) -> Any:
    """Network in network: 966,986 parameters. Not in Keras.

    Source: Lin, Chen and Yan 2014.

    Args:
        input_shape: (height, width, channels) of the images.
        classes: number of classes.
        classifier_activation: of the means of the last maps.
        name: the model's name.

    Returns:
        A Sequential, not compiled.

    Example:
        >>> NiN().count_params()
        966986
    """
    return models.Sequential(
        [
            layers.Input(input_shape),
            _conv(192, 5, "conv1"),
            _conv(160, 1, "cccp1"),
            _conv(96, 1, "cccp2"),
            layers.MaxPooling2D(3, strides=2, padding="same", name="pool1"),
            layers.Dropout(0.5, name="drop1"),
            _conv(192, 5, "conv2"),
            _conv(192, 1, "cccp3"),
            _conv(192, 1, "cccp4"),
            layers.AveragePooling2D(3, strides=2, padding="same", name="pool2"),
            layers.Dropout(0.5, name="drop2"),
            _conv(192, 3, "conv3"),
            _conv(192, 1, "cccp5"),
            _conv(classes, 1, "cccp6"),
            layers.GlobalAveragePooling2D(name="avg_pool"),
            layers.Activation(classifier_activation, name="predictions"),
        ],
        name=name,
    )


@export("applications.AllCNN")
def AllCNN(
    input_shape: Any = (32, 32, 3),
    classes: int = 10,
    classifier_activation: Any = "softmax",
    name: str | None = "all-cnn",
) -> Any:
    """The all convolutional net, All-CNN-C: 1,369,738 parameters. Not in Keras.

    Source: Springenberg et al. 2014, tables 1 and 2 (1.4 million), dropout as in its section 3.1: 20% of the pixels,
    50% after each convolution in steps of 2.

    Args:
        input_shape: (height, width, channels) of the images, at least 12 pixels.
        classes: number of classes.
        classifier_activation: of the means of the last maps.
        name: the model's name.

    Returns:
        A Sequential, not compiled.

    Example:
        >>> AllCNN().count_params()
        1369738
    """
    return models.Sequential(
        [
            layers.Input(input_shape),
            layers.Dropout(0.2, name="drop0"),
            _conv(96, 3, "conv1"),
            _conv(96, 3, "conv2"),
            _conv(96, 3, "conv3", strides=2),
            layers.Dropout(0.5, name="drop3"),
            _conv(192, 3, "conv4"),
            _conv(192, 3, "conv5"),
            _conv(192, 3, "conv6", strides=2),
            layers.Dropout(0.5, name="drop6"),
            _conv(192, 3, "conv7", padding="valid"),
            _conv(192, 1, "conv8"),
            _conv(classes, 1, "conv9"),
            layers.GlobalAveragePooling2D(name="avg_pool"),
            layers.Activation(classifier_activation, name="predictions"),
        ],
        name=name,
    )
