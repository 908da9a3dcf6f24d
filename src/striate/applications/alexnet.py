"""AlexNet, to be laid beside the paper: Krizhevsky, Sutskever and Hinton, "ImageNet Classification with Deep
Convolutional Neural Networks", NIPS 2012, sections 3 to 5 and figure 2.

    layer    maps and size   window          groups    parameters
    conv1    96 of 55x55     11x11, step 4                 34,944   ReLU, then norm1 and pool1: 27x27
    conv2    256 of 27x27    5x5             2            307,456   ReLU, then norm2 and pool2: 13x13
    conv3    384 of 13x13    3x3                          885,120   ReLU
    conv4    384 of 13x13    3x3             2            663,936   ReLU
    conv5    256 of 13x13    3x3             2            442,624   ReLU, then pool5: 6x6
    fc6      4096                                      37,752,832   ReLU, dropout
    fc7      4096                                      16,781,312   ReLU, dropout
    fc8      1000                                       4,097,000   softmax
                                                       60,965,224

norm1 and norm2 are the paper's local response normalization, whose alpha stands before the sum; torch divides its own
by the number of maps summed, so a twin there takes 5e-4. Two groups are the paper's two GPUs, which speak to each other
in conv3 and the dense layers only.

Two of the paper's numbers do not fit: in 224x224 pixels, windows of 11 in steps of 4 do not come out even; 55x55 maps
take 227. And conv1 has 55x55x96 = 290,400 neurons, not 253,440; those of the other layers (186,624, 64,896, 64,896,
43,264) are as it says.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from striate import initializers, layers, models, regularizers
from striate.core.args import one_of
from striate.core.errors import ArgumentError, ShapeError
from striate.core.registry import export

Array = np.ndarray[Any, Any]


@export("applications.AlexNet")
def AlexNet(
    variant: str = "2012",
    include_top: bool = True,
    input_shape: Any = None,
    classes: int = 1000,
    classifier_activation: Any = "softmax",
    weight_decay: float = 0.0,
    width: float = 1.0,
    name: str | None = None,
) -> Any:
    """AlexNet, not compiled.

    Source: Krizhevsky, Sutskever and Hinton 2012; "one-tower": Krizhevsky 2014, as torchvision has it.

    variant="2012" is the paper's network: 60,965,224 parameters. Its kernels start as N(0, 0.01^2), its biases as 1 in
    conv2, conv4, conv5, fc6 and fc7, so that the first ReLUs see positive inputs, and as 0 elsewhere.

    variant="one-tower" has no groups and no normalization, 64, 192, 384, 256 and 256 maps, and dropout before the
    hidden dense layers: 61,100,840 parameters. With 384 maps in conv4, as in the paper of 2014, it would have
    61,838,248. Its weights start as Keras's layers do. torch flattens maps first: fc6's rows differ.

    The paper's training: batches of 128, SGD(0.01, momentum=0.9), weight_decay=5e-4, and
    `callbacks.ReduceLROnPlateau(factor=0.1)`; images by `alexnet.augment`.

    Args:
        variant: "2012" or "one-tower".
        include_top: whether the dense layers are there.
        input_shape: (height, width, channels) of the images, in pixels; (227, 227, 3) unless given, for "one-tower"
            (224, 224, 3). At least 67 pixels ("one-tower": 63).
        classes: number of classes.
        classifier_activation: of the last layer.
        weight_decay: d adds d * w to each kernel's gradient, as the paper's 0.0005 does: a penalty of d/2 * sum(w^2).
        width: share of the maps and hidden units, for small machines.
        name: the model's name.

    Returns:
        A Sequential that takes (batch, height, width, channels), the mean image or colour taken off, and gives
        probabilities (batch, classes); without the top the maps of pool5.

    Raises:
        ValueError: another variant; images too small for five layers; a width that is not positive.

    Example:
        >>> AlexNet(include_top=False).count_params(), AlexNet("one-tower", include_top=False).count_params()
        (2334080, 2469696)
    """
    tower = one_of(variant, "variant", ("2012", "one-tower")) == "one-tower"
    size, least = (224, 63) if tower else (227, 67)
    input_shape = tuple(input_shape or (size, size, 3))
    if min(input_shape[:2]) < least:
        raise ArgumentError(
            f'AlexNet("{variant}") takes images of at least {least}x{least} pixels: of smaller ones nothing is left '
            f"at pool5. Received: input_shape={input_shape}. Give larger images."
        )
    if not width > 0:
        raise ArgumentError(f"`width` must be positive. Received: width={width}. Give e.g. width=0.25.")
    decay = regularizers.L2(weight_decay / 2) if weight_decay else None
    body = _one_tower(width, decay) if tower else _published(width, decay)
    if include_top:
        body += _top(tower, width, decay, classes, classifier_activation)
    return models.Sequential([layers.Input(input_shape), *body], name=name)


def _scaled(count: int, width: float) -> int:
    """An even number, so that it has two groups."""
    return max(2, round(count * width / 2) * 2)


def _start(bias: float) -> dict[str, Any]:
    return {
        "kernel_initializer": initializers.RandomNormal(0.0, 0.01),
        "bias_initializer": initializers.Constant(bias),
    }


def _published(width: float, decay: Any) -> list[Any]:
    def conv(maps: int, window: int, bias: float, **more: Any) -> Any:
        more = {"padding": "same", **_start(bias), **more}
        return layers.Conv2D(_scaled(maps, width), window, activation="relu", kernel_regularizer=decay, **more)

    norm = functools.partial(layers.LocalResponseNormalization, size=5, alpha=1e-4, beta=0.75, k=2.0)
    return [
        conv(96, 11, 0.0, strides=4, padding="valid", name="conv1"),
        norm(name="norm1"),
        layers.MaxPooling2D(3, 2, name="pool1"),
        conv(256, 5, 1.0, groups=2, name="conv2"),
        norm(name="norm2"),
        layers.MaxPooling2D(3, 2, name="pool2"),
        conv(384, 3, 0.0, name="conv3"),
        conv(384, 3, 1.0, groups=2, name="conv4"),
        conv(256, 3, 1.0, groups=2, name="conv5"),
        layers.MaxPooling2D(3, 2, name="pool5"),
    ]


def _one_tower(width: float, decay: Any) -> list[Any]:
    def conv(maps: int, window: int, **more: Any) -> Any:
        more = {"padding": "same", **more}
        return layers.Conv2D(_scaled(maps, width), window, activation="relu", kernel_regularizer=decay, **more)

    return [
        layers.ZeroPadding2D(2, name="margin"),
        conv(64, 11, strides=4, padding="valid", name="conv1"),
        layers.MaxPooling2D(3, 2, name="pool1"),
        conv(192, 5, name="conv2"),
        layers.MaxPooling2D(3, 2, name="pool2"),
        conv(384, 3, name="conv3"),
        conv(256, 3, name="conv4"),
        conv(256, 3, name="conv5"),
        layers.MaxPooling2D(3, 2, name="pool5"),
    ]


def _top(tower: bool, width: float, decay: Any, classes: int, classifier_activation: Any) -> list[Any]:
    def dense(units: int, activation: Any, bias: float, name: str) -> Any:
        start = {} if tower else _start(bias)
        return layers.Dense(units, activation=activation, kernel_regularizer=decay, name=name, **start)

    hidden = [dense(_scaled(4096, width), "relu", 1.0, name) for name in ("fc6", "fc7")]
    drop = [layers.Dropout(0.5, name=name) for name in ("dropout6", "dropout7")]
    ordered = [drop[0], hidden[0], drop[1], hidden[1]] if tower else [hidden[0], drop[0], hidden[1], drop[1]]
    return [layers.Flatten(name="flatten"), *ordered, dense(classes, classifier_activation, 0.0, "fc8")]


@export("applications.alexnet.colour_axes")
def colour_axes(images: Any) -> Array:
    """The directions in which the colours of the pixels of `images` spread, each as long as their variance along it.

    The eigenvectors of the covariance of red, green and blue over all pixels, times its eigenvalues: what `augment`
    draws its colour noise along. Source: Krizhevsky, Sutskever and Hinton 2012, section 4.1.

    Args:
        images: (batch, height, width, channels), 0 to 1.

    Returns:
        float32 (channels, channels); a row is a direction, the longest last.

    Example:
        >>> grey = np.linspace(0, 1, 12).reshape(1, 3, 4, 1) * np.ones(3)
        >>> axes = colour_axes(grey)
        >>> [round(float(abs(x)), 2) for x in axes[-1]]
        [0.19, 0.19, 0.19]
    """
    pixels = np.asarray(images, "float64")
    values, vectors = np.linalg.eigh(np.cov(pixels.reshape(-1, pixels.shape[-1]), rowvar=False))
    return np.asarray((vectors * values).T, "float32")


@export("applications.alexnet.augment")
def augment(images: Any, size: int = 227, axes: Any = None, noise: float = 0.1, seed: Any = None) -> Array:
    """The paper's three random changes, to each image its own: a crop, a reflection, a change of colour.

    Source: Krizhevsky, Sutskever and Hinton 2012, section 4.1: crops and left-right reflections of 256x256 images; to
    all pixels of an image the same colour is added, each of `axes` times a number from N(0, noise^2).

    Args:
        images: (batch, height, width, channels), 0 to 1.
        size: of the crop, in pixels, either way.
        axes: what `colour_axes` found on the training images; None leaves the colours as they are.
        noise: standard deviation of the factors.
        seed: an integer or `numpy.random.Generator`; the same integer changes the same way.

    Returns:
        float32 (batch, size, size, channels).

    Raises:
        ValueError: images that are smaller than the crop.

    Example:
        >>> augment(np.zeros((2, 256, 256, 3)), seed=1).shape
        (2, 227, 227, 3)
    """
    x = np.asarray(images, "float32")
    if x.ndim != 4 or min(x.shape[1:3]) < size:
        raise ShapeError(
            f"`augment` cuts {size}x{size} pixels out of (batch, height, width, channels). Received: images of shape "
            f"{x.shape}. Give larger images, or a smaller size."
        )
    rng = np.random.default_rng(seed)
    y = np.empty((len(x), size, size, x.shape[-1]), "float32")
    for i, image in enumerate(x):
        top, left = rng.integers(image.shape[0] - size + 1), rng.integers(image.shape[1] - size + 1)
        crop = image[top : top + size, left : left + size]
        y[i] = crop[:, ::-1] if rng.random() < 0.5 else crop
        if axes is not None:
            y[i] += (rng.normal(0, noise, len(axes)) @ np.asarray(axes)).astype("float32")
    return y
