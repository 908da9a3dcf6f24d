"""TensorBoard: losses, metrics, learning rate and weights, as files that TensorBoard shows."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import numpy as np

from striate.callbacks.base import Callback, Logs
from striate.callbacks.event_file import EventFile
from striate.callbacks.single_optimizers import learning_rates
from striate.callbacks.weight_images import pictures, png
from striate.core.errors import ArgumentError
from striate.core.registry import export


@export("callbacks.TensorBoard")
class TensorBoard(Callback):
    """Writes event files under `log_dir`/train and `log_dir`/validation: `tensorboard --logdir logs` shows them.

    Each epoch: epoch_loss, epoch_learning_rate, epoch_<metric>; validation: the same, and
    evaluation_<name>_vs_iterations. Neither TensorFlow nor the tensorboard package is needed to write.

    Source: `keras.callbacks.TensorBoard`. Left out: profiles and embeddings.

    Args:
        log_dir: folder for the files.
        histogram_freq: every so many epochs, how the weights are spread; 0: never.
        write_graph: the model's layers, for the graphs' page; Sequential and functional models.
        write_images: with the histograms, weights as pictures, black their smallest value and white their largest: of a
            vector or matrix one, of a convolution over one or three maps one a filter, 16 at most. Others have none.
        write_steps_per_second: training steps a second, in each epoch and batch.
        update_freq: "epoch"; "batch" or a number: batch_<name> after every batch, or every so many.
        profile_batch: only 0.
        embeddings_freq: only 0.
        embeddings_metadata: only None.

    Raises:
        ValueError: something that is left out, or another `update_freq`.

    Example:
        >>> import os, tempfile
        >>> from striate import layers, models
        >>> model = models.Sequential([layers.Input((2,)), layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> folder = tempfile.mkdtemp()
        >>> history = model.fit([[1.0, 2.0]], [[3.0]], verbose=0, callbacks=[TensorBoard(folder)])
        >>> os.listdir(folder)
        ['train']
    """

    def __init__(
        self,
        log_dir: str | os.PathLike[str] = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: str | int = "epoch",
        profile_batch: Any = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: Any = None,
    ) -> None:
        super().__init__()
        for name, given in (
            ("profile_batch", profile_batch),
            ("embeddings_freq", embeddings_freq),
            ("embeddings_metadata", embeddings_metadata),
        ):
            if given:
                raise ArgumentError(
                    f"Striate's TensorBoard writes no profiles and embeddings. Received: "
                    f"{name}={given!r}. Leave the argument out."
                )
        whole = isinstance(update_freq, int) and not isinstance(update_freq, bool) and update_freq > 0
        if update_freq not in ("epoch", "batch") and not whole:
            raise ArgumentError(
                f"`update_freq` is 'epoch', 'batch' or a number of batches. Received: update_freq={update_freq!r}."
            )
        self.log_dir = os.fspath(log_dir)
        self.histogram_freq = histogram_freq
        self.write_graph = write_graph
        self.write_images = write_images
        self.write_steps_per_second = write_steps_per_second
        self.update_freq = update_freq
        self._every = 0 if update_freq == "epoch" else 1 if update_freq == "batch" else int(update_freq)
        self._files: dict[str, EventFile] = {}
        self._seen = self._steps_before = 0
        self._batch_began = self._epoch_began = 0.0
        if self._every:
            # Only then: a callback that asks for batches makes each of them cost the reading of all metrics.
            for moment, act in (("on_train_batch_begin", self._begin_batch), ("on_train_batch_end", self._end_batch)):
                setattr(self, moment, act)

    def _file(self, kind: str) -> EventFile:
        if kind not in self._files:
            self._files[kind] = EventFile(Path(self.log_dir) / kind)
        return self._files[kind]

    def _steps(self) -> int:
        return int(np.asarray(getattr(self._model.optimizer, "iterations", 0)))

    def set_model(self, model: Any) -> None:
        super().set_model(model)
        self._close()
        if self.write_graph and type(model).__name__ in ("Functional", "Sequential"):
            self._file("train").model("keras", model.to_json(), 0)

    def on_train_begin(self, logs: Logs = None) -> None:
        self._seen = 0

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._steps_before, self._epoch_began = self._steps(), time.perf_counter()

    def _begin_batch(self, batch: int, logs: Logs = None) -> None:
        self._batch_began = time.perf_counter()

    def _end_batch(self, batch: int, logs: Logs = None) -> None:
        self._seen += 1
        if self._seen % self._every:
            return
        file = self._file("train")
        if self.write_steps_per_second:
            file.scalar("batch_steps_per_second", 1.0 / (time.perf_counter() - self._batch_began), self._seen)
        for name, value in (logs or {}).items():
            file.scalar(f"batch_{name}", value, self._seen)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        more = learning_rates(self._model)
        if self.write_steps_per_second:
            seconds = time.perf_counter() - self._epoch_began
            more["steps_per_second"] = (self._steps() - self._steps_before) / seconds
        for name, value in {**(logs or {}), **more}.items():
            kind = "validation" if name.startswith("val_") else "train"
            self._file(kind).scalar(f"epoch_{name.removeprefix('val_')}", value, epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._weights(epoch)
        for file in self._files.values():
            file.flush()

    def _weights(self, epoch: int) -> None:
        file = self._file("train")
        for weight in self._model.weights:
            tag, values = weight.path.replace(":", "_"), weight.numpy()
            file.histogram(f"{tag}/histogram", values, epoch)
            shown = pictures(values) if self.write_images else None
            if shown is not None:
                height, width = shown.shape[1:3]
                file.images(f"{tag}/image", width, height, [png(p) for p in shown], epoch)

    def on_test_end(self, logs: Logs = None) -> None:
        for name, value in (logs or {}).items():
            self._file("validation").scalar(f"evaluation_{name}_vs_iterations", value, self._steps())
        if "validation" in self._files:
            self._files["validation"].flush()

    def on_train_end(self, logs: Logs = None) -> None:
        self._close()

    def _close(self) -> None:
        for file in self._files.values():
            file.close()
        self._files = {}
