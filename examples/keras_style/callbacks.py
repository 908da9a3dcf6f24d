"""Callbacks: keep the best weights, lower the rate, stop in time, write a log, and do something of your own.

    python examples/keras_style/callbacks.py

600 images are few, so the network soon learns them by heart: there is something to stop. With real Keras: write
`import keras` in place of `import striate as keras`.
"""

import csv
import os
import tempfile

import numpy as np

import striate as keras
from striate.datasets import fashion_mnist_mini

layers = keras.layers

(x_train, y_train), (x_test, y_test) = fashion_mnist_mini.load_data()
x_train, y_train = x_train[:600, ..., np.newaxis] / 255.0, y_train[:600]
x_test = x_test[..., np.newaxis] / 255.0
# The test images judge at the end, so what callbacks watch must be others.
x_train, x_valid = x_train[:450], x_train[450:]
y_train, y_valid = y_train[:450], y_train[450:]


class GapWatcher(keras.callbacks.Callback):
    """Tells by how much the network is better on what it has seen."""

    def __init__(self):
        super().__init__()
        self.gaps = []

    def on_train_begin(self, logs=None):
        self.gaps.clear()

    def on_epoch_end(self, epoch, logs=None):
        self.gaps.append(logs["accuracy"] - logs["val_accuracy"])

    def on_train_end(self, logs=None):
        epochs, steps = self.params["epochs"], self.params["steps"]
        print(f"{len(self.gaps)} of {epochs} epochs of {steps} steps; gaps:", *(f"{gap:+.2f}" for gap in self.gaps))


def warm_up(epoch, rate):
    """The first epoch in small steps; then what ReduceLROnPlateau makes of the rate."""
    return 0.01 if epoch == 0 else 0.05 if epoch == 1 else rate


keras.utils.set_random_seed(42)
model = keras.Sequential(
    [
        keras.Input((28, 28, 1)),
        # LeNet's kind of network: smooth activations and averages.
        layers.Conv2D(8, 5, padding="same", activation="tanh"),
        layers.AveragePooling2D(2),
        layers.Conv2D(16, 5, activation="tanh"),
        layers.AveragePooling2D(2),
        layers.Flatten(),
        layers.Dense(64, activation="tanh"),
        layers.Dense(10, activation="softmax"),
    ]
)
model.compile(
    optimizer=keras.optimizers.SGD(0.01, momentum=0.9),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)

with tempfile.TemporaryDirectory() as folder:
    best, log = os.path.join(folder, "best.keras"), os.path.join(folder, "log.csv")
    watcher = GapWatcher()
    history = model.fit(
        x_train,
        y_train,
        batch_size=30,
        epochs=30,
        validation_data=(x_valid, y_valid),
        verbose=2,
        callbacks=[
            keras.callbacks.LearningRateScheduler(warm_up),
            # Before stopping, try smaller steps; `min_delta` keeps noise from counting as progress.
            keras.callbacks.ReduceLROnPlateau(monitor="val_loss", factor=0.3, patience=2, min_delta=0.01, verbose=1),
            keras.callbacks.EarlyStopping(
                monitor="val_loss", min_delta=0.005, patience=5, restore_best_weights=True, verbose=1
            ),
            keras.callbacks.ModelCheckpoint(best, monitor="val_loss", save_best_only=True, verbose=1),
            keras.callbacks.CSVLogger(log),
            keras.callbacks.LambdaCallback(on_train_begin=lambda logs: print("off we go")),
            keras.callbacks.TerminateOnNaN(),
            watcher,
        ],
    )
    with open(log, newline="") as file:
        rows = list(csv.DictReader(file))
    kept = keras.models.load_model(best)

print("the log's columns:", *rows[0])
print("rates:", *(f"{float(row['learning_rate']):.1e}" for row in rows))
best_epoch = int(np.argmin(history.history["val_loss"]))
print(f"{len(rows)} rows; the lowest val_loss, {min(history.history['val_loss']):.3f}, was in epoch {best_epoch + 1}")

# EarlyStopping has put back the weights of the last epoch that was better by min_delta. The file's may be better still.
restored, _ = model.evaluate(x_valid, y_valid, verbose=0)
best_kept, _ = kept.evaluate(x_valid, y_valid, verbose=0)
print(f"val_loss of the restored weights {restored:.3f}, of the file {best_kept:.3f}")
_, accuracy = kept.evaluate(x_test, y_test, verbose=0)
print(f"test accuracy {accuracy:.3f}")
