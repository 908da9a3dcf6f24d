"""ResNet V2, to be laid beside the paper: He, Zhang, Ren and Sun, "Identity Mappings in Deep Residual Networks", ECCV
2016, figure 1b and section 4.

    v1:  y = relu(x + f(x))      f: conv, norm, relu, conv, norm, relu, conv, norm
    v2:  y = x + f(x)            f: norm, relu, conv, norm, relu, conv, norm, relu, conv

Normalization and ReLU come before each convolution, so that nothing stands on the way from block to block: the input of
the last block is that of the first plus a sum of f's, and its gradient reaches the first unchanged. Stages are those of
`resnet.py`. As in Keras, the step of 2 stands in a stage's last block, not in its first, and conv5_x has none: 7x7 maps
come of the three before it.
"""

from __future__ import annotations

from typing import Any

from striate import layers
from striate.applications.building import Frame, norm, relu
from striate.applications.imagenet_utils import decode_predictions as decode_predictions
from striate.applications.imagenet_utils import preprocess_tf
from striate.applications.resnet import EPSILON, TABLE_1, stem
from striate.core.registry import export

#: what images go through first.
preprocess_input = preprocess_tf


def preactivated(x: Any, maps: int, name: str, strides: int = 1, project: bool = False) -> Any:
    """x + f(x). A step of 2 without `project` leaves every other pixel of x."""
    first = relu(norm(x, f"{name}_preact_bn", epsilon=EPSILON), f"{name}_preact_relu")
    if project:
        shortcut = layers.Conv2D(4 * maps, 1, strides=strides, name=f"{name}_0_conv")(first)
    else:
        shortcut = layers.MaxPooling2D(1, strides=strides)(x) if strides > 1 else x
    x = layers.Conv2D(maps, 1, use_bias=False, name=f"{name}_1_conv")(first)
    x = relu(norm(x, f"{name}_1_bn", epsilon=EPSILON), f"{name}_1_relu")
    x = layers.ZeroPadding2D(1, name=f"{name}_2_pad")(x)
    x = layers.Conv2D(maps, 3, strides=strides, use_bias=False, name=f"{name}_2_conv")(x)
    x = relu(norm(x, f"{name}_2_bn", epsilon=EPSILON), f"{name}_2_relu")
    x = layers.Conv2D(4 * maps, 1, name=f"{name}_3_conv")(x)
    return layers.Add(name=f"{name}_out")([shortcut, x])


def _resnet_v2(depth: int, frame: Frame) -> Any:
    images = frame.begin()
    x = stem(images, normalized=False)
    for stage, count in enumerate(TABLE_1[depth], 2):
        for i in range(1, count + 1):
            strides = 2 if i == count and stage < 5 else 1
            x = preactivated(x, 32 * 2 ** (stage - 1), f"conv{stage}_block{i}", strides, project=i == 1)
    x = relu(norm(x, "post_bn", epsilon=EPSILON), "post_relu")
    return frame.finish(frame.averaged_top(x), images, f"resnet{depth}v2")


@export("applications.ResNet50V2", "applications.resnet_v2.ResNet50V2")
def ResNet50V2(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "resnet50v2",
) -> Any:
    """ResNet V2 with 50 layers: 25,613,800 parameters.

    Source: He, Zhang, Ren and Sun 2016 (ECCV); layers and names of `keras.applications.ResNet50V2`. Arguments and
    errors are those of `ResNet50`; images go through `resnet_v2.preprocess_input` first.
    """
    with Frame(name, include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation) as frame:
        return _resnet_v2(50, frame)


@export("applications.ResNet101V2", "applications.resnet_v2.ResNet101V2")
def ResNet101V2(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "resnet101v2",
) -> Any:
    """ResNet V2 with 101 layers: 44,675,560 parameters.

    Source: He, Zhang, Ren and Sun 2016 (ECCV); layers and names of `keras.applications.ResNet101V2`. Arguments and
    errors are those of `ResNet50`; images go through `resnet_v2.preprocess_input` first.
    """
    with Frame(name, include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation) as frame:
        return _resnet_v2(101, frame)


@export("applications.ResNet152V2", "applications.resnet_v2.ResNet152V2")
def ResNet152V2(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "resnet152v2",
) -> Any:
    """ResNet V2 with 152 layers: 60,380,648 parameters.

    Source: He, Zhang, Ren and Sun 2016 (ECCV); layers and names of `keras.applications.ResNet152V2`. Arguments and
    errors are those of `ResNet50`; images go through `resnet_v2.preprocess_input` first.
    """
    with Frame(name, include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation) as frame:
        return _resnet_v2(152, frame)
