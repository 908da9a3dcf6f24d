"""Classes and functions of the user's own: given, registered, in scopes, and never in the place of ours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import striate as keras
from striate import layers
from striate.core.errors import LoadError
from tests.saving.files import config_of, rewrite, saved
from tests.saving.own import (
    OWN,
    Fives,
    Half,
    Largest,
    Scale,
    Slow,
    X,
    Y,
    absolute_error,
    reloaded,
    same_bits,
    state,
    swish_of_mine,
)


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
