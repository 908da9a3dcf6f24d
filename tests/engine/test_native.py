"""The door to the engine: unsound programs are refused with a reason, others run from any thread and any process."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from striate.engine import _native

ISAS = {"baseline", "avx2", "avx512", "neon"}
F32, I32, I64 = 0, 1, 2
SRC = Path(_native.__file__).parents[2]


def kernel(op: str) -> str:
    return next(name for o, name, _ in _native.kernels() if o == op)


def sgd_spec(n: int) -> Any:
    return [(F32, (n,)), (F32, (n,)), (F32, ())], [(F32, (n,))], [], []


def sgd_program(n: int = 100, **changes: Any) -> dict[str, Any]:
    """w - lr g over the arena and back: externals w, g, lr, the result."""
    places = [(1, 0), (2, 0), (3, 0), (0, 64)]
    copied = ((kernel("reshape"), [(0, 64), (4, 0)], ([(F32, (n,))], [(F32, (n,))], [1, n], []), -1),)
    program = {
        "arena_bytes": 64 + 4 * n,
        "externals": [(4 * n, False), (4 * n, False), (4, False), (4 * n, True)],
        "steps": [(kernel("sgd_update"), places, sgd_spec(n), -1), *copied],
    }
    program.update(changes)
    return program


def sgd_arrays(n: int = 100, seed: int = 0) -> list[Any]:
    rng = np.random.default_rng(seed)
    w, g = rng.standard_normal((2, n)).astype(np.float32)
    return [w, g, np.float32(0.5).reshape(()), np.full(n, np.nan, np.float32)]


def run_python(code: str, **env: str) -> str:
    """What a fresh interpreter prints."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(SRC), **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout.strip() if done.returncode == 0 else f"exit {done.returncode}: {done.stderr}"


def test_kernels_have_unique_names_and_the_best_instruction_set_first() -> None:
    rows = _native.kernels()
    assert len({name for _, name, _ in rows}) == len(rows)
    assert {isa for _, _, isa in rows} <= ISAS
    assert rows[0][2] == _native.isa()
    assert all(name.endswith("_" + isa) for _, name, isa in rows)


def test_probe_gives_none_or_a_reason() -> None:
    name = kernel("sgd_update")
    assert _native.probe(name, sgd_spec(10)) is None
    other = [(F32, (10,)), (F32, (9,)), (F32, ())], [(F32, (10,))], [], []
    assert _native.probe(name, other) == "the tensors' sizes differ"
    ints = [(I32, (10,)), (I32, (10,)), (F32, ())], [(I32, (10,))], [], []
    assert _native.probe(name, ints) == "takes float32 only"
    with pytest.raises(ValueError, match="no kernel named nothing"):
        _native.probe("nothing", sgd_spec(10))


def test_layout_depends_on_the_problem_not_on_threads() -> None:
    assert _native.layout(kernel("sgd_update"), sgd_spec(40000))["pieces"] == [3]
    with pytest.raises(ValueError, match="sizes differ"):
        _native.layout(kernel("sgd_update"), ([(F32, (2,)), (F32, (3,)), (F32, ())], [(F32, (2,))], [], []))


def test_a_program_runs() -> None:
    handle = _native.compile(sgd_program())
    arrays = sgd_arrays()
    _native.run(handle, arrays, b"")
    np.testing.assert_allclose(arrays[3], arrays[0] - 0.5 * arrays[1], rtol=1e-6, atol=1e-7)
    assert handle.steps == 2
    assert handle.flops == 200


SGD = "sgd_update_" + _native.isa()
GOOD = [(1, 0), (2, 0), (3, 0), (0, 64)]


def step(places: Any = GOOD, spec: Any = None, name: str = SGD, guard: Any = -1) -> Any:
    return {"steps": [(name, places, sgd_spec(100) if spec is None else spec, guard)]}


UNSOUND = {
    "past the arena": (
        step([*GOOD[:3], (0, 128)]),
        r"step 0 \(sgd_update_.*\): result 0 takes bytes 128 to 128 \+ 400",
    ),
    "far past the arena": (step([*GOOD[:3], (0, 2**62)]), "of the arena, which has 464"),
    "wraps around": (step([*GOOD[:3], (0, 2**63 - 64)]), "of the arena, which has 464"),
    "past an external": (step([(1, 4), *GOOD[1:]]), "input 0 takes bytes 4 to 4 .* of external 0, which has 400"),
    "no such base": (step([(5, 0), *GOOD[1:]]), "base 5; there are the arena .0. and 4 externals"),
    "a base below 0": (step([(-1, 0), *GOOD[1:]]), "input 0 has base -1"),
    "a base beyond 32 bits": (step([(2**32 + 1, 0), *GOOD[1:]]), "has base 4294967297"),
    "an offset below 0": (step([(1, -4), *GOOD[1:]]), "expected 0 or more as a byte offset; received -4"),
    "an odd arena offset": (step([*GOOD[:3], (0, 32)]), "offset 32; expected a multiple of 64"),
    "an odd external offset": (step([(1, 2), *GOOD[1:]], sgd_spec(99)), "offset 2; expected a multiple of 4"),
    "writes what it must not": (step([*GOOD[:3], (1, 0)]), "written to external 0, which is not writable"),
    "results over half an input": (
        step([(0, 0), (2, 0), (3, 0), (0, 64)], sgd_spec(30)),
        "result 0 lies over a part of input 0",
    ),
    "an operand missing": (step(GOOD[:3]), "received 3 operands; its spec has 4"),
    "a kernel that is not there": (step(name="nothing"), r"step 0 \(nothing\): no such kernel"),
    "a kernel's refusal": (
        step(spec=([(F32, (99,)), (F32, (100,)), (F32, ())], [(F32, (100,))], [], [])),
        "the kernel refuses: the tensors' sizes differ",
    ),
    "a guard below -1": (step(guard=-2), "received guard -2"),
    "an unknown dtype": (step(spec=([(99, (1,))], [(F32, (1,))], [], [])), "step 0: unknown dtype code 99"),
    "nine axes": (step(spec=([(F32, (1,) * 9)], [(F32, (1,))], [], [])), "rank 9; at most 8"),
    "an axis below 0": (step(spec=([(F32, (-1,))], [(F32, (1,))], [], [])), "an axis of length -1"),
    "a size that overflows": (step(spec=([(F32, (2**40, 2**40))], [], [], [])), r"more than 2\^46 bytes"),
    "a size that hides behind 0": (step(spec=([(F32, (0, 2**40, 2**40))], [], [], [])), r"more than 2\^46 bytes"),
    "no list of steps": ({"steps": [7]}, "step 0: expected .kernel, operands, spec, guard. as a step"),
    "a spec too short": (step(spec=([], [], [])), "expected .inputs, outputs, ints, floats."),
    "a huge arena": ({"arena_bytes": 2**60}, r"an arena of more than 2\^46 bytes"),
    "words for numbers": (step([("a", 0), *GOOD[1:]]), "step 0: expected an integer as a base"),
}


@pytest.mark.parametrize("name", UNSOUND)
def test_unsound_programs_are_refused(name: str) -> None:
    changes, message = UNSOUND[name]
    with pytest.raises(ValueError, match=message):
        _native.compile(sgd_program(**changes))


def test_a_key_that_is_missing_is_named() -> None:
    with pytest.raises(ValueError, match="needs the key steps"):
        _native.compile({"arena_bytes": 0, "externals": []})


def test_wrong_externals_are_refused() -> None:
    handle = _native.compile(sgd_program())
    good = sgd_arrays()
    frozen = np.zeros(100, np.float32)
    frozen.setflags(write=False)
    odd = np.zeros(402, np.uint8)[1:401]
    for place, bad, message in (
        (0, np.zeros(99, np.float32), "external 0 has 396 bytes; the program was compiled for 400"),
        (0, np.zeros(200, np.float32)[::2], "external 0 must be a C-contiguous array"),
        (3, frozen, "external 3 must be a C-contiguous writable array"),
        (0, "words", "external 0 must be a C-contiguous array.*received str"),
        (0, 0, "external 0 is the address 0"),
        (0, odd if odd.ctypes.data % 4 else odd[1:], "external 0 is not aligned|399 bytes"),
    ):
        arrays = list(good)
        arrays[place] = bad
        with pytest.raises(ValueError, match=message):
            _native.run(handle, arrays, b"")
    with pytest.raises(ValueError, match="received 3 externals; the program has 4"):
        _native.run(handle, good[:3], b"")


def test_guards_skip_steps() -> None:
    program = sgd_program()
    name, places, spec, _ = program["steps"][1]
    program["steps"][1] = (name, places, spec, 2)
    handle = _native.compile(program)
    arrays = sgd_arrays()
    _native.run(handle, arrays, bytes([1, 1, 0]))
    assert np.isnan(arrays[3]).all()
    _native.run(handle, arrays, bytes([0, 0, 1]))
    assert not np.isnan(arrays[3]).any()
    with pytest.raises(ValueError, match="received 2 guards; the program has 3"):
        _native.run(handle, arrays, bytes([1, 1]))


def test_aligned_buffers_are_arrays_without_a_copy() -> None:
    for nbytes in (0, 4, 400, 9 << 20):
        buffer = _native.AlignedBuffer(nbytes)
        view = np.asarray(memoryview(buffer)) if nbytes == 0 else np.frombuffer(buffer, np.uint8)
        assert buffer.nbytes == len(buffer) == view.nbytes == nbytes
        assert buffer.address % 64 == 0
        assert not view.any()
    view[:] = 7
    assert view.ctypes.data == buffer.address
    assert view.flags.writeable
    del buffer  # the view keeps it
    assert (view == 7).all()
    with pytest.raises(MemoryError):
        _native.AlignedBuffer(2**60)


def test_externals_may_be_buffers_and_addresses() -> None:
    handle = _native.compile(sgd_program())
    arrays = sgd_arrays()
    out = _native.AlignedBuffer(400)
    _native.run(handle, (arrays[0].ctypes.data, arrays[1], arrays[2], out), b"")
    _native.run(handle, arrays, b"")
    np.testing.assert_array_equal(np.frombuffer(out, np.float32), arrays[3])


def test_the_bits_do_not_depend_on_the_threads() -> None:
    n = 200_000
    handle = _native.compile(sgd_program(n))
    seen = []
    try:
        for threads in (1, 2, 5, 1):
            _native.set_threads(threads)
            assert _native.threads() == threads
            arrays = sgd_arrays(n)
            for _ in range(20):
                _native.run(handle, arrays, b"")
            seen.append(arrays[3].tobytes())
    finally:
        _native.set_threads(0)
    assert len(set(seen)) == 1
    assert _native.threads() == _native.machine()["default_threads"]
    with pytest.raises(ValueError, match="received -1; expected 1 to 1024"):
        _native.set_threads(-1)


def test_one_handle_runs_in_many_threads_at_once() -> None:
    n = 50_000
    handle = _native.compile(sgd_program(n))
    wrong: list[int] = []

    def work(seed: int) -> None:
        arrays = sgd_arrays(n, seed)
        expected = (arrays[0] - np.float32(0.5) * arrays[1]).astype(np.float32)
        for _ in range(100):
            arrays[3][:] = np.nan
            _native.run(handle, arrays, b"")
            if not np.allclose(arrays[3], expected, rtol=1e-6, atol=1e-6):
                wrong.append(seed)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def test_denormals_are_flushed_in_a_run_and_only_there() -> None:
    handle = _native.compile(sgd_program())
    arrays = sgd_arrays()
    arrays[0][:] = np.float32(1e-39)
    arrays[1][:] = 0
    _native.run(handle, arrays, b"")
    assert not arrays[3].any()
    assert np.float32(1e-39) * np.float32(0.5) != 0


def test_step_times_are_opt_in() -> None:
    n = 100_000
    handle = _native.compile(sgd_program(n))
    arrays = sgd_arrays(n)
    _native.run(handle, arrays, b"")
    assert _native.step_times(handle) == [0, 0]
    _native.set_timing(handle, True)
    _native.run(handle, arrays, b"")
    first = _native.step_times(handle)
    assert all(0 < t < 1 for t in first)
    _native.set_timing(handle, False)
    _native.run(handle, arrays, b"")
    assert _native.step_times(handle) == first
    assert _native.step_flops(handle) == [200_000, 0]


def test_arenas_are_shared_and_can_be_given_back() -> None:
    _native.trim()
    assert _native.machine()["idle_arena_bytes"] == 0
    for n in (1000, 50_000, 2000, 50_000):
        handle, arrays = _native.compile(sgd_program(n)), sgd_arrays(n)
        for _ in range(3):
            _native.run(handle, arrays, b"")
    held = _native.machine()["idle_arena_bytes"]
    assert 200_000 <= held < 210_000  # the largest, not the sum
    _native.trim()
    assert _native.machine()["idle_arena_bytes"] == 0


FORK = """
import os, sys
import numpy as np
from striate.engine import _native as native
native.set_threads(4)
n = 100_000
name = next(name for op, name, _ in native.kernels() if op == "sgd_update")
spec = ([(0, (n,)), (0, (n,)), (0, ())], [(0, (n,))], [], [])
handle = native.compile({"arena_bytes": 0, "externals": [(4 * n, False)] * 2 + [(4, False), (4 * n, True)],
                         "steps": [(name, [(1, 0), (2, 0), (3, 0), (4, 0)], spec, -1)]})
arrays = [np.ones(n, np.float32), np.ones(n, np.float32), np.float32(0.5).reshape(()), np.zeros(n, np.float32)]
def works():
    arrays[3][:] = 0
    native.run(handle, arrays, b"")
    return bool((arrays[3] == 0.5).all())
assert works()
child = os.fork()
if child == 0:
    os._exit(0 if all(works() for _ in range(50)) else 3)
_, status = os.waitpid(child, 0)
assert works()
print("status", status)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_starts_its_own_threads() -> None:
    assert run_python("import warnings; warnings.simplefilter('ignore')\n" + FORK) == "status 0"


SHOW = "from striate.engine import _native as n; m = n.machine(); "


def test_the_environment_lowers_the_instruction_set() -> None:
    if _native.isa() == "neon":
        pytest.skip("one instruction set on this CPU")
    got = run_python(SHOW + "print(n.isa(), {k[2] for k in n.kernels()}, m['isa_cap'])", STRIATE_ISA="baseline")
    assert got == "baseline {'baseline'} baseline"
    assert "STRIATE_ISA=mmx is no instruction set; give baseline, avx2 or avx512" in run_python(SHOW, STRIATE_ISA="mmx")


def test_the_environment_sets_the_threads() -> None:
    got = run_python(SHOW + "print(n.threads(), m['threads_from'])", STRIATE_NUM_THREADS="3")
    assert got == "3 STRIATE_NUM_THREADS"
    got = run_python(SHOW + "print(m['threads_from'] == 'STRIATE_NUM_THREADS')", STRIATE_NUM_THREADS="many")
    assert got == "False"


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity masks on this system")
def test_the_affinity_mask_is_seen() -> None:
    pin = "import os; os.sched_setaffinity(0, [min(os.sched_getaffinity(0))]); "
    assert run_python(pin + SHOW + "print(m['cpus'], m['physical_cores'], n.threads())") == "1 1 1"


def test_the_stub_names_what_is_there() -> None:
    stub = ast.parse((Path(_native.__file__).parent / "_native.pyi").read_text())
    named = {n.name for n in stub.body if isinstance(n, ast.FunctionDef | ast.ClassDef) and not n.name.startswith("_")}
    assert named == {n for n in dir(_native) if not n.startswith("_")}
