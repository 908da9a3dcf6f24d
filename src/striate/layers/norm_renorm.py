"""Batch renormalisation: how far a batch's statistics are from slow ones. Source: Ioffe 2017; Keras 3."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from striate import initializers, ops
from striate.core.errors import ArgumentError

_BOUNDS = ("rmax", "rmin", "dmax")


def checked_bounds(given: Any) -> dict[str, Any]:
    """`renorm_clipping` as a dictionary; none of the bounds need be there.

    Raises:
        ValueError: another key; bounds between which nothing lies.
    """
    if given is not None and not isinstance(given, dict):
        raise ArgumentError(
            f"`renorm_clipping` must be a dictionary. Received: renorm_clipping={given!r}. "
            "Give for example {'rmax': 3.0, 'rmin': 0.3, 'dmax': 5.0}."
        )
    bounds = dict(given or {})
    if set(bounds) - set(_BOUNDS):
        raise ArgumentError(
            f"Received invalid keys for `renorm_clipping` argument: {bounds}. Supported values: {list(_BOUNDS)}."
        )
    rmax, rmin, dmax = (bounds.get(k) for k in _BOUNDS)
    if rmax is not None and rmin is not None and rmax < rmin:
        raise ArgumentError(
            f"rmax should be at least rmin in the `renorm_clipping` argument. Received: rmax={rmax}, rmin={rmin}."
        )
    if dmax is not None and dmax < 0:
        raise ArgumentError(f"dmax should be non-negative in the `renorm_clipping` argument. Received: dmax={dmax}.")
    return bounds


def corrections(
    mean: Any, stddev: Any, slow_mean: Any, slow_stddev: Any, epsilon: float, bounds: dict[str, Any]
) -> tuple[Any, Any]:
    """r = stddev / slow_stddev and d = (mean - slow_mean) / slow_stddev, both within their bounds."""
    # It starts from an initializer, which may say 0; the batch's own cannot be below sqrt(epsilon) either.
    slow_stddev = ops.maximum(slow_stddev, epsilon**0.5)
    r = stddev / slow_stddev
    d = (mean - slow_mean) / slow_stddev
    rmax, rmin, dmax = (bounds.get(k) for k in _BOUNDS)
    if rmin is not None:
        r = ops.maximum(r, rmin)
    if rmax is not None:
        r = ops.minimum(r, rmax)
    if dmax is not None:
        d = ops.clip(d, -dmax, dmax)
    return r, d


def anew(initializer: Any) -> Any:
    """Another of the same kind: one without a seed draws other numbers for the second weight."""
    return initializer.clone() if isinstance(initializer, initializers.Initializer) else initializer


def square_root_of(variance: Any) -> Callable[..., Any]:
    """The initializer of a standard deviation, from the variance's."""
    of = anew(variance)

    def initializer(shape: Any, dtype: Any = None) -> Any:
        return np.sqrt(np.asarray(of(shape, dtype=dtype)))

    return initializer
