"""The memory that a plan promises is the memory that a run takes."""

from __future__ import annotations

import sys

import pytest

from tests.robust.small import output_of

CODE = """
import ctypes, gc
from striate.engine import _native as native
keras.config.set_threads({threads})
model = keras.applications.LectureModel()
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
plan = keras.explain.plan(model, 32, training={training})
memory = plan.memory
x, y = np.zeros((32, 28, 28, 1), "float32"), np.zeros(32, "int32")
run = (lambda: model.train_on_batch(x, y)) if {training} else (lambda: model.predict_on_batch(x))
run()
"""


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("training", [True, False])
def test_the_engine_borrows_what_the_plan_says(training: bool, threads: int) -> None:
    code = f"""
{CODE.format(training=training, threads=threads)}
held = native.machine()["idle_arena_bytes"]
print(held == memory.borrowed, held, memory)
variables = [*model.weights, *(model.optimizer.variables if {training} else ())]
print(memory.variables >= sum(v.numpy().nbytes for v in variables))
print(memory.inputs == x.nbytes + (y.nbytes if {training} else 0))
"""
    lines = output_of(code, STRIATE_HUGE_PAGES="0").splitlines()  # with them, whole pages of 2 MB are taken
    assert [line.split()[0] for line in lines] == ["True"] * 3, lines


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize("training", [True, False])
def test_the_process_grows_by_what_the_plan_says(training: bool) -> None:
    """The highest resident size during a step, over what was there before it: a step's memory, less what was there."""
    code = f"""
{CODE.format(training=training, threads=2)}
def status(name):
    lines = open("/proc/self/status").read().split("\\n")
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) * 1024
native.trim()
gc.collect()
ctypes.CDLL(None).malloc_trim(0)
try:
    open("/proc/self/clear_refs", "w").write("5")  # the highest so far is forgotten
except OSError:
    pass
before, anon = status("VmRSS"), status("RssAnon")
run()
print(memory.borrowed, status("VmHWM") - before, status("RssAnon") - anon)
"""
    promised, highest, held = map(int, output_of(code, STRIATE_HUGE_PAGES="0").split())
    assert held <= promised + (1 << 20), "a run holds more than the plan says"
    assert highest <= promised + (2 << 20), "a run takes more than the plan says"
    assert highest >= 0.8 * promised, "the plan asks for memory that no run touches"
