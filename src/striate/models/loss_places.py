"""Which part of the outputs each loss gets, where `loss` is a structure: as deep as the outputs, or over parts of them.

    outputs {"box": (corner, size), "label": p}
    loss    {"box": [overlap, (None, "mse")], "label": "bce"}
    gives   overlap over (corner, size), named "box"; "mse" over size, "box/size"; "bce" over p, "label"

Source: the rules of `keras.Model.compile`. A list of another type than the outputs there holds losses for all of them;
one with as many losses as they have leaves, one a leaf; else keys and positions lead on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from striate.core import tree
from striate.core.errors import ArgumentError, MissingKeyError
from striate.models.outputs import Outputs, path_name


class Place(NamedTuple):
    """Losses, and the part of the outputs that they get."""

    losses: list[Any]
    #: one number for all of them, or one a loss; None where they count as they are.
    weights: list[Any]
    #: the outputs' flat numbers, in the structure that the losses see; one number for a single output.
    part: Any
    name: str | None


@dataclass(frozen=True)
class _Leaf:
    """One loss of the user's, and its weight."""

    loss: Any
    weight: Any


def goes_by_structure(loss: Any, weights: Any, outputs: Outputs) -> bool:
    """Whether `loss` says more than one loss, or one list of them with one weight, for each of some flat outputs."""
    if not tree.is_nested(loss) or outputs.is_single:
        return False
    entries = list(loss.values()) if isinstance(loss, dict) else list(loss)
    if isinstance(loss, dict) and not outputs.is_flat:
        return True
    if not any(tree.is_nested(entry) for entry in entries):
        return False
    lists_of_losses = all(
        not tree.is_nested(entry) or (not isinstance(entry, dict) and not any(tree.is_nested(inner) for inner in entry))
        for entry in entries
    )
    alike = isinstance(loss, dict) or isinstance(outputs.structure, type(loss))
    weight_each = isinstance(outputs.structure, type(loss)) and tree.key_of(weights) == tree.key_of(loss)
    return weight_each or not (outputs.is_flat and lists_of_losses and alike)


def places(loss: Any, weights: Any, outputs: Outputs) -> list[Place]:
    """The losses of a structure, each with its part of the outputs.

    Args:
        loss: nested lists, tuples and dictionaries of losses and None.
        weights: the same with numbers, or as many of them in another form; None for none.

    Raises:
        ValueError: weights that are not as many as the losses.
        KeyError: a key or position that the outputs do not have.
    """
    losses = tree.flatten(loss)
    factors = [None] * len(losses) if weights is None else tree.flatten(weights)
    if len(factors) != len(losses):
        raise ArgumentError(
            f"`loss_weights` must match the number of losses, got {len(losses)} losses and {len(factors)} weights."
        )
    leaves = [None if one is None else _Leaf(one, factor) for one, factor in zip(losses, factors, strict=True)]
    return list(_spread(tree.pack_sequence_as(loss, leaves), outputs.structure, outputs, ()))


def _spread(loss: Any, part: Any, outputs: Outputs, path: tuple[Any, ...]) -> Iterator[Place]:
    if loss is None:
        return
    if isinstance(loss, _Leaf):
        yield _place([loss], part, outputs, path)
        return
    if isinstance(loss, list | tuple):
        if not tree.is_nested(part):
            yield _place([one for one in tree.flatten(loss) if one is not None], part, outputs, path)
            return
        count = len(tree.flatten(part))
        if len(loss) == count and not any(tree.is_nested(one) for one in loss):
            loss = tree.pack_sequence_as(part, list(loss))
        elif not isinstance(part, type(loss)):
            for one in loss:
                yield from _spread(one, part, outputs, path)
            return
    if isinstance(loss, dict) != isinstance(part, dict):
        raise _missing(path, outputs)
    entries = loss.items() if isinstance(loss, dict) else enumerate(loss)
    for key, one in entries:
        if one is None:
            continue
        if key not in part if isinstance(part, dict) else key >= len(part):
            raise _missing((*path, key), outputs)
        yield from _spread(one, part[key], outputs, (*path, key))


def _place(leaves: list[_Leaf], part: Any, outputs: Outputs, path: tuple[Any, ...]) -> Place:
    name = path_name(path, part, outputs.layer_names)
    return Place([leaf.loss for leaf in leaves], [leaf.weight for leaf in leaves], part, name)


def _missing(path: tuple[Any, ...], outputs: Outputs) -> MissingKeyError:
    return MissingKeyError(
        f"The path {path} in the `loss` argument, can't be found in either the model's output or its targets. "
        f"Expected keys and positions of the outputs: the model has {outputs.described()}."
    )
