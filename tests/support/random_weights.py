"""Weights under which signals stay near 1 from layer to layer, drawn quickly: a network as if it had been trained."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from striate import backend


def with_random_weights(make: Callable[[], Any], seed: int = 1) -> Any:
    """What `make` makes, its initializers left out: those of 60 million weights take 10 s."""
    rng = np.random.default_rng(seed)
    with backend.values_from_file():
        model = make()
        for weight in model.weights:
            weight.write(value_for(weight.name, weight.shape, rng))
    return model


def value_for(name: str, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """A value for a weight of this name."""
    draw = rng.standard_normal(shape, dtype="float32")
    if name == "gamma":
        return np.float32(1) + np.float32(0.1) * draw
    if "variance" in name:
        return np.float32(1) + np.float32(0.2) * np.abs(draw)
    if len(shape) < 2:
        return np.float32(0.1) * draw
    # One window of each map alone: (height, width, maps, 1).
    fan_in = math.prod(shape[:2]) if len(shape) == 4 and shape[-1] == 1 else math.prod(shape[:-1])
    return np.float32(math.sqrt(2 / fan_in)) * draw
