"""What the planner is told from outside, beside the graph; part of the key of every cache of programs."""

from __future__ import annotations

from typing import Literal

Convolution = Literal["auto", "direct"]
_convolution: Convolution = "auto"


def convolution() -> Convolution:
    """Which algorithms convolutions may use: "auto" all, "direct" only those that sum products as they stand."""
    return _convolution


def set_convolution(algorithm: Convolution) -> None:
    """Of programs compiled from now on."""
    global _convolution
    _convolution = algorithm
