"""What a command's words stand for: data sets and models by name, models from files."""

from __future__ import annotations

import importlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np

from striate.applications.zoo import ZOO
from striate.cli.options import ARCHITECTURES
from striate.cli.suggest import did_you_mean_file, files_beside
from striate.data.images import Preprocessing
from striate.datasets.cache import cache_folder, is_offline

Array = np.ndarray[Any, Any]

#: How an image file becomes like the images of these sets, which are light on black; garments fill their picture,
#: digits have a margin.
_GREY_28 = {"height": 28, "width": 28, "mode": "L", "background": "black", "fit": "pad"}
PREPROCESSING = {
    "fashion_mnist": Preprocessing(**_GREY_28, trim=True),  # type: ignore[arg-type]
    "fashion_mnist_mini": Preprocessing(**_GREY_28, trim=True),  # type: ignore[arg-type]
    "mnist": Preprocessing(**_GREY_28),  # type: ignore[arg-type]
}


@dataclass(frozen=True)
class LabelledImages:
    """A data set as the models take it.

    Args:
        x_train, x_test: floats 0..1, (count, height, width, channels).
        y_train, y_test: class numbers, (count,).
        class_names: a name a class.
        preprocessing: how an image file becomes one of these images.
    """

    x_train: Array
    y_train: Array
    x_test: Array
    y_test: Array
    class_names: tuple[str, ...]
    preprocessing: Preprocessing


def load_images(name: str) -> LabelledImages:
    """A named data set; says on stderr when it must be downloaded first.

    Raises:
        OSError: it is not on this machine and cannot be downloaded.
    """
    module = importlib.import_module(f"striate.datasets.{name}")
    if None in module.find().values() and not is_offline():
        click.echo(f"{name} is not on this machine yet: downloading it to {cache_folder()}", err=True)
    (x_train, y_train), (x_test, y_test) = module.load_data()
    preprocessing = PREPROCESSING[name]

    def scaled(images: Array) -> Array:
        return preprocessing.scaled(images)[..., None]

    return LabelledImages(scaled(x_train), y_train, scaled(x_test), y_test, tuple(module.CLASS_NAMES), preprocessing)


def make_model(name: str) -> Any:
    """A model of ours by name, not compiled."""
    return ZOO[name].make()


def make_for_images(name: str, data: str, size: int | None = None) -> Any:
    """A model of ours for a data set's images and classes, not compiled.

    Args:
        name: of the architecture.
        data: name of the data set; nothing of it is loaded.
        size: rows and columns that the model first enlarges the images to; None takes them as they are.

    Raises:
        click.UsageError: images that are too small for it, or of which it gives more than one answer.
    """
    from striate import layers, models
    from striate.core.errors import StriateError

    architecture = ZOO[name]
    own = PREPROCESSING[data].shape
    shape = own if size is None else (size, size, own[2])
    classes = len(importlib.import_module(f"striate.datasets.{data}").CLASS_NAMES)
    # Images here are 0..1: LeNet-5 adds its margin and scale; those that scale 0..255 themselves get bytes.
    more = {"include_preprocessing": True} if architecture.family == "lenet5" else {}
    try:
        network = architecture.make(input_shape=shape, classes=classes, **more)
    except StriateError as error:
        if min(shape[:2]) >= architecture.least:
            raise
        whose = f", as those of {data} are" if size is None else ""
        published = f"{architecture.image[0]}x{architecture.image[1]}"
        raise click.UsageError(
            f"{name} does not take images of {shape[0]}x{shape[1]} pixels{whose}. Have the model enlarge them: "
            f"--size {architecture.least} is enough (it was published for {published})."
        ) from error
    if network.output_shape != (None, classes):
        raise click.UsageError(
            f"{name} slides over larger images and gives an answer for each place: of {shape[0]}x{shape[1]} pixels its "
            f"output has the shape {network.output_shape}. Leave out --size."
        )
    first: list[Any] = [] if size is None else [layers.Resizing(size, size, name="enlarge")]
    if architecture.takes_bytes:
        first.append(layers.Rescaling(255.0, name="bytes"))
    return models.Sequential([layers.Input(own), *first, network], name=name) if first else network


def loss_and_metrics(name: str) -> tuple[Any, list[Any]]:
    """What a model of ours is trained with: its outputs decide, penalties or probabilities."""
    if name == "lenet5-1998":
        from striate import losses, metrics

        return losses.SparsePenalty(), [metrics.SparsePenaltyAccuracy()]
    return "sparse_categorical_crossentropy", ["accuracy"]


def compile_as_published(name: str, model: Any) -> None:
    """Compile a model of ours for a look at its training step."""
    loss, metrics = loss_and_metrics(name)
    model.compile("sgd" if name == "lenet5-1998" else "adam", loss, metrics=metrics)


def open_model(path: str) -> Any:
    """A model from a file, with the error of someone who mistyped a path.

    Raises:
        ValueError: a file that is no model.
    """
    from striate.saving.api import load_model

    if Path(path).is_file():
        return load_model(path)
    if path in ARCHITECTURES:
        raise click.UsageError(
            f"{path!r} is the name of a model that is not trained; a .keras file is needed here. To make one: "
            f"striate train --data fashion_mnist_mini --model {path} --out runs/{path}"
        )
    if Path(path).exists():
        inside = files_beside(os.path.join(path, "x"), "*.keras")
        hint = f" Did you mean {inside[0]!r}?" if inside else " A .keras file is needed here."
        raise click.UsageError(f"{path!r} is no file but a {'folder' if Path(path).is_dir() else 'device'}.{hint}")
    files = files_beside(path, "*.keras")
    hint = did_you_mean_file(path, "*.keras", ARCHITECTURES) or (f" There is: {', '.join(files[:5])}." if files else "")
    raise click.UsageError(f"{path!r} is neither a file nor the name of a model.{hint}")
