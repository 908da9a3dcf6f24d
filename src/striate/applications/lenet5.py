"""LeNet-5, to be laid beside the paper: LeCun, Bottou, Bengio and Haffner, "Gradient-Based Learning Applied to Document
Recognition", Proceedings of the IEEE 86(11), 1998, section II.B and figure 2.

    layer    maps and size   window   parameters   connections
    C1       6 of 28x28      5x5             156       122,304
    S2       6 of 14x14      2x2              12         5,880
    C3       16 of 10x10     5x5           1,516       151,600
    S4       16 of 5x5       2x2              32         2,000
    C5       120 of 1x1      5x5          48,120        48,120
    F6       84                           10,164        10,164
    output   10                    840, not trained         840
                             60,000 trained        340,908 in all

These are the paper's numbers; `connections(model)` counts them on the model. 345,308 connections, as sometimes quoted,
have 156,000 instead of 151,600 in C3. The paper's 60,000 parameters are those of this network; the textbooks' form has
61,706: C3 sees all six maps (+900), pools have nothing to train (-44), the output is a dense layer (+850).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from striate import layers, models
from striate.core.args import one_of
from striate.core.errors import ArgumentError
from striate.core.registry import export
from striate.initializers.published import DigitCodes, FanInUniform

#: Table I: which of S2's six maps each of C3's sixteen sees. Six see three neighbours, six see four, three see four
#: that are two pairs, the last sees all.
TABLE_I = (
    (0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5),
    (0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5),
    (0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5),
    (0, 1, 2, 3, 4, 5),
)  # fmt: skip

#: What the paper scales pixels to: their mean becomes about 0 and their variance about 1.
BACKGROUND, INK = -0.1, 1.175


@export("applications.LeNet5")
def LeNet5(
    variant: str = "1998",
    input_shape: Any = (32, 32, 1),
    classes: int = 10,
    activation: Any = None,
    pooling: str | None = None,
    classifier_activation: Any = None,
    include_preprocessing: bool = False,
    name: str | None = "lenet5",
) -> Any:
    """LeNet-5, not compiled.

    Source: LeCun, Bottou, Bengio and Haffner 1998, section II.B.

    variant="1998" is the paper's network: `TableConv2D` for Table I, `Subsampling2D`, the scaled tanh, ten fixed codes
    and squared distances from them. Its outputs are penalties: train it with `losses.SparsePenalty` (equation 8) or
    `losses.SparsePenaltyCrossentropy` (equation 9), watch `metrics.SparsePenaltyAccuracy`; the smallest is the answer.
    Its weights start uniform within 2.4 / fan-in, biases too.

    variant="modern" is the form of textbooks: full convolutions, plain pools, a dense layer with softmax.

    C5 is a convolution, so a larger image gives a row or a field of answers, one for every 4 pixels (the paper's space
    displacement networks): build the model for the larger `input_shape`, and give it the weights of the small one.

    Args:
        variant: "1998" or "modern".
        input_shape: (height, width, channels) of the images, in pixels; at least 32x32.
        classes: number of classes; "1998" has codes for 10.
        activation: of "modern": "tanh" unless given.
        pooling: of "modern": "average" (unless given) or "max".
        classifier_activation: of "modern": "softmax" unless given.
        include_preprocessing: whether the model itself adds 2 pixels of background on each side and scales 0..1 to the
            paper's -0.1 .. 1.175; then images of 28x28 are large enough.
        name: the model's name.

    Returns:
        A Sequential that takes (batch, height, width, channels) and gives (batch, classes), or (batch, rows, columns,
        classes) for larger images: penalties for "1998", probabilities for "modern".

    Raises:
        ValueError: another variant; other than 10 classes or an argument of "modern" with "1998"; images too small.

    Example:
        >>> LeNet5().count_params(), LeNet5("modern").count_params()
        (60840, 61706)
    """
    one_of(variant, "variant", ("1998", "modern"))
    margin = 2 if include_preprocessing else 0
    height, width = (int(n) + 2 * margin for n in input_shape[:2])
    if height < 32 or width < 32:
        raise ArgumentError(
            f"LeNet-5's window is 32x32 pixels (28x28 with include_preprocessing=True, which adds a margin). Received: "
            f"input_shape={input_shape}. Give larger images."
        )
    first: list[Any] = [layers.Input(tuple(input_shape))]
    if include_preprocessing:
        first += [
            layers.ZeroPadding2D(margin, name="margin"),
            layers.Rescaling(INK - BACKGROUND, BACKGROUND, name="scale"),
        ]
    flat = [layers.Flatten(name="flatten")] if (height, width) == (32, 32) else []
    if variant == "modern":
        body = _modern(flat, classes, activation or "tanh", pooling or "average", classifier_activation or "softmax")
        return models.Sequential([*first, *body], name=name)
    if classes != 10 or activation is not None or pooling is not None or classifier_activation is not None:
        raise ArgumentError(
            f"The network of 1998 is as published: codes of 10 digits, scaled tanh, trained subsampling. Received: "
            f"classes={classes}, activation={activation!r}, pooling={pooling!r}, "
            f'classifier_activation={classifier_activation!r}. Leave them out, or take variant="modern".'
        )
    return models.Sequential([*first, *_published(int(input_shape[-1]), flat)], name=name)


def _published(channels: int, flat: list[Any]) -> list[Any]:
    def start(fan_in: Any) -> dict[str, Any]:
        """Weights and biases within 2.4 / fan-in."""
        return {"kernel_initializer": FanInUniform(2.4, fan_in), "bias_initializer": FanInUniform(2.4, fan_in)}

    def subsampling(name: str) -> Any:
        start = FanInUniform(2.4, 4), FanInUniform(2.4, 4)
        return layers.Subsampling2D(2, "scaled_tanh", None, *start, name=name)

    seen = [25 * len(maps) for maps in TABLE_I]  # inputs of a unit of each of C3's maps
    table = layers.TableConv2D(
        TABLE_I,
        5,
        activation="scaled_tanh",
        kernel_initializer=FanInUniform(2.4, [n for n, maps in zip(seen, TABLE_I, strict=True) for _ in maps]),
        bias_initializer=FanInUniform(2.4, seen),
        name="C3",
    )
    return [
        layers.Conv2D(6, 5, activation="scaled_tanh", **start(25 * channels), name="C1"),
        subsampling("S2"),
        table,
        subsampling("S4"),
        layers.Conv2D(120, 5, activation="scaled_tanh", **start(400), name="C5"),
        *flat,
        layers.Dense(84, activation="scaled_tanh", **start(120), name="F6"),
        layers.EuclideanRBF(10, centers_initializer=DigitCodes(), trainable=False, name="output"),
    ]


def _modern(flat: list[Any], classes: int, activation: Any, pooling: str, classifier_activation: Any) -> list[Any]:
    one_of(pooling, "pooling", ("average", "max"))
    pool = layers.AveragePooling2D if pooling == "average" else layers.MaxPooling2D
    return [
        layers.Conv2D(6, 5, activation=activation, name="C1"),
        pool(2, name="S2"),
        layers.Conv2D(16, 5, activation=activation, name="C3"),
        pool(2, name="S4"),
        layers.Conv2D(120, 5, activation=activation, name="C5"),
        *flat,
        layers.Dense(84, activation=activation, name="F6"),
        layers.Dense(classes, activation=classifier_activation, name="output"),
    ]


@export("applications.lenet5.preprocess_input")
def preprocess_input(images: Any) -> Any:
    """Digits as LeNet-5 takes them: ink 1.175, background -0.1, 28x28 pixels in the middle of 32x32.

    Args:
        images: (batch, 28, 28) or (batch, 28, 28, 1), 0 (background) to 255 (ink), as MNIST has them.

    Returns:
        float32 (batch, 32, 32, 1).

    Example:
        >>> x = preprocess_input(np.full((1, 28, 28), 255, "uint8"))
        >>> x.shape, [round(float(x[0, i, i, 0]), 3) for i in (1, 2)]
        ((1, 32, 32, 1), [-0.1, 1.175])
    """
    x = np.asarray(images, "float32").reshape(len(images), 28, 28, 1)
    x = np.pad(x, ((0, 0), (2, 2), (2, 2), (0, 0)))
    return x * np.float32((INK - BACKGROUND) / 255) + np.float32(BACKGROUND)


@export("applications.lenet5.learning_rate")
def learning_rate(epoch: int, *, scale: float = 1.0) -> float:
    """The paper's schedule, for `callbacks.LearningRateScheduler`: 5e-4 for two passes, 2e-4 for three, 1e-4 for three,
    5e-5 for four, then 1e-5; 20 passes in all (section III.B).

    The paper divides this by an estimate of each weight's own curvature, which made the steps 7e-5 to 1.6e-2 in its
    first pass, and steps after every image. Plain SGD has no such estimate: `scale` multiplies instead.

    Args:
        epoch: passes done, from 0.
        scale: what the rate is multiplied by.

    Example:
        >>> [learning_rate(epoch) for epoch in (0, 2, 5, 8, 12)]
        [0.0005, 0.0002, 0.0001, 5e-05, 1e-05]
    """
    steps = ((2, 5e-4), (5, 2e-4), (8, 1e-4), (12, 5e-5))
    return scale * next((rate for until, rate in steps if epoch < until), 1e-5)


@export("applications.lenet5.connections")
def connections(model: Any) -> dict[str, int]:
    """How many connections each layer has, as the paper counts: each use of each weight, biases too.

    A unit of a subsampling layer has one for each pixel that it adds up and one for its bias.

    Args:
        model: a built LeNet-5 of either variant (plain pools have none).

    Returns:
        Layer's name -> connections, layers without any left out.

    Example:
        >>> counted = connections(LeNet5())
        >>> counted["C3"], sum(counted.values())
        (151600, 340908)
    """
    counted = {}
    for layer in model.layers:
        if isinstance(layer, layers.Conv2D | layers.TableConv2D | layers.Dense | layers.EuclideanRBF):
            positions = int(np.prod(layer.output.shape[1:-1], dtype=int))
            counted[layer.name] = layer.count_params() * positions
        elif isinstance(layer, layers.Subsampling2D):
            window = int(np.prod(layer.pool_size))
            counted[layer.name] = int(np.prod(layer.output.shape[1:], dtype=int)) * (window + 1)
    return counted
