"""Batches from generators, iterables and PyDatasets."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from striate.data import (
    Epochs,
    PyDataset,
    make_batches,
    pack_x_y_sample_weight,
    unpack_x_y_sample_weight,
)

KEY = (1, 0, 0)


class Numbers(PyDataset):
    """Batch i is (i, i)."""

    def __init__(self, count: int = 6, **options: Any) -> None:
        super().__init__(**options)
        self.count = count
        self.events: list[str] = []
        self.threads: set[int] = set()

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        self.threads.add(threading.get_ident())
        return np.full((2, 1), index), np.full(2, index)

    def on_epoch_begin(self) -> None:
        self.events.append("begin")

    def on_epoch_end(self) -> None:
        self.events.append("end")


def _firsts(batches: Any, key: tuple[int, int, int] = KEY) -> list[int]:
    return [int(b[1][0]) for b in batches.one_pass(key)]


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_py_dataset_keeps_its_order(workers: int) -> None:
    data = Numbers(workers=workers, max_queue_size=2)
    batches = make_batches(data)
    assert _firsts(batches) == [0, 1, 2, 3, 4, 5]
    assert batches.num_batches == 6
    assert data.events == ["begin", "end"]
    assert (threading.get_ident() in data.threads) == (workers <= 1)


def test_py_dataset_shuffles_whole_batches_by_key() -> None:
    batches = make_batches(Numbers(20), shuffle=True)
    first, again, other = _firsts(batches), _firsts(batches), _firsts(batches, (1, 1, 0))
    assert first == again != other
    assert sorted(other) == list(range(20))


def test_py_dataset_without_super_init() -> None:
    class Forgetful(PyDataset):
        def __init__(self) -> None:
            pass

        def __len__(self) -> int:
            return 1

        def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
            return np.zeros((1, 1)), np.zeros(1)

    assert len(_firsts(make_batches(Forgetful()))) == 1


def test_an_error_in_a_worker_reaches_the_caller() -> None:
    class Broken(Numbers):
        def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
            raise OSError("no such image")

    with pytest.raises(OSError, match="no such image"):
        _firsts(make_batches(Broken(workers=2)))


def _endless() -> Iterator[tuple[np.ndarray, np.ndarray]]:
    index = 0
    while True:
        yield np.full((2, 1), index), np.full(2, index)
        index += 1


def test_a_generator_goes_on_in_the_next_epoch() -> None:
    epochs = Epochs(make_batches(_endless()), steps_per_epoch=2)
    assert [[int(b[1][0]) for b in epochs.epoch(KEY)] for _ in range(2)] == [[0, 1], [2, 3]]


def test_a_peeked_generator_loses_nothing() -> None:
    epochs = Epochs(make_batches(_endless()), steps_per_epoch=2)
    epochs.peek(KEY)
    assert [int(b[1][0]) for b in epochs.epoch(KEY)] == [0, 1]


def test_an_iterable_is_iterated_anew() -> None:
    class Loader:
        def __iter__(self) -> Iterator[Any]:
            return iter([[np.zeros((1, 2)), np.array([1])], [np.zeros((1, 2)), np.array([2])]])

    epochs = Epochs(make_batches(Loader()))
    assert epochs.num_batches is None
    assert [[b[1].tolist() for b in epochs.epoch(KEY)] for _ in range(2)] == [[[1], [2]]] * 2
    assert epochs.num_batches == 2


def test_class_weight_on_a_stream() -> None:
    batches = make_batches(Numbers(2), class_weight={1: 5.0})
    assert [b[2].tolist() for b in batches.one_pass(KEY)] == [[1.0, 1.0], [5.0, 5.0]]


def test_targets_beside_a_stream_are_refused() -> None:
    with pytest.raises(ValueError, match="`y` should not be passed"):
        make_batches(Numbers(), np.zeros(3))


@pytest.mark.parametrize("x", [None, 3, object()])
def test_what_is_no_data(x: Any) -> None:
    with pytest.raises(ValueError, match="x"):
        make_batches(x)


def test_unpack_and_pack() -> None:
    assert unpack_x_y_sample_weight(1) == (1, None, None)
    assert unpack_x_y_sample_weight((1,)) == (1, None, None)
    assert unpack_x_y_sample_weight([1, 2]) == (1, 2, None)
    assert unpack_x_y_sample_weight((1, 2, 3)) == (1, 2, 3)
    assert pack_x_y_sample_weight(1) == 1
    assert pack_x_y_sample_weight([1]) == ([1],)
    assert pack_x_y_sample_weight(1, 2) == (1, 2)
    assert pack_x_y_sample_weight(1, 2, 3) == (1, 2, 3)
    with pytest.raises(ValueError, match="tuple of 4 parts"):
        unpack_x_y_sample_weight((1, 2, 3, 4))
