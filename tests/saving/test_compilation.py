"""Optimizer, loss and metrics come back with their state; training goes on as if it had not stopped."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import striate as keras
from striate import layers
from striate.core.errors import LoadError
from tests.saving.files import saved
from tests.saving.own import (
    Half,
    X,
    Y,
    reloaded,
    same_bits,
    state,
    trained,
)

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
