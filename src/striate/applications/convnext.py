"""ConvNeXt, to be laid beside the paper: Liu, Mao, Wu, Feichtenhofer, Darrell and Xie, "A ConvNet for the 2020s", CVPR
2022, table 9 and figure 4.

    stem       96 of 56x56      4x4, step 4
    stage 0    96 of 56x56      [7x7 for each map alone; 1x1, 384; 1x1, 96]      x 3
    stage 1    192 of 28x28     [7x7 for each map alone; 1x1, 768; 1x1, 192]     x 3
    stage 2    384 of 14x14     [7x7 for each map alone; 1x1, 1536; 1x1, 384]    x 9
    stage 3    768 of 7x7       [7x7 for each map alone; 1x1, 3072; 1x1, 768]    x 3
                                then the mean of each map, and 1000 classes

A ResNet changed step by step to what a transformer has: patches, one window as wide as its, a 1x1 pair in the place of
its dense layers, one activation (GELU) and one normalization (of each pixel's maps) a block.
"""

from __future__ import annotations

from typing import Any

from striate import backend, layers, models
from striate.applications.building import Frame
from striate.applications.imagenet_utils import DEVIATION, MEAN, preprocess_inside
from striate.applications.imagenet_utils import decode_predictions as decode_predictions
from striate.core.errors import ArgumentError
from striate.core.registry import export

#: what images go through first: the model itself scales 0..255.
preprocess_input = preprocess_inside

DEPTHS, MAPS = (3, 3, 9, 3), (96, 192, 384, 768)
#: what the branch of a block is multiplied by at first, each map by its own.
LAYER_SCALE = 1e-6
EPSILON = 1e-6


def block(x: Any, maps: int, name: str) -> Any:
    """x + f(x), f starting near 0."""
    y = layers.Conv2D(maps, 7, padding="same", groups=maps, name=f"{name}_depthwise_conv")(x)
    y = layers.LayerNormalization(epsilon=EPSILON, name=f"{name}_layernorm")(y)
    y = layers.Dense(4 * maps, name=f"{name}_pointwise_conv_1")(y)
    y = layers.Activation("gelu", name=f"{name}_gelu")(y)
    y = layers.Dense(maps, name=f"{name}_pointwise_conv_2")(y)
    y = layers.LayerScale(LAYER_SCALE, maps, name=f"{name}_layer_scale")(y)
    # Where Keras has stochastic depth; its published networks have a rate of 0.
    y = layers.Activation("linear", name=f"{name}_identity")(y)
    return x + y


def _halve(maps: int, stage: int, name: str) -> Any:
    """What stands before a stage: patches of 4x4 pixels, later of 2x2."""
    if stage == 0:
        patches = layers.Conv2D(maps, 4, strides=4, name=f"{name}_stem_conv")
        normed = layers.LayerNormalization(epsilon=EPSILON, name=f"{name}_stem_layernorm")
        return models.Sequential([patches, normed], name=f"{name}_stem")
    normed = layers.LayerNormalization(epsilon=EPSILON, name=f"{name}_downsampling_layernorm_{stage - 1}")
    patches = layers.Conv2D(maps, 2, strides=2, name=f"{name}_downsampling_conv_{stage - 1}")
    return models.Sequential([normed, patches], name=f"{name}_downsampling_block_{stage - 1}")


def _convnext(frame: Frame, include_preprocessing: bool) -> Any:
    name = frame.name
    x = images = frame.begin()
    if include_preprocessing and frame.shape[-1] == 3:
        mean, variance = [255 * m for m in MEAN], [(255 * d) ** 2 for d in DEVIATION]
        x = layers.Normalization(mean=mean, variance=variance, name=f"{name}_prestem_normalization")(x)
    halving = [_halve(maps, stage, str(name)) for stage, maps in enumerate(MAPS)]
    for stage, (maps, count) in enumerate(zip(MAPS, DEPTHS, strict=True)):
        x = halving[stage](x)
        for i in range(count):
            x = block(x, maps, f"{name}_stage_{stage}_block_{i}")
    if frame.include_top:
        x = layers.GlobalAveragePooling2D(name=f"{name}_head_gap")(x)
        x = layers.LayerNormalization(epsilon=EPSILON, name=f"{name}_head_layernorm")(x)
        x = layers.Dense(frame.classes, activation=frame.classifier_activation, name=f"{name}_head_dense")(x)
    else:
        x = layers.LayerNormalization(epsilon=EPSILON)(frame.pooled(x))
    return frame.finish(x, images, "convnext_tiny")


@export("applications.ConvNeXtTiny", "applications.convnext.ConvNeXtTiny")
def ConvNeXtTiny(
    include_top: bool = True,
    include_preprocessing: bool = True,
    weights: Any = "imagenet",
    input_tensor: Any = None,
    input_shape: Any = None,
    pooling: str | None = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    name: str = "convnext_tiny",
) -> Any:
    """ConvNeXt-Tiny: 28,589,128 parameters.

    Source: Liu et al. 2022, table 9; layers and names of `keras.applications.ConvNeXtTiny`.

    Args:
        include_top: whether the mean over each map and the dense layer are there.
        include_preprocessing: whether the model itself normalizes pixels 0..255 of three colours.
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
        ValueError: arguments that do not fit each other; weights that do not fit; channels_first, which dense layers
            over pixels do not take.
        OSError: weights that cannot be fetched.
    """
    if backend.image_data_format() == "channels_first":
        raise ArgumentError(
            "ConvNeXt's dense layers take pixels with their channels last. Received: image_data_format() = "
            "'channels_first'. Call striate.config.set_image_data_format('channels_last')."
        )
    with Frame(name, include_top, weights, input_tensor, input_shape, pooling, classes, classifier_activation) as frame:
        return _convnext(frame, include_preprocessing)
