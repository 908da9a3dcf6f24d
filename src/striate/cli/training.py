"""One training run: the recipe, the log, the saved model. What `demo` and `train` share."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np

from striate import callbacks, optimizers
from striate.backend import set_random_seed
from striate.cli.output import json_line, prepare_folder
from striate.cli.progress import Progress
from striate.cli.sources import LabelledImages, loss_and_metrics, make_for_images
from striate.core.files import write_atomically
from striate.saving.keras_archive import set_notes

Array = np.ndarray[Any, Any]

MODEL, METRICS = "model.keras", "metrics.jsonl"


@dataclass(frozen=True)
class Recipe:
    """How a model is trained: Adam with a linear warm-up and a cosine down to zero.

    Args:
        epochs: passes over the training images.
        batch_size: images a step.
        learning_rate: its highest value, after the warm-up.
        warmup: share of all steps that the warm-up takes.
        seed: of weights, dropout and shuffling.
        validation_split: share of the training images (the last ones) that are held back to watch the training.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    warmup: float = 0.1
    seed: int = 42
    validation_split: float = 0.0

    def compile(self, name: str, model: Any, count: int) -> None:
        """Compile the model of that name for `count` training images."""
        steps = math.ceil(count * (1 - self.validation_split) / self.batch_size) * self.epochs
        warmup = max(1, round(self.warmup * steps))
        schedule = optimizers.schedules.CosineDecay(
            0.0, max(1, steps - warmup), warmup_target=self.learning_rate, warmup_steps=warmup
        )
        loss, metrics = loss_and_metrics(name)
        model.compile(optimizer=optimizers.Adam(schedule), loss=loss, metrics=metrics)


class Keep(callbacks.Callback):
    """After each epoch the model, and a line of JSON about every epoch so far: what is there is whole at any moment.

    Nothing is touched before the first epoch has ended, so that a run that is stopped at once leaves an older one.
    """

    def __init__(self, out: Path) -> None:
        super().__init__()
        self._out = out
        self._lines: list[str] = []
        self._started = time.perf_counter()

    @property
    def epochs(self) -> int:
        """Epochs that are kept."""
        return len(self._lines)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.model.save(self._out / MODEL)
        numbers = {name: np.float32(value) for name, value in (logs or {}).items()}
        row = {"epoch": epoch + 1, "seconds": round(time.perf_counter() - self._started, 3), **numbers}
        lines = [*self._lines, json_line(row)]
        write_atomically(self._out / METRICS, "".join(line + "\n" for line in lines).encode())
        self._lines = lines


@dataclass(frozen=True)
class Trained:
    """What a run gave."""

    model: Any
    history: dict[str, list[float]]
    seconds: float
    test_loss: float
    test_accuracy: float


class Stopped(click.ClickException):
    """Ctrl-C in a training."""

    exit_code = 130

    def show(self, file: Any = None) -> None:
        click.echo(f"Interrupted. {self.message}", file=file, err=file is None)


@contextlib.contextmanager
def _stoppable(out: Path, kept: Keep, epochs: int) -> Iterator[None]:
    """Ctrl-C, and a disk that fills up, with word of what there is."""
    try:
        yield
    except (KeyboardInterrupt, OSError) as error:
        told = (
            f"{out / MODEL} and {out / METRICS} hold epoch {kept.epochs} of {epochs}."
            if kept.epochs
            else "No epoch had ended, so nothing was written."
        )
        if isinstance(error, OSError):
            raise click.ClickException(f"Writing to {out} failed: {error.strerror or error}. {told}") from error
        raise Stopped(told) from error


@dataclass(frozen=True)
class TrainingRun:
    """A model about to be trained, and a folder that was found fit for what comes out of it."""

    name: str
    model: Any
    recipe: Recipe
    out: Path

    @classmethod
    def prepare(
        cls, name: str, data: str, recipe: Recipe, out: Path, also: Sequence[str] = (), size: int | None = None
    ) -> TrainingRun:
        """Make the model and the folder; nothing in it is touched yet.

        Args:
            name: of the model.
            data: name of the data set whose images and classes the model is made for.
            recipe: how it will be trained; its seed counts from here.
            out: folder for model.keras and metrics.jsonl; made where it is not there.
            also: names of further files that the caller will write there.
            size: rows and columns that the model enlarges the images to.

        Raises:
            click.ClickException: the model does not take such images; `out` cannot be written to, or has no room.
        """
        set_random_seed(recipe.seed)
        model = make_for_images(name, data, size)
        # Weights and Adam's two slots, 4 bytes each, and room for the rest (a report has at most 1.5 MB).
        prepare_folder(out, [MODEL, METRICS, *also], needed=3 * 4 * model.count_params() + 3_000_000)
        return cls(name, model, recipe, out)

    def train(self, data: LabelledImages) -> Trained:
        """Train, score the test images once; the files in `out` are brought up to date after each epoch.

        Raises:
            click.ClickException: the user stopped the training (`Stopped`), or the disk is full.
            TrainingDivergedError: the loss is no longer a number.
        """
        model, recipe = self.model, self.recipe
        set_notes(model, class_names=list(data.class_names), preprocessing=data.preprocessing.as_notes())
        recipe.compile(self.name, model, len(data.x_train))
        kept = Keep(self.out)
        started = time.perf_counter()
        with _stoppable(self.out, kept, recipe.epochs), Progress() as progress:
            history = model.fit(
                data.x_train,
                data.y_train,
                batch_size=recipe.batch_size,
                epochs=recipe.epochs,
                validation_split=recipe.validation_split,
                callbacks=[callbacks.TerminateOnNaN(raise_error=True), kept, progress],
                verbose=0,
            )
            seconds = time.perf_counter() - started
            loss, accuracy = model.evaluate(data.x_test, data.y_test, batch_size=100, verbose=0)
        return Trained(model, history.history, seconds, float(loss), float(accuracy))
