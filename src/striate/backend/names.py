"""Unique names as Keras gives them (conv2d, conv2d_1, ...), and the seed everything random starts from."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

import numpy as np

from striate.core.errors import ArgumentError
from striate.core.lookup import to_snake_case
from striate.core.registry import export

_counts: Counter[str] = Counter()
_uids: Counter[str] = Counter()


class _Seed:
    """The global seed and how many seeds were drawn from it."""

    def __init__(self) -> None:
        self.value = random.SystemRandom().randrange(2**31)
        self.drawn = 0


_seed = _Seed()
_restarts: list[Callable[[], None]] = []


def on_random_seed(restart: Callable[[], None]) -> None:
    """Have `restart` called by `set_random_seed`: what keeps random state of its own begins again."""
    _restarts.append(restart)


def unique_name(prefix: str) -> str:
    """`prefix`, then `prefix_1`, `prefix_2`, ... until `clear_session`."""
    count = _counts[prefix]
    _counts[prefix] += 1
    return prefix if count == 0 else f"{prefix}_{count}"


def auto_name(cls_name: str) -> str:
    """A layer's name made of its class."""
    return unique_name(to_snake_case(cls_name))


@export("backend.get_uid")
def get_uid(prefix: str = "") -> int:
    """A number that counts up for each prefix, from 1."""
    _uids[prefix] += 1
    return _uids[prefix]


@export("backend.clear_session", "utils.clear_session")
def clear_session(free_memory: bool = True) -> None:
    """Names count from the start again, and cached programs of single ops go.

    Source: `keras.utils.clear_session`.
    """
    _counts.clear()
    _uids.clear()
    if free_memory:
        from striate.compiler import eager

        eager._runner.cache_clear()


@export("utils.set_random_seed")
def set_random_seed(seed: int) -> None:
    """Seed Python's, NumPy's and Striate's random numbers: what follows is the same in every run.

    Initializers, dropout and shuffling all start from it; the same seed gives the same weights bit for bit, on any
    number of threads.

    Args:
        seed: integer from 0 to 2**32 - 1.

    Raises:
        ValueError: not an integer of that range.
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= int(seed) < 2**32:
        raise ArgumentError(f"The `seed` of set_random_seed is an integer from 0 to 2**32 - 1. Received: {seed!r}.")
    _seed.value = int(seed)
    _seed.drawn = 0
    random.seed(int(seed))
    np.random.seed(int(seed))
    for restart in _restarts:
        restart()


def global_seed() -> int:
    """The seed set by `set_random_seed`, or the one drawn when the process began."""
    return _seed.value


def draw_seed() -> int:
    """The next seed of the sequence that the global seed starts: for initializers and generators without one."""
    _seed.drawn += 1
    # splitmix64's finalizer (Steele, Lea, Flood 2014): neighbouring (seed, draw) pairs give unrelated seeds.
    z = (_seed.value * 0x9E3779B97F4A7C15 + _seed.drawn * 0xBF58476D1CE4E5B9) & (2**64 - 1)
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & (2**64 - 1)
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & (2**64 - 1)
    return int((z ^ (z >> 31)) & (2**31 - 1))
