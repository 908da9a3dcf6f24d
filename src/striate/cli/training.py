"""One training run: the recipe, the log, the saved model. What `demo` and `train` share."""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from striate import callbacks, optimizers
from striate.backend import set_random_seed
from striate.cli.options import LabelledImages, make_model, progress_on_stderr
from striate.saving.keras_archive import set_notes

Array = np.ndarray[Any, Any]


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

    def compile(self, model: Any, count: int) -> None:
        """Compile a model for `count` training images."""
        steps = math.ceil(count * (1 - self.validation_split) / self.batch_size) * self.epochs
        warmup = max(1, round(self.warmup * steps))
        schedule = optimizers.schedules.CosineDecay(
            0.0, max(1, steps - warmup), warmup_target=self.learning_rate, warmup_steps=warmup
        )
        model.compile(optimizer=optimizers.Adam(schedule), loss="sparse_categorical_crossentropy", metrics=["accuracy"])


class JsonLines(callbacks.Callback):
    """A line of JSON an epoch, written as the epoch ends."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def on_train_begin(self, logs: Any = None) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text("")
        self._started = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        row = {"epoch": epoch + 1, "seconds": round(time.perf_counter() - self._started, 3)}
        row |= {k: float(v) for k, v in (logs or {}).items()}
        with self._path.open("a") as file:
            file.write(json.dumps(row) + "\n")


@dataclass(frozen=True)
class Trained:
    """What a run gave."""

    model: Any
    history: dict[str, list[float]]
    seconds: float
    test_loss: float
    test_accuracy: float


def train(name: str, data: LabelledImages, recipe: Recipe, out: Path) -> Trained:
    """Train a model, score the test images once, save `model.keras` and `metrics.jsonl` in `out`."""
    out.mkdir(parents=True, exist_ok=True)
    set_random_seed(recipe.seed)
    model = make_model(name)
    set_notes(model, class_names=list(data.class_names), preprocessing=dict(data.PREPROCESSING))
    recipe.compile(model, len(data.x_train))
    started = time.perf_counter()
    with progress_on_stderr():
        history = model.fit(
            data.x_train,
            data.y_train,
            batch_size=recipe.batch_size,
            epochs=recipe.epochs,
            validation_split=recipe.validation_split,
            callbacks=[JsonLines(out / "metrics.jsonl")],
        )
        seconds = time.perf_counter() - started
        loss, accuracy = model.evaluate(data.x_test, data.y_test, batch_size=100, verbose=0)
    model.save(out / "model.keras")
    return Trained(model, history.history, seconds, float(loss), float(accuracy))
