"""Each callback on a model that only keeps its books; what they do inside `fit` is tested with the models."""

from __future__ import annotations

import math
import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from striate import callbacks as cb


class Metric:
    def __init__(self, name: str, direction: str | None) -> None:
        self.name = name
        self._direction = direction


class Optimizer:
    learning_rate: Any = 0.1


class Model:
    """What callbacks ask of a model."""

    def __init__(self) -> None:
        self.stop_training = False
        self.optimizer = Optimizer()
        self.metrics: list[Metric] = []
        self.weights = 0
        self.saved: list[str] = []
        self.history: Any = None

    def get_weights(self) -> list[int]:
        return [self.weights]

    def set_weights(self, weights: list[int]) -> None:
        (self.weights,) = weights

    def save(self, path: str, overwrite: bool) -> None:
        self.saved.append(path)

    def save_weights(self, path: str, overwrite: bool) -> None:
        self.saved.append(path)


def run(callback: cb.Callback, values: list[Any], name: str = "val_loss", model: Model | None = None) -> Model:
    """Epochs with these values of the watched metric, until the callback stops them."""
    model = model or Model()
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, value in enumerate(values):
        callback.on_epoch_begin(epoch)
        model.weights = epoch
        callback.on_epoch_end(epoch, {} if value is None else {name: value})
        if model.stop_training:
            break
    callback.on_train_end()
    return model


# EarlyStopping


def test_stops_after_patience_and_restores_the_best() -> None:
    stopper = cb.EarlyStopping(patience=2, restore_best_weights=True)
    model = run(stopper, [3.0, 1.0, 2.0, 2.0, 0.5])
    assert (stopper.stopped_epoch, stopper.best_epoch, stopper.best) == (3, 1, 1.0)
    assert model.weights == 1


def test_restores_the_best_at_the_end_too() -> None:
    assert run(cb.EarlyStopping(patience=9, restore_best_weights=True), [1.0, 2.0]).weights == 0


def test_small_changes_are_no_improvement() -> None:
    stopper = cb.EarlyStopping(min_delta=0.1, patience=2)
    run(stopper, [1.0, 0.95, 0.91, 0.5])
    assert stopper.stopped_epoch == 2


def test_start_from_epoch() -> None:
    stopper = cb.EarlyStopping(patience=1, start_from_epoch=3)
    run(stopper, [1.0, 2.0, 3.0, 4.0, 5.0])
    assert stopper.stopped_epoch == 4


def test_baseline_has_to_be_reached() -> None:
    stopper = cb.EarlyStopping(patience=2, baseline=0.5)
    run(stopper, [1.0, 0.9, 0.8, 0.7])
    assert stopper.stopped_epoch == 1


def test_nan_is_never_better() -> None:
    stopper = cb.EarlyStopping(patience=2, restore_best_weights=True)
    model = run(stopper, [1.0, math.nan, math.nan])
    assert model.weights == 0 and stopper.stopped_epoch == 2


@pytest.mark.parametrize(
    ("monitor", "direction", "values"),
    [
        ("val_accuracy", None, [0.1, 0.2, 0.3]),
        ("val_loss", None, [3, 2, 1]),
        ("val_odd", "up", [1, 2, 3]),
        ("odd", "down", [3, 2, 1]),
    ],
)
def test_auto_mode_knows_which_way_is_better(monitor: str, direction: str | None, values: list[float]) -> None:
    model = Model()
    model.metrics = [Metric("odd", direction)]
    stopper = cb.EarlyStopping(monitor, patience=1)
    run(stopper, values, monitor, model)
    assert stopper.stopped_epoch == 0 and stopper.best == values[-1]


def test_auto_mode_asks_where_it_cannot_know() -> None:
    with pytest.raises(ValueError, match="Pass `mode='max'` or `mode='min'`"):
        run(cb.EarlyStopping("val_odd"), [1.0], "val_odd")


def test_a_missing_value_warns_and_names_what_there_is() -> None:
    with pytest.warns(UserWarning, match="`val_loss` which is not available. Available metrics are: loss"):
        run(cb.EarlyStopping(), [1.0], "loss")


# ModelCheckpoint


def test_checkpoint_each_epoch_with_names_in_the_path(tmp_path: Path) -> None:
    model = run(cb.ModelCheckpoint(tmp_path / "new" / "{epoch:02d}-{val_loss:.1f}.keras"), [2.0, 1.5])
    assert [os.path.basename(p) for p in model.saved] == ["01-2.0.keras", "02-1.5.keras"]
    assert (tmp_path / "new").is_dir()


def test_checkpoint_of_the_best_only(tmp_path: Path) -> None:
    model = run(cb.ModelCheckpoint(tmp_path / "{epoch}.keras", save_best_only=True), [3.0, 2.0, 2.5, 1.0])
    assert [os.path.basename(p) for p in model.saved] == ["1.keras", "2.keras", "4.keras"]


def test_checkpoint_of_what_cannot_be_compared(tmp_path: Path) -> None:
    """As in Keras: it is saved, with a warning."""
    with pytest.warns(UserWarning, match="`unknown` which is not available"):
        model = run(cb.ModelCheckpoint(tmp_path / "{epoch}.keras", "unknown", save_best_only=True, mode="min"), [1.0])
    assert len(model.saved) == 1


def test_checkpoint_tells_what_it_does_as_keras_does(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "best.keras"
    run(cb.ModelCheckpoint(path, save_best_only=True, verbose=1), [float(np.float32(2.3)), 1.0, 2.0])
    assert capsys.readouterr().out.split("\n\n") == [
        f"\nEpoch 1: val_loss improved from None to 2.30000, saving model to {path}",
        f"Epoch 1: finished saving model to {path}",
        f"Epoch 2: val_loss improved from 2.30000 to 1.00000, saving model to {path}",
        f"Epoch 2: finished saving model to {path}",
        "Epoch 3: val_loss did not improve from 1.00000\n",
    ]


def test_checkpoint_threshold(tmp_path: Path) -> None:
    made = cb.ModelCheckpoint(tmp_path / "{epoch}.keras", save_best_only=True, initial_value_threshold=1.5)
    assert len(run(made, [3.0, 1.0]).saved) == 1


def test_checkpoint_every_few_batches(tmp_path: Path) -> None:
    made = cb.ModelCheckpoint(tmp_path / "w{epoch}-{batch}.weights.h5", save_weights_only=True, save_freq=3)
    model = Model()
    made.set_model(model)
    for epoch in range(2):
        made.on_epoch_begin(epoch)
        for batch in range(4):
            made.on_train_batch_end(batch, {"loss": 1.0})
        made.on_epoch_end(epoch, {"loss": 1.0})
    assert [os.path.basename(p) for p in model.saved] == ["w1-3.weights.h5", "w2-2.weights.h5"]


@pytest.mark.parametrize(
    ("path", "options", "text"),
    [
        ("m.h5x", {}, "end in `.keras`"),
        ("m.keras", {"save_weights_only": True}, r"end in `.weights.h5`"),
        ("m.keras", {"save_freq": "step"}, "Unrecognized save_freq"),
    ],
)
def test_checkpoint_arguments(path: str, options: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        cb.ModelCheckpoint(path, **options)


def test_checkpoint_names_the_missing_value(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no logged value named 'val_auc'; there are: epoch, val_loss"):
        run(cb.ModelCheckpoint(tmp_path / "{val_auc}.keras"), [1.0])


# Learning rates


def test_scheduler_sets_the_rate_before_each_epoch() -> None:
    model = Model()
    rates = []
    scheduler = cb.LearningRateScheduler(lambda epoch, rate: rate * 0.5)
    scheduler.set_model(model)
    for epoch in range(2):
        scheduler.on_epoch_begin(epoch)
        logs: dict[str, Any] = {}
        scheduler.on_epoch_end(epoch, logs)
        rates.append(logs["learning_rate"])
    np.testing.assert_allclose(rates, [0.05, 0.025])


def test_scheduler_of_the_epoch_alone_and_wrong_results() -> None:
    model = Model()
    scheduler = cb.LearningRateScheduler(lambda epoch: 0.3)
    scheduler.set_model(model)
    scheduler.on_epoch_begin(0)
    assert model.optimizer.learning_rate == 0.3
    broken = cb.LearningRateScheduler(lambda epoch, rate: "fast")
    broken.set_model(model)
    with pytest.raises(ValueError, match="should be a float"):
        broken.on_epoch_begin(0)


def test_plateau_lowers_the_rate_waits_and_stops_at_the_least() -> None:
    model = Model()
    reducer = cb.ReduceLROnPlateau(factor=0.5, patience=2, cooldown=1, min_lr=0.04)
    run(reducer, [1.0, 1.0, 1.0], model=model)
    assert model.optimizer.learning_rate == pytest.approx(0.05)
    run(reducer, [1.0] * 9, model=model)
    assert model.optimizer.learning_rate == pytest.approx(0.04)


def test_plateau_factor() -> None:
    with pytest.raises(ValueError, match="factor"):
        cb.ReduceLROnPlateau(factor=1.0)


# The others


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_terminate_on_nan(loss: float, capsys: pytest.CaptureFixture[str]) -> None:
    model = Model()
    callback = cb.TerminateOnNaN()
    callback.set_model(model)
    callback.on_train_batch_end(0, {"loss": 1.0})
    assert not model.stop_training
    callback.on_train_batch_end(3, {"loss": loss})
    assert model.stop_training
    assert capsys.readouterr().out.startswith("Batch 3: Invalid loss")
    raising = cb.TerminateOnNaN(raise_error=True)
    raising.set_model(model)
    with pytest.raises(RuntimeError, match="terminating"):
        raising.on_train_batch_end(0, {"loss": loss})


def test_csv_logger(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    for append in (False, True):
        logger = cb.CSVLogger(path, append=append)
        logger.on_train_begin()
        logger.on_epoch_end(0, {"loss": 1.5, "val_loss": 2.0})
        # Each line is there as soon as its epoch has ended.
        assert path.read_text().endswith("0,1.5,2.0\n")
        logger.on_epoch_end(1, {"loss": 1.0})
        logger.on_train_end()
    assert path.read_text() == "epoch,loss,val_loss\n0,1.5,2.0\n1,1.0,NA\n0,1.5,2.0\n1,1.0,NA\n"


def test_csv_logger_with_late_validation(tmp_path: Path) -> None:
    logger = cb.CSVLogger(tmp_path / "log.csv", separator=";")
    logger.on_train_begin()
    logger.on_epoch_end(0, {"loss": 1.5})
    logger.on_epoch_end(1, {"loss": 1.0, "val_loss": 2.0})
    logger.on_train_end()
    assert (tmp_path / "log.csv").read_text() == "epoch;loss;val_loss\n0;1.5;NA\n1;1.0;2.0\n"


def test_lambda_callback() -> None:
    seen: list[Any] = []
    callback = cb.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append((epoch, logs)), on_test_end=seen.append)
    callback.on_epoch_end(1, {"loss": 2})
    callback.on_test_end({"loss": 3})
    callback.on_epoch_begin(0)
    assert seen == [(1, {"loss": 2}), {"loss": 3}]
    with pytest.raises(ValueError, match="on_epoch_middle"):
        cb.LambdaCallback(on_epoch_middle=print)
    assert cb.LambdaCallback(helper=max).helper is max  # as in Keras: what is no moment is kept


def test_history_keeps_what_a_second_training_adds() -> None:
    history = cb.History()
    model = run(history, [1.0, 2.0])
    assert history.epoch == [0, 1] and history.history == {"val_loss": [1.0, 2.0]} and model.history is history


# CallbackList


class Recorder(cb.Callback):
    def __init__(self, old_name: bool = False) -> None:
        super().__init__()
        self.calls: list[Any] = []
        if old_name:
            self.on_batch_end = lambda batch, logs=None: self.calls.append(batch)  # type: ignore[method-assign]

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.calls.append((epoch, logs))


def test_list_calls_all_and_skips_batches_nobody_wants() -> None:
    recorder = Recorder()
    model = Model()
    together = cb.CallbackList([recorder, [cb.Callback()]], add_history=True, model=model, epochs=2, verbose=0)
    assert not together.wants("on_train_batch_end")
    together.on_train_batch_end(0, {"loss": 1.0})
    together.on_epoch_end(0, {"loss": 1.0})
    assert recorder.calls == [(0, {"loss": 1.0})]
    assert recorder.params == {"epochs": 2, "verbose": 0} and recorder.model is model
    assert model.history.history == {"loss": [1.0]}


def test_list_honours_the_older_names() -> None:
    recorder = Recorder(old_name=True)
    together = cb.CallbackList([recorder])
    assert together.wants("on_train_batch_end") and not together.wants("on_test_batch_end")
    together.on_train_batch_end(4, {})
    assert recorder.calls == [4]


def test_unknown_mode_warns() -> None:
    with pytest.warns(UserWarning, match="fallback to auto"):
        cb.EarlyStopping(mode="best")


def test_no_warnings_on_import() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert cb.Callback().params == {}
