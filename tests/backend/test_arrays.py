"""Numbers of Python and arrays of whole numbers, in ops that run at once and in programs."""

from __future__ import annotations

import numpy as np
import pytest

import striate as keras
from striate import ops


def test_whole_numbers_of_python_keep_their_value() -> None:
    assert ops.convert_to_tensor([1, -2]).dtype == "int32"
    for large in (2**31, -(2**31) - 1, [0, 2**40]):
        for made in (ops.convert_to_tensor(large), keras.Variable(large).numpy()):
            assert made.dtype == "int64" and made.tolist() == large
    with pytest.raises(TypeError, match="not possible"):
        ops.convert_to_tensor(2**70)


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8"])
def test_products_of_whole_numbers(dtype: str) -> None:
    a, b = np.full((2, 3), 200, dtype), np.full((3, 2), 2, dtype)
    for way in (ops.matmul, keras.function(lambda a, b: a @ b)):
        got = way(a, b)
        assert got.dtype == dtype
        np.testing.assert_array_equal(got, np.matmul(a, b))


def test_misfits_at_once_are_told_in_our_words() -> None:
    with pytest.raises(ValueError, match=r"x.shape=\(3, 4\) has 12 elements"):
        ops.reshape(np.ones((3, 4)), (5,))
