"""Squeeze-and-excitation, to be laid beside the paper: Hu, Shen and Sun, "Squeeze-and-Excitation Networks", CVPR 2018,
figure 2, figure 3 and table 1.

    squeeze:   z[c] = mean of map c
    excite:    s = sigmoid(W2 relu(W1 z + b1) + b2)     W1: C to C/16, W2: C/16 to C
    scale:     y[i, j, c] = x[i, j, c] * s[c]

What a window sees is local; a map that is useful for this image as a whole is turned up here, one that is not is turned
down. `squeeze_excite` goes behind any maps; SE-ResNet-50 has one in each of ResNet-50's 16 blocks: 2,530,992 parameters
more, and 0.1% more arithmetic.
"""

from __future__ import annotations

from typing import Any

from striate import layers
from striate.applications.building import Frame, channel_axis, relu
from striate.applications.resnet import TABLE_1
from striate.applications.resnet_basic import conv_norm, stem
from striate.core.errors import ArgumentError
from striate.core.registry import export


@export("applications.senet.squeeze_excite")
def squeeze_excite(x: Any, ratio: int = 16, name: str = "se") -> Any:
    """Each map of x times a number from 0 to 1 that is computed from the means of all maps.

    Not in Keras as a whole. Source: Hu, Shen and Sun 2018, section 3.

    Args:
        x: (batch, height, width, channels), a tensor of a functional model.
        ratio: how many maps share one hidden unit.
        name: its layers are called after it.

    Returns:
        The same shape.

    Raises:
        ValueError: more maps to a unit than there are.

    Example:
        >>> x = keras.Input((8, 8, 32))
        >>> keras.Model(x, squeeze_excite(x)).count_params()
        162
    """
    maps = x.shape[channel_axis()]
    if not 0 < ratio <= maps:
        raise ArgumentError(f"`ratio` is from 1 to the number of maps, {maps}. Received: ratio={ratio}.")
    y = layers.GlobalAveragePooling2D(name=f"{name}_squeeze")(x)
    y = layers.Dense(maps // ratio, activation="relu", name=f"{name}_reduce")(y)
    y = layers.Dense(maps, activation="sigmoid", name=f"{name}_excite")(y)
    shape = (maps, 1, 1) if channel_axis() == 1 else (1, 1, maps)
    return layers.Multiply(name=f"{name}_scale")([x, layers.Reshape(shape, name=f"{name}_reshape")(y)])


def se_bottleneck(x: Any, maps: int, name: str, strides: int) -> Any:
    """ResNet's bottleneck with squeeze-and-excitation before the sum; the 3x3 window takes the step."""
    y = relu(conv_norm(x, maps, 1, f"{name}_1"), f"{name}_1_relu")
    y = relu(conv_norm(y, maps, 3, f"{name}_2", strides), f"{name}_2_relu")
    y = squeeze_excite(conv_norm(y, 4 * maps, 1, f"{name}_3"), name=f"{name}_se")
    if x.shape[channel_axis()] != 4 * maps:
        x = conv_norm(x, 4 * maps, 1, f"{name}_0", strides)
    return relu(layers.Add(name=f"{name}_add")([x, y]), f"{name}_out")


def _seresnet50(frame: Frame) -> Any:
    images = frame.begin()
    x = stem(images)
    for stage, count in enumerate(TABLE_1[50], 2):
        for i in range(1, count + 1):
            x = se_bottleneck(x, 16 * 2**stage, f"conv{stage}_block{i}", 2 if i == 1 and stage > 2 else 1)
    return frame.finish(frame.averaged_top(x), images, None)


@export("applications.SEResNet50")
def SEResNet50(
    include_top: bool = True,
    weights: Any = None,
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "seresnet50",
) -> Any:
    """SE-ResNet-50: 28,088,024 trained parameters and 53,120 moving statistics. Not in Keras.

    Source: Hu, Shen and Sun 2018, table 1. torchvision's ResNet-50 (25,557,032) and 2,530,992 in the 16 blocks.
    Arguments and errors are those of `ResNet50`; no weights are published in Keras's form.
    """
    with Frame(name, include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation) as frame:
        return _seresnet50(frame)
