"""SqueezeNet, to be laid beside the paper: Iandola, Han, Moskewicz, Ashraf, Dally and Keutzer, "SqueezeNet:
AlexNet-Level Accuracy with 50x Fewer Parameters and <0.5MB Model Size", 2016, table 1.

    conv1           96 of 111x111     7x7 /2, then a 3x3 pool /2
    fire2 to 4      128, 128, 256 of 55x55         1x1, then 1x1 and 3x3 side by side
    fire5 to 8      256, 384, 384, 512 of 27x27    pools after fire4 and fire8
    fire9           512 of 13x13      dropout 50%
    conv10          1000 of 13x13     1x1, then the mean of each map

A fire module squeezes its maps to an eighth before it looks at them, through 1x1 windows (a ninth of the weights) and
only half of the time through 3x3. No dense layer. As with AlexNet, 111x111 maps take images of 227x227, not 224x224.
"""

from __future__ import annotations

from typing import Any

from striate import layers
from striate.applications.building import Frame, channel_axis
from striate.core.registry import export

#: table 1: squeezed maps, and those of each of the two ways behind; None: a 3x3 pool in steps of 2.
TABLE_1 = {
    "fire2": (16, 64), "fire3": (16, 64), "fire4": (32, 128), "pool4": None, "fire5": (32, 128), "fire6": (48, 192),
    "fire7": (48, 192), "fire8": (64, 256), "pool8": None, "fire9": (64, 256),
}  # fmt: skip


def fire(x: Any, squeezed: int, expanded: int, name: str) -> Any:
    """Figure 1."""
    x = layers.Conv2D(squeezed, 1, activation="relu", name=f"{name}_squeeze1x1")(x)
    one = layers.Conv2D(expanded, 1, activation="relu", name=f"{name}_expand1x1")(x)
    three = layers.Conv2D(expanded, 3, padding="same", activation="relu", name=f"{name}_expand3x3")(x)
    return layers.Concatenate(axis=channel_axis(), name=f"{name}_concat")([one, three])


def _squeezenet(frame: Frame) -> Any:
    images = frame.begin(size=227, least=35)
    x = layers.Conv2D(96, 7, strides=2, activation="relu", name="conv1")(images)
    x = layers.MaxPooling2D(3, strides=2, name="pool1")(x)
    for module, maps in TABLE_1.items():
        x = layers.MaxPooling2D(3, strides=2, name=module)(x) if maps is None else fire(x, *maps, module)
    if frame.include_top:
        x = layers.Dropout(0.5, name="dropout")(x)
        x = layers.Conv2D(frame.classes, 1, activation="relu", name="conv10")(x)
        x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
        x = layers.Activation(frame.classifier_activation, name="predictions")(x)
    else:
        x = frame.pooled(x)
    return frame.finish(x, images, None)


@export("applications.SqueezeNet")
def SqueezeNet(
    include_top: bool = True,
    weights: Any = None,
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "squeezenet",
) -> Any:
    """SqueezeNet 1.0: 1,248,424 parameters. Not in Keras.

    Source: Iandola et al. 2016, table 1.

    Args:
        include_top: whether it ends in classes.
        weights: the path of a weights file, or None for random ones.
        input_tensor: a tensor of a functional model to begin at.
        input_shape: (height, width, channels); (227, 227, 3) unless given; at least 35 pixels.
        pooling: without the top: "avg" or "max" for one number a map, None for the maps.
        classes: number of classes.
        classifier_activation: of the last layer.
        name: the model's name.

    Returns:
        A functional model, not compiled.

    Raises:
        ValueError: arguments that do not fit each other.

    Example:
        >>> SqueezeNet().count_params()
        1248424
    """
    with Frame(name, include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation) as frame:
        return _squeezenet(frame)
