"""Activations that papers on convolutional networks describe and Keras lacks."""

from __future__ import annotations

from typing import Any

from striate import ops
from striate.core.registry import export


@export("activations.scaled_tanh")
def scaled_tanh(x: Any) -> Any:
    """1.7159 tanh(2x / 3): f(1) = 1 and f(-1) = -1, where it also bends most. Not in Keras.

    Source: LeCun, Bottou, Bengio and Haffner 1998, appendix A: targets of +-1 lie inside the range of the units, which
    so never have to saturate, and the gain near 0 is about 1.

    Example:
        >>> scaled_tanh(np.array([-1.0, 0.0, 1.0], "float32")).round(3).tolist()
        [-1.0, 0.0, 1.0]
    """
    return ops.tanh(x * (2 / 3)) * 1.7159
