"""Where the engine could not be built, programs run by the interpreter, after one warning."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import striate

SCRIPT = """
import sys, warnings
sys.modules["striate.engine._native"] = None  # importing it fails
from striate.compiler.pipeline import compile_graph
from tests.support.graphs import Builder, convolution_block
import numpy as np

with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    for _ in range(2):
        b = Builder()
        w = b.variable(3, 4, 4, 3, value=0.5)
        y = convolution_block(b, b.input(2, 4, 4, 3), 3)
        executable = compile_graph(b.graph(y), training=False)
        states = b.states()
        (got,) = executable.run(b.arrays, states)
        train = compile_graph(b.graph(updates={w: b.op("exp", w)}), training=True)
        train.run(b.arrays, states)
print(len(seen), seen[0].category.__name__, "pip install" in str(seen[0].message))
print(got.shape, float(states[0].array.max()) == float(np.exp(np.float32(0.5))), states[0].version)
print(executable.plan.describe()[0].reason)
"""


def test_programs_run_and_say_so_once() -> None:
    source = Path(striate.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=Path(__file__).parents[2],
        env={"PYTHONPATH": f"{source}:{Path(__file__).parents[2]}"},
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "1 RuntimeWarning True",
        "(2, 4, 4, 3) True 1",
        "the native engine is not installed",
    ]
