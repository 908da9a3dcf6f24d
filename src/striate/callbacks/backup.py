"""BackupAndRestore: a training that was killed goes on where its last backup was made."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from striate.callbacks.base import Callback, Logs
from striate.core.errors import ArgumentError, LoadError
from striate.core.files import write_atomically
from striate.core.registry import export


class Resumption(NamedTuple):
    """Where `fit` goes on: left by a callback as `model._resumption` in `on_train_begin`."""

    epoch: int
    #: of this epoch that are done.
    batches: int
    #: steps of the optimizer before this epoch, by which its order of samples is keyed.
    steps_before: int


@export("callbacks.BackupAndRestore")
class BackupAndRestore(Callback):
    """Keeps the state of a training in a folder, and goes on from it when `fit` is called again.

    A backup holds weights, optimizer, the counters of random layers (dropout), the running metrics, and the place in
    the epoch. With the same `set_random_seed`, arrays as data and no `steps_per_epoch`, a training that was killed and
    called again ends in the same weights, bit for bit, as one that was not. State of other callbacks is not kept.

    Weights and place are two files, each written whole or not at all. The place is found by the optimizer's count of
    steps in the weights, so that a kill between both loses one backup and mixes nothing.

    Source: `keras.callbacks.BackupAndRestore`: the same files, with more in `training_metadata.json`.

    Args:
        backup_dir: a folder for this training alone; made if it is not there.
        save_freq: "epoch", or a number of batches.
        double_checkpoint: keep the backup before the last one too, and take it where the last one cannot be read.
        delete_checkpoint: take the backup away when the training has ended as it should.

    Raises:
        ValueError: no folder, another `save_freq`, or files that are no backup of this model.

    Example:
        >>> import os, tempfile
        >>> from striate import layers, models
        >>> model = models.Sequential([layers.Input((2,)), layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> folder = os.path.join(tempfile.mkdtemp(), "backup")
        >>> kept = BackupAndRestore(folder, delete_checkpoint=False)
        >>> history = model.fit([[1.0, 2.0]], [[3.0]], verbose=0, callbacks=[kept])
        >>> sorted(os.listdir(folder))
        ['latest.weights.h5', 'training_metadata.json']
    """

    def __init__(
        self,
        backup_dir: str | os.PathLike[str],
        save_freq: str | int = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ) -> None:
        super().__init__()
        if not backup_dir:
            raise ArgumentError(
                f"Empty `backup_dir` argument passed: BackupAndRestore needs a folder. Received: {backup_dir!r}."
            )
        if save_freq != "epoch" and (isinstance(save_freq, bool) or not isinstance(save_freq, int) or save_freq < 1):
            raise ArgumentError(
                f"Invalid value for argument `save_freq`. Received: save_freq={save_freq!r}. "
                "Expected either 'epoch' or a number of batches."
            )
        self.backup_dir = os.fspath(backup_dir)
        self.save_freq = save_freq
        self.double_checkpoint = double_checkpoint
        self.delete_checkpoint = delete_checkpoint
        folder = Path(self.backup_dir)
        self._files = (folder / "latest.weights.h5", folder / "training_metadata.json")
        self._second = tuple(file.with_name(file.name + ".bkp") for file in self._files)
        self._places: dict[str, dict[str, Any]] = {}
        self._restored: dict[str, Any] | None = None
        self._epoch = self._steps_before = self._done = self._since_save = 0

    # Going on ---------------------------------------------------------------------------------------------------------

    def on_train_begin(self, logs: Logs = None) -> None:
        self._places, self._restored, self._since_save = {}, None, 0
        if not self._files[0].exists():
            return
        try:
            self._load(*self._files)
        except (OSError, LoadError):
            if not self._second[0].exists():
                raise
            for old, new in zip(self._second, self._files, strict=True):
                shutil.copyfile(old, new)
            self._load(*self._files)

    def _load(self, weights: Path, metadata: Path) -> None:
        optimizer = self._model.optimizer
        if optimizer is not None and not optimizer.built:
            optimizer.build(self._model.trainable_variables)
        held = _read(metadata)
        self._model.load_weights(str(weights))
        self._places = held.get("places", {})
        place = self._places.get(str(self._steps()))
        if place is None:  # written by Keras, or an optimizer without a count
            self._model._resumption = Resumption(int(held.get("epoch", 0)), 0, self._steps())
            return
        for state, counter in zip(self._counters(), place["counters"], strict=True):
            state.assign(np.array(counter, "int64"))
        self._model._resumption = Resumption(place["epoch"], place["batches"], place["steps_before"])
        self._restored = place

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._epoch, self._done, self._steps_before = epoch, 0, self._steps()
        place, self._restored = self._restored, None
        if place is not None and place["batches"] and place["epoch"] == epoch:
            self._done, self._steps_before = place["batches"], place["steps_before"]
            metrics = self._metrics()
            if len(metrics) == len(place["metrics"]):
                for variable, value in zip(metrics, place["metrics"], strict=True):
                    variable.assign(np.array(value, variable.dtype))

    # Keeping ----------------------------------------------------------------------------------------------------------

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        if self.save_freq == "epoch":
            return
        self._since_save += batch + 1 - self._done
        self._done = batch + 1
        if self._since_save >= int(self.save_freq):
            self._since_save = 0
            metrics = [variable.numpy().tolist() for variable in self._metrics()]
            self._save(self._epoch, self._done, self._steps_before, metrics)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        if self.save_freq == "epoch":
            self._save(epoch + 1, 0, self._steps(), [])

    def on_train_end(self, logs: Logs = None) -> None:
        if not self.delete_checkpoint:
            return
        for file in (*self._files, *self._second):
            file.unlink(missing_ok=True)
        folder = Path(self.backup_dir)
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()

    def _save(self, epoch: int, batches: int, steps_before: int, metrics: list[Any]) -> None:
        weights, metadata = self._files
        if self.double_checkpoint and weights.exists():
            for new, old in zip(self._files, self._second, strict=True):
                shutil.copyfile(new, old)
        last = list(self._places.items())[-1:]  # the weights that lie there until the new ones replace them
        place = {"epoch": epoch, "batches": batches, "steps_before": steps_before, "metrics": metrics}
        place["counters"] = [state.numpy().tolist() for state in self._counters()]
        self._places = {**dict(last), str(self._steps()): place}
        held = {"epoch": epoch, "batch": max(batches - 1, 0), "places": self._places}
        write_atomically(metadata, json.dumps(held).encode())
        self._model.save_weights(str(weights), overwrite=True)

    # What of the model ------------------------------------------------------------------------------------------------

    def _steps(self) -> int:
        count = getattr(self._model.optimizer, "_iterations", None)
        return 0 if count is None else int(count.numpy())

    def _metrics(self) -> list[Any]:
        return [variable for metric in self._model.metrics for variable in metric.variables]

    def _counters(self) -> list[Any]:
        """The states of random generators: what a layer keeps that is neither a weight nor a metric's."""
        known = {id(v) for v in self._model.weights} | {id(v) for v in self._metrics()}
        return [v for v in self._model.variables if id(v) not in known]


def _read(metadata: Path) -> dict[str, Any]:
    try:
        held = json.loads(metadata.read_text()) if metadata.exists() else {}
        places = held.get("places", {})
        numbers = [held.get("epoch", 0)] + [p[k] for p in places.values() for k in ("epoch", "batches", "steps_before")]
        if all(type(n) is int and n >= 0 for n in numbers) and all("counters" in p for p in places.values()):
            return dict(held)
    except (ValueError, AttributeError, KeyError, TypeError):
        pass
    raise LoadError(
        f"{metadata} is no place of a backup. Expected what BackupAndRestore writes. Take the folder away to begin the "
        "training anew."
    )
