"""The outputs of batches, put together."""

from __future__ import annotations

from typing import Any

import numpy as np

from striate.core import tree
from striate.core.errors import ArgumentError


class Collected:
    """Outputs of batches, put together; into one array at once where the number of samples is known."""

    def __init__(self, total: int | None) -> None:
        self.total = total
        self._parts: list[Any] = []
        self._whole: Any = None
        self._filled = 0

    def add(self, outputs: Any) -> None:
        leaves = [np.asarray(leaf) for leaf in tree.flatten(outputs)]
        rows = leaves[0].shape[0] if leaves and leaves[0].ndim else 0
        if self.total is None or rows == 0 or any(leaf.ndim == 0 or leaf.shape[0] != rows for leaf in leaves):
            self._parts.append(outputs)
            return
        if self._whole is None:
            if rows == self.total:
                self._whole, self._filled = outputs, rows
                return
            self._whole = tree.map_structure(
                lambda leaf: np.empty((self.total, *np.shape(leaf)[1:]), np.asarray(leaf).dtype), outputs
            )
        for whole, leaf in zip(tree.flatten(self._whole), leaves, strict=True):
            whole[self._filled : self._filled + rows] = leaf
        self._filled += rows

    def result(self) -> Any:
        if self._whole is not None:
            if self._filled == self.total:
                return self._whole
            return tree.map_structure(lambda leaf: leaf[: self._filled].copy(), self._whole)
        if not self._parts:
            raise ArgumentError("There is nothing to predict: the data yielded no batches.")
        return tree.map_structure(lambda *leaves: np.concatenate([np.atleast_1d(v) for v in leaves]), *self._parts)
