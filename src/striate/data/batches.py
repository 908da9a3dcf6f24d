"""Batches, epoch after epoch, from whatever `fit` was given."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from striate import backend
from striate.core import tree
from striate.core.errors import ArgumentError
from striate.data.arrays import ArrayBatches
from striate.data.leaves import Batch, class_weights, standardize_batch
from striate.data.py_dataset import PyDataset, PyDatasetBatches
from striate.data.unpack import unpack_x_y_sample_weight

#: What a pass over the data is keyed by: (seed, epoch, optimizer iterations so far).
Key = tuple[int, int, int]


class Batches:
    """Batches from an object that is iterated anew for each pass."""

    def __init__(self, source: Iterable[Any], class_weight: dict[int, float] | None) -> None:
        self.source = source
        self.class_weight = class_weight
        length = getattr(source, "__len__", None)
        #: batches in a pass, None where only the end will tell.
        self.num_batches: int | None = None
        if length is not None:
            try:
                self.num_batches = int(length())
            except TypeError:  # torch's loaders over streams have a __len__ that raises
                self.num_batches = None
        self.batch_size: int | None = None
        self.num_samples: int | None = None

    def one_pass(self, key: Key) -> Iterator[Batch]:
        """The batches of one pass, each (x,), (x, y) or (x, y, sample_weight)."""
        del key
        for item in self.source:
            yield standard_item(item, self.class_weight)


class GeneratorBatches(Batches):
    """Batches from a generator: it cannot be started again, so passes go on where the last one stopped."""

    def __init__(self, source: Iterator[Any], class_weight: dict[int, float] | None) -> None:
        super().__init__(source, class_weight)
        self.num_batches = None


def _to_numpy(leaf: Any) -> Any:
    """Tensors of other libraries as arrays (torch wants detach first)."""
    if leaf is None or isinstance(leaf, np.ndarray):
        return leaf
    if hasattr(leaf, "detach"):
        leaf = leaf.detach().cpu()
    return np.asarray(leaf)


def standard_item(item: Any, class_weight: dict[int, float] | None = None) -> Batch:
    """What an iterable yields (x, or a tuple or list of x, y, sample_weight) as a batch."""
    x, y, sample_weight = unpack_x_y_sample_weight(item)
    x, y, sample_weight = (None if p is None else tree.map_structure(_to_numpy, p) for p in (x, y, sample_weight))
    if class_weight is not None:
        if sample_weight is not None:
            raise ArgumentError("You cannot give `class_weight` and `sample_weight` at the same time.")
        sample_weight = class_weights(y, class_weight)
    if sample_weight is not None:
        return standardize_batch((x, y, sample_weight))
    return standardize_batch((x,) if y is None else (x, y))


def make_batches(
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    *,
    batch_size: int | None = None,
    shuffle: bool | str = False,
    class_weight: dict[int, float] | None = None,
    steps: int | None = None,
) -> Batches | ArrayBatches | PyDatasetBatches:
    """The batches of what `fit`, `evaluate` or `predict` was given.

    Arrays with `steps` and no `batch_size` are cut into that many batches, as in Keras.

    Raises:
        ValueError: x missing, targets given beside a generator, lengths that differ, class and sample weights both.
    """
    if x is None:
        raise ArgumentError("`x` is missing: give arrays, a PyDataset, a generator or an iterable of batches.")
    if class_weight is not None and sample_weight is not None:
        raise ArgumentError(
            "You cannot give `class_weight` and `sample_weight` at the same time. "
            "Multiply the class weights into `sample_weight` instead."
        )
    if tree.is_nested(x) or hasattr(x, "__array__") or hasattr(x, "to_numpy"):
        whole = ArrayBatches(x, y, sample_weight, batch_size=batch_size, shuffle=shuffle, class_weight=class_weight)
        if batch_size is None and steps:
            whole.set_batch_size(-(-whole.num_samples // steps))
        return whole
    kind = type(x).__name__
    for given, name in ((y, "y"), (sample_weight, "sample_weight")):
        if given is not None:
            raise ArgumentError(
                f"When providing `x` as a {kind}, `{name}` should not be passed: the {kind} yields it, as "
                f"(x, y) or (x, y, sample_weight). Received: {name} of type {type(given).__name__}."
            )
    if isinstance(x, PyDataset):
        return PyDatasetBatches(x, shuffle=bool(shuffle), class_weight=class_weight, standard_item=standard_item)
    if isinstance(x, Iterator):
        return GeneratorBatches(x, class_weight)
    if isinstance(x, Iterable):
        return Batches(x, class_weight)
    hint = " Call the function: it is what it returns that yields batches." if callable(x) else ""
    raise ArgumentError(
        f"Unrecognized data type: x={x!r} (of type {type(x)}). "
        f"Expected arrays, a PyDataset, a generator or an iterable of batches.{hint}"
    )


class Epochs:
    """Epochs of batches. With `steps_per_epoch`, one pass over the data may span several epochs, as in Keras."""

    def __init__(self, batches: Any, steps_per_epoch: int | None = None) -> None:
        if steps_per_epoch is not None and (not isinstance(steps_per_epoch, int | np.integer) or steps_per_epoch < 1):
            raise ArgumentError(f"The number of steps of an epoch is at least 1. Received: {steps_per_epoch!r}.")
        self.batches = batches
        most, there = backend.max_steps_per_epoch(), steps_per_epoch or batches.num_batches
        if most is not None and (there is None or there > most):
            warnings.warn(f"Limiting steps_per_epoch to {most}, as config.max_steps_per_epoch() says.", stacklevel=4)
            steps_per_epoch = most
        self.steps_per_epoch = steps_per_epoch
        self._pass: Iterator[Batch] | None = None
        self._seen = 0
        self._is_fresh = False

    @property
    def num_batches(self) -> int | None:
        """Batches in an epoch, None where only the end of the first will tell."""
        if self.steps_per_epoch is not None:
            return int(self.steps_per_epoch)
        count: int | None = self.batches.num_batches
        return count

    def peek(self, key: Key | Callable[[], Key]) -> Batch:
        """The first batch of the next epoch, which that epoch will yield all the same."""
        if self._pass is None or (self.steps_per_epoch is None and not self._is_fresh):
            self._begin(key)
        assert self._pass is not None
        first = next(self._pass, None)
        if first is None:
            raise ArgumentError("The data yielded no batches. Give data with at least one sample.")
        self._pass = itertools.chain([first], self._pass)
        self._is_fresh = True
        return first

    def _begin(self, key: Key | Callable[[], Key]) -> None:
        self._pass = self.batches.one_pass(key() if callable(key) else key)
        self._seen = 0

    def restart(self) -> None:
        """Forget a first batch that was peeked at, so that the next epoch begins its pass anew.

        What can be passed over once only (a generator) keeps it.
        """
        if not isinstance(self.batches, GeneratorBatches):
            self._pass = None
            self._is_fresh = False

    def epoch(self, key: Key | Callable[[], Key]) -> Iterator[Batch]:
        """The batches of the next epoch. `key` says what shuffling is keyed by if a pass begins here."""
        if self._pass is None or (self.steps_per_epoch is None and not self._is_fresh):
            self._begin(key)
        self._is_fresh = False
        for step in itertools.count():
            if self.steps_per_epoch is not None and step >= self.steps_per_epoch:
                break
            batch = next(self._pass or iter(()), None)
            if batch is None:
                self._ended(step)
                return
            self._seen += 1
            yield batch
        if self.batches.num_batches is not None and self._seen >= self.batches.num_batches:
            self._pass = None

    def _ended(self, step: int) -> None:
        self._pass = None
        expected = self.steps_per_epoch if self.steps_per_epoch is not None else self.batches.num_batches
        if self.batches.num_batches is None and not isinstance(self.batches, GeneratorBatches):
            self.batches.num_batches = self._seen
        if expected is not None and step < expected:
            warnings.warn(
                "Your input ran out of data; interrupting training. Make sure that your dataset or generator can "
                "generate at least `steps_per_epoch * epochs` batches.",
                stacklevel=5,
            )
