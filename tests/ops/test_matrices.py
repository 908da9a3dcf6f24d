"""Linear algebra against NumPy, alone, in batches, in traces; what it refuses, and what it does with singular ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from striate import backend, ops
from tests.ops.test_numpy_family import everywhere, same

LEADS = [(), (3,), (2, 1), (0,)]


def _draw(*shape: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(5).normal(size=shape).astype("float32")


@pytest.mark.parametrize("lead", LEADS, ids=str)
def test_square_matrices(lead: tuple[int, ...]) -> None:
    x = _draw(*lead, 4, 4) + 3 * np.eye(4, dtype="float32")
    for name in ("inv", "det"):
        same(everywhere(getattr(ops, name), x), getattr(np.linalg, name)(x.astype("float64")))
    same(everywhere(ops.slogdet, x), tuple(np.linalg.slogdet(x)))
    same(everywhere(ops.logdet, x), np.linalg.slogdet(x)[1])
    positive = x @ np.swapaxes(x, -1, -2)
    factor = np.linalg.cholesky(positive)
    same(everywhere(ops.cholesky, positive), factor, 1e-5, 1e-5)
    same(ops.cholesky(positive, upper=True), np.swapaxes(factor, -1, -2), 1e-5, 1e-5)
    same(everywhere(ops.cholesky_inverse, factor), np.linalg.inv(positive.astype("float64")), 1e-4, 1e-5)
    turned = np.swapaxes(factor, -1, -2).copy()
    same(ops.cholesky_inverse(turned, upper=True), np.linalg.inv(positive.astype("float64")), 1e-4, 1e-5)
    for right in ((4,), (4, 2)):
        b = _draw(*lead, *right)
        columns = b if len(right) == 2 else b[..., None]
        same(everywhere(ops.solve, x, b), np.linalg.solve(x, columns).reshape(b.shape), 1e-5, 1e-5)
        for lower in (False, True):
            triangle = np.tril(x) if lower else np.triu(x)
            wanted = np.linalg.solve(triangle, columns).reshape(b.shape)
            same(everywhere(lambda s, t, k=lower: ops.solve_triangular(s, t, lower=k), x, b), wanted, 1e-5, 1e-5)
    values, vectors = everywhere(ops.eigh, positive)
    same(values, np.linalg.eigvalsh(positive.astype("float64")), 1e-5, 1e-5)
    same(vectors * values[..., None, :] @ np.swapaxes(vectors, -1, -2), positive, 1e-5, 1e-4)


@pytest.mark.parametrize("lead", LEADS, ids=str)
@pytest.mark.parametrize("sides", [(3, 3), (5, 2), (2, 5), (1, 1)], ids=str)
def test_matrices_of_any_shape(lead: tuple[int, ...], sides: tuple[int, int]) -> None:
    x = _draw(*lead, *sides)
    k = min(sides)
    for full in (False, True):
        u, s, v = everywhere(lambda t, f=full: ops.svd(t, full_matrices=f), x)
        assert u.shape[-1] == (sides[0] if full else k) and v.shape[-2] == (sides[1] if full else k)
        same(u[..., :k] * s[..., None, :] @ v[..., :k, :], x, 1e-5, 1e-5)
        q, r = everywhere(lambda t, f=full: ops.qr(t, "complete" if f else "reduced"), x)
        same(q @ r, x, 1e-5, 1e-5)
        same(np.swapaxes(q, -1, -2) @ q, np.broadcast_to(np.eye(q.shape[-1]), (*lead, *[q.shape[-1]] * 2)), 1e-5, 1e-5)
    same(everywhere(lambda t: ops.svd(t, compute_uv=False), x), s, 1e-6, 1e-6)
    same(everywhere(ops.pinv, x), np.linalg.pinv(x.astype("float64")), 1e-4, 1e-5)
    assert everywhere(ops.matrix_rank, x).dtype == "int32"
    assert (ops.matrix_rank(x) == k).all() and (ops.matrix_rank(x * 0 + 1) == 1).all()
    lu, exchanged = everywhere(ops.lu_factor, x)
    for place in np.ndindex(lead):
        rows = np.arange(sides[0])
        for i, p in enumerate(exchanged[place]):
            rows[[i, p]] = rows[[p, i]]
        lower = np.tril(lu[place], -1)[:, :k] + np.eye(*sides)[:, :k]
        same(lower @ np.triu(lu[place])[:k], x[place][rows], 1e-5, 1e-5)
        assert np.abs(lower).max(initial=0) <= 1  # the largest of each column was taken


ORDERS: list[tuple[Any, Any]] = [
    (None, None), (None, 0), (None, (0, 2)), (1, 0), (2, -1), (np.inf, 1), (-np.inf, 1), (0, 1), (3, 1), (0.5, 1),
    ("fro", (0, 1)), ("nuc", (0, 1)), (1, (0, 2)), (-1, (2, 0)), (np.inf, (1, 2)), (-np.inf, (1, 2)), (2, (2, 1)),
    (-2, (-1, -2)),
]  # fmt: skip


@pytest.mark.parametrize(("order", "axis"), ORDERS)
def test_norms(order: Any, axis: Any) -> None:
    x = _draw(2, 3, 4)
    for keepdims in (False, True):
        wanted = np.linalg.norm(x, order, axis, keepdims)
        same(everywhere(lambda t, k=keepdims: ops.norm(t, order, axis, k), x), wanted, 1e-5)
    if order is not None and axis in (0, 1, -1):
        same(ops.norm(x[0, 0], order), np.linalg.norm(x[0, 0], order), 1e-5)
    whole = np.arange(24).reshape(2, 3, 4)
    assert ops.norm(whole, order, axis).dtype == "float32"


def test_least_squares() -> None:
    for rows, columns in ((5, 3), (3, 5), (4, 4)):
        a = _draw(rows, columns)
        for b in (_draw(rows), _draw(rows, 2)):
            same(everywhere(ops.lstsq, a, b), np.linalg.lstsq(a, b, rcond=None)[0], 1e-4, 1e-5)


def test_singular_matrices_leave_the_others_alone() -> None:
    x = np.stack([np.eye(2), np.ones((2, 2))]).astype("float32")
    good, bad = ops.inv(x)
    assert (good == np.eye(2)).all() and np.isnan(bad).all()
    assert ops.det(x).tolist() == [1, 0] and ops.slogdet(x)[1].tolist() == [0, -np.inf]
    y = ops.solve(x, np.ones((2, 2), "float32"))
    assert y[0].tolist() == [1, 1] and np.isnan(y[1]).all()
    with pytest.raises(ValueError, match=r"Cholesky decomposition failed.*positive definite.*ops\.eye"):
        ops.cholesky(-x)
    traced = backend.TracedFunction(ops.cholesky)(np.stack([np.eye(2), -np.eye(2)]).astype("float32"))
    assert (traced[0] == np.eye(2)).all() and np.isnan(traced[1]).all()
    assert np.isnan(ops.inv(np.full((2, 2), np.nan, "float32"))).all()


def test_gradients_reach_through() -> None:
    """d log|A| / dA = A^-T, and a length at 0; ops' own rules: tests/conformance/gradients."""
    x = _draw(3, 3) + 2 * np.eye(3, dtype="float32")
    variable = backend.Variable(x)
    _, (slope,) = backend.value_and_grad(lambda: ops.logdet(variable), [variable])()
    same(slope, np.linalg.inv(x).T, 1e-5, 1e-5)
    zero = backend.Variable(np.zeros(3, "float32"))
    assert backend.value_and_grad(lambda: ops.norm(zero), [zero])()[1][0].tolist() == [0, 0, 0]
    wide = backend.Variable(_draw(2, 3))
    with pytest.raises(ValueError, match=r"not determined.*full_matrices=False"):
        backend.value_and_grad(lambda: ops.sum(ops.svd(wide)[2]), [wide])()
    with pytest.raises(ValueError, match=r'not determined.*mode="reduced"'):
        backend.value_and_grad(lambda: ops.sum(ops.qr(ops.transpose(wide), "complete")[0]), [wide])()


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: ops.inv(np.ones((2, 3))), r"inv takes square matrices.*\(2, 3\)"),
        (lambda: ops.det(np.ones(3)), "det takes square matrices"),
        (lambda: ops.svd(np.ones(3)), "svd takes matrices"),
        (lambda: ops.pinv(np.ones(3)), "pinv takes matrices"),
        (lambda: ops.inv(backend.KerasTensor((None, None))), "whose lengths are known"),
        (lambda: ops.solve(np.ones((2, 2)), np.ones(3)), r"a.shape=\(2, 2\), b.shape=\(3,\)"),
        (lambda: ops.solve(np.ones((3, 2, 2)), np.ones((2, 2, 1))), "its leading axes"),
        (lambda: ops.lstsq(np.ones((2, 2)), np.ones(3)), "as many rows"),
        (lambda: ops.cholesky_inverse(np.ones((2, 3))), "takes square matrices"),
        (lambda: ops.qr(np.ones((2, 2)), mode="raw"), "Received: mode='raw'"),
        (lambda: ops.norm(np.ones((2, 2)), ord="max"), "Received: ord=max"),
        (lambda: ops.norm(np.ones(2), ord="fro"), "for vector norm"),
        (lambda: ops.norm(np.ones((2, 2)), ord=3), "for matrix norm"),
        (lambda: ops.norm(np.ones((2, 2, 2)), ord=2), "one axis or two"),
    ],
)
def test_refused(call: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        call()
