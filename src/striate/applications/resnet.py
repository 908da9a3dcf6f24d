"""ResNet, to be laid beside the paper: He, Zhang, Ren and Sun, "Deep Residual Learning for Image Recognition", CVPR
2016, table 1.

    conv1      64 of 112x112    7x7, step 2, then a 3x3 pool in steps of 2
    conv2_x    256 of 56x56     [1x1, 64;  3x3, 64;  1x1, 256]    x 3   3   3
    conv3_x    512 of 28x28     [1x1, 128; 3x3, 128; 1x1, 512]    x 4   4   8
    conv4_x    1024 of 14x14    [1x1, 256; 3x3, 256; 1x1, 1024]   x 6   23  36
    conv5_x    2048 of 7x7      [1x1, 512; 3x3, 512; 1x1, 2048]   x 3   3   3
                                                                   50  101 152 layers

A block computes what is to be added to its input, y = x + f(x): where nothing is to be learned, f = 0 is easier to find
than the identity, and the gradient reaches every block undivided. Three windows instead of two (a bottleneck) make a
block of 1024 maps as cheap as one of 256. As in Keras and in the paper, the first 1x1 window of a stage takes the step
of 2 (torchvision gives it to the 3x3 window), and convolutions have biases although normalization takes them off again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from striate import layers
from striate.applications.building import Frame, norm, relu
from striate.applications.imagenet_utils import decode_predictions as decode_predictions
from striate.applications.imagenet_utils import preprocess_caffe
from striate.core.registry import export

#: what images go through first.
preprocess_input = preprocess_caffe

#: of batch normalization, as in the weights that were converted from Caffe's.
EPSILON = 1.001e-5
#: table 1: blocks of conv2_x to conv5_x.
TABLE_1 = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}


def stem(images: Any, normalized: bool = True) -> Any:
    """From 224x224 pixels to 64 maps of 56x56."""
    x = layers.ZeroPadding2D(3, name="conv1_pad")(images)
    x = layers.Conv2D(64, 7, strides=2, name="conv1_conv")(x)
    if normalized:
        x = relu(norm(x, "conv1_bn", epsilon=EPSILON), "conv1_relu")
    x = layers.ZeroPadding2D(1, name="pool1_pad")(x)
    return layers.MaxPooling2D(3, strides=2, name="pool1_pool")(x)


def bottleneck(x: Any, maps: int, name: str, strides: int = 1, project: bool = False) -> Any:
    """relu(x + f(x)); with `project` x goes through a 1x1 convolution, where its maps are others or larger."""
    shortcut = x
    if project:
        shortcut = layers.Conv2D(4 * maps, 1, strides=strides, name=f"{name}_0_conv")(x)
        shortcut = norm(shortcut, f"{name}_0_bn", epsilon=EPSILON)
    x = layers.Conv2D(maps, 1, strides=strides, name=f"{name}_1_conv")(x)
    x = relu(norm(x, f"{name}_1_bn", epsilon=EPSILON), f"{name}_1_relu")
    x = layers.Conv2D(maps, 3, padding="same", name=f"{name}_2_conv")(x)
    x = relu(norm(x, f"{name}_2_bn", epsilon=EPSILON), f"{name}_2_relu")
    x = layers.Conv2D(4 * maps, 1, name=f"{name}_3_conv")(x)
    x = norm(x, f"{name}_3_bn", epsilon=EPSILON)
    x = layers.Add(name=f"{name}_add")([shortcut, x])
    return relu(x, f"{name}_out")


def stages(x: Any, blocks: Sequence[int]) -> Any:
    """conv2_x to conv5_x."""
    for stage, count in enumerate(blocks, 2):
        for i in range(1, count + 1):
            strides = 2 if i == 1 and stage > 2 else 1
            x = bottleneck(x, 32 * 2 ** (stage - 1), f"conv{stage}_block{i}", strides, project=i == 1)
    return x


def _resnet(depth: int, frame: Frame) -> Any:
    images = frame.begin()
    x = stages(stem(images), TABLE_1[depth])
    return frame.finish(frame.averaged_top(x), images, f"resnet{depth}")


@export("applications.ResNet50", "applications.resnet.ResNet50", "applications.resnet50.ResNet50")
def ResNet50(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "resnet50",
) -> Any:
    """ResNet with 50 layers: 25,636,712 parameters.

    Source: He, Zhang, Ren and Sun 2016, table 1; layers and names of `keras.applications.ResNet50`.

    Images, (batch, 224, 224, 3), go through `resnet.preprocess_input` first.

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
        return _resnet(50, frame)


@export("applications.ResNet101", "applications.resnet.ResNet101")
def ResNet101(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "resnet101",
) -> Any:
    """ResNet with 101 layers: 44,707,176 parameters.

    Source: He, Zhang, Ren and Sun 2016, table 1; layers and names of `keras.applications.ResNet101`. Arguments and
    errors are those of `ResNet50`.
    """
    with Frame(name, include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation) as frame:
        return _resnet(101, frame)


@export("applications.ResNet152", "applications.resnet.ResNet152")
def ResNet152(
    include_top: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "resnet152",
) -> Any:
    """ResNet with 152 layers: 60,419,944 parameters.

    Source: He, Zhang, Ren and Sun 2016, table 1; layers and names of `keras.applications.ResNet152`. Arguments and
    errors are those of `ResNet50`.
    """
    with Frame(name, include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation) as frame:
        return _resnet(152, frame)
