"""PyDataset: batches by number, made by the user's code, in threads if wished."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from striate.core.errors import ArgumentError
from striate.core.registry import export
from striate.data.arrays import permutation
from striate.data.leaves import Batch


@export("utils.PyDataset", "utils.Sequence")
class PyDataset:
    """Base of data sets that make a batch from its number.

    Subclasses write `__getitem__(index)`, which gives (x, y) or (x, y, sample_weight), and `__len__` (or the property
    `num_batches`, None for an endless one).

    Source: `keras.utils.PyDataset`.

    Args:
        workers: threads that make batches ahead of time; 1 or less makes them when they are asked for.
        use_multiprocessing: accepted; batches are made in threads all the same (NumPy, Pillow and file reading let
            other threads run).
        max_queue_size: batches held ready at most.

    Example:
        >>> class Squares(PyDataset):
        ...     def __len__(self): return 2
        ...     def __getitem__(self, index): return np.full((4, 1), index), np.full((4, 1), index**2)
    """

    def __init__(self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10) -> None:
        self._workers = workers
        self._use_multiprocessing = use_multiprocessing
        self._max_queue_size = max_queue_size

    def _option(self, name: str, default: Any) -> Any:
        # Subclasses often forget super().__init__().
        return getattr(self, "_" + name, default)

    @property
    def workers(self) -> int:
        return int(self._option("workers", 1))

    @workers.setter
    def workers(self, value: int) -> None:
        self._workers = value

    @property
    def use_multiprocessing(self) -> bool:
        return bool(self._option("use_multiprocessing", False))

    @use_multiprocessing.setter
    def use_multiprocessing(self, value: bool) -> None:
        self._use_multiprocessing = value

    @property
    def max_queue_size(self) -> int:
        return int(self._option("max_queue_size", 10))

    @max_queue_size.setter
    def max_queue_size(self, value: int) -> None:
        self._max_queue_size = value

    def __getitem__(self, index: int) -> Any:
        """The batch with this number."""
        raise NotImplementedError(f"{type(self).__name__} must define __getitem__(index), which gives a batch.")

    @property
    def num_batches(self) -> int | None:
        """Batches in a pass."""
        if hasattr(self, "__len__"):
            return len(self)
        raise NotImplementedError(f"{type(self).__name__} must define __len__, the number of batches.")

    def on_epoch_begin(self) -> None:
        """Called before each pass."""

    def on_epoch_end(self) -> None:
        """Called after each pass."""


class PyDatasetBatches:
    """Batches of a PyDataset, in a shuffled order if wished, up to `max_queue_size` ahead where it has workers."""

    def __init__(
        self,
        source: PyDataset,
        shuffle: bool,
        class_weight: dict[int, float] | None,
        standard_item: Callable[[Any, dict[int, float] | None], Batch],
    ) -> None:
        self.source = source
        self.shuffle = shuffle
        self.class_weight = class_weight
        self.num_batches = source.num_batches
        self.batch_size: int | None = None
        self.num_samples: int | None = None
        self._standard_item = standard_item
        if self.num_batches is not None and self.num_batches < 1:
            raise ArgumentError(f"{type(source).__name__} has no batches: its length is {self.num_batches}.")

    def _order(self, key: tuple[int, int, int]) -> Iterator[int]:
        if self.num_batches is None:
            index = 0
            while True:
                yield index
                index += 1
        elif self.shuffle:
            yield from (int(i) for i in permutation(self.num_batches, key))
        else:
            yield from range(self.num_batches)

    def _make(self, index: int) -> Batch:
        return self._standard_item(self.source[index], self.class_weight)

    def one_pass(self, key: tuple[int, int, int]) -> Iterator[Batch]:
        """The batches of one pass, in order, whatever the number of workers."""
        self.source.on_epoch_begin()
        if self.source.workers > 1:
            yield from self._ahead(key)
        else:
            for index in self._order(key):
                yield self._make(index)
        self.source.on_epoch_end()

    def _ahead(self, key: tuple[int, int, int]) -> Iterator[Batch]:
        with ThreadPoolExecutor(self.source.workers, thread_name_prefix="striate-data") as pool:
            waiting: deque[Future[Batch]] = deque()
            try:
                for index in self._order(key):
                    waiting.append(pool.submit(self._make, index))
                    if len(waiting) >= max(self.source.max_queue_size, 1):
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                for future in waiting:
                    future.cancel()
