"""What functions of networks refuse, or warn of, in Keras's words and with what was received."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from striate import layers, ops
from striate.backend import KerasTensor

X = KerasTensor((None, 3, 5))
FIVE = np.ones(5, "float32")


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: ops.softmax(X, axis=10), r"axis 10 is out of bounds.*rank 3.*Received: axis=10.*from -3 to 2"),
        (lambda: ops.normalize(X, axis=-4), "axis -4 is out of bounds"),
        (lambda: ops.normalize(FIVE, order=2.5), r"Argument `order` must be an int >= 1\. Received: order=2\.5"),
        (lambda: ops.normalize(FIVE, order=0), "order=0"),
        (lambda: ops.batch_normalization(X, FIVE, FIVE, -1, offset=FIVE[:3]), "`offset` must be a vector of length 5"),
        (lambda: ops.batch_normalization(X, FIVE, FIVE, 1), r"`mean` must be a vector of length 3.*mean\.shape=\(5,\)"),
        (lambda: ops.batch_normalization(X, FIVE, FIVE, 2, scale=np.ones((1, 5))), "`scale` must be a vector"),
    ],
)
def test_refused(call: Callable[[], Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        call()


def test_the_largest_magnitude_is_an_order_too() -> None:
    assert ops.normalize(np.float32([1, -4]), order=float("inf")).tolist() == [0.25, -1.0]


def test_a_softmax_over_one_value_warns() -> None:
    with pytest.warns(UserWarning, match=r"softmax over axis 1 of a tensor of shape \(1, 1\).*a sigmoid instead"):
        ops.softmax(np.ones((1, 1), "float32"), 1)
    with pytest.warns(UserWarning, match="always return the value 1"):
        layers.Dense(1, activation="softmax")(np.ones((2, 3), "float32"))
