"""cond, scan and loops, on arrays and in traced functions."""

from __future__ import annotations

import numpy as np
import pytest

from striate import backend, ops
from striate.core.errors import SymbolicError

X = np.arange(6, dtype="float32").reshape(3, 2)


def test_cond_selects_while_tracing() -> None:
    choose = backend.TracedFunction(lambda x: ops.cond(ops.sum(x) > 3.0, lambda: (x, x + 1.0), lambda: (-x, x)))
    assert [y.tolist() for y in choose(np.array([1.0, 3.0], "float32"))] == [[1.0, 3.0], [2.0, 4.0]]
    assert [y.tolist() for y in choose(np.array([1.0, 1.0], "float32"))] == [[-1.0, -1.0], [1.0, 1.0]]


def test_cond_runs_one_side_on_arrays() -> None:
    ran = []
    ops.cond(np.array(True), lambda: ran.append("yes"), lambda: ran.append("no"))
    assert ran == ["yes"]


@pytest.mark.parametrize("traced", [False, True])
def test_scan(traced: bool) -> None:
    def running(x: object) -> object:
        return ops.scan(lambda carry, row: (carry + row, carry * 10.0), np.zeros(2, "float32"), x)

    carry, outputs = (backend.TracedFunction(running) if traced else running)(X)  # type: ignore[misc]
    assert carry.tolist() == [6.0, 9.0]
    assert outputs.tolist() == [[0.0, 0.0], [0.0, 10.0], [20.0, 40.0]]


def test_loops() -> None:
    assert ops.fori_loop(0, 4, lambda i, total: total + i, 0) == 6
    assert ops.while_loop(lambda i: i < 5, lambda i: i + 2, 0) == 6
    assert ops.map(lambda row: ops.sum(row), X).tolist() == [1.0, 5.0, 9.0]
    assert float(ops.switch(7, [lambda: 0.0, lambda: 1.0])) == 1.0
    pick = backend.TracedFunction(lambda i: ops.switch(i, [lambda: 0.0, lambda: 1.0, lambda: 2.0]))
    assert [float(pick(np.int32(i))) for i in (-1, 0, 1, 2, 9)] == [0.0, 0.0, 1.0, 2.0, 2.0]
    with pytest.raises(SymbolicError, match="fori_loop"):
        backend.TracedFunction(lambda x: ops.while_loop(lambda t: t < 3.0, lambda t: t + 1.0, x))(np.float32(0))


def test_vectorized_map() -> None:
    x = np.arange(6, dtype="float32").reshape(3, 2)
    both = ops.vectorized_map(lambda pair: pair[0] * ops.sum(pair[1]), (x, x))
    np.testing.assert_array_equal(both, x * x.sum(1, keepdims=True))
