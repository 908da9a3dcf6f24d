"""Objects that stand in several places of a model come back as one; weights alone, in both layouts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import striate as keras
from striate import layers
from tests.saving.files import layer, refused, rewrite, saved, sequential
from tests.saving.own import (
    RNG,
    Fives,
    Scale,
    X,
    Y,
    reloaded,
    same_bits,
    state,
    trained,
)


class Pair(layers.Layer):
    def __init__(self, first: Any, second: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.first, self.second = first, second

    def call(self, x: Any) -> Any:
        return self.first(x) + 2 * self.second(x)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        revive = keras.saving.deserialize_keras_object
        return cls(**{**config, "first": revive(config["first"]), "second": revive(config["second"])})


def test_one_layer_twice_in_a_layer_of_the_users(tmp_path: Path) -> None:
    dense = layers.Dense(3)
    model = keras.Sequential([keras.Input((6,)), Pair(dense, dense)])
    loaded = reloaded(model, tmp_path, custom_objects={"Pair": Pair})
    assert loaded.layers[0].first is loaded.layers[0].second
    assert len(loaded.weights) == len(model.weights) == 2
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), model.predict(X, verbose=0))
    other = keras.Sequential([keras.Input((6,)), Pair(layers.Dense(3), layers.Dense(3))])
    again = reloaded(other, tmp_path, custom_objects={"Pair": Pair})
    assert again.layers[0].first is not again.layers[0].second


def test_one_layer_in_two_models(tmp_path: Path) -> None:
    shared = layers.Dense(3, name="shared")

    def around(name: str) -> Any:
        inputs = keras.Input((6,))
        return keras.Model(inputs, layers.ReLU()(shared(inputs)), name=name)

    first, second, inputs = around("first"), around("second"), keras.Input((6,))
    model = keras.Model(inputs, layers.Concatenate()([first(inputs), second(inputs), shared(inputs), second(inputs)]))
    model.compile("adam", "mse")
    target = RNG.normal(size=(24, 12)).astype("float32")
    model.train_on_batch(X, target)
    loaded = reloaded(model, tmp_path)
    found = [loaded.get_layer("shared")] + [loaded.get_layer(n).get_layer("shared") for n in ("first", "second")]
    assert all(layer is found[0] for layer in found)
    assert len(loaded.weights) == 2
    model.train_on_batch(X, target)
    loaded.train_on_batch(X, target)
    same_bits(state(loaded), state(model))


def test_one_layer_in_two_models_that_are_listed_after_it(tmp_path: Path) -> None:
    """The models' own calls of the layer are no calls of the outer model's."""
    shared, inputs = layers.Dense(6, name="shared"), keras.Input((6,), name="a")
    first, second = (keras.Sequential([keras.Input((6,)), shared, layers.ReLU()], name=n) for n in ("one", "two"))
    model = keras.Model(inputs, layers.Add()([first(inputs), second(shared(inputs))]))
    loaded = reloaded(model, tmp_path)
    assert len(loaded.weights) == 2
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), model.predict(X, verbose=0))


def test_shared_ids_mean_nothing_beyond_the_file(tmp_path: Path) -> None:
    """Two loads of one file share no object."""
    dense = layers.Dense(3)
    path = saved(tmp_path, keras.Sequential([keras.Input((6,)), Pair(dense, dense)]))
    a, b = (keras.models.load_model(path, custom_objects={"Pair": Pair}) for _ in range(2))
    assert a.layers[0].first is not b.layers[0].first


def test_a_shared_id_of_another_kind(path: Path) -> None:
    """An optimizer in a layer's place is refused, by whatever name it comes."""
    config = sequential({**layer("Dense", units=2), "shared_object_id": 5})
    config["compile_config"] = {"optimizer": {**config["config"]["layers"][1]}, "loss": "mse"}
    refused(rewrite(path, config=config))


class Net(keras.Model):
    def __init__(self, units: int = 4, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units
        self.dense = layers.Dense(units, activation="relu")
        self.blocks = [layers.Dense(units), layers.BatchNormalization(), layers.Dense(units)]
        self.named = {"b": Scale(), "a": layers.Dense(2)}

    def call(self, x: Any) -> Any:
        x = self.dense(x)
        for block in self.blocks:
            x = block(x)
        return self.named["a"](self.named["b"](x))


def net(units: int = 4) -> Any:
    model = Net(units)
    model.compile("adam", "mse")
    model.train_on_batch(X, Y)
    return model


def test_subclassed_models(tmp_path: Path) -> None:
    model = net()
    loaded = reloaded(model, tmp_path, custom_objects={"Net": Net, "Scale": Scale, "Fives": Fives})
    assert type(loaded) is Net
    assert loaded.units == 4
    same_bits(state(loaded), state(model))
    for _ in range(2):
        assert loaded.train_on_batch(X, Y) == model.train_on_batch(X, Y)
    same_bits(state(loaded), state(model))


@pytest.mark.parametrize("make", [net, trained], ids=["attributes", "layers"])
@pytest.mark.parametrize("ending", [".weights.h5", ".keras"])
def test_weights_alone(tmp_path: Path, make: Any, ending: str) -> None:
    """Both layouts: by attributes for subclassed models, under `layers/` for the others."""
    import h5py

    arguments = (4,) if make is net else ("adam",)
    model, path = make(*arguments), tmp_path / f"a{ending}"
    model.save_weights(path) if ending == ".weights.h5" else model.save(path)
    if ending == ".weights.h5":
        with h5py.File(path, "r") as file:
            if make is net:
                # As in Keras: what a list in an attribute holds is found there, what a dictionary does by `layers`.
                assert set(file) == {"blocks", "dense", "layers", "optimizer", "vars"}
                assert set(file["blocks"]) == {"dense", "dense_1", "batch_normalization"}
                assert set(file["layers"]) == {"dense_3", "scale"}
            else:
                assert set(file["layers"]) == {"dense", "dense_1", "batch_normalization"}
    other = make(*arguments)
    for variable in other.variables:
        variable.assign(variable * 0)
    other.load_weights(path)
    same_bits(state(other), state(model))
    np.testing.assert_array_equal(other.predict(X, verbose=0), model.predict(X, verbose=0))


def test_own_ways_of_saving_variables(tmp_path: Path) -> None:
    """`save_own_variables` and `load_own_variables`; what such a loader leaves alone has its initializer's values."""

    class Odd(layers.Layer):
        def build(self, input_shape: Any) -> None:
            self.kept = self.add_weight(shape=(3,), initializer="ones", name="kept")
            self.left = self.add_weight(shape=(3,), initializer=Fives(), name="left")

        def call(self, x: Any) -> Any:
            return x

        def save_own_variables(self, store: Any) -> None:
            store["only"] = np.asarray(self.kept) * 2

        def load_own_variables(self, store: Any) -> None:
            assert list(store) == ["only"]
            assert np.asarray(self.left).tolist() == [5, 5, 5]
            self.kept.assign(store["only"])

    model = keras.Sequential([keras.Input((4,)), Odd()])
    model.layers[0].left.assign([1.0, 2.0, 3.0])
    loaded = reloaded(model, tmp_path, custom_objects={"Odd": Odd})
    assert np.asarray(loaded.layers[0].kept).tolist() == [2, 2, 2]
    assert np.asarray(loaded.layers[0].left).tolist() == [5, 5, 5]


def test_frozen_layers_of_a_functional_model_stay_frozen(tmp_path: Path) -> None:
    start, frozen = keras.Input((6,)), layers.Dense(6, name="frozen", trainable=False)
    model = keras.Model(start, layers.Dense(2, name="end")(frozen(start)))
    loaded = reloaded(model, tmp_path)
    assert [layer.trainable for layer in loaded.layers] == [True, False, True]
    assert len(loaded.trainable_weights) == 2
    whole = keras.Model(start, model.outputs[0], trainable=False)
    assert not whole.trainable_weights and [layer.trainable for layer in whole.layers] == [True, False, True]
