"""Random numbers: counter-based (Philox 4x32-10), so that a seed gives the same numbers on any number of threads."""

from __future__ import annotations

from striate.random.functions import (
    categorical,
    dropout,
    normal,
    randint,
    shuffle,
    truncated_normal,
    uniform,
)
from striate.random.seed import SeedGenerator, draw_seed

__all__ = [
    "SeedGenerator",
    "categorical",
    "draw_seed",
    "dropout",
    "normal",
    "randint",
    "shuffle",
    "truncated_normal",
    "uniform",
]
