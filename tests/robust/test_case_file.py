"""The file that csrc/testing reads (make sanitize, tools/arm64.py) can be written: every op has problems and bounds."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from striate.ir.opdef import OPS
from tests.support.bounds import bounds
from tests.support.case_file import MAGIC, drawn, encode, write
from tests.support.cases import all_cases


def test_every_native_op_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "cases.bin"
    count = write(path, 1)
    raw = path.read_bytes()
    assert raw[:8] == MAGIC
    assert struct.unpack_from("<Q", raw, 8) == (count,)
    for op, definition in OPS.items():
        name = struct.pack("<Q", len(op)) + op.encode()
        assert definition.host or name in raw, op


def test_drawn_problems_repeat_themselves() -> None:
    one, two = (drawn("conv2d", 4) for _ in range(2))
    assert [encode(c) for c in one] == [encode(c) for c in two]


def test_a_problem_says_its_answer_and_how_far_from_it_a_kernel_may_be() -> None:
    case = next(c for c in all_cases() if c.op == "exp")
    raw = encode(case)
    exact = np.exp(case.inputs[0].astype(np.float64))
    (bound,) = bounds(case, [exact])
    for part in (case.inputs[0], exact, np.broadcast_to(bound, exact.shape)):
        assert part.tobytes() in raw


def test_an_algorithm_s_own_bound_comes_before_that_of_the_rest() -> None:
    taken = [c for c in all_cases() if c.op == "conv2d" and b"_winograd" in encode(c)]
    assert taken
    raw = encode(taken[0])
    name = struct.pack("<Q", len("_winograd")) + b"_winograd"
    assert raw.count(name) == 1
    rest = raw[raw.index(name) + len(name) :]
    (count,) = struct.unpack_from("<Q", rest)
    own, others = rest[8 : 8 + 8 * count], rest[8 + 8 * count :]
    assert others.startswith(struct.pack("<QQ", 0, count)) and len(others) == 16 + 8 * count
    assert (np.frombuffer(own) > 0).all() and own != others[16:]
