"""Layers that work against overfitting, in training only."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from striate import random
from striate.core import args
from striate.core.errors import ArgumentError
from striate.core.registry import export
from striate.layers.base import Layer


def _noise_shape(value: Any) -> tuple[int | None, ...] | None:
    if value is None:
        return None
    items = tuple(value) if isinstance(value, Iterable) and not isinstance(value, str) else None
    if items is None or any(d is not None and (isinstance(d, bool) or not isinstance(d, int) or d < 1) for d in items):
        raise ArgumentError(
            f"`noise_shape` must be a tuple of positive integers or None. Received: noise_shape={value!r}. "
            f"Give e.g. noise_shape=(None, 1, 1, None) to drop whole feature maps."
        )
    return items


@export("layers.Dropout")
class Dropout(Layer):
    """Sets a random part of the inputs to 0 in training and divides the rest by 1 - rate; does nothing otherwise.

    Source: `keras.layers.Dropout`; Srivastava and others 2014.

    Args:
        rate: probability of a 0, in [0, 1].
        noise_shape: shape of the mask, broadcast over the inputs; None entries are those of the inputs.
        seed: integer; None draws one from the global seed.

    Input shape: any; Output shape: the same.

    Raises:
        ValueError: a rate outside [0, 1]; a noise_shape that is no shape.

    Example:
        >>> sorted(set(Dropout(0.5, seed=1)(np.ones((1, 100), "float32"), training=True).ravel().tolist()))
        [0.0, 2.0]
    """

    def __init__(self, rate: float, noise_shape: Any = None, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = args.fraction(rate, "rate")
        self.noise_shape = _noise_shape(noise_shape)
        self.seed = seed
        if self.rate > 0:
            self.seed_generator = random.SeedGenerator(seed)
        self.supports_masking = True

    def call(self, inputs: Any, training: bool | None = False) -> Any:
        if not training or self.rate == 0:
            return inputs
        return random.dropout(inputs, self.rate, noise_shape=self.noise_shape, seed=self.seed_generator)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return tuple(input_shape)
