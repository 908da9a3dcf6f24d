"""The architectures of keras.applications: the same layers, names and weights, and the same answers with these."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import striate
from striate import backend
from striate.applications.zoo import KERAS, ZOO, Architecture
from support import all_close

LONG = os.environ.get("STRIATE_LONG") == "1"
IN_KERAS = [a for a in ZOO.values() if a.source == KERAS and a.constructor != "LectureModel"]
#: a difference, as a share of the largest value.
BOUND = 2e-5


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
    assert [(w.path, w.shape) for w in model.weights] == theirs["weights"]
    all_close(model.predict(x, verbose=0), theirs["output"], BOUND)
