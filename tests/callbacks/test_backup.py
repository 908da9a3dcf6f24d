"""BackupAndRestore and SwapEMAWeights inside `fit`: the same bits as without a break, averages where they belong."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import striate
from striate import callbacks, layers, models, optimizers

RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 4)).astype("float32")
Y = (X.sum(-1, keepdims=True) > 0).astype("float32")


class Killed(Exception):
    pass


class Kill(callbacks.Callback):
    def __init__(self, epoch: int, batch: int | None = None) -> None:
        super().__init__()
        self.place, self.epoch = (epoch, batch), -1

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.epoch = epoch
        if self.place == (epoch, None):
            raise Killed

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self.place == (self.epoch, batch):
            raise Killed


def make() -> Any:
    striate.utils.set_random_seed(3)
    model = models.Sequential(
        [layers.Input((4,)), layers.Dense(8, activation="relu"), layers.Dropout(0.5), layers.Dense(1, "sigmoid")]
    )
    model.compile(optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
    return model


def fit(model: Any, *more: Any) -> Any:
    return model.fit(X, Y, batch_size=8, epochs=4, verbose=0, callbacks=list(more)).history


@pytest.mark.parametrize(
    ("save_freq", "kill"), [("epoch", Kill(2)), ("epoch", Kill(2, 3)), (2, Kill(1, 4)), (3, Kill(2)), (100, Kill(1))]
)
def test_a_killed_training_ends_in_the_same_bits(tmp_path: Path, save_freq: Any, kill: Kill) -> None:
    whole = make()
    history = fit(whole)
    folder = tmp_path / "backup"
    with pytest.raises(Killed):
        fit(make(), callbacks.BackupAndRestore(folder, save_freq), kill)
    assert folder.exists() == (save_freq != 100)
    again = make()
    rest = fit(again, callbacks.BackupAndRestore(folder, save_freq))
    for one, other in zip(whole.weights, again.weights, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())
    for one, other in zip(whole.optimizer.variables, again.optimizer.variables, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())
    for name, values in rest.items():  # running metrics of the epoch that was cut are counted on
        assert values == history[name][-len(values) :]
    assert not folder.exists()


def test_a_kill_between_both_files_mixes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    with pytest.raises(Killed):
        fit(make(), callbacks.BackupAndRestore(folder), Kill(2))
    newer = (folder / "training_metadata.json").read_bytes()
    shutil.rmtree(folder)
    with pytest.raises(Killed):
        fit(make(), callbacks.BackupAndRestore(folder), Kill(1))
    (folder / "training_metadata.json").write_bytes(newer)  # the weights are those of the epoch before
    whole, again = make(), make()
    fit(whole)
    assert len(fit(again, callbacks.BackupAndRestore(folder))["loss"]) == 3
    np.testing.assert_array_equal(whole.weights[0].numpy(), again.weights[0].numpy())


def test_the_backup_before_the_last(tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    with pytest.raises(Killed):
        fit(make(), callbacks.BackupAndRestore(folder, double_checkpoint=True), Kill(3))
    (folder / "latest.weights.h5").write_bytes(b"torn")
    whole, again = make(), make()
    fit(whole)
    assert len(fit(again, callbacks.BackupAndRestore(folder, delete_checkpoint=False))["loss"]) == 2
    np.testing.assert_array_equal(whole.weights[0].numpy(), again.weights[0].numpy())
    assert json.loads((folder / "training_metadata.json").read_text())["epoch"] == 4
    (folder / "latest.weights.h5.bkp").unlink()
    (folder / "training_metadata.json").write_text("[1]")
    with pytest.raises(ValueError, match="is no place of a backup"):
        fit(make(), callbacks.BackupAndRestore(folder))


def test_other_files_in_the_folder_stay(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    fit(make(), callbacks.BackupAndRestore(tmp_path))
    assert [file.name for file in tmp_path.iterdir()] == ["notes.txt"]


def test_backup_arguments() -> None:
    with pytest.raises(ValueError, match="needs a folder"):
        callbacks.BackupAndRestore("")
    with pytest.raises(ValueError, match="save_freq=0"):
        callbacks.BackupAndRestore("x", save_freq=0)


# SwapEMAWeights -------------------------------------------------------------------------------------------------------


class Look(callbacks.Callback):
    """Notes the first weight where the averages should stand, and where not."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, bool]] = []

    def look(self, where: str) -> None:
        weight, average = self.model.weights[0].numpy(), self.model.optimizer._model_variables_moving_average[0].numpy()
        # One batch of size 50 an epoch: the distance to the start tells which is which, averages lag behind.
        lag = np.abs(weight - self.start).sum() < np.abs(average - self.start).sum()
        self.seen.append((where, bool(lag)))

    def on_train_begin(self, logs: Any = None) -> None:
        self.start = self.model.weights[0].numpy().copy()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if int(self.model.optimizer.iterations.numpy()) > 1:  # the first average is the weight itself
            self.look("batch")

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        if int(self.model.optimizer.iterations.numpy()) > 1:
            self.look("test")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if epoch > 0 and epoch < 3:
            self.look("epoch")


@pytest.mark.parametrize("swap_on_epoch", [False, True])
def test_averages_stand_in_the_weights_place(swap_on_epoch: bool) -> None:
    def train(*more: Any) -> Any:
        model = make()
        model.compile(optimizers.SGD(0.5, use_ema=True, ema_momentum=0.9), "binary_crossentropy")
        model.fit(X, Y, batch_size=50, epochs=4, verbose=0, validation_data=(X, Y), callbacks=list(more))
        return model

    look = Look()
    swapped, plain = train(callbacks.SwapEMAWeights(swap_on_epoch), look), train()
    wanted = {"batch": False, "test": True, "epoch": swap_on_epoch}
    assert len(look.seen) == 8
    assert all(lag == wanted[where] for where, lag in look.seen)
    for one, other in zip(swapped.weights, plain.weights, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())  # both end with the averages


def test_averages_stay_when_a_later_callback_stops() -> None:
    class Stop(callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.shown = [w.numpy().copy() for w in self.model.trainable_weights]
            self.model.stop_training = epoch == 1

    model, stop = make(), Stop()
    model.compile(optimizers.SGD(0.5, use_ema=True), "binary_crossentropy")
    model.fit(X, Y, epochs=9, verbose=0, callbacks=[callbacks.SwapEMAWeights(True), stop])
    for weight, shown in zip(model.trainable_weights, stop.shown, strict=True):
        np.testing.assert_array_equal(weight.numpy(), shown)


def test_swap_needs_averages() -> None:
    with pytest.raises(ValueError, match="use_ema=False in Adam"):
        make().evaluate(X, Y, verbose=0, callbacks=[callbacks.SwapEMAWeights()])
