"""Initializers whose spread follows the number of inputs and outputs of a unit: Glorot, He, LeCun.

The variance is scale / n, where n is fan_in, fan_out or their mean.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from striate.core.args import one_of
from striate.core.errors import ArgumentError
from striate.core.registry import export
from striate.initializers.base import Array, as_dtype
from striate.initializers.draws import RandomInitializer
from striate.random import SeedGenerator, host

#: Standard deviation of a standard normal cut at +-2.
_TRUNCATED_STDDEV = 0.87962566103423978


def compute_fans(
    shape: Sequence[int], input_axes: Sequence[int] | None = None, output_axes: Sequence[int] | None = None
) -> tuple[int, int]:
    """(fan_in, fan_out) of a weight: the last two axes are inputs and outputs, those before them the receptive field.

    Example:
        >>> compute_fans((3, 3, 16, 32))
        (144, 288)
    """
    if input_axes is not None and output_axes is not None:
        return math.prod(int(shape[a]) for a in input_axes), math.prod(int(shape[a]) for a in output_axes)
    if len(shape) < 2:
        fan = math.prod(int(d) for d in shape)
        return fan, fan
    receptive = math.prod(int(d) for d in shape[:-2])
    return receptive * int(shape[-2]), receptive * int(shape[-1])


def _choice(value: Any, name: str, allowed: tuple[str, ...]) -> str:
    try:
        return one_of(value, name, allowed)
    except ArgumentError as error:
        raise ArgumentError(f"Invalid `{name}` argument: {error}") from None


class FanScaled(RandomInitializer):
    """Base of what follows; each says its scale, mode and distribution.

    Args:
        seed: integer, SeedGenerator or None.
        input_axes: axes of the weight that count as inputs; with `output_axes` only.
        output_axes: axes of the weight that count as outputs.
    """

    scale: float
    mode: str
    distribution: str
    _config_if_set = ("input_axes", "output_axes")

    def __init__(
        self,
        seed: int | SeedGenerator | None = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        super().__init__(seed)
        self.input_axes = input_axes
        self.output_axes = output_axes

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Array:
        shape = tuple(shape)
        fan_in, fan_out = compute_fans(shape, self.input_axes, self.output_axes)
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, n)
        if self.distribution == "uniform":
            limit = math.sqrt(3 * variance)
            return as_dtype(host.uniform(self._state(), shape) * (2 * limit) - limit, dtype)
        if self.distribution == "truncated_normal":
            stddev = math.sqrt(variance) / _TRUNCATED_STDDEV
            return as_dtype(host.truncated_normal(self._state(), shape) * stddev, dtype)
        return as_dtype(host.normal(self._state(), shape) * math.sqrt(variance), dtype)


@export("initializers.VarianceScaling", "initializers.variance_scaling")
class VarianceScaling(FanScaled):
    """Values of variance scale / n.

    Source: `keras.initializers.VarianceScaling`.

    Args:
        scale: positive number.
        mode: n is "fan_in", "fan_out" or "fan_avg" (their mean).
        distribution: "truncated_normal" ("normal" is the same), "untruncated_normal" or "uniform".
        seed: integer, SeedGenerator or None.
        input_axes: axes of the weight that count as inputs; with `output_axes` only.
        output_axes: axes of the weight that count as outputs.

    Raises:
        ValueError: a scale that is not positive, an unknown mode or distribution.

    Example:
        >>> VarianceScaling(2.0, seed=1)((3, 3, 4, 8)).shape
        (3, 3, 4, 8)
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: int | SeedGenerator | None = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
        super().__init__(seed, input_axes, output_axes)
        if scale <= 0:
            raise ArgumentError(
                f"Argument `scale` must be positive float. Received: scale={scale}. Give e.g. scale=2.0."
            )
        allowed = ("truncated_normal", "normal", "untruncated_normal", "uniform")
        self.scale = scale
        self.mode = _choice(mode, "mode", ("fan_in", "fan_out", "fan_avg"))
        self.distribution = _choice(distribution, "distribution", allowed)
        if self.distribution == "normal":
            self.distribution = "truncated_normal"


@export("initializers.GlorotUniform", "initializers.glorot_uniform")
class GlorotUniform(FanScaled):
    """Uniform in +-sqrt(6 / (fan_in + fan_out)). Source: `keras.initializers.GlorotUniform`; Glorot and Bengio 2010.

    Example:
        >>> GlorotUniform(seed=1)((4, 2)).shape
        (4, 2)
    """

    scale = 1.0
    mode = "fan_avg"
    distribution = "uniform"


@export("initializers.GlorotNormal", "initializers.glorot_normal")
class GlorotNormal(FanScaled):
    """Truncated normal, variance 2 / (fan_in + fan_out).

    Source: `keras.initializers.GlorotNormal`; Glorot and Bengio 2010.

    Example:
        >>> GlorotNormal(seed=1)((4, 2)).shape
        (4, 2)
    """

    scale = 1.0
    mode = "fan_avg"
    distribution = "truncated_normal"


@export("initializers.HeUniform", "initializers.he_uniform")
class HeUniform(FanScaled):
    """Uniform in +-sqrt(6 / fan_in). Source: `keras.initializers.HeUniform`; He and others 2015.

    Example:
        >>> HeUniform(seed=1)((4, 2)).shape
        (4, 2)
    """

    scale = 2.0
    mode = "fan_in"
    distribution = "uniform"


@export("initializers.HeNormal", "initializers.he_normal")
class HeNormal(FanScaled):
    """Truncated normal, variance 2 / fan_in. Source: `keras.initializers.HeNormal`; He and others 2015.

    Example:
        >>> HeNormal(seed=1)((4, 2)).shape
        (4, 2)
    """

    scale = 2.0
    mode = "fan_in"
    distribution = "truncated_normal"


@export("initializers.LecunUniform", "initializers.lecun_uniform")
class LecunUniform(FanScaled):
    """Uniform in +-sqrt(3 / fan_in). Source: `keras.initializers.LecunUniform`; LeCun and others 1998.

    Example:
        >>> LecunUniform(seed=1)((4, 2)).shape
        (4, 2)
    """

    scale = 1.0
    mode = "fan_in"
    distribution = "uniform"


@export("initializers.LecunNormal", "initializers.lecun_normal")
class LecunNormal(FanScaled):
    """Truncated normal, variance 1 / fan_in. Source: `keras.initializers.LecunNormal`; LeCun and others 1998.

    Example:
        >>> LecunNormal(seed=1)((4, 2)).shape
        (4, 2)
    """

    scale = 1.0
    mode = "fan_in"
    distribution = "truncated_normal"
