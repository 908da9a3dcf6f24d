"""Arguments made uniform, and the errors when they cannot be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from striate.core import args, lookup
from striate.core.errors import ArgumentError


@pytest.mark.parametrize("value", [3, np.int64(3), (3, 3), [3, 3], np.array([3, 3])])
def test_int_tuple(value: Any) -> None:
    assert args.int_tuple(value, 2, "kernel_size") == (3, 3)


@pytest.mark.parametrize("value", [0, -1, (3,), (1, 2, 3), "3", None, 2.5, (2.5, 1), True, (0, 1)])
def test_int_tuple_refuses(value: Any) -> None:
    with pytest.raises(
        ArgumentError, match=r"`strides` must be one integer or a tuple of 2 integers, each at least 1\."
    ):
        args.int_tuple(value, 2, "strides")


def test_zero_where_it_is_allowed() -> None:
    assert args.int_tuple((0, 1), 2, "padding", allow_zero=True) == (0, 1)
    with pytest.raises(ValueError, match="at least 0"):
        args.int_tuple(-1, 2, "padding", allow_zero=True)


def test_padding_in_any_case() -> None:
    assert args.padding("SAME") == "same"
    assert args.padding("causal", allow_causal=True) == "causal"
    with pytest.raises(
        ValueError, match=r"`padding` must be 'valid' or 'same'\. Received: padding='sme'\. Did you mean"
    ):
        args.padding("sme")


def test_data_format() -> None:
    assert args.data_format(None, "channels_first") == "channels_first"
    with pytest.raises(ValueError, match="'channels_last' or 'channels_first'"):
        args.data_format("NHWC", "channels_last")


def test_numbers() -> None:
    assert args.positive_int(np.int32(4), "filters") == 4
    assert args.fraction(1, "rate") == 1
    for wrong in (0, -1, 1.5, "8", None, True):
        with pytest.raises(ValueError, match="`filters`"):
            args.positive_int(wrong, "filters")
    for wrong in (-0.1, 1.1, "0.5", None, True, float("nan")):
        with pytest.raises(ValueError, match="`rate`"):
            args.fraction(wrong, "rate")


def test_snake_case_is_keras_s() -> None:
    names = {"Conv2D": "conv2d", "MaxPooling2D": "max_pooling2d", "ReLU": "re_lu", "PReLU": "p_re_lu", "L1L2": "l1l2"}
    assert {n: lookup.to_snake_case(n) for n in names} == names
