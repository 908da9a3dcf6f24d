"""Processes: forked, spawned, ending in the middle of work, with more than one interpreter or copy of the engine."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.robust.small import ROOT, output_of, rounds, run_script

posix = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")

FORK = """
import signal
keras.config.set_threads(4)
model, (x, y) = network(), data()
start = state_of(model)
def work():
    model.fit(x, y, batch_size=16, verbose=0, shuffle=False)
    return digest([*state_of(model), model.predict(x, verbose=0)])
twin = network()
def twins_work():
    twin.fit(x, y, batch_size=16, verbose=0, shuffle=False)
    return digest([*state_of(twin), twin.predict(x, verbose=0)])
work(), twins_work()  # both have their programs, and the pool its threads
wanted = twins_work()
"""


@posix
def test_a_forked_child_trains_and_predicts_and_so_does_the_parent() -> None:
    code = (
        FORK
        + """
for _ in range(3):
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        os._exit(0 if work() == wanted else 3)
    assert os.waitpid(child, 0)[1] == 0
print(work() == wanted)
"""
    )
    assert output_of(code) == "True"


@posix
def test_forks_in_the_middle_of_training() -> None:
    """Another thread trains all the while: each child finds the state of some step's end, and can go on from it."""
    code = f"""
import signal
twin, (x, y) = network(), data(32)
step = twin.make_train_function()
twin.train_on_batch(x, y)
ends, stop = set(), threading.Event()
for _ in range({rounds(150, 2000)}):
    ends.add(digest(twin.get_weights()))
    step((x, y))
ends.add(digest(twin.get_weights()))
model = network()
step = model.make_train_function()
model.train_on_batch(x, y)
def train():
    for _ in range({rounds(150, 2000)}):
        step((x, y))
    stop.set()
trainer = threading.Thread(target=train)
trainer.start()
children = 0
while not stop.is_set():
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        whole = digest(a.array.copy() for a in model.weights) in ends
        model.predict(x[:5], verbose=0)
        step((x, y))
        os._exit(0 if whole else 3)
    assert os.waitpid(child, 0)[1] == 0, "a child found a step half done, or hung"
    children += 1
trainer.join()
print(children > 3, digest(model.get_weights()) in ends)
"""
    assert output_of(code) == "True True"


WORKER = """
import multiprocessing, sys
sys.path.insert(0, {root!r})
from tests.robust.small import *

def job(weights, seed):
    model, (x, y) = network(seed), data()
    model.set_weights(weights)
    model.fit(x, y, batch_size=16, verbose=0)
    return digest(model.get_weights())

if __name__ == "__main__":
    model = network(5)
    start = model.get_weights()
    model.predict(data()[0], verbose=0)
    wanted = job(start, 5)
    with multiprocessing.get_context({method!r}).Pool(2) as pool:
        got = pool.starmap(job, [(start, 5)] * 3)
    print(set(got) == {{wanted}}, job(start, 5) == wanted)
"""


@pytest.mark.parametrize("method", ["spawn", "forkserver", "fork"])
def test_multiprocessing(method: str, tmp_path: Path) -> None:
    if method != "spawn" and not hasattr(os, "fork"):
        pytest.skip("no fork on this system")
    script = tmp_path / "job.py"  # a file: a spawned process imports it
    script.write_text(WORKER.format(root=str(ROOT), method=method))
    code = f"import runpy; runpy.run_path({str(script)!r}, run_name='__main__')"
    assert output_of(code, prelude=False) == "True True"


ENDINGS = {
    "daemon threads predict": "for _ in range(3): threading.Thread(target=predict, daemon=True).start()",
    "a daemon thread trains": "threading.Thread(target=train, daemon=True).start()",
    "daemon threads train and predict": """
for work in (train, predict, predict):
    threading.Thread(target=work, daemon=True).start()
""",
    "an atexit function predicts": """
threading.Thread(target=train, daemon=True).start()
""",
    "ordinary threads are at work": "for _ in range(3): threading.Thread(target=some).start()",
    "programs are alive": "sys.keep = [network(i) for i in range(3)]; [m.predict(x, verbose=0) for m in sys.keep]",
    "a cycle holds a program": "cycle = [model]; cycle.append(cycle); del model",
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_end_of_a_process(ending: str) -> None:
    """It ends at once, quietly, with its own exit code."""
    code = f"""
import atexit, sys, time
model, (x, y) = network(), data(64)
atexit.register(lambda: print("last", model.predict(x, verbose=0).shape if "model" in globals() else ""))
model.predict(x, verbose=0); model.fit(x, y, verbose=0)
def predict():
    while True: model.predict(x, batch_size=64, verbose=0)
def train():
    while True: model.fit(x, y, verbose=0)
def some():
    for _ in range(10): model.predict(x, batch_size=64, verbose=0)
{ENDINGS[ending]}
time.sleep(0.1)
sys.exit(7)
"""
    for _ in range(rounds(1, 20)):
        done = run_script(code, timeout=60)
        assert done.returncode == 7, done.stderr
        assert done.stderr == ""
        assert done.stdout.startswith("last")


def test_an_atexit_function_of_before_the_engine_predicts() -> None:
    """It runs after the engine has sent daemon threads to sleep: none of them may hold what it needs."""
    code = """
import atexit, sys, threading, time
atexit.register(lambda: print("last", model.predict(x, verbose=0).shape, model.fit(x, y, verbose=0) is not None))
from tests.robust.small import *
model, (x, y) = network(), data(64)
def train():
    while True: model.fit(x, y, verbose=0)
for _ in range(2): threading.Thread(target=train, daemon=True).start()
time.sleep(0.3)
"""
    assert output_of(code, prelude=False, timeout=60) == "last (64, 10) True"


def test_sub_interpreters_are_refused_in_words() -> None:
    code = """
import striate.engine.native
try:
    import _xxsubinterpreters as interpreters
except ImportError:
    import _interpreters as interpreters
other = interpreters.create()
script = '''
try:
    from striate.engine import _native
except ImportError as error:
    text = str(error)
    if "striate" not in text.lower() and "subinterpreters" not in text and "more than once" not in text: raise
else:
    raise SystemError("it was loaded twice")
'''
run = getattr(interpreters, "run_string", None) or interpreters.exec
failed = run(other, script)
import numpy
print(failed, striate.engine.native.threads() > 0, numpy.ones(2))
"""
    if sys.version_info >= (3, 14):
        pytest.skip("written for the private modules of 3.10 to 3.13")
    assert output_of(code, prelude=False) == "None True [1. 1.]"


def test_imported_again_it_is_the_same_engine() -> None:
    code = """
import importlib, sys
from striate.engine import _native as first
del sys.modules["striate.engine._native"]
again = importlib.import_module("striate.engine._native")
def names(module): return {n for n in dir(module) if n[0] != "_"}
print(again.AlignedBuffer is first.AlignedBuffer, names(first) == names(again))
del first, sys.modules["striate.engine._native"]
once_more = importlib.import_module("striate.engine._native")
print(once_more.threads() > 0, len(once_more.AlignedBuffer(3)))
"""
    done = run_script(code, prelude=False)
    assert done.stdout.split("\n")[:2] == ["True True", "True 3"], done.stderr
    assert done.stderr == ""


def test_a_second_copy_of_the_file_is_refused_in_words(tmp_path: Path) -> None:
    code = f"""
import ctypes, importlib.util, shutil
from striate.engine import _native as first
ctypes.CDLL(first.__file__)  # loading the same file does nothing
copy = shutil.copy(first.__file__, {str(tmp_path)!r})
spec = importlib.util.spec_from_file_location("_native", copy)
try:
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
except ImportError as error:
    print(error)
print(len(first.AlignedBuffer(5)))
"""
    done = run_script(code, prelude=False)
    assert "two copies" in done.stdout, done.stderr
    assert done.stdout.endswith("5\n")
    assert done.stderr == ""
