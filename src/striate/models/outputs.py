"""Which loss, metric, target and weight belongs to which output of a model."""

from __future__ import annotations

from typing import Any

from striate.core import tree
from striate.core.errors import ArgumentError, MissingKeyError
from striate.core.tree_pairs import flatten_with_path


class Outputs:
    """The outputs of a model, flat, each with the name that losses and metrics are given by.

    Args:
        y_pred: one output, or a structure of them.
        output_names: of the layers that make them, in flat order; None for subclassed models.
    """

    def __init__(self, y_pred: Any, output_names: list[str] | None) -> None:
        self.struct_key = tree.key_of(y_pred)
        self.count = len(tree.flatten(y_pred))
        #: the outputs' flat numbers, in their structure.
        self.structure = tree.pack_sequence_as(y_pred, range(self.count))
        self.is_single = not tree.is_nested(y_pred)
        #: keys of a flat dictionary of outputs, in flat order.
        self.keys: list[str] | None = None
        if isinstance(y_pred, dict) and len(y_pred) == self.count:
            self.keys = sorted(y_pred, key=str)
        self.is_flat = self.keys is not None or self.is_single or len(y_pred) == self.count
        self.layer_names = output_names if output_names and len(output_names) == self.count else None

    @property
    def names(self) -> list[str | None]:
        """What stands before metrics' names where there are several outputs."""
        known = self.keys or self.layer_names
        return [None] * self.count if known is None else [*known]

    @property
    def loss_names(self) -> list[str | None]:
        """What stands before "_loss": of outputs in structures within structures, where they are."""
        if self.is_flat:
            return self.names
        return [path_name(path, i, self.layer_names) for path, i in flatten_with_path(self.structure)]

    def described(self) -> str:
        """For messages."""
        if any(self.names):
            return f"{self.count} outputs: {', '.join(map(str, self.names))}"
        return f"{self.count} output{'s' if self.count > 1 else ''}"

    def by_key(self, given: dict[str, Any], role: str) -> list[Any]:
        """The entries of a dictionary in flat order, None where it names no such output.

        Raises:
            ValueError: a key that names no output.
        """
        for known in (self.keys, self.layer_names):
            if known is not None and set(given) <= set(known):
                return [given.get(name) for name in known]
        if role == "loss" and self.keys is not None:
            unknown = sorted(map(str, set(given) - set(self.keys)))
            raise MissingKeyError(
                f"The keys {unknown} in the `loss` argument, can't be found in either the model's output or its "
                f"targets: they name no output. The model has {self.described()}."
            )
        raise ArgumentError(
            f"Invalid `{role}`: it has keys that name no output of the model. Received keys: "
            f"{sorted(map(str, given))}. Expected keys: the model has {self.described()}."
        )

    def align(self, given: Any, role: str) -> list[Any]:
        """One entry an output, from a leaf (for one output), a list, a dictionary, or the structure of the outputs."""
        if given is None:
            return [None] * self.count
        if isinstance(given, dict) and self.is_flat and len(tree.flatten(given)) == len(given):
            if len(given) == 1 and self.count == 1 and self.layer_names is None and self.keys is None:
                return list(given.values())
            return self.by_key(given, role)
        flat = tree.flatten(given)
        if len(flat) != self.count:
            raise ArgumentError(
                f"`{role}` must hold one entry an output. Received {len(flat)}; the model has {self.described()}."
            )
        if not self.is_flat and len(given) != self.count and _paths(given) != _paths(self.structure):
            raise ArgumentError(
                f"`{role}` and the outputs have different structures. Received: {tree.map_structure(_star, given)}. "
                f"Expected: {tree.map_structure(_star, self.structure)}, or one list."
            )
        return flat


def _star(_: Any) -> str:
    return "*"


def _paths(structure: Any) -> list[tuple[Any, ...]]:
    return [path for path, _ in flatten_with_path(structure)]


def path_name(path: tuple[Any, ...], part: Any, layer_names: list[str] | None) -> str | None:
    """What a part of the outputs is called: where it is; by its layer where it is the entry of a list.

    Args:
        path: keys and positions that lead to it.
        part: its flat number, or a structure of them.
        layer_names: of the layers that make the outputs, by flat number.

    Returns:
        None where nothing is known: the loss then gives its own name.
    """
    names = None if layer_names is None else [layer_names[i] for i in tree.flatten(part)]
    if not tree.is_nested(part) and (not path or isinstance(path[-1], int)):
        if names is None:
            return None
        path = (*path[:-1], names[0])
    if path:
        return "/".join(map(str, path))
    if isinstance(part, dict):
        return "_".join(map(str, part))
    return None if names is None else "_".join(names)


def is_binary_or_sparse(y_true: Any, y_pred: Any) -> tuple[bool, bool]:
    """(whether the targets are binary, whether they are class numbers), told by the shapes."""
    true_shape, pred_shape = tuple(y_true.shape), tuple(y_pred.shape)
    binary = bool(pred_shape) and pred_shape[-1] == 1
    sparse = len(true_shape) < len(pred_shape) or (bool(true_shape) and true_shape[-1] == 1 and pred_shape[-1] != 1)
    return binary, sparse
