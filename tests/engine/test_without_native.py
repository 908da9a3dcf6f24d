"""Where the engine could not be built, programs run by the interpreter, after one warning."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

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


#: A user's first lines: what they print, and the one warning.
USER = """
import sys, warnings
sys.modules["striate.engine._native"] = None
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    import striate as keras
    imported = len(seen)
    import numpy as np
    keras.utils.set_random_seed(3)
    model = keras.Sequential([
        keras.Input((9, 9, 2)), keras.layers.Conv2D(4, 3, activation="relu"), keras.layers.BatchNormalization(),
        keras.layers.MaxPooling2D(), keras.layers.Flatten(), keras.layers.Dense(3, activation="softmax"),
    ])
    x, y = np.linspace(-1, 1, 8 * 162, dtype="float32").reshape(8, 9, 9, 2), np.arange(8) % 3
    first = model.predict(x, verbose=0)
    model.predict(x[:3], verbose=0)
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y, epochs=2, batch_size=5, verbose=0)
    model.evaluate(x, y, verbose=0)
    second = model.predict(x, verbose=0)
    assert len(seen) == {count}, [str(w.message) for w in seen]
print(imported, first.tobytes().hex(), second.tobytes().hex())
"""


def run_alone(code: str) -> list[str]:
    """The lines that a fresh interpreter prints."""
    source = Path(striate.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=Path(__file__).parents[2],
        env={"PYTHONPATH": f"{source}:{Path(__file__).parents[2]}"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_user_gets_one_warning_and_the_same_numbers() -> None:
    """Import, predict, fit and evaluate; against the engine, to what float32 sums in another order may differ by."""
    (alone,) = run_alone(USER.format(count=1))
    (native,) = run_alone(USER.format(count=0).replace('sys.modules["striate.engine._native"] = None', ""))
    assert alone.split()[0] == "0", "importing warns already"
    for got, wanted in zip(alone.split()[1:], native.split()[1:], strict=True):
        numbers = [np.frombuffer(bytes.fromhex(text), np.float32) for text in (got, wanted)]
        np.testing.assert_allclose(*numbers, rtol=1e-5)


def test_programs_run_and_say_so_once() -> None:
    assert run_alone(SCRIPT) == [
        "1 RuntimeWarning True",
        "(2, 4, 4, 3) True 1",
        "the native engine is not installed",
    ]
