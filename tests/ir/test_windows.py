"""SAME and VALID: the numbers of Keras 3.15, and the refusals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from striate.core.errors import ShapeError
from striate.ir.ops._windows import extent, out_hw, pad_image, pads, same_pads, tap, windows
from striate.ir.ops.attrs import ConvAttrs, PoolAttrs


@pytest.mark.parametrize(
    ("n", "kernel", "stride", "expected"),
    [(6, 3, 2, (0, 1)), (7, 3, 2, (1, 1)), (8, 4, 1, (1, 2)), (5, 2, 1, (0, 1)), (5, 1, 1, (0, 0)), (7, 1, 3, (0, 0))],
)
def test_same_pads(n: int, kernel: int, stride: int, expected: tuple[int, int]) -> None:
    assert same_pads(n, kernel, stride) == expected


def test_same_pads_of_a_dilated_kernel() -> None:
    assert extent(3, 2) == 5
    assert same_pads(9, 3, 1, dilation=2) == (2, 2)


def test_the_lectures_example() -> None:
    """Conv2D(1, (1, 6), strides=(1, 5)) on a width of 13: 3 columns with "same", 2 with "valid"."""
    assert out_hw("conv2d", ConvAttrs((1, 5), "same"), (1, 13), (1, 6)) == (1, 3)
    assert out_hw("conv2d", ConvAttrs((1, 5), "valid"), (1, 13), (1, 6)) == (1, 2)


def test_open_axes_stay_open() -> None:
    assert out_hw("conv2d", ConvAttrs(), (None, 7), (3, 3)) == (None, 5)
    assert out_hw("max_pool2d", PoolAttrs((2, 2), (2, 2), "same"), (7, None), (2, 2)) == (4, None)


def test_explicit_pads() -> None:
    a = ConvAttrs((2, 1), "explicit", (2, 0, 1, 3))
    assert pads(a, (5, 5), (3, 3)) == ((2, 0), (1, 3))
    assert out_hw("conv2d", a, (5, 5), (3, 3)) == (3, 7)


@given(n=st.integers(1, 40), kernel=st.integers(1, 9), stride=st.integers(1, 5), dilation=st.integers(1, 3))
def test_same_reaches_exactly_to_the_end(n: int, kernel: int, stride: int, dilation: int) -> None:
    before, after = same_pads(n, kernel, stride, dilation)
    out = -(-n // stride)
    assert before <= after <= before + 1
    last = (out - 1) * stride + extent(kernel, dilation)
    assert last <= n + before + after
    assert before + after == 0 or last == n + before + after  # no pixel more than needed


def test_too_small_an_image() -> None:
    with pytest.raises(ShapeError) as caught:
        out_hw("conv2d", ConvAttrs(dilation=(2, 2)), (4, 9), (3, 3))
    assert str(caught.value) == (
        "conv: a window of 5 pixels does not fit an input of height 4. Received height 4, kernel 3, dilation 2, "
        "padding='valid'. Expected at least 5 pixels. Use padding=\"same\", a smaller window, or larger images."
    )


@given(
    h=st.integers(3, 9),
    w=st.integers(3, 9),
    strides=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    dilation=st.tuples(st.integers(1, 2), st.integers(1, 2)),
)
def test_windows_are_taps(h: int, w: int, strides: tuple[int, int], dilation: tuple[int, int]) -> None:
    a = ConvAttrs(strides, "same", dilation=dilation)
    x = pad_image(np.arange(h * w * 2.0).reshape(1, h, w, 2), pads(a, (h, w), (3, 2)), -1)
    rows, columns = out_hw("conv2d", a, (h, w), (3, 2))
    assert rows is not None and columns is not None
    seen = windows(x, a, (3, 2), (rows, columns))
    for u in range(3):
        for v in range(2):
            np.testing.assert_array_equal(seen[..., u, v], tap(x, u, v, a, (rows, columns)))
