"""Initializers that draw: from a fixed seed, so that one initializer gives the same values at each call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from striate import backend
from striate.core.errors import ArgumentError, ShapeError
from striate.core.registry import export
from striate.initializers.base import Array, Initializer, as_dtype
from striate.random import SeedGenerator, draw_seed, host


class RandomInitializer(Initializer):
    """Base of those that draw. Without a seed, one is drawn from the global sequence when the initializer is made.

    Args:
        seed: integer, SeedGenerator (then each call gives other values), or None.
    """

    def __init__(self, seed: int | SeedGenerator | None = None) -> None:
        if seed is not None and not isinstance(seed, int | np.integer | SeedGenerator):
            raise ArgumentError(
                f"`seed` must be an integer or a `random.SeedGenerator`. Received: seed={seed!r}. "
                f"Give e.g. seed=42, or leave it out."
            )
        self.seed = seed
        self._source = backend.draw_seed() if seed is None else seed

    def _state(self) -> Array:
        with backend.tracing(None):
            return np.asarray(draw_seed(self._source))


@export("initializers.RandomNormal", "initializers.random_normal")
class RandomNormal(RandomInitializer):
    """Normal values of mean `mean` and standard deviation `stddev`.

    Source: `keras.initializers.RandomNormal`.

    Example:
        >>> RandomNormal(seed=1)((2, 3)).shape
        (2, 3)
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | SeedGenerator | None = None) -> None:
        super().__init__(seed)
        self.mean = mean
        self.stddev = stddev

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Array:
        return as_dtype(host.normal(self._state(), tuple(shape)) * self.stddev + self.mean, dtype)


@export("initializers.TruncatedNormal", "initializers.truncated_normal")
class TruncatedNormal(RandomInitializer):
    """Normal values within 2 `stddev` of `mean`; those outside are drawn again.

    Source: `keras.initializers.TruncatedNormal`. `stddev` is that of the normal before it is cut; what remains has
    0.8796 times that.

    Example:
        >>> float(abs(TruncatedNormal(seed=1)((1000,))).max()) <= 0.1
        True
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | SeedGenerator | None = None) -> None:
        super().__init__(seed)
        self.mean = mean
        self.stddev = stddev

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Array:
        return as_dtype(host.truncated_normal(self._state(), tuple(shape)) * self.stddev + self.mean, dtype)


@export("initializers.RandomUniform", "initializers.random_uniform")
class RandomUniform(RandomInitializer):
    """Uniform values in [minval, maxval).

    Source: `keras.initializers.RandomUniform`.

    Example:
        >>> float(abs(RandomUniform(seed=1)((1000,))).max()) <= 0.05
        True
    """

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: int | SeedGenerator | None = None) -> None:
        super().__init__(seed)
        self.minval = minval
        self.maxval = maxval

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Array:
        unit = host.uniform(self._state(), tuple(shape))
        return as_dtype(unit * (self.maxval - self.minval) + self.minval, dtype)


@export("initializers.Orthogonal", "initializers.orthogonal", "initializers.OrthogonalInitializer")
class Orthogonal(RandomInitializer):
    """Orthonormal rows or columns (whichever are fewer) of the weight seen as a matrix (all axes but the last, last).

    Q of the QR decomposition of a matrix of normal values, each column's sign that of R's diagonal, so that all
    orthogonal matrices are equally likely.

    Source: `keras.initializers.Orthogonal`; Saxe and others 2014.

    Raises:
        ValueError: a shape of rank 0 or 1.

    Example:
        >>> q = Orthogonal(seed=1)((3, 3)); np.allclose(q @ q.T, np.eye(3), atol=1e-6)
        True
    """

    def __init__(self, gain: float = 1.0, seed: int | SeedGenerator | None = None) -> None:
        super().__init__(seed)
        self.gain = gain

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Array:
        if len(shape) < 2:
            raise ShapeError(
                f"The Orthogonal initializer takes shapes of rank 2 or more. Received: shape={tuple(shape)} of rank "
                f"{len(shape)}. Use another initializer for this weight."
            )
        rows, columns = int(np.prod(shape[:-1])), int(shape[-1])
        tall = (max(rows, columns), min(rows, columns))
        q, r = np.linalg.qr(host.normal(self._state(), tall).astype("float64"))
        q = q * np.sign(np.diag(r))
        return as_dtype(self.gain * (q if rows >= columns else q.T).reshape(tuple(shape)), dtype)
