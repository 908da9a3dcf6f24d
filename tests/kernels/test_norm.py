"""Batch normalisation of every instruction set against the references in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from striate.engine import native
from striate.ir.opdef import OPS
from striate.ir.ops.attrs import EpsilonAttrs
from tests.support.kernel_runs import EPS, Array, assert_close, general, name_of, run_kernel

SHAPES = [(5,), (1, 3), (2, 1), (7, 16), (40, 17), (3, 5, 5, 20), (9, 63), (600, 65), (3000, 3), (2000, 32), (40, 1030)]
SHAPES += [(100000, 1), (8, 28, 28, 16)]
ATTRS = EpsilonAttrs(1e-3)


def statistics(shape: tuple[int, ...], x: Array) -> tuple[Array, Array]:
    axes = tuple(range(x.ndim - 1))
    return x.mean(axis=axes, dtype=np.float64).astype(np.float32), x.var(axis=axes, dtype=np.float64).astype(np.float32)


def problem(shape: tuple[int, ...], centre: float = 1.0) -> tuple[Array, Array, Array]:
    rng = np.random.default_rng(0)
    channels = shape[-1:]
    x = rng.standard_normal(shape) * rng.uniform(0.5, 3, channels) + centre * rng.standard_normal(channels)
    return tuple(np.asarray(v, np.float32) for v in (x, rng.uniform(-2, 2, channels), rng.standard_normal(channels)))  # type: ignore[return-value]


def scale(gamma: Array, variance: Array) -> Array:
    return np.asarray(np.abs(gamma) / np.sqrt(variance.astype(np.float64) + ATTRS.epsilon))


def check_train(name: str, x: Array, gamma: Array, beta: Array, in_place: Any = None) -> list[Array]:
    shape, channels = x.shape, gamma.shape
    got = run_kernel(
        name,
        (x, gamma, beta),
        [(shape, "float32"), (channels, "float32"), (channels, "float32")],
        ATTRS,
        in_place=in_place,
    )
    axes = tuple(range(x.ndim - 1))
    wide = x.astype(np.float64)
    mean, variance = wide.mean(axis=axes), wide.var(axis=axes)
    size = np.abs(wide).mean(axis=axes)
    assert_close(got[1], mean, 101 * EPS * size)
    assert_close(got[2], variance, 220 * EPS * (variance + size * np.sqrt(variance)) + (101 * EPS * size) ** 2)
    # y against the statistics that were given out: their own error is bounded above.
    given_mean, given_variance = (v.astype(np.float64) for v in got[1:])
    k = scale(gamma, got[2])
    want = (wide - given_mean) * gamma / np.sqrt(given_variance + ATTRS.epsilon) + beta
    assert_close(got[0], want, 6 * EPS * (np.abs(wide - given_mean) * k + np.abs(beta)))
    return got


@pytest.mark.parametrize("row", general("batch_norm_train"), ids=name_of)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_train(row: Any, shape: tuple[int, ...]) -> None:
    apart = check_train(row.name, *problem(shape))
    over = check_train(row.name, *problem(shape), in_place={0: 0})
    assert [y.tobytes() for y in over] == [y.tobytes() for y in apart]


@pytest.mark.parametrize("row", general("batch_norm_train"), ids=name_of)
def test_a_mean_far_from_zero_does_not_spoil_the_variance(row: Any) -> None:
    """Deviation 1 around 1000: the mean of squares less the square of the mean would be off by about 0.1."""
    rng = np.random.default_rng(0)
    x = np.asarray(1000 + rng.standard_normal((4000, 24)), np.float32)
    one = np.ones(24, np.float32)
    got = run_kernel(row.name, (x, one, one), [(x.shape, "float32"), ((24,), "float32"), ((24,), "float32")], ATTRS)
    assert_close(got[2], x.astype(np.float64).var(axis=0), 1e-4)


@pytest.mark.parametrize("row", general("batch_norm_train"), ids=name_of)
def test_constant_channels(row: Any) -> None:
    x = np.full((1000, 5), np.float32(0.1))
    y, _, variance = check_train(row.name, x, np.ones(5, np.float32), np.zeros(5, np.float32))
    assert (variance >= 0).all() and (variance < 1e-10).all() and (np.abs(y) < 1e-4).all()


@pytest.mark.parametrize("row", general("batch_norm_train_grad"), ids=name_of)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_train_grad(row: Any, shape: tuple[int, ...]) -> None:
    x, gamma, _ = problem(shape)
    g = np.asarray(np.random.default_rng(1).standard_normal(shape), np.float32)
    mean, variance = statistics(shape, x)
    inputs = (g, x, gamma, mean, variance)
    results = [(shape, "float32"), (gamma.shape, "float32"), (gamma.shape, "float32")]
    got = run_kernel(row.name, inputs, results, ATTRS)
    wide = [v.astype(np.float64) for v in inputs]
    want = OPS[row.op].reference(*wide, ATTRS)
    axes = tuple(range(x.ndim - 1))
    m = x.size // x.shape[-1]
    r = 1 / np.sqrt(wide[4] + ATTRS.epsilon)
    xhat = np.abs(wide[1] - wide[3]) * r
    gamma_size, beta_size = (np.abs(wide[0]) * xhat).sum(axis=axes), np.abs(wide[0]).sum(axis=axes)
    dgamma_error, dbeta_error = 104 * EPS * gamma_size, 101 * EPS * beta_size
    assert_close(got[1], want[1], dgamma_error)
    assert_close(got[2], want[2], dbeta_error)
    terms = np.abs(wide[0]) + np.abs(want[2]) / m + xhat * np.abs(want[1]) / m
    dx_error = np.abs(wide[2]) * r * (6 * EPS * terms + dbeta_error / m + xhat * dgamma_error / m)
    assert_close(got[0], want[0], dx_error)
    for i in (0, 1):
        over = run_kernel(row.name, inputs, results, ATTRS, in_place={0: i})
        assert [y.tobytes() for y in over] == [y.tobytes() for y in got]


@pytest.mark.parametrize("row", general("batch_norm_infer"), ids=name_of)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_infer(row: Any, shape: tuple[int, ...]) -> None:
    x, gamma, beta = problem(shape)
    rng = np.random.default_rng(1)
    mean = np.asarray(rng.standard_normal(gamma.shape), np.float32)
    variance = np.asarray(rng.uniform(0, 4, gamma.shape), np.float32)
    inputs = (x, gamma, beta, mean, variance)
    (got,) = run_kernel(row.name, inputs, [(shape, "float32")], ATTRS)
    want = OPS[row.op].reference(*(v.astype(np.float64) for v in inputs), ATTRS)
    size = np.abs(x.astype(np.float64) - mean) * scale(gamma, variance) + np.abs(beta)
    assert_close(got, want, 6 * EPS * size)
    (over,) = run_kernel(row.name, inputs, [(shape, "float32")], ATTRS, in_place={0: 0})
    assert over.tobytes() == got.tobytes()
    if len(shape) > 1:  # an image alone
        (one,) = run_kernel(row.name, (x[-1:], *inputs[1:]), [((1, *shape[1:]), "float32")], ATTRS)
        assert one.tobytes() == got[-1:].tobytes()


@pytest.mark.parametrize("row", general("batch_norm_train", "batch_norm_train_grad"), ids=name_of)
def test_the_number_of_threads_changes_no_bit(row: Any) -> None:
    x, gamma, beta = problem((3000, 65))
    inputs = (x, gamma, beta) if row.op == "batch_norm_train" else (x, x + 1, gamma, *statistics(x.shape, x + 1))
    threads = native._native.threads()
    try:
        seen = set()
        for n in (1, 2, 5):
            native._native.set_threads(n)
            got = run_kernel(row.name, inputs, [(v.shape, "float32") for v in (x, gamma, gamma)], ATTRS)
            seen.add(b"".join(y.tobytes() for y in got))
    finally:
        native._native.set_threads(threads)
    assert len(seen) == 1


def test_nothing_to_normalise() -> None:
    for row in general("batch_norm_train"):
        c = np.ones(3, np.float32)
        got = run_kernel(
            row.name, (np.ones((0, 3), np.float32), c, c), [((0, 3), "float32"), *[((3,), "float32")] * 2], ATTRS
        )
        assert np.isnan(got[1]).all()
        none = np.ones(0, np.float32)
        run_kernel(
            row.name, (np.ones((4, 0), np.float32), none, none), [((4, 0), "float32"), *[((0,), "float32")] * 2], ATTRS
        )


F = 0


@pytest.mark.parametrize(
    "spec, why",
    [
        (
            ([(F, ()), (F, (1,)), (F, (1,))], [(F, ()), (F, (1,)), (F, (1,))], [], [0.1]),
            "takes at least one axis, the channels",
        ),
        (
            ([(F, (2, 3)), (F, (2,)), (F, (3,))], [(F, (2, 3)), (F, (3,)), (F, (3,))], [], [0.1]),
            "takes gamma, beta, mean and variance of shape (C,)",
        ),
        (
            ([(F, (2, 3)), (F, (3,)), (F, (3,))], [(F, (3, 2)), (F, (3,)), (F, (3,))], [], [0.1]),
            "x, its gradient and the result differ in shape",
        ),
        (([(F, (2, 3)), (F, (3,)), (F, (3,))], [(F, (2, 3)), (F, (3,)), (F, (3,))], [], []), "unknown attributes"),
    ],
    ids=str,
)
def test_refusals(spec: Any, why: str) -> None:
    for row in general("batch_norm_train"):
        assert native.probe(row.name, spec) == why
