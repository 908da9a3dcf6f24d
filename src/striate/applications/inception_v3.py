"""InceptionV3, to be laid beside the paper: Szegedy, Vanhoucke, Ioffe, Shlens and Wojna, "Rethinking the Inception
Architecture for Computer Vision", CVPR 2016, table 1 and figures 4 to 7 and 10.

    stem           192 of 35x35      3x3 /2, 3x3, 3x3, pool /2, 1x1, 3x3, pool /2
    mixed0 to 2    256, 288 of 35x35        1x1 | 1x1 5x5 | 1x1 3x3 3x3 | pool 1x1
    mixed3         768 of 17x17             3x3 /2 | 1x1 3x3 3x3 /2 | pool /2
    mixed4 to 7    768 of 17x17             1x1 | 1x1 1x7 7x1 | 1x1 7x1 1x7 7x1 1x7 | pool 1x1
    mixed8         1280 of 8x8              1x1 3x3 /2 | 1x1 1x7 7x1 3x3 /2 | pool /2
    mixed9, 10     2048 of 8x8              1x1 | 1x1 then 1x3 and 3x1 | 1x1 3x3 then 1x3 and 3x1 | pool 1x1
                                            then the mean of each map, and 1000 classes

Several windows look at the same maps and their answers stand side by side. Large windows are taken apart: 5x5 into two
of 3x3 (28% less arithmetic), 7x7 into 1x7 and 7x1 (71% less). Keras, like the published code, keeps one 5x5 in mixed0
to 2, and has no auxiliary head.
"""

from __future__ import annotations

from typing import Any

from striate import layers
from striate.applications.building import Frame, channel_axis, norm, relu
from striate.applications.imagenet_utils import decode_predictions as decode_predictions
from striate.applications.imagenet_utils import preprocess_tf
from striate.core.registry import export

#: what images go through first.
preprocess_input = preprocess_tf

Window = tuple[int, int]


def conv(x: Any, maps: int, window: Window = (1, 1), strides: int = 1, padding: str = "same") -> Any:
    """Convolution, normalization without a factor (the next layer has one), ReLU."""
    x = layers.Conv2D(maps, window, strides=strides, padding=padding, use_bias=False)(x)
    return relu(norm(x, None, scale=False))


def row(x: Any, *steps: tuple[int, Window]) -> Any:
    """Convolutions one after another: (maps, window) of each."""
    for maps, window in steps:
        x = conv(x, maps, window)
    return x


def pooled(x: Any, maps: int) -> Any:
    """The mean of each 3x3 window, then 1x1."""
    return conv(layers.AveragePooling2D(3, strides=1, padding="same")(x), maps)


def beside(branches: list[Any], name: str | None = None) -> Any:
    """Maps of all branches in a row."""
    return layers.Concatenate(axis=channel_axis(), name=name)(branches)


def inception_a(x: Any, pool_maps: int, name: str) -> Any:
    """Figure 5, with one 5x5 window left."""
    return beside(
        [
            conv(x, 64),
            row(x, (48, (1, 1)), (64, (5, 5))),
            row(x, (64, (1, 1)), (96, (3, 3)), (96, (3, 3))),
            pooled(x, pool_maps),
        ],
        name,
    )


def inception_b(x: Any, maps: int, name: str) -> Any:
    """Figure 6: 7x7 windows taken apart."""
    return beside(
        [
            conv(x, 192),
            row(x, (maps, (1, 1)), (maps, (1, 7)), (192, (7, 1))),
            row(x, (maps, (1, 1)), (maps, (7, 1)), (maps, (1, 7)), (maps, (7, 1)), (192, (1, 7))),
            pooled(x, 192),
        ],
        name,
    )


def inception_c(x: Any, number: int) -> Any:
    """Figure 7: the last windows side by side instead of one after the other."""
    one = conv(x, 320)
    y = conv(x, 384)
    three = beside([conv(y, 384, (1, 3)), conv(y, 384, (3, 1))], f"mixed9_{number - 9}")
    z = row(x, (448, (1, 1)), (384, (3, 3)))
    double = beside([conv(z, 384, (1, 3)), conv(z, 384, (3, 1))])
    return beside([one, three, double, pooled(x, 192)], f"mixed{number}")


def _inception_v3(frame: Frame) -> Any:
    images = frame.begin(size=299, least=75)
    x = conv(images, 32, (3, 3), strides=2, padding="valid")
    x = conv(x, 32, (3, 3), padding="valid")
    x = layers.MaxPooling2D(3, strides=2)(conv(x, 64, (3, 3)))
    x = conv(x, 80, padding="valid")
    x = layers.MaxPooling2D(3, strides=2)(conv(x, 192, (3, 3), padding="valid"))
    for number, pool_maps in enumerate((32, 64, 64)):
        x = inception_a(x, pool_maps, f"mixed{number}")
    three = conv(x, 384, (3, 3), strides=2, padding="valid")
    double = conv(row(x, (64, (1, 1)), (96, (3, 3))), 96, (3, 3), strides=2, padding="valid")
    x = beside([three, double, layers.MaxPooling2D(3, strides=2)(x)], "mixed3")
    for number, maps in enumerate((128, 160, 160, 192), 4):
        x = inception_b(x, maps, f"mixed{number}")
    three = conv(conv(x, 192), 320, (3, 3), strides=2, padding="valid")
    seven = row(x, (192, (1, 1)), (192, (1, 7)), (192, (7, 1)))
    seven = conv(seven, 192, (3, 3), strides=2, padding="valid")
    x = beside([three, seven, layers.MaxPooling2D(3, strides=2)(x)], "mixed8")
    for number in (9, 10):
        x = inception_c(x, number)
    return frame.finish(frame.averaged_top(x, named=False), images, "inception_v3")


@export("applications.InceptionV3", "applications.inception_v3.InceptionV3")
def InceptionV3(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "inception_v3",
) -> Any:
    """InceptionV3: 23,851,784 parameters.

    Source: Szegedy et al. 2016; layers and names of `keras.applications.InceptionV3`.

    Images, (batch, 299, 299, 3), go through `inception_v3.preprocess_input` first.

    Args:
        include_top: whether the mean over each map and the dense layer are there.
        weights: "imagenet" (fetched once), the path of a weights file, or None for random ones.
        input_tensor: a tensor of a functional model to begin at.
        input_shape: (height, width, channels); (299, 299, 3) unless given; at least 75 pixels.
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
        return _inception_v3(frame)
