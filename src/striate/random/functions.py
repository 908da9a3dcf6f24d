"""The functions of `keras.random`. uniform, normal and dropout can be part of a traced step; the rest take arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from striate import backend, ops
from striate.core.args import fraction
from striate.core.errors import ArgumentError, ShapeError
from striate.core.registry import export
from striate.ir.ops.attrs import DropoutAttrs, ShapeAttrs
from striate.random import host
from striate.random.seed import SeedGenerator, draw_seed

Seed = int | SeedGenerator | None


def _float_dtype(dtype: Any, function: str) -> str:
    name = backend.standardize_dtype(dtype)
    if not backend.is_float_dtype(name):
        raise ArgumentError(
            f"random.{function} requires a floating point `dtype`. Received: dtype={dtype!r}. Give e.g. 'float32'."
        )
    return name


def _scaled(unit: Any, scale: Any, offset: Any, dtype: str) -> Any:
    """unit * scale + offset, the multiplication left out where it does nothing."""
    y = unit if isinstance(scale, int | float) and scale == 1 else unit * scale
    y = y if isinstance(offset, int | float) and offset == 0 else y + offset
    return backend.cast(y, dtype)


@export("random.uniform")
def uniform(shape: Sequence[int], minval: Any = 0.0, maxval: Any = 1.0, dtype: Any = None, seed: Seed = None) -> Any:
    """Uniform values in [minval, maxval).

    Source: `keras.random.uniform`.

    Args:
        shape: shape of the result.
        minval: lower bound, included.
        maxval: upper bound, left out.
        dtype: a floating point dtype; floatx unless given.
        seed: integer (the same values at each call), SeedGenerator, or None (the global sequence).

    Raises:
        ValueError: a dtype that is not floating point.

    Example:
        >>> uniform((2, 3), seed=1).shape
        (2, 3)
    """
    name = _float_dtype(dtype, "uniform")
    unit = backend.apply("random_uniform", draw_seed(seed), attrs=ShapeAttrs(tuple(shape)))
    return _scaled(unit, maxval - minval, minval, name)


@export("random.normal")
def normal(shape: Sequence[int], mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Seed = None) -> Any:
    """Normal values (Box-Muller) of the given mean and standard deviation.

    Source: `keras.random.normal`. Arguments as for `uniform`.

    Example:
        >>> normal((2, 3), seed=1).shape
        (2, 3)
    """
    name = _float_dtype(dtype, "normal")
    unit = backend.apply("random_normal", draw_seed(seed), attrs=ShapeAttrs(tuple(shape)))
    return _scaled(unit, stddev, mean, name)


@export("random.truncated_normal")
def truncated_normal(
    shape: Sequence[int], mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = None, seed: Seed = None
) -> Any:
    """Normal values within 2 `stddev` of `mean`; values outside are drawn again. The `stddev` is the untruncated one's.

    Source: `keras.random.truncated_normal`. Arguments as for `uniform`.

    Raises:
        SymbolicError: inside a traced step.

    Example:
        >>> bool((abs(truncated_normal((1000,), seed=1)) <= 2).all())
        True
    """
    name = _float_dtype(dtype, "truncated_normal")
    state = host.concrete(draw_seed(seed), "truncated_normal")
    return _scaled(host.truncated_normal(state, tuple(shape)), stddev, mean, name)


@export("random.randint")
def randint(shape: Sequence[int], minval: int, maxval: int, dtype: Any = "int32", seed: Seed = None) -> Any:
    """Integers in [minval, maxval), all equally likely (to 1 part in 2**32 / (maxval - minval)).

    Source: `keras.random.randint`. Arguments as for `uniform`.

    Raises:
        ValueError: a dtype that is no integer, an empty range, or one of more than 2**31 values.

    Example:
        >>> randint((3,), 5, 6).tolist()
        [5, 5, 5]
    """
    name = backend.standardize_dtype(dtype)
    if not backend.is_int_dtype(name):
        raise ArgumentError(
            f"random.randint requires an integer `dtype`. Received: dtype={dtype!r}. Give e.g. 'int32'."
        )
    width = int(maxval) - int(minval)
    if not 0 < width <= 2**31:
        raise ArgumentError(
            f"random.randint draws from 1 to 2**31 values. Received: minval={minval}, maxval={maxval}. "
            f"Make maxval larger than minval."
        )
    bits = host.bits(host.concrete(draw_seed(seed), "randint"), tuple(shape))
    return ((bits * width >> 32) + int(minval)).astype(name)


@export("random.categorical")
def categorical(logits: Any, num_samples: int, dtype: Any = "int32", seed: Seed = None) -> Any:
    """Class numbers drawn with the probabilities softmax(logits).

    Source: `keras.random.categorical`.

    Args:
        logits: array (batch, classes).
        num_samples: how many to draw for each row.

    Output shape: (batch, num_samples).

    Raises:
        ValueError: logits that are not of rank 2.

    Example:
        >>> categorical([[0.0, -1e9]], 4).tolist()
        [[0, 0, 0, 0]]
    """
    scores = np.asarray(backend.convert_to_tensor(logits), "float64")
    if scores.ndim != 2:
        raise ShapeError(f"`logits` must have the shape (batch, classes). Received: logits of shape {scores.shape}.")
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    edges = np.cumsum(weights, axis=1)
    u = host.uniform(host.concrete(draw_seed(seed), "categorical"), (len(scores), num_samples))
    # u < 1, but its product with the last edge may round up to it: the last class of weight > 0 then.
    reached = (u[:, :, None] * edges[:, -1:, None] >= edges[:, None, :]).sum(axis=2)
    last = scores.shape[1] - 1 - np.argmax(weights[:, ::-1] > 0, axis=1)
    return np.minimum(reached, last[:, None]).astype(backend.standardize_dtype(dtype))


@export("random.dropout")
def dropout(inputs: Any, rate: float, noise_shape: Sequence[int | None] | None = None, seed: Seed = None) -> Any:
    """Zero a random part of the elements and divide the others by 1 - rate.

    Source: `keras.random.dropout`.

    Args:
        inputs: tensor.
        rate: probability of a zero, in [0, 1]; 1 gives zeros.
        noise_shape: shape of the mask, broadcast over `inputs`; None entries are those of `inputs`.

    Raises:
        ValueError: a rate outside [0, 1].

    Example:
        >>> dropout(np.ones((2, 2)), 0.0).tolist()
        [[1.0, 1.0], [1.0, 1.0]]
    """
    rate = fraction(rate, "rate")
    x = backend.convert_to_tensor(inputs)
    if backend.is_keras_tensor(x):
        return x  # Only shape and dtype are asked for: they stay.
    state = draw_seed(seed)
    if noise_shape is None:
        return backend.apply("dropout", x, state, attrs=DropoutAttrs(float(rate)))
    if rate == 1:
        return ops.zeros_like(x)
    sizes = tuple(int(s or 0) if n is None else n for n, s in zip(noise_shape, backend.shape(x), strict=True))
    u = backend.apply("random_uniform", state, attrs=ShapeAttrs(sizes))
    return ops.where(ops.greater_equal(u, rate), x / (1 - rate), ops.zeros_like(x))


@export("random.shuffle")
def shuffle(x: Any, axis: int = 0, seed: Seed = None) -> Any:
    """`x` with its slices along `axis` in random order.

    Source: `keras.random.shuffle`.

    Example:
        >>> sorted(shuffle(np.arange(5)).tolist())
        [0, 1, 2, 3, 4]
    """
    values = np.asarray(backend.convert_to_tensor(x))
    keys = host.bits(host.concrete(draw_seed(seed), "shuffle"), (values.shape[axis],))
    return np.take(values, np.argsort(keys, kind="stable"), axis=axis)
