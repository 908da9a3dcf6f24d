"""The shallow ResNets, to be laid beside the paper: He, Zhang, Ren and Sun, "Deep Residual Learning for Image
Recognition", CVPR 2016, table 1, first two columns, and section 4.2.

    for ImageNet                                              for images of 32x32
    conv1      64 of 112x112    7x7 /2, 3x3 pool /2            16 of 32x32    3x3
    conv2_x    64 of 56x56      [3x3; 3x3]   x 2   3           16 of 32x32    [3x3; 3x3]   x 3   9
    conv3_x    128 of 28x28                  x 2   4           32 of 16x16                 x 3   9
    conv4_x    256 of 14x14                  x 2   6           64 of 8x8                   x 3   9
    conv5_x    512 of 7x7                    x 2   3
                                            18  34 layers                                20  56 layers

Two 3x3 windows a block. Where a stage halves the maps, the block's first window takes the step of 2, and the shortcut
is a 1x1 convolution (ImageNet), or leaves every other pixel and adds maps of zeros (32x32), which costs no weights:
a ResNet then has exactly the weights of the plain network that it is compared with.
"""

from __future__ import annotations

from typing import Any

from striate import layers, models, ops
from striate.applications.building import Frame, channel_axis, norm, relu
from striate.core.registry import export

#: torchvision's; the paper does not say.
EPSILON = 1e-5
#: table 1: blocks of conv2_x to conv5_x.
TABLE_1 = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3)}


def conv_norm(x: Any, maps: int, window: int, name: str, strides: int = 1) -> Any:
    """A convolution whose margin is the same on all sides (as torch's), and normalization."""
    if strides > 1 and window > 1:
        x = layers.ZeroPadding2D(window // 2, name=f"{name}_pad")(x)
    padding = "valid" if strides > 1 else "same"
    kernel = {"use_bias": False, "kernel_initializer": "he_normal", "name": f"{name}_conv"}
    x = layers.Conv2D(maps, window, strides=strides, padding=padding, **kernel)(x)
    return norm(x, f"{name}_bn", epsilon=EPSILON, momentum=0.9)


def basic_block(x: Any, maps: int, name: str, strides: int = 1, zeros: bool = False) -> Any:
    """relu(x + f(x)), f two 3x3 windows."""
    y = relu(conv_norm(x, maps, 3, f"{name}_1", strides), f"{name}_1_relu")
    y = conv_norm(y, maps, 3, f"{name}_2")
    if zeros and strides > 1:
        x = with_zeros(layers.MaxPooling2D(1, strides=strides, name=f"{name}_0_pool")(x), maps)
    elif x.shape[channel_axis()] != maps or strides > 1:
        x = conv_norm(x, maps, 1, f"{name}_0", strides)
    return relu(layers.Add(name=f"{name}_add")([x, y]), f"{name}_out")


def with_zeros(x: Any, maps: int) -> Any:
    """Maps of zeros after those of x, `maps` in all."""
    axis = channel_axis()
    return ops.pad(x, [(0, maps - x.shape[axis] if i == axis else 0) for i in range(4)])


def stem(images: Any) -> Any:
    """From 224x224 pixels to 64 maps of 56x56."""
    x = relu(conv_norm(images, 64, 7, "conv1", 2), "conv1_relu")
    return layers.MaxPooling2D(3, strides=2, name="pool1_pool")(layers.ZeroPadding2D(1, name="pool1_pad")(x))


def _resnet(depth: int, frame: Frame) -> Any:
    images = frame.begin()
    x = stem(images)
    for stage, count in enumerate(TABLE_1[depth], 2):
        for i in range(1, count + 1):
            x = basic_block(x, 16 * 2**stage, f"conv{stage}_block{i}", 2 if i == 1 and stage > 2 else 1)
    return frame.finish(frame.averaged_top(x), images, None)


@export("applications.ResNet18")
def ResNet18(
    include_top: bool = True,
    weights: Any = None,
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "resnet18",
) -> Any:
    """ResNet with 18 layers: 11,689,512 trained parameters and 9,600 moving statistics. Not in Keras.

    Source: He, Zhang, Ren and Sun 2016, table 1; margins and counts as torchvision's. Arguments and errors are those of
    `ResNet50`; no weights are published in Keras's form.

    Example:
        >>> ResNet18(include_top=False, pooling="avg").output_shape
        (None, 512)
    """
    with Frame(name, include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation) as frame:
        return _resnet(18, frame)


@export("applications.ResNet34")
def ResNet34(
    include_top: bool = True,
    weights: Any = None,
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "resnet34",
) -> Any:
    """ResNet with 34 layers: 21,797,672 trained parameters and 17,024 moving statistics. Not in Keras.

    Source: He, Zhang, Ren and Sun 2016, table 1; margins and counts as torchvision's. Arguments and errors are those of
    `ResNet50`; no weights are published in Keras's form.
    """
    with Frame(name, include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation) as frame:
        return _resnet(34, frame)


def _small(n: int, input_shape: Any, classes: int, classifier_activation: Any, name: str | None) -> Any:
    images = layers.Input(input_shape)
    x = relu(conv_norm(images, 16, 3, "conv1"), "conv1_relu")
    for stage, maps in enumerate((16, 32, 64), 2):
        for i in range(1, n + 1):
            strides = 2 if i == 1 and stage > 2 else 1
            x = basic_block(x, maps, f"conv{stage}_block{i}", strides, zeros=True)
    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    x = layers.Dense(classes, activation=classifier_activation, name="predictions")(x)
    return models.Model(images, x, name=name)


@export("applications.ResNet20")
def ResNet20(
    input_shape: Any = (32, 32, 3),
    classes: int = 10,
    classifier_activation: Any = "softmax",
    name: str | None = "resnet20",
) -> Any:
    """ResNet with 20 layers for small images: 269,722 trained parameters and 1,376 moving statistics. Not in Keras.

    Source: He, Zhang, Ren and Sun 2016, section 4.2 and table 6 (0.27 million): 6n + 2 layers, n = 3, shortcuts without
    weights. There: batches of 128, SGD(0.1, momentum=0.9), weight decay 1e-4, the rate divided by 10 after 32,000 and
    48,000 of 64,000 steps; 4 pixels of margin, random crops and reflections.

    Args:
        input_shape: (height, width, channels) of the images.
        classes: number of classes.
        classifier_activation: of the last layer.
        name: the model's name.

    Returns:
        A functional model, not compiled.

    Example:
        >>> sum(w.size for w in ResNet20().trainable_weights)
        269722
    """
    return _small(3, input_shape, classes, classifier_activation, name)


@export("applications.ResNet56")
def ResNet56(
    input_shape: Any = (32, 32, 3),
    classes: int = 10,
    classifier_activation: Any = "softmax",
    name: str | None = "resnet56",
) -> Any:
    """ResNet with 56 layers for small images: 853,018 trained parameters and 4,064 moving statistics. Not in Keras.

    Source: He, Zhang, Ren and Sun 2016, section 4.2 and table 6 (0.85 million). Arguments are those of `ResNet20`.

    Example:
        >>> ResNet56((28, 28, 1)).output_shape
        (None, 10)
    """
    return _small(9, input_shape, classes, classifier_activation, name)
