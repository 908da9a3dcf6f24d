"""The loops that measure the machine do what they count, at every width this CPU has; bad calls are refused."""

from __future__ import annotations

import numpy as np
import pytest

from striate.engine import _native, native

ISAS = sorted({row.isa for row in native.kernels()})


@pytest.mark.parametrize("isa", ISAS)
def test_what_is_counted_grows_with_the_turns(isa: str) -> None:
    buffer = native.stream_buffer(4096)
    one = native.fma_loop(isa, 1)
    assert one > 0 and one % 20 == 0 and native.fma_loop(isa, 7) == 7 * one
    assert native.read_loop(isa, buffer, 3) == 3 * 4096
    assert native.copy_loop(isa, buffer, 3) == 3 * 4096  # half of it read, half written
    assert native.fma_loop(isa, 0) == native.read_loop(isa, buffer, 0) == 0


@pytest.mark.parametrize("isa", ISAS)
def test_the_copy_copies_whole_steps_and_touches_nothing_else(isa: str) -> None:
    buffer = native.stream_buffer(8 * 300)  # halves of 300 floats: no multiple of any step
    floats = np.frombuffer(buffer, np.float32)
    floats[:300] = np.arange(300)
    floats[300:] = -1
    copied = int(native.copy_loop(isa, buffer, 1)) // 8
    assert 128 <= copied <= 300
    np.testing.assert_array_equal(floats[300 : 300 + copied], np.arange(copied))
    assert (floats[300 + copied :] == -1).all()
    np.testing.assert_array_equal(floats[:300], np.arange(300))


def test_a_buffer_smaller_than_a_step_is_left_alone() -> None:
    buffer = native.stream_buffer(64)
    assert native.read_loop(ISAS[0], buffer, 5) == native.copy_loop(ISAS[0], buffer, 5) == 0


def test_bad_calls_are_refused() -> None:
    with pytest.raises(ValueError, match="instruction set sse9, which this process may not use"):
        _native.fma_loop("sse9", 1)
    with pytest.raises(ValueError, match="received -1 turns; expected 0 or more"):
        _native.fma_loop(ISAS[0], -1)
    with pytest.raises(TypeError):
        _native.read_loop(ISAS[0], np.zeros(4), 1)  # type: ignore[arg-type]
