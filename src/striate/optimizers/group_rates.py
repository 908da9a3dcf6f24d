"""Learning rates that fall from a network's head down to its first layers, for fine-tuning."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from striate.core.errors import ArgumentError, StateError
from striate.core.registry import export
from striate.optimizers.multi import MultiOptimizer
from striate.optimizers.optimizer import Optimizer
from striate.optimizers.optimizer_map import OptimizerMap

#: Howard and Ruder's, section 3.2.
FACTOR = 2.6


@export("optimizers.discriminative")
def discriminative(
    make: Callable[[float], Any], learning_rate: float, groups: Sequence[Any], factor: float = FACTOR
) -> MultiOptimizer:
    """Optimizers for groups of layers: the last one learns at `learning_rate`, each before it `factor` times slower.

        rate of group l of n = learning_rate / factor**(n - 1 - l)

    First layers hold what every picture has (edges, textures) and are to change little, last ones what the task is.

    Source: none in Keras, whose `MultiOptimizer` it makes, so files go there and back; Howard and Ruder 2018,
    "Universal Language Model Fine-tuning for Text Classification", section 3.2, who also give 2.6.

    Args:
        make: from a learning rate to an optimizer: `optimizers.Adam`, or for more than a number
            `lambda rate: optimizers.SGD(optimizers.schedules.CosineDecay(rate, 1000), momentum=0.9)`.
        learning_rate: of the last group.
        groups: layers or models, or lists of them, from the input on, built. Layers without weights and frozen ones may
            be among them; a layer that is in none learns at the last group's rate.
        factor: by how much a group is slower than the next one.

    Raises:
        ValueError: fewer than two groups, one without weights, layers that share a name, a factor that is not positive.

    Example:
        >>> from striate import layers, models, optimizers
        >>> base, head = layers.Dense(4, name="base"), layers.Dense(2, name="head")
        >>> model = models.Sequential([layers.Input((3,)), base, head])
        >>> both = optimizers.discriminative(optimizers.SGD, 0.26, [base, head])
        >>> [round(float(one.learning_rate.numpy()), 3) for one in both.optimizers]
        [0.1, 0.26]
    """
    if isinstance(factor, bool) or not isinstance(factor, int | float) or not factor > 0:
        raise ArgumentError(f"`factor` is a number above 0, such as 2.6. Received: factor={factor!r}.")
    lists = [list(group) if isinstance(group, list | tuple) else [group] for group in groups]
    if len(lists) < 2:
        raise ArgumentError(f"`groups` are at least two, from the input to the output. Received: {len(lists)}.")
    parts = [[part for thing in group for part in _parts(thing)] for group in lists]
    if not all(parts):
        empty = parts.index([])
        raise ArgumentError(f"Group {empty} has no weights, so no learning rate either. Leave it out of `groups`.")
    made = []
    for i in range(len(lists)):
        optimizer = make(learning_rate / factor ** (len(lists) - 1 - i))
        if not isinstance(optimizer, Optimizer):
            raise ArgumentError(f"`make` gives an optimizer for a learning rate. Received: {optimizer!r}.")
        made.append(optimizer)
    patterns = ["(.*/)?(" + "|".join(re.escape(part.name) for part in group) + ")/.*" for group in parts]
    held = OptimizerMap(made[-1], dict(zip(patterns[:-1], made[:-1], strict=True)))
    for group, optimizer in zip(parts, made, strict=True):
        for variable in (v for part in group for v in part.weights):
            _check(held, variable.path, optimizer)
    return MultiOptimizer(held)


def _parts(thing: Any) -> Iterator[Any]:
    """The layers with weights of their own in a layer or model, each of which has its name in its weights' paths."""
    if not hasattr(thing, "_flatten_layers"):
        raise ArgumentError(f"`groups` are layers, models, or lists of them. Received: {thing!r}.")
    if not thing.built:
        raise StateError(f"{thing.name!r} has no weights yet. Give the model an Input, or call it on a batch first.")
    for layer in thing._flatten_layers():
        if layer._own_variables():
            yield layer


def _check(held: OptimizerMap, path: str, optimizer: Any) -> None:
    """Whether a Variable comes to its group's optimizer, also by the path it may have after a file was read."""
    try:
        right = held[path] is optimizer
    except ArgumentError:
        right = False
    if not right:
        raise ArgumentError(
            f"The variable {path!r} would not learn at the rate of its group, since layers are told apart by their "
            "names. Is a layer in two groups, or are there two of one name? Give them names of their own, or write an "
            "OptimizerMap."
        )
