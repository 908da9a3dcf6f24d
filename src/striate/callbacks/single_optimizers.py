"""The optimizers of a model one by one: a MultiOptimizer consists of several, each with a rate of its own."""

from __future__ import annotations

from typing import Any

import numpy as np


def single_optimizers(model: Any) -> list[tuple[str, Any]]:
    """(what its logged names end in, optimizer): "" for one alone, "_adam" and the like in a MultiOptimizer."""
    optimizer = getattr(model, "optimizer", None)
    several = getattr(optimizer, "optimizers", None)
    return [("", optimizer)] if several is None else [(f"_{one.name}", one) for one in several]


def learning_rates(model: Any) -> dict[str, float]:
    """ "learning_rate", or "learning_rate_<name>" for each of several, as logs have them."""
    return {
        f"learning_rate{suffix}": float(np.asarray(one.learning_rate))
        for suffix, one in single_optimizers(model)
        if hasattr(one, "learning_rate")
    }
