"""Which loss, metric, target and weight belongs to which output of a model."""

from __future__ import annotations

from typing import Any

from striate.core import tree
from striate.core.errors import ArgumentError


class Outputs:
    """The outputs of a model, flat, each with the name that losses and metrics are given by.

    Args:
        y_pred: one output, or a structure of them.
        output_names: of the layers that make them, in flat order; None for subclassed models.
    """

    def __init__(self, y_pred: Any, output_names: list[str] | None) -> None:
        self.struct_key = tree.key_of(y_pred)
        self.count = len(tree.flatten(y_pred))
        self.is_single = not tree.is_nested(y_pred)
        #: keys of a flat dictionary of outputs, in flat order.
        self.keys: list[str] | None = None
        if isinstance(y_pred, dict) and len(y_pred) == self.count:
            self.keys = sorted(y_pred, key=str)
        self.is_flat = self.keys is not None or self.is_single or len(y_pred) == self.count
        self.layer_names = output_names if output_names and len(output_names) == self.count else None

    @property
    def names(self) -> list[str | None]:
        """What stands before "_loss" and metrics' names where there are several outputs."""
        known = self.keys or self.layer_names
        return [None] * self.count if known is None else [*known]

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
        return flat


def is_binary_or_sparse(y_true: Any, y_pred: Any) -> tuple[bool, bool]:
    """(whether the targets are binary, whether they are class numbers), told by the shapes."""
    true_shape, pred_shape = tuple(y_true.shape), tuple(y_pred.shape)
    binary = bool(pred_shape) and pred_shape[-1] == 1
    sparse = len(true_shape) < len(pred_shape) or (bool(true_shape) and true_shape[-1] == 1 and pred_shape[-1] != 1)
    return binary, sparse
