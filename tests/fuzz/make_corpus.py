"""Makes the first files of the corpus: python -m tests.fuzz.make_corpus. What fuzzing found was added by hand."""

from __future__ import annotations

import gzip
import json
import struct
import zipfile
from typing import Any

import numpy as np

import striate as keras
from striate import layers
from tests.fuzz.targets import CORPUS, named
from tests.saving.files import small
from tests.saving.test_older import LEGACY


def functional() -> Any:
    start = keras.Input((6, 6, 2), name="a")
    t = layers.Conv2D(2, 3, padding="same", kernel_regularizer="l2", name="b")(start)
    t = layers.Add(name="c")([t, layers.BatchNormalization(name="n")(start)])
    inside = keras.Sequential([keras.Input((6, 6, 2)), layers.MaxPooling2D(), layers.Flatten()], name="inside")
    t = layers.Concatenate(name="j")(
        [inside(t), layers.GlobalAveragePooling2D(name="g")(keras.ops.relu(t * 0.5)[:, 1:])]
    )
    model = keras.Model(start, layers.Dense(1, activation="tanh", name="d")(t), name="m")
    model.compile(
        keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)), "mse", metrics=["mae"]
    )
    return model


def wrapped() -> Any:
    model = keras.Sequential(
        [
            keras.Input((3, 4, 4, 2)),
            layers.TimeDistributed(layers.SpectralNormalization(layers.Conv2D(2, 2))),
            layers.Reshape((-1, 2)),
            layers.Conv1D(3, 2, padding="causal", kernel_initializer="orthogonal", bias_constraint="non_neg"),
            layers.Normalization(mean=[1.0, 2.0, 3.0], variance=[1.0, 1.0, 2.0]),
            layers.LocalResponseNormalization(),
            layers.Dropout(0.5, seed=3),
        ],
        name="w",
    )
    return model


def main() -> None:
    for name in ("keras", "weights", "older", "older-weights", "json", "config", "idx"):
        (CORPUS / name).mkdir(parents=True, exist_ok=True)
    models = {"small": small(), "functional": functional(), "wrapped": wrapped()}
    for name, model in models.items():
        model.save(CORPUS / "keras" / f"{name}.keras")
        for folder in ("json", "config"):
            (CORPUS / folder / f"{name}.json").write_text(model.to_json())
    models["small"].save_weights(CORPUS / "weights" / "small.weights.h5")
    described = keras.saving.serialize_keras_object
    things = [keras.optimizers.Adam(0.1), keras.losses.Huber(0.5), keras.metrics.AUC(5), keras.initializers.HeNormal(3)]
    things += [layers.Dense(2, kernel_regularizer="l1l2"), keras.regularizers.L2(0.1)]
    (CORPUS / "config" / "things.json").write_text(json.dumps([described(thing) for thing in things]))
    with zipfile.ZipFile(LEGACY / "keras-2.15.zip") as archive:
        for name in ("functional.keras", "first_kind.keras"):
            (CORPUS / "keras" / f"2.15-{name}").write_bytes(archive.read(name))
        for name in ("functional.h5", "first_kind.h5"):
            (CORPUS / "older" / f"2.15-{name}").write_bytes(archive.read(name))
    older_weights(CORPUS / "older-weights" / "small.h5")
    images = struct.pack(">4B3I", 0, 0, 8, 3, 4, 3, 2) + np.arange(24, dtype="uint8").tobytes()
    (CORPUS / "idx" / "images").write_bytes(images)
    (CORPUS / "idx" / "images.gz").write_bytes(gzip.compress(images, mtime=0))
    # Nothing, said to be larger than any array: NumPy's own error came out.
    (CORPUS / "idx" / "found-empty").write_bytes(struct.pack(">4B4I", 0, 0, 8, 4, 0, *[2**32 - 1] * 3))


def older_weights(path: Any) -> None:
    import h5py

    model = named()
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [layer.name.encode() for layer in model.layers]
        for layer in model.layers:
            group = file.create_group(layer.name)
            group.attrs["weight_names"] = [f"{layer.name}/{w.name}:0".encode() for w in layer.weights]
            for weight in layer.weights:
                group[f"{layer.name}/{weight.name}:0"] = np.asarray(weight)


if __name__ == "__main__":
    main()
