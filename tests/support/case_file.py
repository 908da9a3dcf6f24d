"""Problems with known answers as a file for csrc/testing/run_kernels, which runs kernels where Python cannot: under
sanitizers, on emulated CPUs.

    python -m tests.support.case_file FILE [random problems for each op]
"""

from __future__ import annotations

import struct
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings

from striate.compiler.plan.inplace import may_share
from striate.engine import native
from striate.engine.program import step_spec
from striate.ir.graph import input_node
from striate.ir.opdef import OPS, make_node, run_reference
from striate.ir.types import DTYPES, TensorType
from tests.support.bounds import bounds
from tests.support.cases import Case, all_cases
from tests.support.problems import PROBLEMS

Array = np.ndarray[Any, Any]
MAGIC = b"STcases2"
#: what is in the names of kernels whose algorithm states a bound of its own
ALGORITHMS = ("_winograd",)


def drawn(op: str, count: int) -> list[Case]:
    """Random problems of one op; the same ones each time."""
    found: list[Case] = []

    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(PROBLEMS[op])
    def take(case: Case) -> None:
        found.append(case)

    take()
    return found


def _row(values: Array) -> bytes:
    return struct.pack("<Q", values.size) + values.tobytes()


def _text(words: str) -> bytes:
    raw = words.encode()
    return struct.pack("<Q", len(raw)) + raw


def encode(case: Case) -> bytes:
    """One problem: spec, inputs, and what a kernel must give."""
    exact = run_reference(
        case.op, tuple(x.astype(np.float64) if x.dtype == np.float32 else x for x in case.inputs), case.attrs
    )
    results = [(r.shape, r.dtype.name) for r in run_reference(case.op, case.inputs, case.attrs)]
    allowed = {"": bounds(case, list(exact))}
    node = make_node(
        case.op,
        tuple(input_node(i, f"x{i}", TensorType(x.shape, x.dtype.name)).result() for i, x in enumerate(case.inputs)),
        case.attrs,
    )
    inputs, outputs, ints, floats = step_spec(
        tuple(TensorType(x.shape, x.dtype.name) for x in case.inputs),
        tuple(TensorType(shape, dtype) for shape, dtype in results),
        case.attrs,
    )
    spec = (inputs, outputs, ints, floats)
    for algorithm in ALGORITHMS:
        if any(algorithm in row.name and native.probe(row.name, spec) is None for row in native.candidates(case.op)):
            allowed = {algorithm: bounds(case, list(exact), algorithm), **allowed}
    parts = [_text(case.op), _text(case.label), struct.pack("<ii", len(inputs), len(outputs))]
    parts += [struct.pack("<q", dtype) + _row(np.array(dims, np.int64)) for dtype, dims in (*inputs, *outputs)]
    parts += [_row(np.array(ints, np.int64)), _row(np.array(floats, np.float64))]
    pairs = [(r, i) for r in range(len(outputs)) for i in range(len(inputs)) if may_share(node, True, r, i)]
    parts += [struct.pack("<q", len(pairs)), *(struct.pack("<ii", *pair) for pair in pairs)]
    parts += [struct.pack("<Q", x.nbytes) + x.tobytes() for x in case.inputs]
    for i, ((shape, dtype), value) in enumerate(zip(results, exact, strict=True)):
        if dtype == "float32":
            parts += [struct.pack("<i", 1), _row(value.astype(np.float64)), struct.pack("<q", len(allowed))]
            for algorithm, bound in allowed.items():  # "" last: it is for the rest
                wide = np.broadcast_to(np.asarray(bound[i], np.float64), shape)
                parts += [_text(algorithm), _row(np.ascontiguousarray(wide))]
        else:
            raw = value.astype(dtype)
            parts += [struct.pack("<iQ", 0, raw.nbytes), raw.tobytes()]
    return b"".join(parts)


def write(path: Path, count: int) -> int:
    """Write every hand-made case and `count` random ones for each op that has a native kernel; gives their number."""
    with_kernels = {op for op, definition in OPS.items() if not definition.host}
    cases = [case for case in all_cases() if case.op in with_kernels]
    for op in sorted(PROBLEMS):
        cases += drawn(op, count)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        encoded = [encode(case) for case in cases]
    path.write_bytes(MAGIC + struct.pack("<Q", len(encoded)) + b"".join(encoded))
    return len(encoded)


if __name__ == "__main__":
    assert list(DTYPES.values()) == list(range(len(DTYPES)))
    print(write(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 20), "cases")
