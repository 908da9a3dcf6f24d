"""Configs that are given, not read from a file: `from_config`, `deserialize_keras_object`. The same limits hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import striate as keras
from striate import layers
from striate.backend import config_limits
from striate.core.errors import LoadError, UnsafeFileError
from tests.saving.files import frugal, layer, sequential
from tests.saving.test_sizes import nested

START = layer("InputLayer", batch_shape=[None, 4], name="x")


def stack(*held: Any) -> dict[str, Any]:
    return {"name": "s", "layers": [START, *held]}


def itself() -> dict[str, Any]:
    config = stack(layer("Dense", units=2))
    config["layers"].append(config)
    return config


def laughs() -> dict[str, Any]:
    """A few dictionaries, each twice in the next: 2**30 when they are made."""
    held: Any = layer("Dense", units=2)
    for _ in range(30):
        held = sequential(held, held)
    return stack(held)


def deep() -> dict[str, Any]:
    held = layer("Dense", units=2)
    for _ in range(80):
        held = sequential(held)
    return stack(held)


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "one that holds itself": (itself, "nested deeper than 120"),
    "a billion laughs": (laughs, "holds over 1000000 values"),
    "too deep": (deep, "nested deeper than 120"),
    "calls without end": (lambda: nested(16, 2)["config"], "call each other more often"),
    "weights without end": (lambda: stack(layer("Dense", units=10**13)), "larger weights than the file can hold"),
    "a tensor without end": (
        lambda: stack(layer("RepeatVector", n=2**62), layer("Flatten")), "Tensors of at most",
    ),
    "a name without end": (lambda: stack({**layer("Dense", units=2), "name": "n" * 5000}), "name of 5000 characters"),
    "no class": (lambda: stack({"config": {}}), "describe"),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_from_config(kind: str) -> None:
    make, says = REFUSED[kind]
    config = make()
    functional = "input_layers" in config
    with frugal(), pytest.raises(LoadError, match=says) as raised:
        (keras.Model if functional else keras.Sequential).from_config(config)
    assert len(str(raised.value)) < 5000


@pytest.mark.parametrize("kind", ["one that holds itself", "a billion laughs", "weights without end"])
def test_deserialize(kind: str) -> None:
    make, says = REFUSED[kind]
    described = {"module": "keras", "class_name": "Sequential", "config": make(), "registered_name": None}
    with frugal(), pytest.raises(LoadError, match=says):
        keras.saving.deserialize_keras_object(described)
    with frugal(), pytest.raises(LoadError, match=says):
        keras.saving.deserialize_keras_object([described], custom_objects={"Mine": layers.Dense})


def test_code() -> None:
    held = layer("Dense", units=2, activation={"class_name": "__lambda__", "config": {"value": "4wEA"}})
    with pytest.raises(UnsafeFileError, match="that is code"):
        keras.Sequential.from_config(stack(held))


def test_layers_inside_others_are_limited_too() -> None:
    held: Any = layer("Dense", units=2)
    for _ in range(80):
        held = layer("TimeDistributed", layer=held)
    with frugal(), pytest.raises((LoadError, TypeError), match="nested deeper"):
        layers.TimeDistributed.from_config({"layer": held})


def test_real_models_are_far_below(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that fits into the machine is made, with initializers drawn as usual."""
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3), keras.Sequential([layers.Dense(2)])])
    made = keras.Sequential.from_config(model.get_config())
    assert np.asarray(made.weights[0]).std() > 0
    monkeypatch.setattr(config_limits, "machine_memory", lambda: 4 * (4 * 3 + 3 + 3 * 2 + 2))
    keras.Sequential.from_config(model.get_config())
    monkeypatch.setattr(config_limits, "machine_memory", lambda: 4 * (4 * 3 + 3 + 3 * 2 + 2) - 1)
    with pytest.raises(LoadError, match="needs 8 bytes"):
        keras.Sequential.from_config(model.get_config())


def test_a_user_s_own_errors_come_out() -> None:
    class Odd(layers.Layer):
        def __init__(self, **kwargs: Any) -> None:
            raise RuntimeError("mine")

    with keras.saving.CustomObjectScope({"Odd": Odd}), pytest.raises(RuntimeError, match="mine"):
        keras.Sequential.from_config(stack({"module": None, "class_name": "Odd", "config": {}}))
