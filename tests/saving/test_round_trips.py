"""What is saved comes back: notes, classes of the user's own, the compilation with its state, shared objects."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import striate as keras
from striate import layers, ops
from striate.core.errors import ArgumentError, LoadError
from striate.saving.keras_archive import get_notes, set_notes
from tests.saving.files import config_of, layer, members, refused, rewrite, saved, sequential, small, watched

RNG = np.random.default_rng(7)
X = RNG.normal(size=(24, 6)).astype("float32")
Y = RNG.normal(size=(24, 2)).astype("float32")


def reloaded(model: Any, folder: Path, **arguments: Any) -> Any:
    model.save(folder / "model.keras")
    return keras.models.load_model(folder / "model.keras", **arguments)


def state(model: Any) -> list[Any]:
    return [np.asarray(v) for v in (*model.weights, *model.optimizer.variables)]


def same_bits(a: list[Any], b: list[Any]) -> None:
    assert len(a) == len(b) > 0
    for one, other in zip(a, b, strict=True):
        np.testing.assert_array_equal(one, other)


# Notes ----------------------------------------------------------------------------------------------------------------

NOTES = {"class_names": ["Bag", "Höhe", "靴"], "preprocessing": {"scale": 1 / 255, "size": [28, 28], "grey": True}}


def test_notes(tmp_path: Path) -> None:
    """They stand in metadata.json under "striate", and go along when the model is saved again."""
    model = small()
    assert get_notes(model) == {}
    set_notes(model, **NOTES)
    path = saved(tmp_path, model)
    metadata = json.loads(members(path)["metadata.json"])
    assert metadata["striate"] == NOTES
    assert set(metadata) == {"keras_version", "date_saved", "striate"}
    loaded = keras.models.load_model(path)
    assert get_notes(loaded) == NOTES
    set_notes(loaded, more=1)
    assert get_notes(reloaded(loaded, tmp_path)) == {**NOTES, "more": 1}
    assert get_notes(model) == NOTES, "the first model's are its own"


def test_no_notes_no_key(tmp_path: Path) -> None:
    assert "striate" not in json.loads(members(saved(tmp_path))["metadata.json"])


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_notes_of_copies(copied: Callable[[Any], Any]) -> None:
    model = small()
    set_notes(model, **NOTES)
    assert get_notes(copied(model)) == NOTES


@pytest.mark.parametrize("value", [np.float32(1), {1, 2}, b"x", float("nan"), lambda: 0, "x" * 5_000_000])
def test_notes_are_plain_and_few(value: Any) -> None:
    model = small()
    with pytest.raises(ArgumentError, match="Notes in a model's file"):
        set_notes(model, value=value)
    assert get_notes(model) == {}


@pytest.mark.parametrize(
    "notes", [{"model": 1}, {"self": {}, "notes": []}, {"class_names": 3}, {}, {"": None}, [1], 3, None, "x"]
)
def test_notes_of_any_kind_are_only_notes(path: Path, notes: Any) -> None:
    """A key named as an argument of ours once stopped the loading with a TypeError."""
    rewrite(path, metadata={"keras_version": "3.15.1", "striate": notes})
    with watched(path):
        model = keras.models.load_model(path)
    assert get_notes(model) == (notes if isinstance(notes, dict) else {})


# Classes of the user's ------------------------------------------------------------------------------------------------


class Scale(layers.Layer):
    def __init__(self, factor: float = 2.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.factor = factor

    def build(self, input_shape: Any) -> None:
        self.shift = self.add_weight(shape=(input_shape[-1],), initializer=Fives(), name="shift")

    def call(self, x: Any) -> Any:
        return x * self.factor + self.shift

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "factor": self.factor}


class Fives(keras.initializers.Initializer):
    def __call__(self, shape: Any, dtype: Any = None) -> Any:
        return np.full(shape, 5.0, "float32")


class Half(keras.losses.Loss):
    def call(self, y_true: Any, y_pred: Any) -> Any:
        return ops.mean(ops.square(y_true - y_pred), axis=-1) / 2


class Largest(keras.metrics.Metric):
    def __init__(self, name: str = "largest", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.value = self.add_weight(name="value", initializer="zeros")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        self.value.assign(ops.maximum(self.value, ops.max(y_pred)))

    def result(self) -> Any:
        return self.value


class Slow(keras.optimizers.SGD):
    def __init__(self, slowness: float = 3.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.slowness = slowness

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "slowness": self.slowness}


def swish_of_mine(x: Any) -> Any:
    return x * ops.sigmoid(x * 1.5)


def absolute_error(y_true: Any, y_pred: Any) -> Any:
    return ops.mean(ops.abs(y_true - y_pred), axis=-1)


OWN = {c.__name__: c for c in (Scale, Fives, Half, Largest, Slow, swish_of_mine, absolute_error)}


def own_model() -> Any:
    inputs = keras.Input((6,))
    hidden = layers.Dense(4, activation=swish_of_mine, kernel_initializer=Fives())(inputs)
    model = keras.Model(inputs, layers.Dense(2, kernel_initializer="lecun_normal")(Scale(0.1)(hidden)))
    model.compile(Slow(4.0, learning_rate=0.01, momentum=0.9), Half(), metrics=[Largest(), absolute_error])
    model.fit(X, Y, epochs=1, verbose=0)
    return model


def check_own(model: Any, loaded: Any) -> None:
    assert [type(layer) for layer in loaded.layers] == [type(layer) for layer in model.layers]
    assert loaded.layers[1].activation is swish_of_mine
    assert loaded.layers[2].factor == 0.1
    assert type(loaded.optimizer) is Slow
    assert loaded.optimizer.slowness == 4.0
    assert type(loaded.loss) is Half
    same_bits(state(loaded), state(model))
    assert list(loaded.evaluate(X, Y, verbose=0)) == list(model.evaluate(X, Y, verbose=0))
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), model.predict(X, verbose=0))


def test_custom_objects_given(tmp_path: Path) -> None:
    model = own_model()
    check_own(model, reloaded(model, tmp_path, custom_objects=OWN))


@pytest.mark.parametrize("name", OWN)
def test_each_custom_object_is_asked_for(tmp_path: Path, name: str) -> None:
    path = saved(tmp_path, own_model())
    rest = {k: v for k, v in OWN.items() if k != name}
    with pytest.raises(LoadError, match=f"'{name}'.*pass custom_objects={{'{name}': {name}}}"):
        keras.models.load_model(path, custom_objects=rest)


def test_custom_objects_in_a_scope(tmp_path: Path) -> None:
    model = own_model()
    path = saved(tmp_path, model)
    with keras.saving.custom_object_scope(OWN):
        check_own(model, keras.models.load_model(path))
    with pytest.raises(LoadError, match="Unknown"):
        keras.models.load_model(path)


def test_the_scope_of_a_loading_ends_with_it(tmp_path: Path) -> None:
    path = saved(tmp_path, own_model())
    keras.models.load_model(path, custom_objects=OWN)
    refuse = {k: v for k, v in OWN.items() if k != "Half"}
    with pytest.raises(LoadError):
        keras.models.load_model(path, custom_objects=refuse)
    with pytest.raises(LoadError):
        keras.models.load_model(path)
    assert all(keras.saving.get_registered_object(name) is None for name in OWN)


def test_global_custom_objects(tmp_path: Path) -> None:
    model = own_model()
    path = saved(tmp_path, model)
    keras.saving.get_custom_objects().update(OWN)
    try:
        check_own(model, keras.models.load_model(path))
    finally:
        keras.saving.get_custom_objects().clear()


def test_registered(tmp_path: Path) -> None:
    """By package and name, so that two classes of one name are told apart."""

    @keras.saving.register_keras_serializable("one")
    class Shift(layers.Layer):
        def call(self, x: Any) -> Any:
            return x + 1.0

    first = Shift

    @keras.saving.register_keras_serializable("two", name="Shift")
    class Shift2(layers.Layer):
        def call(self, x: Any) -> Any:
            return x + 20.0

    @keras.saving.register_keras_serializable("two")
    def shifted(x: Any) -> Any:
        return x + 300.0

    model = keras.Sequential([keras.Input((2,)), first(), Shift2(), layers.Activation(shifted)])
    path = saved(tmp_path, model)
    names = [d["registered_name"] for d in config_of(path)["config"]["layers"]]
    assert names[1:3] == ["one>Shift", "two>Shift"]
    loaded = keras.models.load_model(path)
    assert [type(layer) for layer in loaded.layers[:2]] == [first, Shift2]
    np.testing.assert_array_equal(loaded(np.zeros((1, 2), "float32")), [[321.0, 321.0]])


SHADOWS: dict[str, Callable[[], Any]] = {
    "activation": lambda: layers.Dense(2, activation="relu"),
    "initializer by name": lambda: layers.Dense(2, kernel_initializer="zeros"),
    "initializer": lambda: layers.Dense(2, kernel_initializer=keras.initializers.Zeros()),
    "regularizer": lambda: layers.Dense(2, kernel_regularizer="l2"),
    "constraint": lambda: layers.Dense(2, kernel_constraint=keras.constraints.NonNeg()),
    "layer": lambda: layers.ReLU(),
}
#: every way in which a file, also an older one, may write the same.
FORMS: dict[str, Callable[[dict[str, Any]], None]] = {
    "as it is": lambda d: None,
    "no module": lambda d: d.pop("module", None) and None,
    "module null": lambda d: d.__setitem__("module", None),
    "a registered name": lambda d: d.__setitem__("registered_name", d["class_name"]),
}


class Impostor(layers.Layer):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise AssertionError("took the place of a class of ours")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise AssertionError("took the place of a function of ours")


def impostor(*args: Any, **kwargs: Any) -> Any:
    raise AssertionError("took the place of a function of ours")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("what", SHADOWS)
@pytest.mark.parametrize("how", ["given", "scope", "global"])
def test_nothing_of_ours_is_shadowed(tmp_path: Path, what: str, form: str, how: str) -> None:
    """The user's objects never stand in for built-in ones, wherever they were given and however the file names them."""
    names = ("Dense", "ReLU", "Zeros", "L2", "NonNeg", "Sequential", "Adam", "MeanSquaredError", "GlorotUniform")
    functions = ("relu", "zeros", "l2", "linear", "mse", "adam", "glorot_uniform", "mean_squared_error", "mae")
    given = dict.fromkeys(names, Impostor) | dict.fromkeys(functions, impostor)
    given |= {f"keras.layers>{name}": Impostor for name in names}
    model = keras.Sequential([keras.Input((4,)), SHADOWS[what]()])
    model.compile("adam", "mse", metrics=["mae"])
    path = saved(tmp_path, model)
    config = config_of(path)
    waiting: list[Any] = [config]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            if "class_name" in item and item is not config:
                FORMS[form](item)
            waiting += item.values()
        elif isinstance(item, list):
            waiting += item
    rewrite(path, config=config)
    if how == "given":
        loaded = keras.models.load_model(path, custom_objects=given)
    elif how == "scope":
        with keras.saving.CustomObjectScope(given):
            loaded = keras.models.load_model(path)
    else:
        keras.saving.get_custom_objects().update(given)
        try:
            loaded = keras.models.load_model(path)
        finally:
            keras.saving.get_custom_objects().clear()
    assert type(loaded.layers[0]).__module__.startswith("striate.")
    loaded.test_on_batch(np.ones((2, 4), "float32"), np.ones((2, loaded.output_shape[-1]), "float32"))


# The compilation ------------------------------------------------------------------------------------------------------

OPTIMIZERS: dict[str, Callable[[], Any]] = {
    "sgd": lambda: "sgd",
    "momentum": lambda: keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
    "adam": lambda: keras.optimizers.Adam(0.01, amsgrad=True, clipnorm=1.0),
    "adamw": lambda: keras.optimizers.AdamW(0.01, use_ema=True, ema_momentum=0.9),
    "rmsprop": lambda: keras.optimizers.RMSprop(0.01, momentum=0.5, centered=True),
    "accumulation": lambda: keras.optimizers.Adam(0.01, gradient_accumulation_steps=3),
    "schedule": lambda: keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.1, 5, 0.7), momentum=0.9),
    "warm-up": lambda: keras.optimizers.Adam(
        keras.optimizers.schedules.CosineDecay(0.0, 20, warmup_target=0.1, warmup_steps=4)
    ),
}


def trained(optimizer: Any) -> Any:
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [keras.Input((6,)), layers.Dense(8, activation="tanh"), layers.BatchNormalization(), layers.Dense(2)]
    )
    model.compile(optimizer, "mse", metrics=["mae"], weighted_metrics=[keras.metrics.MeanSquaredError(name="w")])
    model.fit(X, Y, batch_size=5, epochs=2, verbose=0)
    return model


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_training_goes_on_as_if_it_had_not_stopped(tmp_path: Path, kind: str) -> None:
    """The same bits in weights, slots, iteration and history, from a file as from the model that went on."""
    model = trained(OPTIMIZERS[kind]())
    loaded = reloaded(model, tmp_path)
    steps = 3 if kind == "accumulation" else 10
    assert int(loaded.optimizer.iterations) == int(model.optimizer.iterations) == steps
    same_bits(state(loaded), state(model))
    assert loaded.get_compile_config() == model.get_compile_config()
    on = model.fit(X, Y, batch_size=5, epochs=4, initial_epoch=2, verbose=0).history
    again = loaded.fit(X, Y, batch_size=5, epochs=4, initial_epoch=2, verbose=0).history
    assert again == on
    assert set(on) == {"loss", "mae", "w"}
    same_bits(state(loaded), state(model))


def test_a_learning_rate_that_was_changed_is_kept(tmp_path: Path) -> None:
    model = trained("adam")
    model.optimizer.learning_rate = 0.125
    loaded = reloaded(model, tmp_path)
    assert float(loaded.optimizer.learning_rate) == 0.125


def test_weights_and_what_is_trainable(tmp_path: Path) -> None:
    """Frozen layers stay frozen, and the optimizer's slots are those of the rest."""
    model = keras.Sequential([keras.Input((6,)), layers.Dense(8), layers.Dense(2)])
    model.layers[0].trainable = False
    model.compile("adam", "mse")
    model.fit(X, Y, verbose=0)
    loaded = reloaded(model, tmp_path)
    assert [layer.trainable for layer in loaded.layers] == [False, True]
    same_bits(state(loaded), state(model))


def several_outputs() -> Any:
    inputs = keras.Input((6,))
    model = keras.Model(inputs, {"a": layers.Dense(2, name="a")(inputs), "b": layers.Dense(2, name="b")(inputs)})
    model.compile(
        "adam", {"a": "mse", "b": keras.losses.Huber() if hasattr(keras.losses, "Huber") else "mae"},
        loss_weights={"a": 1.0, "b": 0.5}, metrics={"a": ["mae"], "b": []},
    )  # fmt: skip
    model.train_on_batch(X, {"a": Y, "b": Y})
    return model


def test_several_outputs(tmp_path: Path) -> None:
    model = several_outputs()
    loaded = reloaded(model, tmp_path)
    assert loaded.get_compile_config() == model.get_compile_config()
    for _ in range(2):
        assert loaded.train_on_batch(X, {"a": Y, "b": Y}) == model.train_on_batch(X, {"a": Y, "b": Y})
    same_bits(state(loaded), state(model))


def nested_and_compiled() -> Any:
    inner = keras.Sequential([keras.Input((6,)), layers.Dense(3)], name="inner")
    inner.compile("adam", Half())
    inner.train_on_batch(X, X[:, :3])
    inputs = keras.Input((6,))
    model = keras.Model(inputs, layers.Dense(2)(inner(inputs)))
    model.compile("sgd", "mse")
    return model


def test_compile_false(tmp_path: Path) -> None:
    """Neither the model nor one inside it is compiled; what the compilation alone needs need not be given."""
    path = saved(tmp_path, nested_and_compiled())
    loaded = keras.models.load_model(path, compile=False)
    inner = loaded.get_layer("inner")
    for model in (loaded, inner):
        assert not model.compiled
        assert model.optimizer is None
    with pytest.raises(LoadError, match="Unknown 'Half'"):
        keras.models.load_model(path)
    both = keras.models.load_model(path, custom_objects={"Half": Half})
    assert both.compiled
    assert type(both.get_layer("inner").loss) is Half


# Shared objects -------------------------------------------------------------------------------------------------------


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


# Weights alone --------------------------------------------------------------------------------------------------------


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
