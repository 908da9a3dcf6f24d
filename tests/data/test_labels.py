"""to_categorical and normalize."""

from __future__ import annotations

import numpy as np
import pytest

from striate.data import normalize, to_categorical


def test_to_categorical() -> None:
    assert to_categorical([0, 2]).tolist() == [[1, 0, 0], [0, 0, 1]]
    assert to_categorical(np.array([[1], [0]]), 2).tolist() == [[0, 1], [1, 0]]
    assert to_categorical(np.zeros((2, 3), int), 4).shape == (2, 3, 4)
    assert to_categorical(1, 3).tolist() == [0, 1, 0]


@pytest.mark.parametrize("labels", [[0, 3], [-1, 0]])
def test_to_categorical_out_of_range(labels: list[int]) -> None:
    with pytest.raises(ValueError, match="from 0 to num_classes - 1 = 2"):
        to_categorical(labels, 3)


def test_normalize() -> None:
    got = normalize(np.array([[3.0, 4.0], [0.0, 0.0]]))
    np.testing.assert_allclose(got, [[0.6, 0.8], [0, 0]])
    np.testing.assert_allclose(normalize(np.array([[1.0, 3.0]]), order=1), [[0.25, 0.75]])
