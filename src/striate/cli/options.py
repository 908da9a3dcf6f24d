"""What several commands take: data sets and models by name, --json, the number of threads."""

from __future__ import annotations

import contextlib
import difflib
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np

from striate.core.errors import ArgumentError

Array = np.ndarray[Any, Any]

#: data sets of small grey images that the commands know by name.
DATASETS = ("fashion_mnist", "fashion_mnist_mini", "mnist")
#: models by name.
MODELS = ("lecture",)


class Name(click.ParamType):
    """One of several names; another is refused with the nearest."""

    name = "name"

    def __init__(self, what: str, names: Sequence[str]) -> None:
        self.what = what
        self.names = tuple(names)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if value in self.names:
            return str(value)
        near = difflib.get_close_matches(str(value).replace("-", "_"), self.names, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        self.fail(f"{value!r} is no {self.what} that Striate knows.{hint} Known: {', '.join(self.names)}.", param, ctx)

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        return f"[{'|'.join(self.names)}]"


def data_option(default: str | None = None) -> Callable[..., Any]:
    """--data NAME."""
    return click.option(
        "--data", type=Name("data set", DATASETS), default=default, required=default is None, show_default=default is not None,
        help="Data set to use.",
    )  # fmt: skip


json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")


@dataclass(frozen=True)
class LabelledImages:
    """A data set as the models take it: floats 0..1, (count, 28, 28, 1)."""

    x_train: Array
    y_train: Array
    x_test: Array
    y_test: Array
    class_names: tuple[str, ...]

    #: how an image file becomes such an array; goes into the model's file for `striate predict`.
    PREPROCESSING = {"mode": "L", "height": 28, "width": 28, "scale": 1 / 255, "background": "black"}  # noqa: RUF012


def load_images(name: str) -> LabelledImages:
    """A named data set, scaled to 0..1."""
    import importlib

    module = importlib.import_module(f"striate.datasets.{name}")
    (x_train, y_train), (x_test, y_test) = module.load_data()

    def scaled(images: Array) -> Array:
        return (images[..., None] / np.float32(255)).astype(np.float32)

    return LabelledImages(scaled(x_train), y_train, scaled(x_test), y_test, tuple(module.CLASS_NAMES))


def make_model(name: str) -> Any:
    """A model of ours by name, not compiled."""
    assert name in MODELS
    from striate.applications.lecture import LectureModel

    return LectureModel()


def open_model(path: str) -> Any:
    """A model from a file, with the error of someone who mistyped a path."""
    from striate.saving.api import load_model

    if not Path(path).exists():
        folder = Path(path).parent
        others = sorted(str(p) for p in folder.glob("*.keras")) if folder.is_dir() else []
        near = f" There is: {', '.join(others[:5])}." if others else ""
        known = difflib.get_close_matches(path, MODELS, n=1)
        hint = f" Did you mean {known[0]!r}?" if known else ""
        raise click.UsageError(f"{path!r} is no file.{hint}{near}")
    return load_model(path)


@contextlib.contextmanager
def progress_on_stderr() -> Iterator[None]:
    """What is printed inside (the progress bar) goes to stderr: stdout is for results."""
    with contextlib.redirect_stdout(sys.stderr):
        yield


def print_json(result: dict[str, Any]) -> None:
    """One JSON object on stdout; NumPy numbers as plain ones."""

    def plain(value: Any) -> Any:
        if isinstance(value, np.generic):
            return value.item()
        if isinstance(value, np.ndarray):
            return value.tolist()
        if isinstance(value, Path):
            return str(value)
        raise ArgumentError(f"No JSON for {type(value).__name__}.")

    click.echo(json.dumps(result, default=plain))


def positive(ctx: click.Context, param: click.Parameter, value: Any) -> Any:
    """A callback of click: only numbers above zero."""
    if value is not None and value <= 0:
        raise click.BadParameter(f"{value} is not above zero.", ctx, param)
    return value
