"""Variables as users meet them: what they are made from, read as, and refuse."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import striate as keras
from striate import layers, ops
from striate.backend import KerasTensor, only_shapes
from striate.random import host


def test_made_from_the_name_of_an_initializer() -> None:
    assert keras.Variable("ones", shape=(2,)).numpy().tolist() == [1, 1]


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: keras.Variable("ones"), "needs a shape"),
        (lambda: keras.Variable("once", shape=(2,)), "Did you mean 'one'"),
        (lambda: keras.Variable(None), "starts from numbers"),
        (lambda: keras.Variable(np.ones, shape=(None, 2)), r"none open.*\(None, 2\)"),
        (lambda: keras.Variable(np.ones, shape=(-2,)), r"at least 0.*\(-2,\)"),
        (lambda: keras.Variable(np.ones, shape=(2.0,)), "tuple of integers"),
        (lambda: layers.Layer().add_weight(shape=(-1,)), "at least 0"),
        (lambda: layers.Layer().add_weight("kernel", (2,)), r"add_weight\(shape=..., name='kernel'\)"),
        (lambda: keras.Input((3.5,)), "tuple of integers"),
        (lambda: keras.Input("28"), "tuple of integers"),
        (lambda: KerasTensor((None, -1)), "tuple of lengths"),
    ],
)
def test_refused(make: Callable[[], Any], text: str) -> None:
    with pytest.raises((ValueError, TypeError), match=text):
        make()


def test_weights_that_are_only_counted_are_not_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "uniform", lambda state, shape: pytest.fail("drawn"))
    with only_shapes():
        layer = layers.Dense(3)
        layer.build((None, 2))
    assert layer.count_params() == 9 and not layer.kernel.numpy().any()
    layer.kernel.assign(np.ones((2, 3)))  # it has a buffer like any other
    assert layer(np.ones((1, 2), "float32")).tolist() == [[2, 2, 2]]
    monkeypatch.undo()
    drawn = layers.Dense(3)
    drawn.build((None, 2))
    assert drawn.kernel.numpy().any()


def test_assign_gives_the_value_in_the_variables_own_dtype() -> None:
    v = keras.Variable([1.0, 2.0])
    assert v.assign([3, 4]).dtype == np.float32
    assert v.assign(np.ones(2)).dtype == np.float32
    assert keras.function(lambda x: v.assign(x))(np.array([5, 6])).dtype == np.float32
    assert v.numpy().tolist() == [5, 6]


def test_iteration_and_numpy_functions_outside_a_trace() -> None:
    v = keras.Variable([1.0, 2.0, 4.0])
    assert [float(x) for x in v] == [1, 2, 4]
    assert float(np.sum(v)) == 7 and np.concatenate([v, v]).shape == (6,) and np.array_equal(v, v)
    with pytest.raises(TypeError, match="without axes"):
        list(keras.Variable(1.0))


@pytest.mark.parametrize(
    "read",
    [lambda v: v.numpy(), np.asarray, np.sum, np.sqrt, float, lambda v: np.stack([v, v])],
    ids=["numpy", "asarray", "sum", "sqrt", "float", "stack"],
)
def test_no_value_becomes_a_constant_of_a_program(read: Callable[[Any], Any]) -> None:
    v = keras.Variable(4.0)
    with pytest.raises(TypeError, match="value"):
        keras.function(lambda: v * ops.cast(read(v), "float32"))()
    # Making a layer's weights from another's is no part of the program.
    assert float(keras.function(lambda: v + 1.0)()) == 5


def test_nothing_shares_its_memory() -> None:
    v, start = keras.Variable(np.ones((2, 3))), np.ones((2, 3), "float32")
    v.assign(start)
    start[...] = 7
    reads = [v.value, v.numpy(), np.asarray(v), np.asarray(v, "float32"), ops.reshape(v, (3, 2)), v[0], v[::-1]]
    (_, outputs), slopes = keras.value_and_grad(lambda: (ops.sum(v), [v * 1.0, ops.reshape(v, (6,))]), [v])()
    for array in (*reads, *outputs, *slopes):
        array[...] = 9
    assert (v.numpy() == 1).all()


def test_copies_go_their_own_way() -> None:
    v = keras.Variable([1.0], name="x")
    for other in (copy.copy(v), copy.deepcopy(v), pickle.loads(pickle.dumps(v))):
        other.assign([2.0])
        assert (other.name, v.numpy().tolist()) == ("x", [1.0])
