"""Batch normalisation of every instruction set against the references in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from striate.engine import native
from striate.ir.opdef import OPS
from striate.ir.ops.attrs import Epilogue, NormAttrs
from tests.support.bounds import bounds, moments_errors
from tests.support.cases import Case
from tests.support.kernel_runs import EPS, Array, assert_close, general, name_of, run_kernel

SHAPES = [(5,), (1, 3), (2, 1), (7, 16), (40, 17), (3, 5, 5, 20), (9, 63), (600, 65), (3000, 3), (2000, 32), (40, 1030)]
SHAPES += [(100000, 1), (8, 28, 28, 16)]
ATTRS = NormAttrs(1e-3)
ACTS: tuple[Epilogue, ...] = ("none", "relu", "relu6")
#: large enough to be streamed: rows of whole vectors, few channels, and a tail, which is stored
STREAMED = [(33000, 32), (44000, 24), (15000, 72)]


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


def clipped(y: Array, act: str) -> Array:
    return y if act == "none" else np.clip(y, 0, 6 if act == "relu6" else None)


def check_train(
    name: str, given: tuple[Array, ...], in_place: Any = None, act: Epilogue = "none", deep: float = 1
) -> list[Array]:
    x, gamma, beta, *residual = given
    shape, channels = x.shape, gamma.shape
    results = [(shape, "float32"), (channels, "float32"), (channels, "float32")]
    got = run_kernel(name, given, results, NormAttrs(1e-3, act), in_place=in_place)
    axes = tuple(range(x.ndim - 1))
    wide = x.astype(np.float64)
    mean, variance = wide.mean(axis=axes), wide.var(axis=axes)
    mean_error, variance_error = moments_errors(wide, mean, variance)
    assert_close(got[1], mean, mean_error)
    assert_close(got[2], variance, variance_error)
    # y against the statistics that were given out: their own error is bounded above.
    given_mean, given_variance = (v.astype(np.float64) for v in got[1:])
    want = (wide - given_mean) * gamma / np.sqrt(given_variance + ATTRS.epsilon) + beta
    terms = np.abs(wide - given_mean) * scale(gamma, got[2]) + np.abs(beta)
    for t in residual:
        want, terms = want + t, terms + np.abs(t)
    assert_close(got[0], clipped(want, act), 6 * EPS * terms)
    return got


@pytest.mark.parametrize("row", general("batch_norm_train"), ids=name_of)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("act", ACTS)
def test_train(row: Any, shape: tuple[int, ...], act: Epilogue) -> None:
    given = problem(shape)
    residual = np.asarray(np.random.default_rng(2).standard_normal(shape), np.float32)
    apart = check_train(row.name, given, act=act)
    over = check_train(row.name, given, in_place={0: 0}, act=act)
    assert [y.tobytes() for y in over] == [y.tobytes() for y in apart]
    added = check_train(row.name, (*given, residual), act=act)
    for i in (0, 3):
        over = check_train(row.name, (*given, residual), in_place={0: i}, act=act)
        assert [y.tobytes() for y in over] == [y.tobytes() for y in added]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_statistics_alone_have_the_bits_of_training(shape: tuple[int, ...]) -> None:
    given, c = problem(shape), (shape[-1:], "float32")
    for train, alone in zip(general("batch_norm_train"), general("batch_norm_statistics"), strict=True):
        _, *want = run_kernel(train.name, given, [(shape, "float32"), c, c], ATTRS)
        got = run_kernel(alone.name, given[:1], [c, c])
        assert [t.tobytes() for t in got] == [t.tobytes() for t in want]


@pytest.mark.parametrize("row", general("batch_norm_train"), ids=name_of)
@pytest.mark.parametrize("shape", [(4000, 24), (3001, 17), (700, 64), (8, 14, 14, 72), (5, 3)], ids=str)
def test_a_mean_far_from_zero_does_not_spoil_the_variance(row: Any, shape: tuple[int, ...]) -> None:
    """Deviation 1 around 10,000, where a float32 has steps of 0.001: of a mean of squares less the square of the mean
    nothing would be left."""
    x = np.asarray(1e4 + np.random.default_rng(0).standard_normal(shape), np.float32)
    one = np.ones(shape[-1], np.float32)
    c = (one.shape, "float32")
    y, mean, variance = run_kernel(row.name, (x, one, 0 * one), [(shape, "float32"), c, c], ATTRS)
    wide = x.astype(np.float64)
    axes = tuple(range(x.ndim - 1))
    assert_close(mean, wide.mean(axis=axes), 0.5001 * np.spacing(np.float32(1e4)))
    exact = wide.var(axis=axes)
    assert_close(variance, exact, 4e-6 * exact)
    # y's own mean is the float32.
    assert_close(y, (wide - wide.mean(axis=axes)) / np.sqrt(exact + ATTRS.epsilon), 1.1 * np.spacing(np.float32(1e4)))


@pytest.mark.parametrize("row", general("batch_norm_train", "batch_norm_train_grad"), ids=name_of)
@pytest.mark.parametrize("shape", STREAMED, ids=str)
def test_a_large_result_has_the_same_bits_streamed_and_in_place(row: Any, shape: tuple[int, ...]) -> None:
    x, gamma, beta = problem(shape)
    results = [(v.shape, "float32") for v in (x, gamma, gamma)]
    attrs = NormAttrs(1e-3, "relu")
    inputs = (x, gamma, beta) if row.op == "batch_norm_train" else (x + 1, x, gamma, *statistics(shape, x), beta)
    apart = run_kernel(row.name, inputs, results, attrs)
    over = run_kernel(row.name, inputs, results, attrs, in_place={0: 0})
    assert [y.tobytes() for y in over] == [y.tobytes() for y in apart]


@pytest.mark.parametrize("row", general("batch_norm_train"), ids=name_of)
def test_a_nan_and_an_infinity_spoil_their_channel_alone(row: Any) -> None:
    x, gamma, beta = problem((900, 20))
    x[3, 5], x[800, 7], x[899, 19] = np.nan, np.inf, -np.inf
    clean = np.delete(np.arange(20), [5, 7, 19])
    results = [(v.shape, "float32") for v in (x, gamma, gamma)]
    y, mean, variance = run_kernel(row.name, (x, gamma, beta), results, NormAttrs(1e-3, "relu"))
    assert np.isnan(y[:, [5, 7, 19]]).all() and np.isnan(variance[[5, 7, 19]]).all()
    assert not np.isfinite(mean[[5, 7, 19]]).any()
    assert all(np.isfinite(v[..., clean]).all() for v in (y, mean, variance))


@pytest.mark.parametrize("row", general("batch_norm_train"), ids=name_of)
def test_constant_channels(row: Any) -> None:
    x = np.full((1000, 5), np.float32(0.1))
    y, _, variance = check_train(row.name, (x, np.ones(5, np.float32), np.zeros(5, np.float32)))
    assert (variance == 0).all() and (np.abs(y) < 1e-4).all()


@pytest.mark.parametrize("row", general("batch_norm_train_grad"), ids=name_of)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("act", ACTS)
def test_train_grad(row: Any, shape: tuple[int, ...], act: Epilogue) -> None:
    x, gamma, beta = problem(shape)
    g = np.asarray(np.random.default_rng(1).standard_normal(shape), np.float32)
    inputs = (g, x, gamma, *statistics(shape, x), *(() if act == "none" else (beta,)))
    case = Case(row.op, "drawn", inputs, NormAttrs(1e-3, act))
    results = [(shape, "float32"), (gamma.shape, "float32"), (gamma.shape, "float32")]
    got = run_kernel(row.name, inputs, results, case.attrs)
    want = list(OPS[row.op].reference(*(v.astype(np.float64) for v in inputs), case.attrs))
    for result, exact, bound in zip(got, want, bounds(case, want), strict=True):
        assert_close(result, exact, np.asarray(bound))
    for i in (0, 1):
        over = run_kernel(row.name, inputs, results, case.attrs, in_place={0: i})
        assert [y.tobytes() for y in over] == [y.tobytes() for y in got]


@pytest.mark.parametrize("act", ACTS[1:])
def test_the_gradient_s_mask_is_that_of_the_forward_result(act: Epilogue) -> None:
    """Told anew from x, it has the same bits: an element goes through just where y is between the edges."""
    for forward, backward in zip(general("batch_norm_train"), general("batch_norm_train_grad"), strict=True):
        assert forward.isa == backward.isa
        for shape in ((2000, 24), (600, 65), (300, 128)):
            x, gamma, beta = problem(shape)
            results = [(v.shape, "float32") for v in (x, gamma, gamma)]
            y, mean, variance = run_kernel(forward.name, (x, gamma, beta), results, NormAttrs(1e-3, act))
            g = np.asarray(np.random.default_rng(1).standard_normal(shape), np.float32)
            fused = run_kernel(backward.name, (g, x, gamma, mean, variance, beta), results, NormAttrs(1e-3, act))
            h = np.where((y > 0) & (y < (6 if act == "relu6" else np.inf)), g, np.float32(0))
            plain = run_kernel(backward.name, (h, x, gamma, mean, variance), results, ATTRS)
            assert [v.tobytes() for v in fused] == [v.tobytes() for v in plain]


@pytest.mark.parametrize("row", general("batch_norm_infer"), ids=name_of)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("act", ACTS)
def test_infer(row: Any, shape: tuple[int, ...], act: Epilogue) -> None:
    x, gamma, beta = problem(shape)
    rng = np.random.default_rng(1)
    mean = np.asarray(rng.standard_normal(gamma.shape), np.float32)
    variance = np.asarray(rng.uniform(0, 4, gamma.shape), np.float32)
    inputs = (x, gamma, beta, mean, variance)
    attrs = NormAttrs(1e-3, act)
    (got,) = run_kernel(row.name, inputs, [(shape, "float32")], attrs)
    want = OPS[row.op].reference(*(v.astype(np.float64) for v in inputs), attrs)
    size = np.abs(x.astype(np.float64) - mean) * scale(gamma, variance) + np.abs(beta)
    assert_close(got, want, 6 * EPS * size)
    (over,) = run_kernel(row.name, inputs, [(shape, "float32")], attrs, in_place={0: 0})
    assert over.tobytes() == got.tobytes()
    if len(shape) > 1:  # an image alone
        (one,) = run_kernel(row.name, (x[-1:], *inputs[1:]), [((1, *shape[1:]), "float32")], attrs)
        assert one.tobytes() == got[-1:].tobytes()


@pytest.mark.parametrize("row", general("batch_norm_train", "batch_norm_train_grad"), ids=name_of)
def test_the_number_of_threads_changes_no_bit(row: Any) -> None:
    x, gamma, beta = problem((3000, 65))
    attrs = NormAttrs(1e-3, "relu6")
    inputs = (x, gamma, beta, x)
    if row.op == "batch_norm_train_grad":
        inputs = (x, x + 1, gamma, *statistics(x.shape, x + 1), beta)
    threads = native._native.threads()
    try:
        seen = set()
        for n in (1, 2, 3, 8):
            native._native.set_threads(n)
            got = run_kernel(row.name, inputs, [(v.shape, "float32") for v in (x, gamma, gamma)], attrs)
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


def f(*shape: int) -> tuple[int, tuple[int, ...]]:
    return 0, shape


REFUSED = [
    ([f(), f(1), f(1)], [f(), f(1), f(1)], [0], [0.1], "takes at least one axis, the channels"),
    (
        [f(2, 3), f(2), f(3)],
        [f(2, 3), f(3), f(3)],
        [0],
        [0.1],
        "takes gamma, beta, mean and variance of shape (C,)",
    ),
    (
        [f(2, 3), f(3), f(3)],
        [f(3, 2), f(3), f(3)],
        [0],
        [0.1],
        "x, its gradient, the residual and the result differ in shape",
    ),
    (
        [f(2, 3), f(3), f(3), f(3)],
        [f(2, 3), f(3), f(3)],
        [0],
        [0.1],
        "x, its gradient, the residual and the result differ in shape",
    ),
    ([f(2, 3), f(3), f(3)], [f(2, 3), f(3), f(3)], [3], [0.1], "takes no activation but relu and relu6"),
    ([f(2, 3), f(3), f(3)], [f(2, 3), f(3), f(3)], [0], [], "unknown attributes"),
]


@pytest.mark.parametrize("inputs, results, ints, floats, why", REFUSED, ids=str)
def test_refusals(inputs: Any, results: Any, ints: Any, floats: Any, why: str) -> None:
    for row in general("batch_norm_train"):
        assert native.probe(row.name, (inputs, results, ints, floats)) == why


def test_a_gradient_takes_beta_just_where_there_is_an_activation() -> None:
    given, results = [f(2, 3), f(2, 3), f(3), f(3), f(3)], [f(2, 3), f(3), f(3)]
    for row in general("batch_norm_train_grad"):
        for inputs, act in ((given, 1), ([*given, f(3)], 0)):
            why = native.probe(row.name, (inputs, results, [act], [0.1]))
            assert why == "takes beta where there is an activation, and only there"
