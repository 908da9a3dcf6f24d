"""VGG, to be laid beside the paper: Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image
Recognition", ICLR 2015, table 1, columns A, B, D and E.

    maps               64     128    256    512    512
    A, 11 layers       1      1      2      2      2        convolutions before each pool
    B, 13              2      2      2      2      2
    D, 16              2      2      3      3      3
    E, 19              2      2      4      4      4
    pixels             224    112    56     28     14       then 7x7, 4096, 4096, 1000

Only 3x3 windows: two in a row see 5x5 pixels and three 7x7, with fewer weights than one such window and a ReLU after
each. Of VGG-16's 138 million parameters 103 million are in the first dense layer.
"""

from __future__ import annotations

from typing import Any

from striate import layers
from striate.applications.building import Frame
from striate.core.registry import export

MAPS = (64, 128, 256, 512, 512)
#: table 1: convolutions of each block.
TABLE_1 = {"A": (1, 1, 2, 2, 2), "B": (2, 2, 2, 2, 2), "D": (2, 2, 3, 3, 3), "E": (2, 2, 4, 4, 4)}


def _vgg(column: str, frame: Frame, weights_of: str | None = None) -> Any:
    x = images = frame.begin()
    for block, (maps, count) in enumerate(zip(MAPS, TABLE_1[column], strict=True), 1):
        for i in range(1, count + 1):
            x = layers.Conv2D(maps, 3, activation="relu", padding="same", name=f"block{block}_conv{i}")(x)
        x = layers.MaxPooling2D(2, 2, name=f"block{block}_pool")(x)
    if frame.include_top:
        x = layers.Flatten(name="flatten")(x)
        x = layers.Dense(4096, activation="relu", name="fc1")(x)
        x = layers.Dense(4096, activation="relu", name="fc2")(x)
        x = frame.predictions(x)
    else:
        x = frame.pooled(x)
    return frame.finish(x, images, weights_of)


@export("applications.VGG16", "applications.vgg16.VGG16")
def VGG16(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "vgg16",
) -> Any:
    """VGG with 16 layers, column D of the paper's table 1: 138,357,544 parameters.

    Source: Simonyan and Zisserman 2015; layers and names of `keras.applications.VGG16`.

    Images, (batch, 224, 224, 3), go through `vgg16.preprocess_input` first.

    Args:
        include_top: whether the dense layers are there.
        weights: "imagenet" (fetched once, 553 MB), the path of a weights file, or None for random ones.
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

    Example:
        >>> VGG16(include_top=False, weights=None).count_params()
        14714688
    """
    with Frame(name, include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation) as frame:
        return _vgg("D", frame, "vgg16")


@export("applications.VGG19", "applications.vgg19.VGG19")
def VGG19(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "vgg19",
) -> Any:
    """VGG with 19 layers, column E of the paper's table 1: 143,667,240 parameters.

    Source: Simonyan and Zisserman 2015; layers and names of `keras.applications.VGG19`. Arguments and errors are those
    of `VGG16`; `weights="imagenet"` fetches 575 MB.

    Example:
        >>> VGG19(include_top=False, weights=None, pooling="avg").output_shape
        (None, 512)
    """
    with Frame(name, include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation) as frame:
        return _vgg("E", frame, "vgg19")


@export("applications.VGG11")
def VGG11(
    include_top: bool = True,
    weights: Any = None,
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "vgg11",
) -> Any:
    """VGG with 11 layers, column A of the paper's table 1: 132,863,336 parameters. Not in Keras.

    Source: Simonyan and Zisserman 2015. Arguments are those of `VGG16`; no weights are published in Keras's form.

    Example:
        >>> VGG11(include_top=False).count_params()
        9220480
    """
    with Frame(name, include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation) as frame:
        return _vgg("A", frame)


@export("applications.VGG13")
def VGG13(
    include_top: bool = True,
    weights: Any = None,
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "vgg13",
) -> Any:
    """VGG with 13 layers, column B of the paper's table 1: 133,047,848 parameters. Not in Keras.

    Source: Simonyan and Zisserman 2015. Arguments are those of `VGG16`; no weights are published in Keras's form.

    Example:
        >>> VGG13(include_top=False).count_params()
        9404992
    """
    with Frame(name, include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation) as frame:
        return _vgg("B", frame)
