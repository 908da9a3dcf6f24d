"""Philox4x32-10: random words from a key and a counter, the same on every machine and for any number of threads.

Block i of a field drawn with state (seed, counter) is philox(key = seed, words = (i, counter)); each of the three is 64
bits as (low, high) words of 32. A block has four outputs; element e of a field (row-major) uses word e % 4 of block
e // 4.

Source: Salmon, Moraes, Dror and Shaw, Parallel Random Numbers: As Easy as 1, 2, 3 (2011); constants as in Random123.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from striate.ir.ops._arrays import Array

MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
WEYL = (0x9E3779B9, 0xBB67AE85)  # added to the key each round: golden ratio, sqrt(3) - 1
ROUNDS = 10
_MASK = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)


def philox4x32(counter: Array, key: tuple[int, int]) -> Array:
    """(n, 4) counter words and a key of two words -> (n, 4) random words; uint64 arrays that hold 32 bits each."""
    c0, c1, c2, c3 = (counter[:, i].astype(np.uint64) for i in range(4))
    k0, k1 = key
    for _ in range(ROUNDS):
        p0, p1 = c0 * np.uint64(MULTIPLIERS[0]), c2 * np.uint64(MULTIPLIERS[1])
        c0, c1, c2, c3 = (
            (p1 >> _HALF) ^ c1 ^ np.uint64(k0),
            p1 & _MASK,
            (p0 >> _HALF) ^ c3 ^ np.uint64(k1),
            p0 & _MASK,
        )
        k0, k1 = (k0 + WEYL[0]) & 0xFFFFFFFF, (k1 + WEYL[1]) & 0xFFFFFFFF
    return np.stack([c0, c1, c2, c3], axis=1)


#: Blocks at a time: the dozen 64-bit words at work for each stay in the caches (4 times as fast as all at once).
_CHUNK = 1 << 13


def words(state: Array, count: int, first: int = 0) -> Array:
    """`count` words of the field of a state (seed, counter), int64 (2,), from block `first` on."""
    seed, counter = (int(s) & 0xFFFFFFFFFFFFFFFF for s in state)
    out = np.empty((-(-count // 4), 4), np.uint64)
    for start in range(0, len(out), _CHUNK):
        part = out[start : start + _CHUNK]
        blocks = np.arange(first + start, first + start + len(part), dtype=np.uint64)
        given = np.empty_like(part)
        given[:, 0], given[:, 1] = blocks & _MASK, blocks >> _HALF
        given[:, 2], given[:, 3] = counter & 0xFFFFFFFF, counter >> 32
        part[...] = philox4x32(given, (seed & 0xFFFFFFFF, seed >> 32))
    return out.reshape(-1)[:count]


def uniform(state: Array, count: int, first: int = 0) -> Array:
    """[0, 1) on a grid of 2^-24, float64: the upper 24 bits of a word; each is a float32 exactly."""
    return np.asarray((words(state, count, first) >> np.uint64(8)).astype(np.float64) * 2.0**-24)


def normal(state: Array, count: int, first: int = 0) -> Array:
    """Standard normal, float64, by Box-Muller on the word pairs 0-1 and 2-3 of a block."""
    pairs = (words(state, -(-count // 4) * 4, first) >> np.uint64(8)).astype(np.float64).reshape(-1, 2)
    radius = np.sqrt(-2 * np.log((pairs[:, 0] + 1) * 2.0**-24))  # of (0, 1], so that the log is finite
    angle = 2 * np.pi * pairs[:, 1] * 2.0**-24
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).reshape(-1)[:count]


def field(draw: Callable[[Array, int, int], Array], state: Array, count: int, dtype: str) -> Array:
    """`count` numbers by `draw` (one of those above), a chunk at a time: what is at work takes 64 bits a number."""
    out = np.empty(count, dtype)
    for first in range(0, -(-count // 4), _CHUNK):
        part = out[4 * first : 4 * (first + _CHUNK)]
        part[...] = draw(state, len(part), first)
    return out
