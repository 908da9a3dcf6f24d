"""Scattering, looking up, counting, and what depends on values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate import backend, ops
from striate.core.errors import SymbolicError
from tests.ops.test_numpy_family import everywhere, same

UFUNCS = {"add": np.add, "max": np.maximum, "min": np.minimum, "mul": np.multiply}


@given(
    shape=st.lists(st.integers(1, 4), min_size=1, max_size=3).map(tuple),
    updates=st.integers(0, 7),
    seed=st.integers(0, 99),
    dtype=st.sampled_from(["float32", "int32"]),
    data=st.data(),
)
def test_scatter(shape: tuple[int, ...], updates: int, seed: int, dtype: str, data: st.DataObject) -> None:
    depth = data.draw(st.integers(1, len(shape)))
    rng = np.random.default_rng(seed)
    indices = np.stack([rng.integers(-n, n, updates) for n in shape[:depth]], axis=-1).astype("int32")
    values = rng.integers(-3, 4, (updates, *shape[depth:])).astype(dtype)
    x = rng.integers(-3, 4, shape).astype(dtype)
    key = tuple(indices.T)

    wanted = np.zeros(shape, dtype)
    np.add.at(wanted, key, values)
    same(everywhere(lambda i, v: ops.scatter(i, v, shape), indices, values), wanted)
    wanted = x.copy()
    for where, value in zip(zip(*key), values):
        wanted[where] = value
    same(everywhere(ops.scatter_update, x, indices, values), wanted)
    for reduction, ufunc in UFUNCS.items():
        wanted = x.copy()
        ufunc.at(wanted, key, values)
        same(everywhere(lambda *ts, r=reduction: ops.scatter_update(*ts, reduction=r), x, indices, values), wanted)


def test_indices_outside_write_nowhere() -> None:
    """A place that would be one of another row must not be."""
    assert ops.scatter([[0, 3], [-3, 0], [1, -1]], [1.0, 2.0, 3.0], (2, 3)).tolist() == [[0, 0, 0], [0, 0, 3]]
    assert ops.scatter_update([1.0, 2.0], [[2], [-3]], [8.0, 9.0]).tolist() == [1.0, 2.0]


def test_scattering_has_gradients() -> None:
    x, u = backend.Variable([1.0, 2.0, 3.0]), backend.Variable([4.0, 5.0, 6.0])
    weight = np.float32([1, 10, 100])

    def loss(reduction: str | None) -> Any:
        return ops.sum(ops.scatter_update(x, [[2], [0], [2]], u, reduction=reduction) * weight)

    def slopes(reduction: str | None) -> list[list[float]]:
        return [g.tolist() for g in backend.value_and_grad(lambda: loss(reduction), [x, u])()[1]]

    assert slopes(None) == [[0, 10, 0], [0, 1, 100]]
    assert slopes("add") == [[1, 10, 100], [100, 1, 100]]
    assert slopes("max") == [[0, 10, 0], [0, 1, 100]]
    assert slopes("mul") == [[5, 10, 2400], [1800, 1, 1200]]


@given(seed=st.integers(0, 99), n=st.integers(0, 6), dtype=st.sampled_from(["float32", "int32"]))
def test_looking_up(seed: int, n: int, dtype: str) -> None:
    rng = np.random.default_rng(seed)
    edges, x = np.sort(rng.integers(0, 9, n)).astype(dtype), rng.integers(-1, 10, (2, 3)).astype(dtype)
    for side in ("left", "right"):
        wanted = np.searchsorted(edges, x, side=side).astype("int32")
        same(everywhere(lambda s, v, side=side: ops.searchsorted(s, v, side), edges, x), wanted)
    edges = np.unique(edges)
    for bins in (edges, edges[::-1].copy()):
        same(everywhere(ops.digitize, x, bins), np.digitize(x, bins).astype("int32"))
    for invert in (False, True):
        same(everywhere(lambda a, b, i=invert: ops.isin(a, b, invert=i), x, edges), np.isin(x, edges, invert=invert))
    same(ops.isin([True, False], [True]), np.array([True, False]))


@given(seed=st.integers(0, 99), n=st.integers(2, 20), bins=st.integers(1, 7))
def test_histogram(seed: int, n: int, bins: int) -> None:
    x = np.random.default_rng(seed).normal(size=n).astype("float32")
    for limits in (None, (-0.5, 1.0)):
        counts, edges = np.histogram(x.astype("float64"), bins, limits)
        got = everywhere(lambda t, limits=limits: ops.histogram(t, bins, limits), x)
        same(got, (counts.astype("float32"), edges))
    same(ops.histogram(np.ones(3, "float32"), 4)[1], np.histogram(np.ones(3), 4)[1])


def test_counts_and_values() -> None:
    x = np.array([3, 1, 1, 0, 3, 3], "int32")
    same(ops.bincount(x), np.bincount(x))
    same(ops.bincount(x, minlength=7), np.bincount(x, minlength=7))
    weights = np.arange(6, dtype="float32")
    same(ops.bincount(x, weights), np.bincount(x, weights))
    rows = x.reshape(2, 3)
    pairs = zip(rows, weights.reshape(2, 3))
    same(ops.bincount(rows, weights.reshape(2, 3)), np.stack([np.bincount(r, w, 4) for r, w in pairs]))
    variable = backend.Variable(weights)
    _, (slope,) = backend.value_and_grad(lambda: ops.bincount(x, variable)[3], [variable])()
    assert slope.tolist() == [1, 0, 0, 0, 1, 1]
    same(ops.nonzero(rows), np.nonzero(rows))
    for axis in (None, 0, -1):
        values, *more = np.unique(rows, True, True, True, axis=axis)
        more[1] = more[1].reshape(rows.shape if axis is None else rows.shape[axis])
        same(ops.unique(rows, True, True, True, True, axis), (values, *more))
    same(ops.unique(rows), np.array([0, 1, 3]))
    same(ops.unique(rows, size=5), np.array([0, 1, 3, 0, 0]))
    same(ops.unique(rows, size=5, fill_value=9, return_counts=True), (np.array([0, 1, 3, 9, 9]), [1, 2, 3, 0, 0]))
    same(ops.unique(rows, size=2), np.array([0, 1]))
    order = ops.argpartition(x, 2)
    assert (x[order][:2] <= x[order][2]).all() and (x[order][3:] >= x[order][2]).all()
    conditions = [x < 1, x < 3]
    wanted = np.select(conditions, [x, x * 10], -1)
    same(everywhere(lambda a, b, c: ops.select([a, b], [c, c * 10], -1), *conditions, x), wanted)


@pytest.mark.parametrize("name", ["nonzero", "unique", "bincount"])
def test_what_depends_on_values_says_so(name: str) -> None:
    function = getattr(ops, name)
    text = rf"{name} cannot be part of .* depends on values.*run_eagerly=True"
    with pytest.raises(SymbolicError, match=text):
        function(backend.KerasTensor((3,), "int32"))
    with pytest.raises(SymbolicError, match=text):
        backend.TracedFunction(function)(np.ones(3, "int32"))


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: ops.bincount([-1]), r"none below 0.*smallest -1"),
        (lambda: ops.bincount([1], sparse=True), "no sparse tensors"),
        (lambda: ops.searchsorted(np.ones((2, 2)), 1.0), r"1-D sorted sequences.*\(2, 2\)"),
        (lambda: ops.searchsorted([1.0], 1.0, side="middle"), "`side` must be"),
        (lambda: ops.digitize([1.0], np.ones((2, 2))), "`bins` must be a 1D array"),
        (lambda: ops.histogram([1.0], bins=-1), "non-negative integer"),
        (lambda: ops.histogram([1.0], range=(2, 1)), "two ascending numbers"),
        (lambda: ops.histogram(np.ones((2, 2))), "must be 1-dimensional"),
        (lambda: ops.scatter([[0, 0, 0]], [1.0], (2, 2)), r"at most 2\. Received: indices.shape=\(1, 3\)"),
        (lambda: ops.scatter_update([1.0], [[0]], [1.0], reduction="mean"), "'add', 'max', 'min' or 'mul'"),
        (lambda: ops.select([[True]], []), "one choice for each condition"),
        (lambda: ops.argpartition([1, 2], 2), "kth=2 is out of bounds"),
        (lambda: ops.take_along_axis(np.ones((2, 3)), np.ones(2, "int32"), 0), "as many axes as x"),
        (lambda: ops.take_along_axis(np.ones((2, 3)), np.ones((3, 3), "int32"), 1), "must broadcast"),
        (lambda: ops.diag(np.ones((2, 2, 2))), "must be 1-D or 2-D"),
        (lambda: ops.tril(np.ones(3)), "takes matrices"),
        (lambda: ops.rot90(np.ones(3)), "at least 2 dimensions"),
        (lambda: ops.rot90(np.ones((3, 3)), axes=(0, 0)), "two different dimensions"),
        (lambda: ops.meshgrid([1], indexing="yx"), "'xy' and 'ij'"),
        (lambda: ops.rearrange(np.ones((4, 2)), "(a b) c -> a b c"), "all but one axis of the group"),
        (lambda: ops.rearrange(np.ones((4, 2)), "(a b) c -> a b c", a=3), "has length 4"),
        (lambda: ops.rearrange(np.ones((4, 2)), "a b -> a"), "the same names after"),
        (lambda: ops.rearrange(np.ones((4, 2)), "a ... -> a"), "each once on a side"),
        (lambda: ops.dsplit(np.ones((4, 2)), 2), "rank 3 or more"),
        (lambda: ops.correlate([1.0], [1.0], mode="other"), "`mode` must be"),
        (lambda: ops.cross([1.0, 2.0, 3.0, 4.0], [1.0, 2.0]), "either 2 or 3. Received: 4"),
        (lambda: ops.average([1.0, 2.0], weights=[1.0]), r"weights.shape=\(1,\), x.shape=\(2,\)"),
        (lambda: ops.quantile([1.0], 1.5), r"from 0 to 1.*Received: q=1\.5"),
        (lambda: ops.quantile([1.0], 0.5, method="median_unbiased"), "`method` must be one of linear"),
        (lambda: ops.median(np.ones((0, 3))), "at least one element"),
    ],
)  # fmt: skip
def test_refused(call: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        call()


def test_wrong_types() -> None:
    with pytest.raises(TypeError, match=r"must be an integer type\. Received: x2 dtype=float32"):
        ops.ldexp(1.0, 2.0)
    with pytest.raises(TypeError, match=r"must be of type `int`. Received: bins=2\.5"):
        ops.histogram([1.0], bins=2.5)
