"""Seeds: a generator is (seed, counter); every draw uses up one value of the counter."""

from __future__ import annotations

from typing import Any
from weakref import WeakSet

import numpy as np

from striate import backend
from striate.core.configurable import Configurable
from striate.core.errors import ArgumentError
from striate.core.registry import export

_living: WeakSet[SeedGenerator] = WeakSet()


@export("random.SeedGenerator")
class SeedGenerator(Configurable):
    """Gives a new random state at each use; its counter is a Variable, so it moves on inside a traced step too.

    Source: `keras.random.SeedGenerator`.

    Args:
        seed: integer; None draws one from the global seed (`set_random_seed`).
        name: name of the generator.

    Raises:
        ValueError: a seed that is no integer.

    Example:
        >>> generator = SeedGenerator(7)
        >>> [generator.next().tolist() for _ in range(2)]
        [[7, 0], [7, 1]]
    """

    def __init__(self, seed: int | None = None, name: str | None = None) -> None:
        self.seed = seed
        self.name = name or backend.auto_name(type(self).__name__)
        start = backend.draw_seed() if seed is None else _as_seed(seed)
        with backend.name_scope(self.name):
            self.state = backend.Variable(
                np.array([start, 0], "int64"), trainable=False, autocast=False, name="seed_generator_state"
            )

    def __new__(cls, *args: Any, **kwargs: Any) -> SeedGenerator:
        # Here, since copies and unpickled generators never see __init__.
        made = super().__new__(cls, *args, **kwargs)
        _living.add(made)
        return made

    def next(self, ordered: bool = True) -> Any:
        """The state (int64, shape (2,)) to draw with now; the generator moves on to the next one."""
        del ordered  # Keras's hint for backends that race; ours never do.
        state = backend.convert_to_tensor(self.state)
        self.state.assign(backend.apply("seed_next", state))
        return state

    def reset(self) -> None:
        """Start again at counter 0."""
        self.state.write(self.state.numpy() * np.array([1, 0]))


def _as_seed(seed: Any) -> int:
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer):
        raise ArgumentError(
            f"Argument `seed` must be an integer. Received: seed={seed!r} (of type {type(seed).__name__}). "
            f"Give an integer, a SeedGenerator where one is taken, or None."
        )
    return int(seed)


_global: list[SeedGenerator] = []


def _restart() -> None:
    """What `set_random_seed` does to generators: all count from 0 again, the one of unseeded draws is made anew."""
    _global.clear()
    for generator in list(_living):
        if "state" in vars(generator):  # One refused by its constructor has none.
            generator.reset()


backend.on_random_seed(_restart)


def draw_seed(seed: int | SeedGenerator | None) -> Any:
    """The state to draw with: a generator's next, a fixed one for an integer, the global sequence's next for None.

    Raises:
        ValueError: anything else.
    """
    if isinstance(seed, SeedGenerator):
        return seed.next()
    if seed is not None:
        return np.array([_as_seed(seed), 0], "int64")
    if not backend.in_trace():
        return np.array([backend.draw_seed(), 0], "int64")
    # In a trace a number would be frozen into the program: a generator's counter moves with every run.
    if not _global:
        with backend.tracing(None):
            _global.append(SeedGenerator(name="global_seed_generator"))
    return _global[0].next()
