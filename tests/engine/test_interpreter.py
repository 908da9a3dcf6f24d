"""The oracle itself."""

from __future__ import annotations

import numpy as np
import pytest

from striate.core.errors import EngineError
from striate.engine.interpreter import interpret
from striate.ir import opdef
from striate.ir.ops.attrs import MomentumAttrs
from tests.support.graphs import Builder


def test_outputs_and_new_values() -> None:
    b = Builder()
    x, w, other = b.input(3), b.variable(3), b.variable(2)
    y = b.op("add", x, w)
    graph = b.graph(y, w, updates={w: b.op("multiply", y, b.constant(2.0))})
    before = [a.copy() for a in b.state]
    outputs, after = interpret(graph, b.arrays, b.state)
    np.testing.assert_array_equal(outputs[0], b.arrays[0] + before[0])
    np.testing.assert_array_equal(outputs[1], before[0])  # the old value: outputs are of before the update
    np.testing.assert_array_equal(after[0], 2 * (b.arrays[0] + before[0]))
    np.testing.assert_array_equal(after[1], before[1])
    for held, was in zip(b.state, before, strict=True):
        np.testing.assert_array_equal(held, was)
    assert not np.shares_memory(after[1], b.state[1])
    assert other.type.shape == (2,)


def test_several_results() -> None:
    b = Builder()
    w, m = b.variable(3), b.variable(3)
    new = b.op("momentum_update", w, m, b.input(3), b.constant(0.5), attrs=MomentumAttrs(0.9))
    _, after = interpret(b.graph(updates={w: new[0], m: new[1]}), b.arrays, b.state)
    np.testing.assert_allclose(after[1], 0.9 * b.state[1] - 0.5 * b.arrays[0], rtol=1e-6)
    np.testing.assert_allclose(after[0], b.state[0] + after[1], rtol=1e-6)


def test_a_reference_that_breaks_its_promise_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import dataclasses

    monkeypatch.setitem(opdef.OPS, "exp", dataclasses.replace(opdef.OPS["exp"], reference=lambda x: x[:1]))
    b = Builder()
    graph = b.graph(b.op("exp", b.input(3)))
    with pytest.raises(EngineError, match=r"exp: received float32\[1\], expected float32\[3\]"):
        interpret(graph, b.arrays, [])


def test_an_input_of_another_type_is_named() -> None:
    b = Builder()
    graph = b.graph(b.op("exp", b.input(3)))
    with pytest.raises(EngineError, match=r"input: received float32\[2\], expected float32\[3\]"):
        interpret(graph, [np.zeros(2, np.float32)], [])
