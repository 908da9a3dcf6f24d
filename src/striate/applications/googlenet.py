"""GoogLeNet, to be laid beside the paper: Szegedy, Liu, Jia, Sermanet, Reed, Anguelov, Erhan, Vanhoucke and Rabinovich,
"Going Deeper with Convolutions", CVPR 2015, table 1 and figure 3.

    conv1         64 of 112x112    7x7 /2, then a 3x3 pool /2 and normalization
    conv2         192 of 56x56     1x1, 64, then 3x3; normalization and a 3x3 pool /2
                                   1x1    1x1, 3x3     1x1, 5x5     pool, 1x1
    3a, 3b        256, 480 of 28x28
    4a to 4e      512, 512, 512, 528, 832 of 14x14                 (heads on 4a and 4d)
    5a, 5b        832, 1024 of 7x7
    top           the mean of each map, dropout 40%, 1000 classes

Windows of several sizes look at the same maps, their answers stand side by side, and 1x1 convolutions before the large
ones keep the arithmetic small: 7.0 million parameters, a ninth of AlexNet's. Two more heads halfway up give the lower
layers a gradient in training, their losses weighted by 0.3, and are thrown away afterwards.

The paper's table counts 2.7 thousand weights in conv1, where 64 windows of 7x7 over three colours have 9.4 thousand.
What its normalization is it does not say: here it is Caffe's, after AlexNet.
"""

from __future__ import annotations

from typing import Any

from striate import layers
from striate.applications.building import Frame, channel_axis
from striate.core.registry import export

#: table 1: 1x1; 1x1 and 3x3; 1x1 and 5x5; 1x1 behind the pool. None: a 3x3 pool in steps of 2.
TABLE_1 = {
    "3a": (64, 96, 128, 16, 32, 32), "3b": (128, 128, 192, 32, 96, 64), "pool3": None,
    "4a": (192, 96, 208, 16, 48, 64), "4b": (160, 112, 224, 24, 64, 64), "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64), "4e": (256, 160, 320, 32, 128, 128), "pool4": None,
    "5a": (256, 160, 320, 32, 128, 128), "5b": (384, 192, 384, 48, 128, 128),
}  # fmt: skip
#: what the losses of the three heads count, the main one first (section 5).
LOSS_WEIGHTS = (1.0, 0.3, 0.3)


def conv(x: Any, maps: int, window: int, name: str, strides: int = 1) -> Any:
    return layers.Conv2D(maps, window, strides=strides, padding="same", activation="relu", name=name)(x)


def halve(x: Any, name: str) -> Any:
    return layers.MaxPooling2D(3, strides=2, padding="same", name=name)(x)


def lrn(x: Any, name: str) -> Any:
    """Caffe's alpha of 1e-4 is for the mean of five maps, ours for their sum."""
    return layers.LocalResponseNormalization(size=5, alpha=1e-4 / 5, beta=0.75, k=1.0, name=name)(x)


def inception(x: Any, maps: tuple[int, ...], name: str) -> Any:
    """Figure 2b: four ways to look at the same maps."""
    one, reduce3, three, reduce5, five, behind_pool = maps
    pool = layers.MaxPooling2D(3, strides=1, padding="same", name=f"inception_{name}_pool")(x)
    return layers.Concatenate(axis=channel_axis(), name=f"inception_{name}")(
        [
            conv(x, one, 1, f"inception_{name}_1x1"),
            conv(conv(x, reduce3, 1, f"inception_{name}_3x3_reduce"), three, 3, f"inception_{name}_3x3"),
            conv(conv(x, reduce5, 1, f"inception_{name}_5x5_reduce"), five, 5, f"inception_{name}_5x5"),
            conv(pool, behind_pool, 1, f"inception_{name}_pool_proj"),
        ]
    )


def auxiliary_head(x: Any, frame: Frame, name: str) -> Any:
    """Section 5: a 5x5 mean in steps of 3, 128 maps by 1x1, 1024 units, dropout 70%."""
    x = layers.AveragePooling2D(5, strides=3, name=f"{name}_pool")(x)
    x = layers.Flatten(name=f"{name}_flatten")(conv(x, 128, 1, f"{name}_conv"))
    x = layers.Dense(1024, activation="relu", name=f"{name}_fc")(x)
    x = layers.Dropout(0.7, name=f"{name}_dropout")(x)
    return layers.Dense(frame.classes, activation=frame.classifier_activation, name=f"{name}_predictions")(x)


def _googlenet(frame: Frame, auxiliary_heads: bool) -> Any:
    heads = frame.include_top and auxiliary_heads
    images = frame.begin(least=65 if heads else 32)
    x = lrn(halve(conv(images, 64, 7, "conv1", strides=2), "pool1"), "norm1")
    x = conv(conv(x, 64, 1, "conv2_reduce"), 192, 3, "conv2")
    x = halve(lrn(x, "norm2"), "pool2")
    outputs = []
    for module, maps in TABLE_1.items():
        x = halve(x, module) if maps is None else inception(x, maps, module)
        if heads and module in ("4a", "4d"):
            outputs.append(auxiliary_head(x, frame, f"auxiliary_{module}"))
    if not frame.include_top:
        return frame.finish(frame.pooled(x), images, None)
    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    x = frame.predictions(layers.Dropout(0.4, name="dropout")(x))
    return frame.finish([x, *outputs] if outputs else x, images, None)


@export("applications.GoogLeNet")
def GoogLeNet(
    include_top: bool = True,
    weights: Any = None,
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    auxiliary_heads: bool = False,
    name: str = "googlenet",
) -> Any:
    """GoogLeNet, Inception v1: 6,998,552 parameters, 13,378,280 with its two auxiliary heads. Not in Keras.

    Source: Szegedy et al. 2015, table 1.

    Args:
        include_top: whether it ends in classes.
        weights: the path of a weights file, or None for random ones.
        input_tensor: a tensor of a functional model to begin at.
        input_shape: (height, width, channels); (224, 224, 3) unless given; at least 32 pixels, with the heads 65.
        pooling: without the top: "avg" or "max" for one number a map, None for the maps.
        classes: number of classes.
        classifier_activation: of the last layers.
        auxiliary_heads: whether the heads on 4a and 4d are there, for training: the model then has three outputs. Give
            `compile` one loss for each, and loss_weights=[1, 0.3, 0.3].
        name: the model's name.

    Returns:
        A functional model, not compiled.

    Raises:
        ValueError: arguments that do not fit each other.

    Example:
        >>> GoogLeNet(include_top=False).count_params()
        5973552
    """
    with Frame(name, include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation) as frame:
        return _googlenet(frame, auxiliary_heads)
