"""The older .h5 format as we write it, read again here; what real Keras makes of it: tests_keras/test_older.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import striate as keras
from striate import layers
from striate.core.errors import ArgumentError
from striate.saving import older_h5_write
from tests.saving.files import small
from tests.saving.own import X, Y, same_bits, state, trained


def reloaded(model: Any, folder: Path, name: str = "m.h5", **arguments: Any) -> Any:
    model.save(folder / name, **arguments)
    return keras.models.load_model(folder / name)


def functional() -> Any:
    start = keras.Input((6,), name="a")
    shared = layers.Dense(6, name="shared")
    inside = keras.Sequential([keras.Input((6,)), shared, layers.BatchNormalization(trainable=False)], name="inside")
    end = layers.Dense(2, name="end")(layers.Add()([inside(start), shared(start * 2.0)]))
    return keras.Model(start, end, name="f")


@pytest.mark.parametrize("optimizer", ["adam", "sgd", keras.optimizers.RMSprop(0.1, momentum=0.5, centered=True)])
def test_training_goes_on(tmp_path: Path, optimizer: Any) -> None:
    model = trained(optimizer)
    again = reloaded(model, tmp_path, "m.hdf5")
    same_bits(state(again), state(model))
    for each in (model, again):
        each.reset_metrics()
    assert again.train_on_batch(X, Y) == model.train_on_batch(X, Y)
    same_bits(state(again), state(model))


def test_functional(tmp_path: Path) -> None:
    """Shared layers, models inside, operations, what is frozen."""
    model = functional()
    again = reloaded(model, tmp_path)
    same_bits(again.get_weights(), model.get_weights())
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))
    assert len(again.weights) == len(model.weights)
    assert not again.compiled
    assert [v.trainable for v in again.weights] == [v.trainable for v in model.weights]
    other = functional()
    other.load_weights(tmp_path / "m.h5", by_name=True)
    same_bits(other.get_weights(), model.get_weights())


def test_without_the_optimizer(tmp_path: Path) -> None:
    assert not reloaded(small(), tmp_path, include_optimizer=False).compiled


def test_names_without_a_place(tmp_path: Path) -> None:
    class Twins(layers.Layer):
        def build(self, input_shape: Any) -> None:
            self.one, self.other = (self.add_weight(shape=(2,), name="w", initializer="normal") for _ in range(2))

        def call(self, x: Any) -> Any:
            return x * self.one + self.other

    model = keras.Sequential([keras.Input((2,)), Twins(name="t")])
    model.save(tmp_path / "m.h5")
    again = keras.models.load_model(tmp_path / "m.h5", custom_objects={"Twins": Twins})
    same_bits(again.get_weights(), model.get_weights())
    odd = keras.Sequential([keras.Input((2,)), layers.Dense(1, name="..")])
    with pytest.raises(ArgumentError, match=r"A layer named '..' has no place .*save the model as .keras"):
        odd.save(tmp_path / "odd.h5")
    assert not (tmp_path / "odd.h5").exists()


def test_long_lists_of_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(older_h5_write, "_IN_HEADER", 40)
    model = keras.Sequential([keras.Input((2,)), *(layers.Dense(2, name=f"layer_number_{i}") for i in range(9))])
    again = reloaded(model, tmp_path)
    same_bits(again.get_weights(), model.get_weights())
    with h5py.File(tmp_path / "m.h5") as file:
        held = file["model_weights"].attrs
        assert "layer_names" not in held and "layer_names3" in held


def test_what_has_no_place(tmp_path: Path) -> None:
    class Own(keras.Model):
        def call(self, x: Any) -> Any:
            return x

    own = Own()
    own(X)
    with pytest.raises(
        ArgumentError, match=r"holds Sequential and functional models. Received: Own. Save it as .keras"
    ):
        own.save(tmp_path / "m.h5")
    with pytest.raises(ArgumentError, match="it is not built"):
        keras.Sequential([layers.Dense(1)]).save(tmp_path / "m.h5")
    small().save(tmp_path / "m.h5")
    with pytest.raises(ArgumentError, match="exists already"):
        small().save(tmp_path / "m.h5", overwrite=False)
