"""What LeNet-5 starts with: weights within 2.4 / fan-in, and codes that are pictures."""

from __future__ import annotations

import json

import numpy as np
import pytest

from striate import backend, initializers


@pytest.mark.parametrize("shape, fan_in", [((5, 5, 6, 16), 150), ((120, 84), 120), ((3, 3, 1, 4), 9)])
def test_fan_in_is_read_from_the_shape(shape, fan_in):
    drawn = initializers.FanInUniform(2.4, seed=1)(shape)
    assert 0.9 * 2.4 / fan_in < np.abs(drawn).max() <= 2.4 / fan_in
    assert (drawn < 0).any() and (drawn > 0).any()


def test_fan_in_may_be_said_for_each_element_of_the_last_axis():
    drawn = initializers.FanInUniform(1.0, [1, 10, 100], seed=1)((200, 3))
    largest = np.abs(drawn).max(0)
    assert (largest <= [1, 0.1, 0.01]).all() and (largest > [0.9, 0.09, 0.009]).all()


def test_a_bias_is_told_its_fan_in():
    assert np.abs(initializers.FanInUniform(2.4, 25, seed=1)((6,))).max() <= 2.4 / 25


def test_a_digit_s_code_is_its_picture():
    codes = initializers.DigitCodes()((84, 10))
    assert codes.dtype == np.float32 and set(np.unique(codes)) == {-1, 1}
    pictures = (codes.T > 0).reshape(10, 12, 7)
    assert not pictures[:, [0, 10, 11]].any(), "above and below a digit there is paper"
    # Both halves of an 8 are alike; an 8 is a 0 with a bar, and no digit is another one's twin.
    assert (pictures[8] == pictures[8][:, ::-1]).all()
    apart = (pictures[:, None] != pictures[None]).sum((2, 3))
    assert apart[~np.eye(10, dtype=bool)].min() >= 4


@pytest.mark.parametrize(
    "made", [initializers.FanInUniform(2.4, [1, 2], seed=3), initializers.FanInUniform(), initializers.DigitCodes()]
)
def test_they_go_through_a_file(made):
    described = json.loads(json.dumps(backend.serialize_keras_object(made)))
    again = backend.deserialize_keras_object(described)
    assert type(again) is type(made) and again.get_config() == made.get_config()


@pytest.mark.parametrize(
    "call, text",
    [
        (lambda: initializers.FanInUniform(0), "`limit` must be positive"),
        (lambda: initializers.FanInUniform(fan_in=[3, 0]), "`fan_in` counts inputs"),
        (lambda: initializers.FanInUniform(fan_in=[3, 4])((5, 3)), "2 numbers for a weight of shape"),
        (lambda: initializers.DigitCodes()((10, 84)), r"\(84, 10\)"),
    ],
)
def test_mistakes_are_named(call, text):
    with pytest.raises(ValueError, match=text):
        call()
