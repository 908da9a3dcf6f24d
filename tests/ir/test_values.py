"""References against numbers worked out by hand, and against those of Keras 3.15."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import striate.ir.ops  # noqa: F401
from striate.ir.attrs import NO_ATTRS, Attrs
from striate.ir.opdef import run_reference
from striate.ir.ops import attrs as at


def run(op: str, *arrays: Any, attrs: Attrs = NO_ATTRS) -> Any:
    got = run_reference(op, tuple(np.asarray(a) for a in arrays), attrs)
    return got[0] if len(got) == 1 else got


def floats(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


INF = float("inf")
TABLE: dict[str, list[tuple[float, float]]] = {
    "relu": [(-1, 0), (0, 0), (2, 2)],
    "relu6": [(-1, 0), (5, 5), (7, 6)],
    "sigmoid": [(0, 0.5), (-1000, 0), (1000, 1)],
    "softplus": [(0, 0.6931472), (1000, 1000), (-1000, 0)],
    "log_sigmoid": [(0, -0.6931472), (-1000, -1000), (1000, 0)],
    "softsign": [(1, 0.5), (-3, -0.75), (INF, 1)],
    "silu": [(0, 0), (1, 0.7310586), (-INF, 0)],
    "hard_sigmoid": [(-3, 0), (0, 0.5), (3, 1), (1.5, 0.75)],
    "hard_silu": [(-4, 0), (3, 3), (1, 2 / 3)],
    "round": [(0.5, 0), (1.5, 2), (2.5, 2), (-0.5, 0), (-1.5, -2)],
    "erf": [(0, 0), (1, 0.8427008), (-INF, -1)],
    "rsqrt": [(4, 0.5), (0, INF)],
    "reciprocal": [(4, 0.25), (0, INF)],
    "sign": [(-3, -1), (0, 0), (2, 1)],
    "log1p": [(0, 0), (1e-7, 1e-7)],
    "expm1": [(0, 0), (1e-7, 1e-7)],
}


@pytest.mark.parametrize("op", TABLE)
def test_unary(op: str) -> None:
    x, y = (floats(*column) for column in zip(*TABLE[op]))
    np.testing.assert_allclose(run(op, x), y, rtol=3e-7, atol=1e-30)


def test_parametrised_activations() -> None:
    x = floats(-1, 0, 2)
    np.testing.assert_allclose(run("elu", x, attrs=at.AlphaAttrs(2.0)), [2 * (np.exp(-1) - 1), 0, 2], rtol=1e-6)
    np.testing.assert_allclose(run("leaky_relu", x, attrs=at.AlphaAttrs(0.3)), [-0.3, 0, 2], rtol=1e-6)
    np.testing.assert_allclose(run("gelu", x, attrs=at.GeluAttrs()), [-0.15865525, 0, 1.9544997], rtol=1e-6)
    np.testing.assert_allclose(run("gelu", x, attrs=at.GeluAttrs(True)), [-0.15880801, 0, 1.9545977], rtol=1e-6)
    assert run("gelu", floats(-INF, INF), attrs=at.GeluAttrs()).tolist() == [0, INF]


def test_derivatives_at_kinks() -> None:
    """The left side's: relu'(0) = 0, leaky_relu'(0) = slope."""
    one = floats(1, 1, 1)
    assert run("relu_grad", one, floats(0, -1, 2)).tolist() == [0, 0, 1]
    assert run("relu6_grad", one, floats(0, 6, 3)).tolist() == [0, 0, 1]
    assert run("leaky_relu_grad", one, floats(0, -1, 2), attrs=at.AlphaAttrs(0.5)).tolist() == [0.5, 0.5, 1]


def test_integer_arithmetic() -> None:
    a, b = np.array([7, -7, 2**31 - 1], np.int32), np.array([3, 3, 1], np.int32)
    assert run("add", a, b).tolist() == [10, -4, -(2**31)]
    assert run("floor_divide", a, b).tolist() == [2, -3, 2**31 - 1]
    assert run("mod", a, b).tolist() == [1, 2, 0]
    assert run("add", a, b).dtype == np.int32


def test_mod_takes_the_sign_of_the_divisor() -> None:
    np.testing.assert_allclose(run("mod", floats(-1, 1, 5.5), floats(3, -3, 2)), [2, -2, 1.5])


def test_comparison_with_nan() -> None:
    nan = float("nan")
    assert run("equal", floats(nan, 1), floats(nan, 1)).tolist() == [False, True]
    assert run("not_equal", floats(nan), floats(nan)).tolist() == [True]


def test_sums_are_exact_beyond_float32() -> None:
    """1 and 2^24 ones: a float32 sum would stop at 2^24."""
    x = np.ones(2**24 + 3, np.float32)
    assert run("reduce_sum", x, attrs=at.AxesAttrs((0,))) == np.float32(2**24 + 3)


def test_argmax_takes_the_first_of_equals() -> None:
    assert run("argmax", floats(1, 3, 3, 2), attrs=at.ArgAttrs(0)) == 1
    assert run("argmin", floats(3, 1, 1, 2), attrs=at.ArgAttrs(0)) == 1


def test_top_k() -> None:
    values, indices = run("top_k", floats(1, 4, 4, 2, 5), attrs=at.TopKAttrs(4))
    assert values.tolist() == [5, 4, 4, 2] and indices.tolist() == [4, 1, 2, 3]


def test_in_top_k() -> None:
    """Ties at the boundary count as in; a stray label or a NaN does not."""
    predictions = np.array([[0.1, 0.5, 0.5, 0.2]] * 4 + [[np.nan, 0, 0, 0]], np.float32)
    labels = np.array([2, 0, 3, 4, 0], np.int32)
    assert run("in_top_k", labels, predictions, attrs=at.TopKAttrs(1)).tolist() == [True, False, False, False, False]
    assert run("in_top_k", labels, predictions, attrs=at.TopKAttrs(3)).tolist() == [True, False, True, False, False]


def test_slices() -> None:
    x = np.arange(5, dtype=np.float32)

    def cut(begin: int, end: int, step: int) -> list[float]:
        kept: list[float] = run("slice", x, attrs=at.SliceAttrs((begin,), (end,), (step,))).tolist()
        return kept

    assert cut(1, 4, 2) == [1, 3]
    assert cut(4, -6, -1) == [4, 3, 2, 1, 0]  # flip
    assert cut(4, -6, -2) == [4, 2, 0]
    assert cut(3, 0, -1) == [3, 2, 1]
    assert cut(0, -1, 1) == [0, 1, 2, 3, 4]  # whole


def test_gather() -> None:
    x = floats(10, 20, 30)
    got = run("gather", x, np.array([2, -1, 3, -4, 0], np.int32), attrs=at.AxisAttrs(0))
    np.testing.assert_array_equal(got, [30, 30, np.nan, np.nan, 10])
    back = run("gather_grad", floats(1, 2, 4, 8, 16), np.array([2, -1, 3, -4, 0], np.int32),
               attrs=at.GatherGradAttrs(0, (3,)))  # fmt: skip
    assert back.tolist() == [16, 0, 3]


def test_one_hot() -> None:
    assert run("one_hot", np.array([1, -1, 3], np.int32), attrs=at.DepthAttrs(3)).tolist() == [
        [0, 1, 0],
        [0, 0, 0],
        [0, 0, 0],
    ]


def test_average_pooling_divides_by_the_cells_inside() -> None:
    """4x4 of 1..16, pool 3, strides 2, same: 6, 7.5, 12, 13.5, as Keras 3.15."""
    x = np.arange(1, 17, dtype=np.float32).reshape(1, 4, 4, 1)
    y = run("avg_pool2d", x, attrs=at.PoolAttrs((3, 3), (2, 2), "same"))
    assert y.reshape(-1).tolist() == [6, 7.5, 12, 13.5]


def test_max_pooling_pads_with_minus_infinity() -> None:
    x = -np.arange(1, 10, dtype=np.float32).reshape(1, 3, 3, 1)
    y = run("max_pool2d", x, attrs=at.PoolAttrs((2, 2), (2, 2), "same"))
    assert y.reshape(-1).tolist() == [-1, -3, -7, -9]


def test_max_pooling_gives_the_gradient_to_the_first_maximum() -> None:
    x = np.array([[1, 5, 5], [5, 0, 5]], np.float32).reshape(1, 2, 3, 1)
    a = at.PoolAttrs((2, 2), (1, 1))
    y = run("max_pool2d", x, attrs=a)
    dx = run("max_pool2d_grad", floats(1, 10).reshape(1, 1, 2, 1), x, y, attrs=a)
    assert dx.reshape(2, 3).tolist() == [[0, 11, 0], [0, 0, 0]]


def test_softmax_does_not_overflow() -> None:
    np.testing.assert_allclose(run("softmax", floats(1000, 1000, 0), attrs=at.AxisAttrs(0)), [0.5, 0.5, 0])
    np.testing.assert_allclose(run("log_softmax", floats(0, 50), attrs=at.AxisAttrs(0)), [-50, 0])


def test_crossentropy_of_logits() -> None:
    """Logits [0, 50], label 0: 50, as Keras on TensorFlow."""
    logits = floats(0, 50).reshape(1, 2)
    assert run("sparse_softmax_crossentropy", logits, np.zeros(1, np.int32)).tolist() == [50]
    assert run("softmax_crossentropy", logits, floats(1, 0).reshape(1, 2)).tolist() == [50]
    assert run("sigmoid_crossentropy", floats(50, -50, 0), floats(0, 1, 0.5)).tolist() == [
        50,
        50,
        np.float32(np.log(2)),
    ]


def test_stray_labels_give_nan_and_no_gradient() -> None:
    logits, labels = np.zeros((3, 4), np.float32), np.array([-1, 4, 1], np.int32)
    loss = run("sparse_softmax_crossentropy", logits, labels)
    assert np.isnan(loss).tolist() == [True, True, False]
    grad = run("sparse_softmax_crossentropy_grad", np.ones(3, np.float32), logits, labels)
    assert grad.tolist() == [[0] * 4, [0] * 4, [0.25, -0.75, 0.25, 0.25]]


def test_batch_normalisation() -> None:
    x = floats(1, 3).reshape(2, 1)
    y, mean, variance = run("batch_norm_train", x, floats(2), floats(1), attrs=at.NormAttrs(0.0))
    assert (y.reshape(-1).tolist(), mean.tolist(), variance.tolist()) == ([-1, 3], [2], [1])  # biased variance
    infer = run("batch_norm_infer", x, floats(2), floats(1), floats(0), floats(4), attrs=at.NormAttrs(0.0))
    assert infer.reshape(-1).tolist() == [2, 4]


def test_batch_statistics_of_numbers_far_from_zero() -> None:
    x = (10_000 + np.array([-1, 0, 1], np.float32)).reshape(3, 1)
    _, mean, variance = run("batch_norm_train", x, floats(1), floats(0), attrs=at.NormAttrs(1e-3))
    np.testing.assert_allclose([mean[0], variance[0]], [10_000, 2 / 3], rtol=1e-6)


LR, STEP = np.float32(0.1), np.float32(2)


def test_sgd() -> None:
    np.testing.assert_allclose(run("sgd_update", floats(1), floats(2), LR), [0.8])


@pytest.mark.parametrize(("nesterov", "expected"), [(False, 1 + 0.25), (True, 1 + 0.9 * 0.25 - 0.2)])
def test_momentum(nesterov: bool, expected: float) -> None:
    w, m = run("momentum_update", floats(1), floats(0.5), floats(2), LR, attrs=at.MomentumAttrs(0.9, nesterov))
    np.testing.assert_allclose([m[0], w[0]], [0.9 * 0.5 - 0.1 * 2, expected], rtol=1e-6)


def test_adam() -> None:
    w, m, v = run(
        "adam_update", floats(1), floats(0.5), floats(0.25), floats(2), LR, STEP, attrs=at.AdamAttrs(0.9, 0.999, 1e-7)
    )
    m_, v_ = 0.9 * 0.5 + 0.1 * 2, 0.999 * 0.25 + 0.001 * 4
    expected = 1 - m_ * 0.1 * np.sqrt(1 - 0.999**2) / (1 - 0.9**2) / (np.sqrt(v_) + 1e-7)
    np.testing.assert_allclose([w[0], m[0], v[0]], [expected, m_, v_], rtol=1e-6)


def test_rmsprop() -> None:
    w, v = run("rmsprop_update", floats(1), floats(0.25), floats(2), LR, attrs=at.RMSpropAttrs(0.9, 1e-7))
    v_ = 0.9 * 0.25 + 0.1 * 4
    np.testing.assert_allclose([w[0], v[0]], [1 - 0.1 * 2 / np.sqrt(v_ + 1e-7), v_], rtol=1e-6)


def test_pack_panels() -> None:
    w = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert run("pack_panels", w, attrs=at.PackAttrs(2, 3, 2)).tolist() == [0, 1, 3, 4, 2, 0, 5, 0]


def test_casts() -> None:
    x = floats(-1.7, 0, 2.5)
    assert run("cast", x, attrs=at.CastAttrs("int32")).tolist() == [-1, 0, 2]
    assert run("cast", x, attrs=at.CastAttrs("bool")).tolist() == [True, False, True]
    assert run("cast", x, attrs=at.CastAttrs("bfloat16")).dtype.name == "bfloat16"
