"""A data set cut in two, sample by sample."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from striate import backend
from striate.core import tree
from striate.core.errors import ArgumentError, DTypeError
from striate.core.registry import export
from striate.data.arrays import permutation
from striate.data.py_dataset import PyDataset


class Samples(PyDataset):
    """Single samples by number; `batch(n)` gives what `fit` takes."""

    def __init__(self, samples: Sequence[Any]) -> None:
        super().__init__()
        self._samples = list(samples)

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, index: int) -> Any:
        return self._samples[range(len(self._samples))[index]]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._samples)

    def batch(self, batch_size: int) -> Samples:
        """Batches of so many samples, the last one smaller where they do not divide."""
        if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
            raise ArgumentError(f"`batch_size` should be a positive integer. Received: batch_size={batch_size!r}.")
        starts = range(0, len(self), batch_size)
        return Samples([_together(self._samples[s : s + batch_size]) for s in starts])


def _together(samples: Sequence[Any]) -> Any:
    return tree.map_structure(lambda *values: np.stack([np.asarray(v) for v in values]), *samples)


def _samples(dataset: Any) -> list[Any]:
    """Every sample of a data set."""
    if isinstance(dataset, np.ndarray):
        return list(dataset)
    arrays = isinstance(dataset, list | tuple) and dataset and all(hasattr(d, "shape") for d in dataset)
    if isinstance(dataset, dict) or arrays:
        lengths = {len(leaf) for leaf in tree.flatten(dataset)}
        if len(lengths) != 1:
            raise ArgumentError(f"Arrays of one data set must have as many samples each. Received: {sorted(lengths)}.")
        return [tree.map_structure(lambda leaf, i=i: leaf[i], dataset) for i in range(lengths.pop())]
    if isinstance(dataset, PyDataset):
        return [dataset[i] for i in range(dataset.num_batches or 0)]
    if hasattr(dataset, "__len__") and hasattr(dataset, "__getitem__"):
        return [dataset[i] for i in range(len(dataset))]
    if hasattr(dataset, "__iter__"):
        return list(dataset)
    raise DTypeError(
        f"The `dataset` argument must be arrays, a PyDataset, or something that gives samples one after another. "
        f"Received: {type(dataset).__name__}."
    )


def _count(size: Any, total: int, name: str) -> int | None:
    if size is None:
        return None
    if isinstance(size, bool) or not isinstance(size, int | float):
        raise DTypeError(f"Invalid `{name}`: it is a number of samples or a part of them. Received: {name}={size!r}.")
    if isinstance(size, float) and not 0 < size < 1:
        raise ArgumentError(f"As a part, `{name}` must be between 0 and 1. Received: {name}={size}.")
    if isinstance(size, int) and not 0 < size < total:
        raise ArgumentError(
            f"As a number, `{name}` must be positive and less than the {total} samples. Received: {name}={size}."
        )
    return round(size * total) if isinstance(size, float) else size


@export("utils.split_dataset")
def split_dataset(
    dataset: Any,
    left_size: Any = None,
    right_size: Any = None,
    shuffle: bool = False,
    seed: int | None = None,
    preferred_backend: str | None = None,
) -> tuple[Samples, Samples]:
    """A data set in two parts, of single samples; `left.batch(32)` is what `fit` takes.

    Source: `keras.utils.split_dataset`, whose parts are tf.data's.

    Args:
        dataset: arrays (in a list, tuple or dict: of one length), a PyDataset, or any iterable of samples.
        left_size: samples of the first part: a number of them, or a part of the whole between 0 and 1.
        right_size: of the second part; one of the two is enough.
        shuffle: whether samples change their places first.
        seed: what the new order is drawn from.
        preferred_backend: accepted; the parts are Striate's.

    Raises:
        ValueError: no size, sizes that do not fit, no samples.
        TypeError: no data set.

    Example:
        >>> left, right = split_dataset((np.arange(10.0), np.arange(10)), left_size=0.8)
        >>> len(left), len(right), next(iter(right.batch(2)))[0].tolist()
        (8, 2, [8.0, 9.0])
    """
    del preferred_backend
    samples = _samples(dataset)
    if not samples:
        raise ArgumentError("Received an empty dataset. `dataset` must hold at least one sample.")
    if left_size is None and right_size is None:
        raise ArgumentError("At least one of the `left_size` or `right_size` must be specified. Received both None.")
    left, right = _count(left_size, len(samples), "left_size"), _count(right_size, len(samples), "right_size")
    if left is not None and right is not None and left + right > len(samples):
        raise ArgumentError(
            f"The sum of `left_size` and `right_size` is greater than the {len(samples)} samples. Received: "
            f"left_size={left_size}, right_size={right_size}. Make one of them smaller."
        )
    left = len(samples) - (right or 0) if left is None else left
    right = len(samples) - left if right is None else right
    if shuffle:
        key = backend.global_seed() if seed is None else int(seed)
        samples = [samples[i] for i in permutation(len(samples), (key, 0, 0))]
    return Samples(samples[:left]), Samples(samples[len(samples) - right :])
