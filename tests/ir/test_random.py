"""Philox against the vectors published with Random123, and the fields made of its words."""

from __future__ import annotations

import numpy as np
import pytest

import striate.ir.ops  # noqa: F401
from striate.ir.attrs import NO_ATTRS
from striate.ir.opdef import run_reference
from striate.ir.ops.attrs import DropoutAttrs, ShapeAttrs
from striate.ir.ops.philox import normal, philox4x32, uniform, words

#: counter, key, output, as in Random123's kat_vectors for philox4x32 with 10 rounds
KNOWN = [
    ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
]


def _hex(text: str) -> list[int]:
    return [int(word, 16) for word in text.split()]


@pytest.mark.parametrize(("counter", "key", "expected"), KNOWN)
def test_known_answers(counter: str, key: str, expected: str) -> None:
    k0, k1 = _hex(key)
    got = philox4x32(np.array([_hex(counter)], np.uint64), (k0, k1))
    assert got.tolist() == [_hex(expected)]


def test_state_is_the_key_and_the_upper_counter() -> None:
    """state (seed, counter): key = seed, words (block low, block high, counter low, counter high)."""
    seed, counter = 0x0123456789ABCDEF, 0x7EDCBA9876543210
    state = np.array([seed, counter], np.int64)
    block = philox4x32(np.array([[2, 0, 0x76543210, 0x7EDCBA98]], np.uint64), (0x89ABCDEF, 0x01234567))
    assert words(state, 12)[8:].tolist() == block[0].tolist()


def test_negative_numbers_are_their_64_bits() -> None:
    """Seed -1 is the key ffffffff ffffffff."""
    block = philox4x32(np.array([[0, 0, 0, 0]], np.uint64), (0xFFFFFFFF, 0xFFFFFFFF))
    assert words(np.array([-1, 0], np.int64), 4).tolist() == block[0].tolist()


def test_fields_are_prefixes_of_one_another() -> None:
    state = np.array([5, 9], np.int64)
    for field in (words, uniform, normal):
        np.testing.assert_array_equal(field(state, 7), field(state, 100)[:7])


def test_uniform_is_the_upper_24_bits() -> None:
    state = np.array([5, 9], np.int64)
    (got,) = run_reference("random_uniform", (state,), ShapeAttrs((2, 5)))
    (bits,) = run_reference("random_bits", (state,), ShapeAttrs((2, 5)))
    np.testing.assert_array_equal(got, ((bits >> 8) / 2**24).astype(np.float32))


def test_normal_pairs_words() -> None:
    state = np.array([5, 9], np.int64)
    w = words(state, 4) >> np.uint64(8)
    radius = np.sqrt(-2 * np.log((float(w[2]) + 1) / 2**24))
    angle = 2 * np.pi * float(w[3]) / 2**24
    np.testing.assert_allclose(normal(state, 4)[2:], [radius * np.cos(angle), radius * np.sin(angle)], rtol=1e-14)


def test_moments() -> None:
    state = np.array([11, 0], np.int64)
    n = 200_000
    u, z = uniform(state, n), normal(state, n)
    five_sigma = 5 / np.sqrt(n)
    assert 0 <= u.min() < 1e-4 and 1 - 1e-4 < u.max() < 1
    assert abs(u.mean() - 0.5) < five_sigma * np.sqrt(1 / 12)
    assert abs(z.mean()) < five_sigma and abs(z.var() - 1) < five_sigma * np.sqrt(2)
    assert abs(np.corrcoef(z[::2], z[1::2])[0, 1]) < five_sigma * np.sqrt(2)


def test_seed_next_counts() -> None:
    (got,) = run_reference("seed_next", (np.array([42, 7], np.int64),), NO_ATTRS)
    assert got.tolist() == [42, 8]


def test_dropout_keeps_where_uniform_is_at_least_the_rate() -> None:
    state = np.array([3, 1], np.int64)
    x = np.arange(1, 41, dtype=np.float32).reshape(4, 10)
    (y,) = run_reference("dropout", (x, state), DropoutAttrs(0.25))
    kept = uniform(state, 40).reshape(4, 10) >= 0.25
    np.testing.assert_array_equal(y, np.where(kept, x / np.float32(0.75), 0))
    assert 0 < kept.sum() < 40


def test_dropout_of_everything_is_zero() -> None:
    (y,) = run_reference("dropout", (np.ones(8, np.float32), np.array([3, 1], np.int64)), DropoutAttrs(1.0))
    assert not y.any()
