"""Quantiles, reductions without NaN, running products, areas, products of vectors: against NumPy, and gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate import backend, ops
from tests.ops.test_numpy_family import everywhere, same

METHODS = ["linear", "lower", "higher", "midpoint", "nearest"]


def _with_gaps(shape: tuple[int, ...], seed: int) -> np.ndarray[Any, Any]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=shape).astype("float32")
    x[rng.random(shape) < 0.3] = np.nan
    return x


@given(
    shape=st.lists(st.integers(1, 5), min_size=1, max_size=3).map(tuple),
    data=st.data(),
    keepdims=st.booleans(),
    method=st.sampled_from(METHODS),
    q=st.sampled_from([0.0, 0.5, 0.3, 1.0, [0.25, 0.9], [[0.1], [1.0]]]),
    seed=st.integers(0, 99),
)
def test_quantiles(shape: tuple[int, ...], data: st.DataObject, keepdims: bool, method: str, q: Any, seed: int) -> None:
    rank = len(shape)
    axis = data.draw(st.sampled_from([None, -1, 0, tuple(range(-rank, 0))]))
    options: dict[str, Any] = {"axis": axis, "method": method, "keepdims": keepdims}
    gaps, q = _with_gaps(shape, seed), np.asarray(q)
    x = np.nan_to_num(gaps, nan=0.25)
    same(everywhere(lambda t: ops.quantile(t, q, **options), x), np.quantile(x.astype("float64"), q, **options))
    same(ops.percentile(x, q * 100, **options), np.percentile(x.astype("float64"), q * 100, **options))
    with np.errstate(all="ignore"), pytest.warns(RuntimeWarning) if np.isnan(gaps).all() else _no_warning():
        wanted = np.nanquantile(gaps.astype("float64"), q, axis=axis, method=method, keepdims=keepdims)
    same(everywhere(lambda t: ops.nanquantile(t, q, **options), gaps), wanted)
    same(ops.nanpercentile(gaps, q * 100, **options), wanted)
    lost = np.isnan(gaps).any(axis=axis, keepdims=keepdims)
    assert (np.isnan(ops.median(gaps, axis=axis, keepdims=keepdims)) == lost).all()


class _no_warning:
    """NumPy warns where a slice has nothing but NaN; whether one does is known of the whole only."""

    def __enter__(self) -> None:
        import warnings

        self.kept = warnings.catch_warnings()
        self.kept.__enter__()
        warnings.simplefilter("ignore")

    def __exit__(self, *_: Any) -> None:
        self.kept.__exit__(None, None, None)


def test_medians() -> None:
    x = _with_gaps((3, 4), 1)
    full = np.nan_to_num(x)
    for axis in (None, 0, -1, (0, 1)):
        same(ops.median(full, axis), np.median(full, axis))
        same(ops.nanmedian(x, axis, True), np.nanmedian(x, axis, keepdims=True))
    assert ops.median(np.arange(4, dtype="int32")) == 1.5
    assert ops.quantile(x[0] * 0 + 1, np.float32(0.5)).dtype == "float32"
    traced = backend.TracedFunction(lambda t, q: ops.quantile(t, q))(full, np.float32([0.5, 1.0]))
    same(traced, np.quantile(full, [0.5, 1.0]))


NAN_REDUCTIONS = ["nansum", "nanprod", "nanmax", "nanmin", "nanmean", "nanvar", "nanstd"]


@pytest.mark.parametrize("name", NAN_REDUCTIONS)
def test_reductions_without_nan(name: str) -> None:
    for shape in ((4,), (3, 4), (2, 1, 3)):
        x = _with_gaps(shape, 3)
        x[..., -1] = 1.5  # something in every row
        for axis in (None, -1, tuple(range(len(shape)))):
            for keepdims in (False, True):
                wanted = getattr(np, name)(x.astype("float64"), axis=axis, keepdims=keepdims)
                got = everywhere(lambda t, a=axis, k=keepdims: getattr(ops, name)(t, a, k), x)
                same(got, wanted)
    nothing = getattr(ops, name)(np.float32([[np.nan, np.nan]]), axis=1)
    assert np.isnan(nothing) if name not in ("nansum", "nanprod") else nothing == (name == "nanprod")
    whole = np.arange(1, 4, dtype="int32")
    same(getattr(ops, name)(whole), getattr(np, name)(whole))


def test_places_and_running_without_nan() -> None:
    x = _with_gaps((4, 3), 5)
    x[:, -1] = 0.5
    for axis in (None, 0 if not np.isnan(x).all(0).any() else 1, -1):
        for keepdims in (False, True):
            same(ops.nanargmax(x, axis, keepdims), np.nanargmax(x, axis=axis, keepdims=keepdims))
            same(ops.nanargmin(x, axis, keepdims), np.nanargmin(x, axis=axis, keepdims=keepdims))
        same(ops.nancumsum(x, axis), np.nancumsum(x, axis))
        same(ops.nancumprod(x, axis), np.nancumprod(x, axis))
    assert ops.nanargmax(np.float32([[np.nan], [1.0]]), axis=1).tolist() == [-1, 0]


SHAPES = [(5,), (3, 4), (1, 4), (4, 1), (2, 3, 4), (0, 3)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", ["float32", "int32"])
def test_running_products_and_differences(shape: tuple[int, ...], dtype: str) -> None:
    x = np.random.default_rng(2).integers(-3, 4, shape).astype(dtype)
    for axis in (None, 0, -1):
        same(everywhere(lambda t, a=axis: ops.cumprod(t, a), x), np.cumprod(x, axis, dtype=dtype))
    for axis in (0, -1):
        for n in (0, 1, 2):
            same(everywhere(lambda t, a=axis, n=n: ops.diff(t, n, a), x), np.diff(x, n, axis))
    if 0 not in shape:
        same(everywhere(lambda t: ops.ptp(t, -1, True), x), np.ptp(x, -1, keepdims=True))
        weights = np.abs(np.random.default_rng(1).normal(size=shape)).astype("float32") + 0.1
        same(everywhere(lambda t, w: ops.average(t, weights=w), x, weights), np.average(x, weights=weights))
        same(ops.average(x, -1, weights[(0,) * (len(shape) - 1)]), np.average(x, -1, weights[(0,) * (len(shape) - 1)]))
        same(ops.average(x, 0), np.average(x, 0))
        same(everywhere(lambda t: ops.trapezoid(t, dx=0.5), x), np.trapezoid(x, dx=0.5))
        same(ops.trapezoid(x, np.arange(shape[0]) ** 2, axis=0), np.trapezoid(x, np.arange(shape[0]) ** 2, axis=0))


def test_products_of_vectors() -> None:
    rng = np.random.default_rng(4)
    draw = lambda *shape: rng.normal(size=shape).astype("float32")  # noqa: E731
    for a, b in ((draw(3), draw(3)), (draw(2, 3), draw(4, 3)), (draw(), draw(2, 3)), (draw(2, 3), draw(5, 4, 3))):
        same(everywhere(ops.inner, a, b), np.inner(a, b))
    for a, b in ((draw(2, 3), draw(4, 1)), (draw(3), draw(2, 2)), (draw(2, 1, 2), draw(3)), (draw(), draw(2))):
        same(everywhere(ops.kron, a, b), np.kron(a, b))
    a, b = draw(2, 3), draw(2, 3)
    same(everywhere(ops.vdot, a, b), np.vdot(a, b))
    for axes in ({}, {"axis": 0}, {"axisa": 0, "axisb": 0, "axisc": 1}):
        a, b = draw(3, 3), draw(3, 3)
        same(everywhere(lambda s, t, axes=axes: ops.cross(s, t, **axes), a, b), np.cross(a, b, **axes))
    flat, deep = draw(4, 2), draw(4, 3)
    padded = np.concatenate([flat, np.zeros((4, 1), "float32")], axis=1)
    same(everywhere(ops.cross, flat, deep), np.cross(padded, deep))
    same(everywhere(ops.cross, flat, flat[::-1].copy()), np.cross(padded, padded[::-1])[:, 2])
    for n, m in ((5, 3), (3, 5), (4, 4), (6, 1), (1, 6), (5, 2), (2, 5)):
        a, b = draw(n), draw(m)
        for mode in ("valid", "same", "full"):
            same(everywhere(lambda s, t, mode=mode: ops.correlate(s, t, mode), a, b), np.correlate(a, b, mode))
    x = draw(3, 6)
    same(everywhere(ops.corrcoef, x), np.corrcoef(x), 1e-5, 1e-5)
    assert ops.corrcoef(x[0]).shape == () and float(ops.corrcoef(x[0])) == pytest.approx(1)
    a, b = draw(2, 4, 3), draw(5, 3)
    same(everywhere(ops.cdist, a, b), np.linalg.norm(a[:, :, None] - b, axis=-1))


X = np.random.default_rng(3).normal(size=(3, 4)).astype("float64")
GRADIENTS: dict[str, Callable[[Any], Any]] = {
    "arcsinh": ops.arcsinh,
    "log2": lambda x: ops.log2(ops.abs(x) + 0.5),
    "exp2": ops.exp2,
    "cbrt": ops.cbrt,
    "sinc": ops.sinc,
    "erfinv": lambda x: ops.erfinv(ops.tanh(x)),
    "arctan2": lambda x: ops.arctan2(x[0], x[1]),
    "logaddexp": lambda x: ops.logaddexp(x[0], x[1]),
    "logaddexp2": lambda x: ops.logaddexp2(x[0], x[1]),
    "hypot": lambda x: ops.hypot(x[0], x[1]),
    "fmod": lambda x: ops.fmod(x, 0.7),
    "fmax": lambda x: ops.fmax(x[0], x[1]),
    "ldexp": lambda x: ops.ldexp(x, 3),
    "diag": lambda x: ops.diag(x[0], 1),
    "diagonal": lambda x: ops.diagonal(x, 1),
    "trace": lambda x: ops.trace(x[:, :3]),
    "tril": lambda x: ops.tril(x, -1),
    "vander": lambda x: ops.vander(x[0]),
    "rot90": ops.rot90,
    "meshgrid": lambda x: ops.meshgrid(x[0], x[1])[1],
    "rearrange": lambda x: ops.rearrange(x, "a (b c) -> (c a) b", c=2),
    "take_along_axis": lambda x: ops.take_along_axis(x, np.array([[0, 0, -1], [1, 2, 3], [3, 3, 3]]), 1),
    "scatter": lambda x: ops.scatter([[0], [2], [0]], x, (4, 4)),
    "scatter_update mul": lambda x: ops.scatter_update(x, [[0], [2], [0]], x * 2.0, reduction="mul"),
    "select": lambda x: ops.select([x > 0], [x * x], x * 3.0),
    "nan_to_num": ops.nan_to_num,
    "cumprod": lambda x: ops.cumprod(x, 1),
    "cumprod with zeros": lambda x: ops.cumprod(ops.concatenate([x, x[:, :1] * 0.0, x], 1), 1),
    "diff": lambda x: ops.diff(x, 2),
    "average": lambda x: ops.average(x, 0, weights=[1.0, 2.0, 5.0]),
    "trapezoid": ops.trapezoid,
    "inner": lambda x: ops.inner(x, x),
    "kron": lambda x: ops.kron(x[:2], x[1:]),
    "cross": lambda x: ops.cross(x[:, :3], x[:, 1:]),
    "correlate": lambda x: ops.correlate(x[0], x[1, :2], "same"),
    "corrcoef": ops.corrcoef,
    "cdist": lambda x: ops.cdist(x[:2], x),
    "sort": lambda x: ops.sort(x, axis=0),
    "median": lambda x: ops.median(x, axis=1),
    "quantile": lambda x: ops.quantile(x, [0.2, 0.7], axis=0),
    "nanquantile": lambda x: ops.nanquantile(x, 0.4, axis=1),
    "nanmean": lambda x: ops.nanmean(ops.concatenate([x, np.full((3, 2), np.nan)], 1), axis=1),
    "nanvar": lambda x: ops.nanvar(x, axis=1),
    "nanmax": lambda x: ops.nanmax(x, axis=1),
    "bincount": lambda x: ops.bincount(np.array([[0, 1, 1, 2]] * 3), x),
}


@pytest.mark.parametrize("name", GRADIENTS)
def test_gradient(name: str) -> None:
    """Against central differences in float64: their error is about 1e-10."""

    def loss(x: Any) -> Any:
        y = ops.ravel(GRADIENTS[name](x))
        return ops.sum(y * np.cos(np.arange(y.shape[0])))

    variable = backend.Variable(X, dtype="float64")
    _, (gradient,) = backend.value_and_grad(lambda: loss(variable.value), [variable])()
    wanted, step = np.empty_like(X), 1e-6
    for i in np.ndindex(X.shape):
        ends = []
        for sign in (step, -step):
            moved = X.copy()
            moved[i] += sign
            ends.append(float(loss(moved)))
        wanted[i] = (ends[0] - ends[1]) / (2 * step)
    np.testing.assert_allclose(gradient, wanted, rtol=1e-6, atol=1e-6)


def test_gradients_where_formulas_break_down() -> None:
    """At ties, zeros and edges the gradient is finite and, where one is due, the right one."""

    def slope(function: Callable[..., Any], *values: Any) -> list[Any]:
        variables = [backend.Variable(np.asarray(v, "float32")) for v in values]
        _, found = backend.value_and_grad(lambda: ops.sum(function(*variables)), variables)()
        return [np.asarray(g).tolist() for g in found]

    assert slope(ops.hypot, 0.0, 0.0) == [0, 0]
    assert slope(ops.logaddexp, 1.0, 1.0) == [0.5, 0.5]
    assert slope(ops.sinc, 0.0) == [0]
    assert slope(ops.arctan2, 0.0, 2.0) == [0.5, 0]
    assert slope(ops.arcsinh, 0.0) == [1]
    assert slope(lambda x: ops.cdist(x, x), [[1.0, 2.0]]) == [[[0, 0]]]
    assert slope(ops.nanmean, [1.0, np.nan]) == [[1, 0]]
