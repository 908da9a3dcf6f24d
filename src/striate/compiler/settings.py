"""What the planner is told from outside, beside the graph; part of the key of every cache of programs."""

from __future__ import annotations

import os
from typing import Literal

Convolution = Literal["auto", "direct"]
#: Which algorithms convolutions may use, whether kernels are measured, whether a prediction's bits are those of any
#: batch.
Settings = tuple[Convolution, bool, bool]


def _from_environment() -> bool:
    """Whether STRIATE_TUNE says so."""
    return os.environ.get("STRIATE_TUNE", "") not in ("", "0")


_in_force: Settings = ("auto", _from_environment(), True)


def in_force() -> Settings:
    """All settings, for caches of programs."""
    return _in_force


def convolution() -> Convolution:
    """Which algorithms convolutions may use: "auto" all, "direct" only those that sum products as they stand."""
    return _in_force[0]


def set_convolution(algorithm: Convolution) -> None:
    """Of programs compiled from now on."""
    global _in_force
    _in_force = (algorithm, *_in_force[1:])


def tuning() -> bool:
    """Whether kernels are chosen by measuring them on this machine instead of by the cost model."""
    return _in_force[1]


def set_tuning(on: bool) -> None:
    """Of programs compiled from now on."""
    global _in_force
    _in_force = (_in_force[0], on, _in_force[2])


def batch_invariant() -> bool:
    """Whether kernels of a prediction are chosen without regard to the batch: an image's bits are those of any."""
    return _in_force[2]


def set_batch_invariant(on: bool) -> None:
    """Of programs compiled from now on."""
    global _in_force
    _in_force = (*_in_force[:2], on)
