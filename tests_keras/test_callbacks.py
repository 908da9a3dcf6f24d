"""Callbacks that change a training: losses epoch by epoch, the weights at the end, and backups both ways."""

from __future__ import annotations

import json

import numpy as np
import pytest

from support import all_close, both, ours

MAKE = """
rng = np.random.default_rng(0)
x = rng.normal(size=(24, 3)).astype("float32")
y = (x.sum(-1, keepdims=True) + rng.normal(0, 0.1, (24, 1))).astype("float32")
C, O = keras.callbacks, keras.optimizers
model = keras.Sequential([keras.layers.Input((3,)), keras.layers.Dense(4, "tanh"), keras.layers.Dense(1)])
model.set_weights([rng.normal(0, 0.5, w.shape) for w in model.get_weights()])
"""
FIT = (
    MAKE
    + """
model.compile(OPTIMIZER, "mse", metrics=["mae", keras.metrics.R2Score()])
history = model.fit(
    x, y, batch_size=8, epochs=5, shuffle=False, verbose=0, validation_split=0.25, callbacks=[CALLBACKS])
result = {"history": {k: [float(n) for n in v] for k, v in sorted(history.history.items())},
          "weights": model.get_weights(), "optimizer": [np.array(v) for v in model.optimizer.variables]}
"""
)
CASES = {
    "averages": ("O.SGD(0.1, use_ema=True, ema_momentum=0.8)", "C.SwapEMAWeights()"),
    "averages an epoch": ("O.Nadam(0.01, use_ema=True, ema_momentum=0.8)", "C.SwapEMAWeights(swap_on_epoch=True)"),
    "averages, stopped": (
        "O.SGD(0.1, use_ema=True, ema_momentum=0.8)",
        "C.SwapEMAWeights(), C.EarlyStopping(monitor='loss', patience=0, mode='max')",
    ),
    "scheduler": ("O.Adamax(0.01)", "C.LearningRateScheduler(lambda epoch, rate: rate * 0.5 if epoch else rate)"),
    "plateau": ("O.Adagrad(0.5)", "C.ReduceLROnPlateau('val_mae', factor=0.3, patience=1, min_delta=0.5)"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_training(oracle, case):
    optimizer, callbacks = CASES[case]
    got, expected = both(oracle, FIT.replace("OPTIMIZER", optimizer).replace("CALLBACKS", callbacks))
    all_close(got, expected, 1e-4)


STOP = (
    MAKE
    + """
class Stop(C.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 2: raise InterruptedError

model.compile(O.Lion(0.01), "mse")
try:
    model.fit(x, y, batch_size=8, epochs=4, shuffle=False, verbose=0, callbacks=[C.BackupAndRestore(folder), Stop()])
except InterruptedError:
    result = model.get_weights()
"""
)
GO_ON = (
    MAKE
    + """
model.compile(O.Lion(0.01), "mse")
kept = C.BackupAndRestore(folder, delete_checkpoint=False)
history = model.fit(x, y, batch_size=8, epochs=4, shuffle=False, verbose=0, callbacks=[kept])
result = {"loss": [float(n) for n in history.history["loss"]], "weights": model.get_weights()}
"""
)


@pytest.mark.parametrize("direction", ["ours to theirs", "theirs to ours"])
def test_a_backup_of_the_other(oracle, direction, tmp_path):
    def theirs(source, **given):
        return oracle("run_script", source=source, **given)

    writer, reader = (ours, theirs) if direction == "ours to theirs" else (theirs, ours)
    folder = str(tmp_path / "backup")
    writer(STOP, folder=folder)
    assert json.loads((tmp_path / "backup" / "training_metadata.json").read_text())["epoch"] == 2
    got = reader(GO_ON, folder=folder)
    whole = reader(GO_ON, folder=str(tmp_path / "another"))
    assert len(got["loss"]) == 2
    all_close(got["loss"], whole["loss"][2:], 1e-4)
    for one, other in zip(got["weights"], whole["weights"], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
