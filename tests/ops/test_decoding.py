"""ctc_decode against the sum over every alignment there is; compared with real Keras in tests_keras."""

from __future__ import annotations

import itertools
from collections import defaultdict
from typing import Any

import numpy as np
import pytest

import striate as keras
from striate import ops
from striate.backend import KerasTensor


def spelled(classes: tuple[int, ...], blank: int) -> tuple[int, ...]:
    return tuple(c for c, _ in itertools.groupby(classes) if c != blank)


def every_alignment(logits: np.ndarray, blank: int) -> list[tuple[tuple[int, ...], float]]:
    """All label sequences with their probabilities, the most probable first."""
    p = np.exp(logits.astype("float64"))
    p /= p.sum(axis=1, keepdims=True)
    found: defaultdict[tuple[int, ...], float] = defaultdict(float)
    for classes in itertools.product(range(p.shape[1]), repeat=len(p)):
        found[spelled(classes, blank)] += float(np.prod([p[t, c] for t, c in enumerate(classes)]))
    return sorted(found.items(), key=lambda item: -item[1])


@pytest.mark.parametrize(("steps", "classes", "blank"), [(1, 2, 0), (4, 3, 0), (5, 3, 2), (6, 2, 1), (4, 4, 1)])
def test_a_wide_beam_finds_the_most_probable_sequences(steps: int, classes: int, blank: int) -> None:
    logits = np.random.default_rng(steps * classes).normal(size=(3, steps, classes)).astype("float32") * 2
    paths = min(4, len(every_alignment(logits[0], blank)))
    labels, scores = ops.ctc_decode(
        logits, [steps] * 3, "beam_search", beam_width=1000, top_paths=paths, mask_index=blank
    )
    for n in range(3):
        for k, (path, p) in enumerate(every_alignment(logits[n], blank)[:paths]):
            assert labels[k, n].tolist() == [*path, *[-1] * (steps - len(path))]
            assert scores[n, k] == pytest.approx(np.log(p), rel=1e-5, abs=1e-6)


def test_a_narrow_beam_gives_a_sequence_and_at_most_its_probability() -> None:
    logits = np.random.default_rng(1).normal(size=(20, 6, 3)).astype("float32")
    for width in (1, 2, 5):
        labels, scores = ops.ctc_decode(logits, [6] * 20, "beam_search", beam_width=width)
        for n in range(20):
            exact = dict(every_alignment(logits[n], 0))
            path = tuple(c for c in labels[0, n].tolist() if c >= 0)
            assert np.exp(scores[n, 0]) <= exact[path] * (1 + 1e-5)


def test_greedy() -> None:
    rows = [[5, 1, 0], [5, 2, 0], [0, 0, 3], [4, 0, 0], [0, 7, 0], [0, 7, 0]]  # 0 0 2 0 1 1
    labels, scores = ops.ctc_decode(np.float32([rows, rows]), [6, 3], mask_index=0)
    assert labels.tolist() == [[[2, 1, -1, -1, -1, -1], [2, -1, -1, -1, -1, -1]]] and labels.dtype == np.int32
    assert scores.tolist() == [[-31.0], [-13.0]]
    (labels,), _ = ops.ctc_decode(np.float32([rows]), [6], merge_repeated=False, mask_index=None)  # the blank is 2
    assert labels.tolist() == [[0, 0, 0, 1, 1, -1]]


def test_too_few_paths_and_no_steps() -> None:
    labels, scores = ops.ctc_decode(np.zeros((2, 1, 2), "float32"), [1, 0], "beam_search", top_paths=3)
    assert labels[:, 0, 0].tolist() == [1, -1, -1] and labels[:, 1].tolist() == [[-1]] * 3  # equal: the label first
    np.testing.assert_allclose(np.exp(scores), [[0.5, 0.5, 0], [1, 0, 0]])


def test_in_models_and_programs() -> None:
    labels, scores = ops.ctc_decode(KerasTensor((None, 4, 3)), KerasTensor((None,)), "beam_search", top_paths=2)
    assert (labels.shape, labels.dtype, scores.shape) == ((2, None, 4), "int32", (None, 2))
    x = np.random.default_rng(3).normal(size=(2, 4, 3)).astype("float32")

    @keras.function
    def decode(x: Any) -> Any:
        return ops.ctc_decode(x, [4, 3], "beam_search")

    for a, b in zip(decode(x), ops.ctc_decode(x, [4, 3], "beam_search"), strict=True):
        np.testing.assert_array_equal(a, b)


def test_half_precision_scores_are_float32() -> None:
    assert ops.ctc_decode(np.zeros((1, 2, 3), "float16"), [2])[1].dtype == np.float32


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"strategy": "best"}, "Invalid strategy 'best'"),
        ({"mask_index": 3}, "mask_index=3"),
        ({"strategy": "beam_search", "beam_width": 0}, "beam_width"),
        ({"inputs": np.zeros((4, 3), "float32")}, r"Received: inputs of shape \(4, 3\)"),
    ],
)
def test_refused(arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        ops.ctc_decode(**{"inputs": np.zeros((1, 4, 3), "float32"), "sequence_lengths": [4], **arguments})
