"""The lecture model: the convolutional network that the lecture builds for Fashion-MNIST.

    28x28x1 -> 64 maps by 7x7 -> pool -> 2 x 128 maps by 3x3 -> pool -> 2 x 256 maps by 3x3 -> pool -> 128 -> 64 -> 10

The number of maps doubles after each pooling layer: a pool divides the pixels by four, so the layers above cost less
although they have more maps. 1,413,834 parameters.
"""

from __future__ import annotations

from typing import Any

from striate import layers, models
from striate.core.registry import export


@export("applications.LectureModel")
def LectureModel(input_shape: Any = (28, 28, 1), classes: int = 10, name: str | None = None) -> Any:
    """The lecture model, not compiled.

    Source: A. Geron, Hands-On Machine Learning, 2nd ed. 2019, chapter 14 (the network the lecture follows).

    Args:
        input_shape: (height, width, channels) of the images, in pixels.
        classes: number of classes.
        name: the model's name.

    Returns:
        A Sequential that takes (batch, height, width, channels) and gives probabilities (batch, classes).

    Example:
        >>> LectureModel().count_params()
        1413834
    """
    return models.Sequential(
        [
            layers.Conv2D(64, 7, activation="relu", padding="same", input_shape=list(input_shape)),
            layers.MaxPooling2D(2),
            layers.Conv2D(128, 3, activation="relu", padding="same"),
            layers.Conv2D(128, 3, activation="relu", padding="same"),
            layers.MaxPooling2D(2),
            layers.Conv2D(256, 3, activation="relu", padding="same"),
            layers.Conv2D(256, 3, activation="relu", padding="same"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(64, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(classes, activation="softmax"),
        ],
        name=name,
    )
