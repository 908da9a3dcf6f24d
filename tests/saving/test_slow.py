"""Configs of a few kB that take minutes or gigabytes to read where work grows with the square of what they hold."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import striate as keras
from tests.saving.files import described, frugal, layer, refused, rewrite, sequential, small, watched

MANY = 1500


def tensor(name: str, call: int = 0) -> dict[str, Any]:
    config = {"shape": [None, 4], "dtype": "float32", "keras_history": [name, call, 0]}
    return {"class_name": "__keras_tensor__", "config": config}


def functional(layers: list[Any], output: str, call: int = 0, name: str = "m") -> dict[str, Any]:
    config = {"name": name, "layers": layers, "input_layers": [["x", 0, 0]], "output_layers": [[output, call, 0]]}
    return {"module": "keras.src.models.functional", "class_name": "Functional", "config": config}


X = {**layer("InputLayer", batch_shape=[None, 4], name="x"), "name": "x", "inbound_nodes": []}


def node(kind: str, name: str, *calls: Any, **config: Any) -> dict[str, Any]:
    inbound = [{"args": [call], "kwargs": {}} for call in calls]
    return {**layer(kind, name=name, **config), "name": name, "inbound_nodes": inbound}


def chain() -> list[Any]:
    return [node("ReLU", f"r{i}", tensor(f"r{i - 1}" if i else "x")) for i in range(MANY)]


def called(times: int) -> dict[str, Any]:
    return node("ReLU", "r", *[tensor("r", i - 1) if i else tensor("x") for i in range(times)])


def inner(i: int) -> dict[str, Any]:
    made = functional([X, node("ReLU", "r", tensor("x"))], "r", name=f"m{i}")
    return {**made, "name": f"m{i}", "inbound_nodes": [{"args": [tensor(f"m{i - 1}" if i else "x")], "kwargs": {}}]}


SLOW: dict[str, Callable[[], Any]] = {
    "a chain": lambda: functional([X, *chain()], f"r{MANY - 1}"),
    "a chain that begins at its end": lambda: functional([*chain()[::-1], X], f"r{MANY - 1}"),
    "all of a chain joined, first": lambda: functional(
        [node("Concatenate", "c", [tensor(f"r{i}") for i in range(MANY)]), *chain()[::-1], X], "c"
    ),
    "one layer called often": lambda: functional([X, called(MANY)], "r", MANY - 1),
    "many that wait for a late call": lambda: functional(
        [*(node("ReLU", f"w{i}", tensor("r", MANY - 1)) for i in range(MANY)), X, called(MANY)], "r", MANY - 1
    ),
    "models in a model": lambda: functional([X, *(inner(i) for i in range(MANY // 4))], f"m{MANY // 4 - 1}", 1),
}


@pytest.mark.parametrize("kind", SLOW)
def test_layers_in_any_order(path: Path, kind: str) -> None:
    """Functional models whose layers stand in the worst order are read in time that grows with their number."""
    config = SLOW[kind]()
    empty = keras.Sequential([keras.Input((4,)), keras.layers.ReLU()])
    empty.save(path)
    rewrite(path, zipfile.ZIP_DEFLATED, config=config)
    with watched(path), frugal(64, 6):
        model = keras.models.load_model(path)
    assert len(model._graph.nodes) >= min(MANY // 4, len(config["config"]["layers"]) + 1)


@pytest.mark.parametrize("order", ["forward", "backward"])
def test_layers_in_any_order_compute_the_same(path: Path, order: str) -> None:
    """A branched model with a shared layer and a nested model, its layers written backwards."""
    import numpy as np

    from tests.saving.files import config_of

    inside = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4)], name="inside")
    shared = keras.layers.Dense(4, name="shared")
    inputs = keras.Input((4,))
    first = shared(inside(inputs))
    second = shared(keras.layers.Add(name="add")([first, inputs]))
    model = keras.Model(inputs, keras.layers.Concatenate(name="join")([inside(second), first, shared(second)]))
    model.save(path)
    config = config_of(path)
    if order == "backward":
        config["config"]["layers"].reverse()
    loaded = keras.models.load_model(rewrite(path, config=config))
    x = np.arange(12, dtype="float32").reshape(3, 4)
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))


@pytest.mark.parametrize(
    "layers",
    [
        [X, node("ReLU", "a", tensor("b")), node("ReLU", "b", tensor("a"))],
        [X, node("ReLU", "a", tensor("x", 3))],
        [X, node("ReLU", "a", tensor("a", -1))],
        [X, node("ReLU", "a", tensor("a", 0))],
    ],
    ids=["loop", "a call too many", "a negative call", "itself"],
)
def test_calls_that_never_come(path: Path, layers: list[Any]) -> None:
    refused(rewrite(path, config=functional(layers, "a")), "loop or disconnected nodes.*could not be called: a")


def test_a_layer_that_is_not_there(path: Path) -> None:
    layers = [X, node("ReLU", "a", tensor("nobody"))]
    refused(rewrite(path, config=functional(layers, "a")), "names a layer 'nobody' that it does not hold")


@pytest.mark.parametrize("where", ["model", "layer", "metric"])
def test_names_without_end(path: Path, where: str) -> None:
    """Each Variable's path holds its model's name: 4 MB of it, for 6000 Variables, in a file of 30 kB."""
    name = "n" * 4_000_000
    config = sequential(*[layer("Dense", units=1, name=f"d{i}") for i in range(3000)])
    if where == "model":
        config["config"]["name"] = name
    elif where == "layer":
        config["config"]["layers"][7]["config"]["name"] = name
    else:
        metric = described("keras.metrics", "MeanSquaredError", name=name)
        config["compile_config"] = {"optimizer": "sgd", "loss": "mse", "metrics": [metric]}
    rewrite(path, zipfile.ZIP_DEFLATED, config=config)
    refused(path, "name of 4000000 characters: 'nnn")


def test_errors_that_quote_each_other(path: Path) -> None:
    """A fault in a layer within 25 layers: each of them once quoted all of its config, 550 MB together."""
    inside: Any = layer("Dense", units="three", name="d")
    for _ in range(25):
        inside = layer("Activation", activation=inside, unknown="p" * 200_000)
    rewrite(path, zipfile.ZIP_DEFLATED, config=sequential(inside))
    assert path.stat().st_size < 20_000
    refused(path, "Error when making")


def test_errors_still_say_what_is_wrong(path: Path) -> None:
    error = refused(rewrite(path, config=sequential(layer("Dense", units=3, shiny=4, name="d"))), "Dense")
    assert "{'shiny': 4}" in str(error)
    assert "'units': 3" in str(error)


def test_a_layer_of_many_metrics(path: Path) -> None:
    metrics = [described("keras.metrics", "MeanSquaredError", name=f"m{i}") for i in range(3000)]
    config = sequential(layer("Dense", units=3, name="dense"), layer("Dense", units=2))
    config["compile_config"] = {"optimizer": "adam", "loss": "mse", "metrics": metrics}
    rewrite(path, zipfile.ZIP_DEFLATED, config=config)
    with watched(path), frugal():
        model = keras.models.load_model(path)
    assert model.compiled
    assert len(small().metrics) == 1
