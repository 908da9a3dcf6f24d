"""CTC against the sum over all paths; Circle against its formula; the generalized crossentropy between its ends."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import striate as keras
from striate import losses, ops


def spelled(path: tuple[int, ...], blank: int) -> tuple[int, ...]:
    """What a path of classes spells: equal neighbours once, blanks left out."""
    return tuple(c for c, _ in itertools.groupby(path) if c != blank)


def every_path(logits: Any, target: tuple[int, ...], blank: int) -> float:
    """-log of the summed probability of all paths that spell the target, in float64."""
    p = np.exp(logits.astype("float64"))
    p /= p.sum(axis=-1, keepdims=True)
    steps, classes = p.shape
    paths = (q for q in itertools.product(range(classes), repeat=steps) if spelled(q, blank) == target)
    return -float(np.log(sum(np.prod([p[t, c] for t, c in enumerate(q)]) for q in paths)))


@pytest.mark.parametrize("blank", [0, 2])
def test_ctc_sums_over_all_paths(blank: int) -> None:
    rng = np.random.default_rng(4)
    logits = rng.normal(size=(5, 5, 3)).astype("float32")
    a, b = (c for c in range(3) if c != blank)
    targets = [(a, b), (a, a), (b,), (a, b, b), ()]
    padded = np.array([[*t, *[b] * (3 - len(t))] for t in targets])  # what counts is the length alone
    lengths, steps = np.array([len(t) for t in targets]), np.array([5, 5, 3, 5, 4])
    want = [every_path(x[:n], t, blank) for x, n, t in zip(logits, steps, targets, strict=True)]
    got = ops.ctc_loss(padded, logits, lengths, steps, mask_index=blank)
    np.testing.assert_allclose(got, want, rtol=0, atol=2e-5)  # some 20 roundings of sums below 16
    traced = keras.function(lambda x: ops.ctc_loss(padded, x, lengths, steps, mask_index=blank))
    np.testing.assert_allclose(traced(logits), want, rtol=0, atol=2e-5)


def test_the_gradient_of_ctc_is_that_of_all_paths() -> None:
    logits = np.random.default_rng(5).normal(size=(1, 4, 3)).astype("float32")
    variable = keras.Variable(logits)
    target = np.array([[1, 2]])
    _, (got,) = keras.value_and_grad(lambda: ops.sum(losses.ctc(target, variable)), [variable])()
    for t, c in itertools.product(range(4), range(3)):
        step = np.zeros((4, 3))
        step[t, c] = 1e-5
        up, down = (every_path(logits[0].astype("float64") + s, (1, 2), 0) for s in (step, -step))
        assert abs(got[0, t, c] - (up - down) / 2e-5) < 1e-5


def test_a_network_learns_to_spell() -> None:
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    y = rng.integers(1, 4, (64, 2))
    y[:, 1] = y[:, 0] % 3 + 1
    strips = np.zeros((64, 12, 4), "float32")
    for strip, (first, second) in zip(strips, y, strict=True):
        strip[rng.integers(1, 4), first] = strip[rng.integers(6, 10), second] = 1
    model = keras.Sequential(
        [keras.Input((12, 4)), keras.layers.Conv1D(16, 3, padding="same", activation="relu"), keras.layers.Dense(4)]
    )
    model.compile(keras.optimizers.Adam(0.03), loss="ctc")
    history = model.fit(strips, y, epochs=60, batch_size=32, verbose=0).history["loss"]
    assert history[-1] < 0.1 * history[0]
    best = model.predict(strips, verbose=0).argmax(axis=-1)
    assert np.mean([spelled(tuple(b), 0) == tuple(w) for b, w in zip(best.tolist(), y.tolist(), strict=True)]) > 0.95


def test_impossible_targets_cost_a_finite_lot() -> None:
    value = losses.ctc(np.array([[1, 1, 1]]), np.zeros((1, 3, 2), "float32"))
    assert 0.9e5 < float(value[0]) < 1.1e5


def test_circle_is_its_formula() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(7, 5))
    x = (x / np.linalg.norm(x, axis=1, keepdims=True)).astype("float32")
    labels = np.array([0, 0, 1, 1, 1, 2, 0])
    each = losses.circle(labels, x, gamma=5.0, margin=0.3)
    for i in range(7):
        d = np.maximum(1 - x[i].astype("float64") @ x.T, 0)
        p = [5 * (d[j] - 0.3) * (0.3 + d[j]) for j in range(7) if labels[j] == labels[i] and j != i]
        n = [5 * (0.7 - d[j]) * max(1.3 - d[j], 0) for j in range(7) if labels[j] != labels[i]]
        want = np.log1p(np.exp(np.log(np.sum(np.exp(p))) + np.log(np.sum(np.exp(n))))) if p else 0.0
        assert abs(each[i] - want) < 1e-5 * max(1, want)
    assert each[5] == 0, "an embedding alone in its class has no pair"
    loss = losses.Circle(gamma=5.0, margin=0.3)
    assert abs(float(loss(labels, x)) - each.sum() / (each > 0).sum()) < 1e-5, "a mean over those that count"
    other = losses.circle(labels[:2], x[:2], ref_labels=labels[2:], ref_embeddings=x[2:], remove_diagonal=False)
    assert other.shape == (2,)
    variable = keras.Variable(x)
    _, (slope,) = keras.value_and_grad(lambda: loss(labels, variable), [variable])()
    assert np.isfinite(slope).all() and np.any(slope)


def test_generalized_crossentropy_lies_between_its_ends() -> None:
    p = np.array([[0.2, 0.8], [0.9, 0.1], [0.5, 0.5]], "float32")
    labels = np.array([1, 0, 0])
    right = p[np.arange(3), labels]
    np.testing.assert_allclose(losses.categorical_generalized_cross_entropy(labels, p, 1.0), 1 - right, atol=1e-6)
    near_zero = losses.CategoricalGeneralizedCrossEntropy(1e-3, reduction=None)(labels[:, None], p)
    np.testing.assert_allclose(near_zero, -np.log(right), rtol=0, atol=2e-3)
    assert losses.get("categorical_generalized_cross_entropy") is losses.categorical_generalized_cross_entropy
    with pytest.raises(ValueError, match=r"interval \(0, 1\). Received: q=1"):
        losses.CategoricalGeneralizedCrossEntropy(1)


def test_ranks_of_ctc() -> None:
    with pytest.raises(ValueError, match=r"y_true.shape=\(3,\)"):
        losses.ctc(np.ones(3, "int32"), np.ones((3, 4, 2), "float32"))
    with pytest.raises(ValueError, match="ctc_loss takes labels"):
        ops.ctc_loss([[1]], np.ones((4, 2), "float32"), [1], [4])
