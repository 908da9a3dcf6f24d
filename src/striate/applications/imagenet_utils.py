"""Pixels as the networks of ImageNet take them, and their answers as words."""

from __future__ import annotations

import functools
import json
from typing import Any

import numpy as np

from striate import backend, ops
from striate.applications import published
from striate.core.args import one_of
from striate.core.errors import LoadError, ShapeError
from striate.core.registry import export

#: means of ImageNet's colours in pixels 0..255: blue, green, red.
BLUE_GREEN_RED_MEAN = (103.939, 116.779, 123.68)
#: ... and in 0..1, with their deviations: red, green, blue.
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

CLASS_INDEX = published.WeightsFile(
    "https://storage.googleapis.com/download.tensorflow.org/data/imagenet_class_index.json",
    "c2c37ea517e94d9795004a39431a14cb",
)


@export("applications.imagenet_utils.preprocess_input")
def preprocess_input(x: Any, data_format: str | None = None, mode: str = "caffe") -> Any:
    """Pixels 0..255 as one of three schools wants them.

        "caffe":  the channels turned round (blue, green, red), each less its mean over ImageNet
        "tf":     x / 127.5 - 1
        "torch":  (x / 255 - mean) / deviation, for each channel those of ImageNet

    Source: `keras.applications.imagenet_utils.preprocess_input`; there an array of floats is changed in place, here a
    new one is given.

    Args:
        x: (height, width, 3) or (batch, height, width, 3): an array, or a tensor of a functional model.
        data_format: "channels_last" or "channels_first"; None takes the configured one.
        mode: "caffe", "tf" or "torch".

    Returns:
        The same shape; integers become floatx, floats keep their type.

    Raises:
        ValueError: another mode or data format.

    Example:
        >>> preprocess_input(np.array([[[0, 127.5, 255]]]), mode="tf").tolist()
        [[[-1.0, 0.0, 1.0]]]
    """
    one_of(mode, "mode", ("caffe", "tf", "torch"))
    first = backend.standardize_data_format(data_format) == "channels_first"
    if not backend.is_symbolic(x):
        x = np.asarray(x)
    if not backend.is_float_dtype(backend.dtype_of(x)):
        x = ops.cast(x, backend.floatx()) if backend.is_symbolic(x) else x.astype(backend.floatx())
    if mode == "tf":
        return x / 127.5 - 1.0
    kind = backend.dtype_of(x)

    def of_channels(values: Any) -> Any:
        return np.asarray(values, kind).reshape((3, 1, 1) if first else (3,))

    if mode == "torch":
        return (x / 255.0 - of_channels(MEAN)) / of_channels(DEVIATION)
    axis = -3 if first else -1
    turned = ops.flip(x, axis) if backend.is_symbolic(x) else np.flip(x, axis)
    return turned - of_channels(BLUE_GREEN_RED_MEAN)


@export(
    "applications.resnet.preprocess_input",
    "applications.resnet50.preprocess_input",
    "applications.vgg16.preprocess_input",
    "applications.vgg19.preprocess_input",
)
def preprocess_caffe(x: Any, data_format: str | None = None) -> Any:
    """Pixels 0..255 as VGG and the first ResNets take them: blue, green, red, each less its mean over ImageNet.

    Source: `keras.applications.vgg16.preprocess_input`. Arguments and errors: see `imagenet_utils.preprocess_input`.

    Example:
        >>> preprocess_caffe(np.zeros((1, 1, 3), "float32"))[0, 0].round(1).tolist()
        [-103.9000015258789, -116.80000305175781, -123.69999694824219]
    """
    return preprocess_input(x, data_format, "caffe")


@export(
    "applications.inception_v3.preprocess_input",
    "applications.mobilenet.preprocess_input",
    "applications.mobilenet_v2.preprocess_input",
    "applications.resnet_v2.preprocess_input",
    "applications.xception.preprocess_input",
)
def preprocess_tf(x: Any, data_format: str | None = None) -> Any:
    """Pixels 0..255 as Google's networks take them: x / 127.5 - 1, between -1 and 1.

    Source: `keras.applications.mobilenet.preprocess_input`. Arguments, errors: `imagenet_utils.preprocess_input`.

    Example:
        >>> preprocess_tf(np.array([[[0, 255, 255]]], "uint8")).tolist()
        [[[-1.0, 1.0, 1.0]]]
    """
    return preprocess_input(x, data_format, "tf")


@export("applications.densenet.preprocess_input")
def preprocess_torch(x: Any, data_format: str | None = None) -> Any:
    """Pixels 0..255 as DenseNet takes them: scaled to 0..1, each colour less its mean, over its deviation in ImageNet.

    Source: `keras.applications.densenet.preprocess_input`. Arguments, errors: `imagenet_utils.preprocess_input`.

    Example:
        >>> preprocess_torch(np.full((1, 1, 3), 255, "uint8"))[0, 0].round(2).tolist()
        [2.25, 2.430000066757202, 2.640000104904175]
    """
    return preprocess_input(x, data_format, "torch")


@export(
    "applications.convnext.preprocess_input",
    "applications.efficientnet.preprocess_input",
    "applications.mobilenet_v3.preprocess_input",
)
def preprocess_inside(x: Any, data_format: str | None = None) -> Any:
    """Pixels 0..255 as they are: the network scales them itself.

    Source: `keras.applications.efficientnet.preprocess_input`, which does nothing either.

    Example:
        >>> preprocess_inside(np.array([255], "uint8")).tolist()
        [255]
    """
    del data_format
    return x


@export(
    "applications.convnext.decode_predictions",
    "applications.densenet.decode_predictions",
    "applications.efficientnet.decode_predictions",
    "applications.imagenet_utils.decode_predictions",
    "applications.inception_v3.decode_predictions",
    "applications.mobilenet.decode_predictions",
    "applications.mobilenet_v2.decode_predictions",
    "applications.mobilenet_v3.decode_predictions",
    "applications.resnet.decode_predictions",
    "applications.resnet50.decode_predictions",
    "applications.resnet_v2.decode_predictions",
    "applications.vgg16.decode_predictions",
    "applications.vgg19.decode_predictions",
    "applications.xception.decode_predictions",
)
def decode_predictions(preds: Any, top: int = 5) -> list[list[tuple[str, str, Any]]]:
    """ImageNet's names for the likeliest classes of each image.

    The list of names is Keras's, fetched once into the cache (35 kB, checked by its MD5).

    Source: `keras.applications.imagenet_utils.decode_predictions`.

    Args:
        preds: (batch, 1000).
        top: how many of each.

    Returns:
        For each image a list of (WordNet's number, name, value), the likeliest first: [[("n02504458",
        "African_elephant", 0.82), ...]].

    Raises:
        ValueError: another shape.
        OSError: the list is not on this machine and cannot be fetched.
    """
    shape = np.shape(preds)
    if len(shape) != 2 or shape[1] != 1000:
        raise ShapeError(
            f"`decode_predictions` takes the predictions of ImageNet's 1000 classes, (batch, 1000). Received: an array "
            f"of shape {shape}. Models with classes of your own have names of your own."
        )
    names = _class_names(str(published.fetch(*CLASS_INDEX)))
    rows = np.asarray(preds)
    return [[(*names[i], row[i]) for i in np.argsort(-row, kind="stable")[:top]] for row in rows]


@functools.lru_cache(maxsize=1)
def _class_names(path: str) -> tuple[tuple[str, str], ...]:
    with open(path, encoding="utf-8") as file:
        table = json.load(file)
    try:
        return tuple((str(a), str(b)) for a, b in (table[str(i)] for i in range(1000)))
    except (KeyError, TypeError, ValueError) as error:
        raise LoadError(f"{path} is no list of ImageNet's 1000 classes. Delete it; it is fetched again.") from error
