"""Executables: what they take, what they refuse, and what they cost beside the kernels."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from striate.compiler.pipeline import Executable, compile_graph
from striate.core.errors import EngineError
from striate.engine import native
from striate.engine.program import Buffer, Program, Step
from striate.ir.attrs import NO_ATTRS
from striate.ir.ops.attrs import AxisAttrs, DenseAttrs
from striate.ir.types import TensorType
from tests.support.graphs import Builder, State, convolution_block


def dense(batch: int = 2) -> tuple[Builder, Executable]:
    b = Builder()
    y = b.op("dense", b.input(batch, 3), b.variable(3, 4), b.variable(4), attrs=DenseAttrs("relu"))
    return b, compile_graph(b.graph(y), training=False)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((2, 4), np.float32), r"Input: received float32\[2, 4\]; expected float32\[2, 3\]"),
        (np.zeros((2, 3), np.float64), r"Input: received float64\[2, 3\]; expected float32\[2, 3\]"),
    ],
)
def test_inputs_of_other_types_are_refused(array: np.ndarray, message: str) -> None:  # type: ignore[type-arg]
    b, executable = dense()
    with pytest.raises(EngineError, match=message):
        executable.run([array], b.states())


def test_counts_are_checked() -> None:
    b, executable = dense()
    with pytest.raises(EngineError, match="Received 0 inputs; the program takes 1"):
        executable.run([], b.states())
    with pytest.raises(EngineError, match="Received 1 Variables; the program reads 2"):
        executable.run(b.arrays, b.states()[:1])


def test_variables_of_other_types_are_refused() -> None:
    b, executable = dense()
    wrong = [State(np.zeros((3, 4), np.float32)), State(np.zeros(5, np.float32))]
    with pytest.raises(EngineError, match=r"Variable 1: received float32\[5\]; expected float32\[4\]"):
        executable.run(b.arrays, wrong)


def test_any_layout_of_an_input_is_taken() -> None:
    b, executable = dense()
    (wanted,) = executable.run(b.arrays, b.states())
    x = b.arrays[0]
    padded = np.zeros((2, 6), np.float32)
    padded[:, ::2] = x
    raw = np.zeros(x.nbytes + 1, np.uint8)[1:]
    misaligned = raw.view(np.float32).reshape(2, 3)
    misaligned[...] = x
    read_only = x.copy()
    read_only.flags.writeable = False
    for other in (np.asfortranarray(x), padded[:, ::2], misaligned, read_only):
        np.testing.assert_array_equal(executable.run([other], b.states())[0], wanted)


def test_outputs_are_fresh_unless_given() -> None:
    b, executable = dense()
    states = b.states()
    one, two = executable.run(b.arrays, states)[0], executable.run(b.arrays, states)[0]
    assert not np.shares_memory(one, two)
    held = np.full((2, 4), np.nan, np.float32)
    assert executable.run(b.arrays, states, [held])[0] is held
    np.testing.assert_array_equal(held, one)
    with pytest.raises(EngineError, match="Output"):
        executable.run(b.arrays, states, [held[:1]])


def test_binding_to_other_variables() -> None:
    b, executable = dense()
    one, two = b.states(), b.states()
    for s in two:
        s.array *= 0
    for _ in range(2):
        assert executable.run(b.arrays, one)[0].any()
        assert not executable.run(b.arrays, two)[0].any()


def test_a_program_the_engine_finds_unsound_is_refused() -> None:
    t = TensorType((4,))
    kernel = native.candidates("exp")[0].name
    step = Step("exp", kernel, (Buffer(1, 0, t),), (Buffer(2, 4, t),), NO_ATTRS)
    with pytest.raises(ValueError, match="result 0"):
        Executable(Program(0, (step,), (t,), (t,), ()))


def test_several_threads_run_one_program_with_host_steps() -> None:
    b = Builder()
    y = b.op("tanh", b.input(64, 8))
    y = b.op("exp", b.op("cumsum", b.op("neg", y), attrs=AxisAttrs(1)))
    executable = compile_graph(b.graph(y), training=False)
    arrays = [np.full((64, 8), i / 10, np.float32) for i in range(4)]
    wanted = [executable.run([a])[0] for a in arrays]
    wrong = []

    def work(i: int) -> None:
        got = [executable.run([arrays[i]])[0] for _ in range(20)]
        wrong.extend(i for g in got if not np.array_equal(g, wanted[i]))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def test_readers_see_the_state_of_a_steps_end() -> None:
    """Two Variables that a step keeps equal are never seen different."""
    b = Builder()
    u, v = b.variable(512, value=0.0), b.variable(512, value=0.0)
    one = b.constant(1.0)
    step = compile_graph(b.graph(updates={u: b.op("add", u, one), v: b.op("add", v, one)}), training=True)
    difference = compile_graph(b.graph(b.op("subtract", u, v)), training=False)
    states, seen, stop = b.states(), [], threading.Event()

    def read() -> None:
        while not stop.is_set():
            seen.append(float(np.abs(difference.run([], states)[0]).max()))

    reader = threading.Thread(target=read)
    reader.start()
    deadline = time.monotonic() + 5
    while len(seen) < 50 and time.monotonic() < deadline:
        step.run([], states)
    stop.set()
    reader.join()
    assert len(seen) >= 50 and not any(seen)


def test_a_failing_step_moves_versions_and_frees_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    import dataclasses

    from striate.ir import opdef

    b = Builder()
    w = b.variable(4)
    executable = compile_graph(b.graph(updates={w: b.op("cumsum", w, attrs=AxisAttrs(0))}), training=True)

    def fail(x: object, a: object) -> None:
        raise ValueError("broken")

    states = b.states()
    with monkeypatch.context() as broken:
        broken.setitem(opdef.OPS, "cumsum", dataclasses.replace(opdef.OPS["cumsum"], reference=fail))
        with pytest.raises(ValueError, match="broken"):
            executable.run([], states)
    assert states[0].version == 1
    executable.run([], states)
    np.testing.assert_allclose(states[0].array, np.cumsum(b.state[0]), rtol=1e-6)


def test_a_run_costs_microseconds() -> None:
    """Mean of the best of several rounds; 50 is far above what it is (about 4) so that a busy machine passes."""
    b = Builder()
    executable = compile_graph(b.graph(convolution_block(b, b.input(1, 4, 4, 2), 3)), training=False)
    states = b.states()
    rounds = []
    for _ in range(20):
        start = time.perf_counter()
        for _ in range(50):
            executable.run(b.arrays, states)
        rounds.append((time.perf_counter() - start) / 50)
    assert min(rounds) < 50e-6
