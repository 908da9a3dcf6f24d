"""Random functions: their distributions, their seeds, eager and traced alike."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import striate
from striate import random


def test_uniform_and_normal_have_their_moments() -> None:
    u = random.uniform((100_000,), -1.0, 3.0, seed=1)
    assert u.dtype == np.float32 and u.min() >= -1 and u.max() < 3.0001
    assert u.mean() == pytest.approx(1, abs=0.02) and u.var() == pytest.approx(16 / 12, rel=0.02)
    z = random.normal((100_000,), 2.0, 0.5, seed=1)
    assert z.mean() == pytest.approx(2, abs=0.01) and z.std() == pytest.approx(0.5, rel=0.02)


def test_dtype_and_shape() -> None:
    assert random.uniform((2, 3), dtype="float64", seed=1).dtype == np.float64
    assert random.normal((), seed=1).shape == ()
    assert random.randint((2, 3), 0, 5, dtype="int64", seed=1).dtype == np.int64


def test_randint_takes_every_value_alike() -> None:
    counts = np.bincount(random.randint((60_000,), 2, 8, seed=3), minlength=8)
    assert counts[:2].sum() == 0
    np.testing.assert_allclose(counts[2:], 10_000, rtol=0.05)


def test_categorical_follows_the_logits() -> None:
    p = np.array([[0.1, 0.2, 0.7], [0.5, 0.5, 0.0]])
    drawn = random.categorical(np.log(p + 1e-30), 50_000, seed=2)
    assert drawn.shape == (2, 50_000) and drawn.dtype == np.int32
    for row, wanted in zip(drawn, p, strict=True):
        np.testing.assert_allclose(np.bincount(row, minlength=3) / 50_000, wanted, atol=0.01)


def test_truncated_normal_keeps_within_two() -> None:
    z = random.truncated_normal((50_000,), 1.0, 2.0, seed=1)
    assert np.abs(z - 1).max() <= 4 * (1 + 1e-6)
    assert z.std() == pytest.approx(2 * 0.8796, rel=0.02)


def test_shuffle_permutes_slices() -> None:
    x = np.arange(40).reshape(8, 5)
    rows = random.shuffle(x, seed=1)
    assert not np.array_equal(rows, x)
    np.testing.assert_array_equal(rows[np.argsort(rows[:, 0])], x)
    columns = random.shuffle(x, axis=1, seed=1)
    np.testing.assert_array_equal(np.sort(columns, axis=1), x)


def test_dropout_zeroes_and_scales() -> None:
    y = random.dropout(np.ones((100, 100), "float32"), 0.25, seed=1)
    assert set(np.unique(y)) == {np.float32(0), np.float32(1 / 0.75)}
    assert (y == 0).mean() == pytest.approx(0.25, abs=0.02)
    assert not random.dropout(np.ones((3, 3), "float32"), 1.0, seed=1).any()
    assert not random.dropout(np.ones((3, 3), "float32"), 1.0, (None, 1), seed=1).any()


def test_dropout_with_a_noise_shape_drops_whole_maps() -> None:
    y = random.dropout(np.ones((4, 3, 3, 50), "float32"), 0.5, (None, 1, 1, None), seed=1)
    assert np.array_equal(y, np.broadcast_to(y[:, :1, :1], y.shape))
    assert 0 < (y == 0).mean() < 1


def test_a_seed_repeats_and_a_generator_moves_on() -> None:
    np.testing.assert_array_equal(random.normal((5,), seed=3), random.normal((5,), seed=3))
    generator = random.SeedGenerator(3)
    first, second = random.normal((5,), seed=generator), random.normal((5,), seed=generator)
    np.testing.assert_array_equal(first, random.normal((5,), seed=3))
    assert not np.array_equal(first, second)
    assert generator.state.numpy().tolist() == [3, 2]


def test_set_random_seed_repeats_unseeded_draws_and_starts_generators_again() -> None:
    generator = random.SeedGenerator(3)

    def draw() -> list[Any]:
        striate.utils.set_random_seed(9)
        return [random.uniform((3,)), random.uniform((3,)), random.uniform((3,), seed=generator)]

    first, second = draw(), draw()
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first[0], first[1])


def test_copies_of_a_generator_go_their_own_way_and_start_again_too() -> None:
    generator = random.SeedGenerator(3)
    generator.next()
    copies = [copy.deepcopy(generator), pickle.loads(pickle.dumps(generator))]
    for other in copies:
        other.next()
        assert other.state.numpy().tolist() == [3, 2]
    assert generator.state.numpy().tolist() == [3, 1]
    striate.utils.set_random_seed(1)
    assert [g.state.numpy().tolist() for g in (generator, *copies)] == [[3, 0]] * 3


def test_traced_draws_move_on_with_every_run() -> None:
    generator = random.SeedGenerator(5)

    @striate.function
    def step(x: Any) -> Any:
        return x + random.uniform((4,), seed=generator), random.normal((4,)), random.dropout(x, 0.5, seed=generator)

    zeros = np.zeros(4, "float32")
    a, b = step(zeros), step(zeros)
    assert not np.array_equal(a[0], b[0]) and not np.array_equal(a[1], b[1])
    assert generator.state.numpy().tolist() == [5, 4]
    generator.reset()
    np.testing.assert_allclose(a[0], random.uniform((4,), seed=generator))


def test_unseeded_traced_draws_follow_the_global_seed() -> None:
    def run() -> Any:
        striate.utils.set_random_seed(2)
        step = striate.function(lambda x: x + random.uniform((4,)))
        return [step(np.zeros(4, "float32")) for _ in range(2)]

    np.testing.assert_array_equal(run(), run())


@pytest.mark.parametrize(
    "call, text",
    [
        (lambda: random.uniform((2,), dtype="int32"), "floating point"),
        (lambda: random.randint((2,), 0, 5, dtype="float32"), "integer `dtype`"),
        (lambda: random.randint((2,), 5, 5), "maxval larger"),
        (lambda: random.categorical(np.zeros(3), 2), r"\(batch, classes\)"),
        (lambda: random.dropout(np.zeros(3), 1.5), "between 0 and 1"),
        (lambda: random.SeedGenerator("seven"), "seed='seven'"),
        (lambda: random.normal((2,), seed=1.5), "seed=1.5"),
    ],
)
def test_errors(call: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        call()


def test_host_functions_are_refused_in_a_trace() -> None:
    generator = random.SeedGenerator(1)
    with pytest.raises(TypeError, match=r"random\.shuffle\(\) runs on the host"):
        striate.function(lambda x: x + random.shuffle(np.arange(3.0), seed=generator))(np.zeros(3))


def test_generator_config() -> None:
    assert random.SeedGenerator.from_config(random.SeedGenerator(4, name="g").get_config()).get_config() == {
        "seed": 4,
        "name": "g",
    }
