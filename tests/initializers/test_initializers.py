"""Initializers: their statistics, their seeds, their names."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import striate
from striate import initializers
from striate.initializers.scaled import compute_fans

SHAPE = (5, 5, 40, 60)  # 60,000 values: fan_in 1000, fan_out 1500
FAN_IN, FAN_OUT = 1000, 1500

#: name -> (variance, largest magnitude or None)
SPREAD = {
    "glorot_uniform": (2 / (FAN_IN + FAN_OUT), np.sqrt(6 / (FAN_IN + FAN_OUT))),
    "he_uniform": (2 / FAN_IN, np.sqrt(6 / FAN_IN)),
    "lecun_uniform": (1 / FAN_IN, np.sqrt(3 / FAN_IN)),
    "glorot_normal": (2 / (FAN_IN + FAN_OUT), 2 * np.sqrt(2 / (FAN_IN + FAN_OUT)) / 0.87962566),
    "he_normal": (2 / FAN_IN, 2 * np.sqrt(2 / FAN_IN) / 0.87962566),
    "lecun_normal": (1 / FAN_IN, 2 * np.sqrt(1 / FAN_IN) / 0.87962566),
    "random_normal": (0.05**2, None),
    "random_uniform": (0.05**2 / 3, 0.05),
    "truncated_normal": ((0.05 * 0.87962566) ** 2, 0.1),
}


@pytest.mark.parametrize("name", SPREAD)
def test_mean_variance_and_bound(name: str) -> None:
    values = type(initializers.get(name))(seed=1)(SHAPE)
    variance, bound = SPREAD[name]
    assert values.shape == SHAPE and values.dtype == np.float32
    # 60,000 values: the mean's standard error is 0.004 sigma, the variance's at most 0.6%.
    assert abs(values.mean()) < 0.02 * np.sqrt(variance)
    assert values.var() == pytest.approx(variance, rel=0.03)
    if bound is not None:
        assert 0.95 * bound < np.abs(values).max() <= bound * (1 + 1e-6)


@pytest.mark.parametrize("name", [*SPREAD, "orthogonal", "variance_scaling"])
def test_the_seed_decides(name: str) -> None:
    kind = type(initializers.get(name))
    a, b, other = kind(seed=1)((6, 7)), kind(seed=1)((6, 7)), kind(seed=2)((6, 7))
    np.testing.assert_array_equal(a, b)
    assert not np.array_equal(a, other)
    same = kind(seed=1)
    np.testing.assert_array_equal(same((6, 7)), same((6, 7)))


def test_without_a_seed_the_global_one_decides() -> None:
    def draw() -> list[Any]:
        striate.utils.set_random_seed(4)
        return [initializers.get("he_normal")((4, 4)) for _ in range(2)]

    first, second = draw(), draw()
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first[0], first[1])


def test_a_generator_as_seed_moves_on() -> None:
    initializer = initializers.RandomNormal(seed=striate.random.SeedGenerator(3))
    assert not np.array_equal(initializer((5,)), initializer((5,)))


def test_truncation_draws_again_rather_than_clips() -> None:
    values = np.sort(np.abs(initializers.TruncatedNormal(stddev=1.0, seed=1)((200_000,))))
    assert values[-1] <= 2
    # Clipping would put 4.6% of the values on the bound; 9e-5 of them lie in the last thousandth here.
    assert (values > 1.998).mean() < 1e-3


@pytest.mark.parametrize("mode, n", [("fan_in", FAN_IN), ("fan_out", FAN_OUT), ("fan_avg", (FAN_IN + FAN_OUT) / 2)])
@pytest.mark.parametrize("distribution", ["truncated_normal", "untruncated_normal", "uniform", "normal"])
def test_variance_scaling(mode: str, n: float, distribution: str) -> None:
    values = initializers.VarianceScaling(3.0, mode, distribution, seed=5)(SHAPE)
    assert values.var() == pytest.approx(3.0 / n, rel=0.03)


def test_fans() -> None:
    assert compute_fans(()) == (1, 1)
    assert compute_fans((7,)) == (7, 7)
    assert compute_fans((7, 3)) == (7, 3)
    assert compute_fans((3, 2, 4, 5)) == (24, 30)
    assert compute_fans((2, 3, 5), input_axes=(0,), output_axes=(1, 2)) == (2, 15)


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (3, 3, 2, 5)])
def test_orthogonal(shape: tuple[int, ...]) -> None:
    values = initializers.Orthogonal(gain=2.0, seed=1)(shape).reshape(-1, shape[-1]) / 2.0
    gram = values.T @ values if values.shape[0] >= values.shape[1] else values @ values.T
    np.testing.assert_allclose(gram, np.eye(len(gram)), atol=1e-5)


def test_constants() -> None:
    np.testing.assert_array_equal(initializers.Zeros()((2, 2)), np.zeros((2, 2)))
    np.testing.assert_array_equal(initializers.Ones()((2,), dtype="int32"), np.ones(2, "int32"))
    np.testing.assert_array_equal(initializers.Constant(3)((2,)), [3.0, 3.0])
    np.testing.assert_array_equal(initializers.Constant([1.0, 2.0])((2, 2)), [[1, 2], [1, 2]])
    np.testing.assert_array_equal(initializers.Identity(2.0)((2, 3)), [[2, 0, 0], [0, 2, 0]])


@pytest.mark.parametrize(
    "call, text",
    [
        (lambda: initializers.get("he_norml"), r"Did you mean 'he_normal'\?"),
        (lambda: initializers.get(5), "initializer"),
        (lambda: initializers.GlorotUniform(seed="a"), "`seed`"),
        (lambda: initializers.VarianceScaling(scale=0), "`scale` must be positive"),
        (lambda: initializers.VarianceScaling(mode="fan"), r"Did you mean 'fan_\w+'"),
        (lambda: initializers.VarianceScaling(distribution="poisson"), "`distribution` must be"),
        (lambda: initializers.Identity()((2, 2, 2)), "rank 3"),
        (lambda: initializers.Orthogonal()((3,)), "rank 1"),
        (lambda: initializers.get(np.ones(3))((4,)), r"Expected `shape` to be \(3,\).*shape=\(4,\)"),
    ],
)
def test_errors_say_what_was_received(call: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        call()


def test_what_takes_no_arguments_says_so() -> None:
    with pytest.raises(TypeError, match=r"Zeros\(\) takes no arguments. Received: 3, value=2."):
        initializers.Zeros(3, value=2)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    "initializer",
    [
        initializers.GlorotUniform(seed=3),
        initializers.HeNormal(),
        initializers.VarianceScaling(2.0, "fan_out", "uniform", seed=1),
        initializers.Constant(0.3),
        initializers.Constant(np.array([1.0, 2.0])),
        initializers.Orthogonal(0.5, seed=2),
        initializers.Identity(2.0),
        initializers.RandomUniform(-1.0, 1.0, seed=9),
        initializers.TruncatedNormal(1.0, 0.1, seed=9),
        initializers.Zeros(),
    ],
    ids=lambda i: type(i).__name__,
)
def test_config_makes_an_equal_initializer(initializer: Any) -> None:
    described = json.loads(json.dumps(initializers.serialize(initializer)))
    assert described["module"] == "keras.initializers"
    again = initializers.get(described)
    assert type(again) is type(initializer)
    assert again.get_config() == initializer.get_config()
    if initializer.get_config().get("seed", 0) is not None:
        np.testing.assert_array_equal(again((2, 2)), initializer((2, 2)))
    np.testing.assert_array_equal(initializer.clone()((2, 2)).shape, (2, 2))


def test_older_files_name_the_class_only() -> None:
    got = initializers.get({"class_name": "RandomNormal", "config": {"mean": 0.0, "stddev": 0.01, "seed": None}})
    assert isinstance(got, initializers.RandomNormal) and got.stddev == 0.01


def test_newer_arguments_are_left_out_while_they_are_not_set() -> None:
    assert initializers.HeNormal().get_config() == {"seed": None}
    assert initializers.HeNormal(input_axes=(0,), output_axes=(1,)).get_config()["input_axes"] == (0,)


def test_a_function_and_an_array_are_initializers() -> None:
    def fives(shape: Any, dtype: Any = None) -> Any:
        return np.full(shape, 5.0, dtype)

    assert initializers.get(fives) is fives
    assert initializers.get(initializers.Ones)((2,)).tolist() == [1.0, 1.0]
    np.testing.assert_array_equal(initializers.get(np.arange(3.0))((3,)), [0, 1, 2])
