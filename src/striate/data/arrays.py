"""Batches of arrays that are all there: sliced, or gathered in a shuffled order. Never a copy of the whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from striate.core import tree
from striate.core.errors import ArgumentError
from striate.data.leaves import Array, Batch, as_array, as_arrays, class_weights, map_leaves, standardize_batch

_DEFAULT_BATCH_SIZE = 32


def _lengths(parts: dict[str, Any]) -> dict[str, list[int]]:
    return {
        role: [len(leaf) for leaf in tree.flatten(part) if leaf is not None]
        for role, part in parts.items()
        if part is not None
    }


def common_length(parts: dict[str, Any]) -> int:
    """The number of samples, the same in all arrays.

    Raises:
        ValueError: arrays of different lengths, or none.
    """
    lengths = _lengths(parts)
    distinct = {n for many in lengths.values() for n in many}
    if len(distinct) != 1:
        listed = "\n".join(f"'{role}' sizes: {', '.join(map(str, many))}" for role, many in lengths.items())
        # A list of images, one a label, where one array of all is meant.
        several = [
            r for r, many in lengths.items() if len(many) > 1 and any([len(many)] == n for n in lengths.values())
        ]
        mend = "".join(f"\nA list is several arrays: make one of it by np.stack({role})." for role in several)
        raise ArgumentError(
            "Data cardinality is ambiguous. Make sure all arrays contain the same number of samples.\n" + listed + mend
        )
    return distinct.pop()


def permutation(count: int, key: tuple[int, int, int]) -> Array:
    """The order in which samples are taken in one pass: the same for the same key on every machine."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(key))).permutation(count)


class ArrayBatches:
    """Batches of arrays.

    Args:
        x, y, sample_weight: arrays or nested structures of them; the first axis counts samples.
        batch_size: samples a batch, 32 unless given; the last one may be smaller.
        shuffle: True takes samples in a new order each pass, "batch" takes whole batches in a new order.
        class_weight: class number -> weight, becomes sample weights.
    """

    def __init__(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        batch_size: int | None = None,
        shuffle: bool | str = False,
        class_weight: dict[int, float] | None = None,
    ) -> None:
        batch_size = _DEFAULT_BATCH_SIZE if batch_size is None else batch_size
        if isinstance(batch_size, bool) or not isinstance(batch_size, int | np.integer) or batch_size < 1:
            got = f"an array of shape {np.shape(batch_size)}" if np.ndim(batch_size) else repr(batch_size)
            raise ArgumentError(f"`batch_size` is an integer of at least 1. Received: {got}.")
        if isinstance(shuffle, str) and shuffle != "batch":
            raise ArgumentError(f"`shuffle` is True, False or 'batch'. Received: {shuffle!r}.")
        self.x = as_arrays(x, "x")
        self.y = as_arrays(y, "y")
        self.sample_weight = as_arrays(sample_weight, "sample_weight")
        self.num_samples = common_length({"x": self.x, "y": self.y, "sample_weight": self.sample_weight})
        if self.num_samples == 0:
            raise ArgumentError("`x` holds no samples: its first axis has length 0. Give at least one sample.")
        self.shuffle = shuffle
        self.class_weight = class_weight
        self.set_batch_size(int(batch_size))
        self._parts: tuple[Any, ...] = (self.x, self.y, self.sample_weight)
        while len(self._parts) > 1 and self._parts[-1] is None:
            self._parts = self._parts[:-1]
        if self.class_weight is not None:
            class_weights(self._slice(self.y, slice(0, 1)), self.class_weight)  # refuse what it cannot take, early

    def set_batch_size(self, batch_size: int) -> None:
        self.batch_size = batch_size
        self.num_batches = -(-self.num_samples // batch_size)

    @staticmethod
    def _slice(part: Any, where: Any) -> Any:
        return None if part is None else map_leaves(lambda leaf: None if leaf is None else leaf[where], part)

    def batch(self, where: Any) -> Batch:
        """The samples at a slice or at an array of positions."""
        parts = tuple(self._slice(part, where) for part in self._parts)
        if self.class_weight is not None:
            parts = (*parts[:2], class_weights(parts[1], self.class_weight))
        return standardize_batch(parts)

    def one_pass(self, key: tuple[int, int, int]) -> Iterator[Batch]:
        """The batches of one pass; the order depends on `key` alone."""
        size, total = self.batch_size, self.num_samples
        if self.shuffle == "batch":
            for index in permutation(self.num_batches, key):
                yield self.batch(slice(index * size, min((index + 1) * size, total)))
        elif self.shuffle:
            order = permutation(total, key)
            for start in range(0, total, size):
                yield self.batch(order[start : start + size])
        else:
            for start in range(0, total, size):
                yield self.batch(slice(start, min(start + size, total)))


def train_validation_split(parts: tuple[Any, Any, Any], validation_split: float) -> tuple[Any, Any]:
    """((x, y, sample_weight) to train on, the same to validate on): the last samples validate, before any shuffling.

    Views, no copies.

    Raises:
        ValueError: a split outside (0, 1), one that leaves a side empty, or data that is no array.
    """
    if not 0 < validation_split < 1:
        raise ArgumentError(f"`validation_split` must be between 0 and 1. Received: {validation_split}.")
    leaves = [leaf for leaf in tree.flatten(parts) if leaf is not None]
    if not all(hasattr(leaf, "__array__") or isinstance(leaf, int | float) for leaf in leaves):
        raise ArgumentError(
            "Argument `validation_split` is only supported for arrays. "
            f"Received data of type {', '.join(sorted({type(leaf).__name__ for leaf in leaves}))}; "
            "give `validation_data` instead."
        )
    arrays = [as_arrays(part, role) for part, role in zip(parts, ("x", "y", "sample_weight"), strict=True)]
    total = common_length(dict(zip(("x", "y", "sample_weight"), arrays, strict=True)))
    # The number that stays is rounded down, so at least one validates.
    at = int(np.floor(total * (1.0 - validation_split)))
    if at == 0 or at == total:
        raise ArgumentError(
            f"Training data contains {total} samples, which is not sufficient to split it into a validation and "
            f"training set as specified by `validation_split={validation_split}`. Either provide more data, or a "
            "different value for the `validation_split` argument."
        )
    cut = ArrayBatches._slice
    return (
        tuple(cut(part, slice(0, at)) for part in arrays),
        tuple(cut(part, slice(at, None)) for part in arrays),
    )


__all__ = ["ArrayBatches", "as_array", "common_length", "permutation", "train_validation_split"]
