"""The architectures of keras.applications: the same layers, names and weights, and the same answers with these."""

from __future__ import annotations

import http.server
import math
import os
import re
import threading
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import striate
from striate import backend
from striate.applications import published
from striate.applications.zoo import KERAS, ZOO, Architecture
from support import all_close, same_both_ways

LONG = os.environ.get("STRIATE_LONG") == "1"
IN_KERAS = [a for a in ZOO.values() if a.source == KERAS and a.constructor != "LectureModel"]
#: a difference, as a share of the largest value.
BOUND = 1e-5
#: with functions of keras.ops among its layers.
WITH_OPS = ("mobilenetv3-small",)


def first_of_each_family() -> list[Architecture]:
    by_family: dict[str, Architecture] = {}
    for a in sorted(IN_KERAS, key=lambda a: a.parameters):
        by_family.setdefault(a.family, a)
    return IN_KERAS if LONG else list(by_family.values())


def value_for(name: str, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """A weight under which signals stay near 1 from layer to layer."""
    draw = rng.standard_normal(shape, dtype="float32")
    if name == "gamma":
        return 1 + np.float32(0.1) * draw
    if "variance" in name:
        return 1 + np.float32(0.2) * np.abs(draw)
    if len(shape) < 2:
        return np.float32(0.1) * draw
    fan_in = math.prod(shape[:2]) if len(shape) == 4 and shape[-1] == 1 else math.prod(shape[:-1])
    return np.float32(math.sqrt(2 / fan_in)) * draw


def made(architecture: Architecture, **arguments: Any) -> Any:
    """The network by its own default name, with random weights drawn quickly."""
    striate.utils.clear_session()
    rng = np.random.default_rng(5)
    with backend.values_from_file():
        model = getattr(striate.applications, architecture.constructor)(weights=None, **arguments)
        for weight in model.weights:
            weight.write(value_for(weight.name, weight.shape, rng))
    return model


def images(architecture: Architecture) -> np.ndarray:
    side = architecture.least
    return np.random.default_rng(0).normal(size=(2, side, side + 1, 3)).astype("float32")


def named(path: str) -> str:
    """A path of Keras's; the weights of its LayerScale have no name but a number."""
    return re.sub(r"layer_scale/variable(_\d+)?$", "layer_scale/gamma", path)


@pytest.mark.parametrize("architecture", first_of_each_family(), ids=lambda a: a.name)
def test_the_same_network(oracle: Any, tmp_path: Path, architecture: Architecture) -> None:
    x = images(architecture)
    arguments = {"input_shape": x.shape[1:], "classes": 10, "classifier_activation": None}
    model = made(architecture, **arguments)
    model.save_weights(tmp_path / "ours.weights.h5")
    theirs = oracle(
        "application", name=architecture.constructor, arguments=arguments, weights=str(tmp_path / "ours.weights.h5"),
        x=x, legacy=str(tmp_path / "theirs.h5"),
    )  # fmt: skip
    assert model.name == theirs["name"]
    assert [(layer.name, type(layer).__name__) for layer in model.layers] == theirs["layers"]
    assert [(w.path, w.shape) for w in model.weights] == [(named(path), shape) for path, shape in theirs["weights"]]
    all_close(model.predict(x, verbose=0), theirs["output"], BOUND)
    # What Keras writes as the files that it publishes are written.
    again = getattr(striate.applications, architecture.constructor)(weights=str(tmp_path / "theirs.h5"), **arguments)
    assert all((w.numpy() == old.numpy()).all() for w, old in zip(again.weights, model.weights, strict=True))


@pytest.mark.parametrize("name", [a.name for a in IN_KERAS] if LONG else WITH_OPS)
def test_keras_opens_our_file_and_we_open_its(oracle: Any, tmp_path: Path, name: str) -> None:
    x = images(ZOO[name])
    model = made(ZOO[name], input_shape=x.shape[1:], classes=10, classifier_activation=None)
    there_and_back(oracle, tmp_path, model, x)


def test_layers_that_keras_keeps_beside_its_convnext(oracle: Any, tmp_path: Path) -> None:
    own = [striate.layers.LayerScale(0.5, 4), striate.layers.StochasticDepth(0.2)]
    model = striate.Sequential([striate.Input((4,)), *own, striate.layers.Dense(2)])
    there_and_back(oracle, tmp_path, model, np.random.default_rng(0).normal(size=(3, 4)).astype("float32"))


def there_and_back(oracle: Any, tmp_path: Path, model: Any, x: np.ndarray) -> None:
    """Real Keras opens our file and predicts the same, and we open the one that it writes then."""
    model.save(tmp_path / "ours.keras")
    theirs = oracle(
        "run_script",
        source="with no_draws():\n"
        "    model = keras.saving.load_model(f'{folder}/ours.keras')\n"
        "model.save(f'{folder}/theirs.keras')\n"
        "result = predict(model, x)",
        folder=str(tmp_path),
        x=x,
    )
    ours = model.predict(x, verbose=0)
    all_close(ours, theirs, BOUND)
    assert (striate.saving.load_model(tmp_path / "theirs.keras").predict(x, verbose=0) == ours).all()


def test_stochastic_depth(oracle: Any) -> None:
    """Both leave out whole images and divide the others; which ones is drawn."""
    x = np.random.default_rng(0).normal(size=(200, 2, 3)).astype("float32")
    theirs = oracle("stochastic_depth", rate=0.25, x=x)
    striate.utils.clear_session()
    ours = striate.layers.StochasticDepth(0.25)
    same_both_ways(oracle, ours, theirs["config"])
    for said in (theirs["output"], np.asarray(ours(x, training=True))):
        kept = said.any(axis=(1, 2))
        all_close(said[kept], x[kept] / 0.75, 2e-7)
        assert 130 < kept.sum() < 170, "150 of 200, with a deviation of 6"
    assert (np.asarray(ours(x)) == x).all()


def test_published_weights_come_from_where_they_are(
    oracle: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """weights="imagenet", from a server on this machine that has a file of real Keras's under the published name."""
    folder = tmp_path / "served" / "mobilenet"
    folder.mkdir(parents=True)
    arguments = {"input_shape": (128, 128, 3), "alpha": 0.25}
    model = made(ZOO["mobilenet"], **arguments)
    model.save_weights(tmp_path / "ours.weights.h5")
    x = np.random.default_rng(0).normal(size=(1, 128, 128, 3)).astype("float32")
    theirs = oracle(
        "application", name="MobileNet", arguments=arguments, weights=str(tmp_path / "ours.weights.h5"), x=x,
        legacy=str(folder / "mobilenet_2_5_128_tf.h5"),
    )  # fmt: skip
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(folder.parent))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(published, "BASE", f"http://127.0.0.1:{server.server_address[1]}/")
    monkeypatch.setenv("STRIATE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("STRIATE_OFFLINE", raising=False)
    try:
        fetched = striate.applications.MobileNet(**arguments)
    finally:
        server.shutdown()
        server.server_close()
    all_close(fetched.predict(x, verbose=0), theirs["output"], BOUND)
    monkeypatch.setenv("STRIATE_OFFLINE", "1")
    again = striate.applications.MobileNet(**arguments)  # from the cache
    assert (again.predict(x, verbose=0) == fetched.predict(x, verbose=0)).all()
