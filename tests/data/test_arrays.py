"""Batches of arrays: sizes, order, types, weights, and no copies of the whole."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.data import ArrayBatches, Epochs, make_batches, train_validation_split
from striate.data.arrays import permutation
from striate.data.leaves import class_weights

KEY = (7, 0, 0)


@given(count=st.integers(1, 50), size=st.integers(1, 60), shuffle=st.sampled_from([False, True, "batch"]))
def test_every_sample_comes_once_and_x_stays_with_y(count: int, size: int, shuffle: bool | str) -> None:
    x = np.arange(count, dtype=np.float32)[:, None]
    batches = ArrayBatches(x, np.arange(count), batch_size=size, shuffle=shuffle)
    got = list(batches.one_pass(KEY))

    assert len(got) == batches.num_batches == -(-count // size)
    assert [len(b[0]) for b in got if len(b[0]) != size] in ([], [count % size])
    assert sorted(np.concatenate([b[1] for b in got])) == list(range(count))
    assert all((b[0][:, 0] == b[1]).all() for b in got)


def test_order_depends_on_seed_epoch_and_steps() -> None:
    orders = [permutation(100, key).tolist() for key in [(1, 0, 0), (1, 1, 0), (1, 0, 9), (2, 0, 0)]]
    assert permutation(100, (1, 0, 0)).tolist() == orders[0]
    assert len({tuple(o) for o in orders}) == 4


def test_unshuffled_batches_are_views() -> None:
    x = np.zeros((8, 3), np.float32)
    (first,) = next(iter(ArrayBatches(x, batch_size=4).one_pass(KEY)))
    assert np.shares_memory(first, x)


@pytest.mark.parametrize(
    ("given_dtype", "expected"),
    [("float64", "float32"), ("float32", "float32"), ("uint8", "uint8"), ("int64", "int64"), ("bool", "bool")],
)
def test_dtypes_as_keras_has_them(given_dtype: str, expected: str) -> None:
    (x,) = next(iter(ArrayBatches(np.zeros((2, 2), given_dtype)).one_pass(KEY)))
    assert x.dtype == expected


def test_fortran_order_becomes_contiguous() -> None:
    (x,) = next(iter(ArrayBatches(np.asfortranarray(np.zeros((4, 3), np.float32)), batch_size=2).one_pass(KEY)))
    assert x.flags.c_contiguous


def test_nested_inputs_and_lists_of_numbers() -> None:
    batches = ArrayBatches({"a": np.zeros((3, 1)), "b": [np.zeros(3), np.zeros(3)]}, [0, 1, 2], batch_size=2)
    x, y = next(iter(batches.one_pass(KEY)))
    assert x["a"].shape == (2, 1) and len(x["b"]) == 2 and y.tolist() == [0, 1]


def test_different_lengths_are_named() -> None:
    with pytest.raises(ValueError, match="Data cardinality is ambiguous") as error:
        ArrayBatches(np.zeros((2, 4)), np.zeros(3))
    assert "'x' sizes: 2" in str(error.value) and "'y' sizes: 3" in str(error.value)


@pytest.mark.parametrize(
    ("x", "options", "text"),
    [
        (np.zeros((0, 2)), {}, "no samples"),
        (np.zeros((2, 2)), {"batch_size": 0}, "at least 1"),
        (np.zeros((2, 2)), {"shuffle": "rows"}, "'batch'"),
        (np.array(["a", "b"]), {}, "array of numbers"),
        (np.float32(3), {}, "first axis"),
    ],
)
def test_what_is_refused(x: object, options: dict[str, object], text: str) -> None:
    with pytest.raises((ValueError, TypeError), match=text):
        ArrayBatches(x, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("y", [np.array([0, 2, 1, 3]), np.array([[0], [2], [1], [3]]), np.eye(4)[[0, 2, 1, 3]]])
def test_class_weights(y: np.ndarray) -> None:
    assert class_weights(y, {0: 0.5, 2: 3.0}).tolist() == [0.5, 3.0, 1.0, 1.0]


def test_class_weight_becomes_sample_weight() -> None:
    batches = ArrayBatches(np.zeros((2, 1)), np.array([1, 0]), batch_size=2, class_weight={1: 4.0})
    _, _, weight = next(iter(batches.one_pass(KEY)))
    assert weight.tolist() == [4.0, 1.0]


def test_both_weights_are_refused() -> None:
    with pytest.raises(ValueError, match=r"class_weight.*sample_weight"):
        make_batches(np.zeros((2, 1)), np.zeros(2), np.ones(2), class_weight={0: 1.0})


def test_validation_split_takes_the_last_samples_as_views() -> None:
    x, y = np.arange(10.0), np.arange(10)
    (train_x, train_y, none), (val_x, val_y, _) = train_validation_split((x, y, None), 0.25)
    assert none is None
    assert train_y.tolist() == list(range(7)) and val_y.tolist() == [7, 8, 9]
    assert np.shares_memory(train_x, x) and np.shares_memory(val_x, x)


@pytest.mark.parametrize(("count", "split"), [(1, 0.5), (10, 1.5), (10, -0.1), (2, 0.6)])
def test_validation_split_that_leaves_nothing(count: int, split: float) -> None:
    with pytest.raises(ValueError, match="validation_split"):
        train_validation_split((np.zeros(count), None, None), split)


def test_steps_per_epoch_goes_on_where_the_last_epoch_stopped() -> None:
    epochs = Epochs(ArrayBatches(np.arange(12), batch_size=2), steps_per_epoch=3)
    assert epochs.num_batches == 3
    seen = [[b[0].tolist() for b in epochs.epoch(KEY)] for _ in range(3)]
    assert seen[0] == [[0, 1], [2, 3], [4, 5]] and seen[1] == [[6, 7], [8, 9], [10, 11]] and seen[2] == seen[0]


def test_running_out_of_data_warns() -> None:
    epochs = Epochs(ArrayBatches(np.arange(4), batch_size=2), steps_per_epoch=3)
    with pytest.warns(UserWarning, match="ran out of data"):
        assert len(list(epochs.epoch(KEY))) == 2


def test_peek_takes_nothing_away() -> None:
    epochs = Epochs(ArrayBatches(np.arange(6), batch_size=2))
    for _ in range(2):
        assert epochs.peek(KEY)[0].tolist() == [0, 1]
        assert [b[0].tolist() for b in epochs.epoch(KEY)] == [[0, 1], [2, 3], [4, 5]]


def test_steps_without_a_batch_size_cut_the_data() -> None:
    batches = make_batches(np.zeros((50, 1)), steps=4)
    assert (batches.batch_size, batches.num_batches) == (13, 4)
    assert make_batches(np.zeros((50, 1)), batch_size=5, steps=4).batch_size == 5
