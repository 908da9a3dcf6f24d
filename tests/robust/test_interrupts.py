"""Ctrl-C at any moment: the step in progress ends, KeyboardInterrupt comes, and the model is that of a step's end."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from striate.core.interrupts import Uninterrupted
from tests.robust.small import output_of, rounds, run_script

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals as POSIX has them")

PRELUDE = """
import random, signal, time
random.seed(4)
x, y = data(32)

known = state_of

def trajectory(make, steps):
    \"\"\"State -> (number of steps, prediction).\"\"\"
    model, found = make(), {}
    for i in range(steps):
        found.setdefault(digest(known(model)), (i, digest([model.predict(x, verbose=0)])))
        model.train_on_batch(x, y)
    return found

def interrupt_after(*waits):  # all from one thread: the first must not hit the start of another
    def kill():
        for seconds in waits:
            time.sleep(seconds)
            os.kill(os.getpid(), signal.SIGINT)
    threading.Thread(target=kill, daemon=True).start()

def fit_until_interrupted(model, seconds):
    try:
        interrupt_after(seconds)
        model.fit(x, y, batch_size=len(x), epochs=10**6, verbose=0, shuffle=False)
    except KeyboardInterrupt:
        return
    raise SystemExit("fit ended by itself")

def check(model, found):
    step, wanted = found[digest(known(model))]
    assert digest([model.predict(x, verbose=0)]) == wanted, f"predict does not see the weights of step {step}"
    return step
"""


def test_at_any_moment_of_training() -> None:
    code = f"""
{PRELUDE}
def make():
    model = network()
    model.fit(x, y, batch_size=len(x), verbose=0)
    return model
found = trajectory(make, {rounds(700, 20_000)})
model, last, moved = make(), -1, 0
for _ in range({rounds(50, 1000)}):
    fit_until_interrupted(model, random.uniform(0, 0.008))
    now = check(model, found)
    assert now >= last
    moved += now > last
    last = now
print(moved >= 5)
"""
    assert output_of(code, timeout=rounds(120, 1200)) == "True"


def test_at_any_moment_of_the_first_step() -> None:
    """While the model makes its weights and metrics, is traced and compiled."""
    code = f"""
{PRELUDE}
def known(model):
    return [*model.get_weights(), model.optimizer.iterations.numpy()]
found = trajectory(network, 300)
for i in range({rounds(12, 300)}):
    model = network()
    fit_until_interrupted(model, random.uniform(0, 0.08))
    check(model, found)
    model.fit(x, y, batch_size=len(x), epochs=2, verbose=0)
    assert model.predict(x, verbose=0).shape == (32, 10)
    assert type(keras.ops.exp(x)).__name__ == "ndarray"  # nothing believes that a trace is still open
print("done")
"""
    assert output_of(code) == "done"


def test_while_a_model_without_shapes_builds_itself() -> None:
    code = f"""
{PRELUDE}
for i in range({rounds(12, 300)}):
    keras.utils.clear_session()
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.layers.Conv2D(8, 3), keras.layers.BatchNormalization(), keras.layers.Flatten(),
                              keras.layers.Dense(32), keras.layers.Dense(10, activation="softmax")])
    model.compile(keras.optimizers.Adam(1e-2), "sparse_categorical_crossentropy", metrics=["accuracy"])
    fit_until_interrupted(model, random.uniform(0, 0.03))
    model.fit(x, y, batch_size=len(x), epochs=2, verbose=0)
    assert [w.shape for w in model.get_weights()] == shapes if i else True
    shapes = [w.shape for w in model.get_weights()]
    assert len({{v.path for v in model.weights}}) == len(model.weights)
print(len(shapes))
"""
    assert output_of(code) == "10"


HOST = """
class Sums(keras.layers.Layer):
    def call(self, x):
        return keras.ops.cumsum(x, axis=-1) * 0.1  # has no kernel: the program is cut here

def make(**options):
    keras.utils.clear_session()
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((12, 12, 4)), keras.layers.Conv2D(4, 3), Sums(), keras.layers.Flatten(),
                              keras.layers.Dense(10), Sums(), keras.layers.Softmax()])
    model.compile(keras.optimizers.Adam(1e-2), "sparse_categorical_crossentropy", **options)
    model.optimizer.build(model.trainable_variables)
    return model
"""


@pytest.mark.parametrize("options", ["", "run_eagerly=True"])
def test_steps_that_python_takes_part_in(options: str) -> None:
    code = f"""
{PRELUDE}
{HOST}
found = trajectory(lambda: make({options}), {rounds(60, 2000)})
model, last, moved = make({options}), -1, 0
model.make_train_function()
for _ in range({rounds(12, 400)}):
    fit_until_interrupted(model, random.uniform(0.002, 0.02))
    now = check(model, found)
    moved += now > last
    last = now
    if last > {rounds(40, 1500)}: break
print(moved >= 2)
"""
    assert output_of(code) == "True"


def test_it_comes_at_once_where_a_callback_waits() -> None:
    code = f"""
{PRELUDE}
class Wait(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        time.sleep(60)
model = network()
interrupt_after(1.0)
start = time.monotonic()
try:
    model.fit(x, y, verbose=0, callbacks=[Wait()])
except KeyboardInterrupt:
    print(time.monotonic() - start < 20)
"""
    assert output_of(code) == "True"


def test_a_second_one_breaks_off_a_long_run_before_it_writes_state() -> None:
    """A second of products: one Ctrl-C waits for the last of them, two do not. Counted in the thread's own time, so
    that it is no shorter where others kept the CPU while it was measured."""
    code = f"""
{PRELUDE}
keras.config.set_threads(1)
a = np.full((512, 512), 2.0 ** -9, "float32")
w = keras.Variable(np.zeros((512, 512), "float32"))
def products(x):
    for _ in range(count): x = keras.ops.matmul(x, x)
    return x
def late(x):
    x = products(x)
    w.assign_add(x)  # the last step of the run
    return x[0]
def early(x):
    w.assign_add(x)
    return products(x)
count = 20
run = keras.function(products)
run(a)
start = time.thread_time()
run(a)
count = max(20, int(1.0 / (time.thread_time() - start) * 20))
for function in (products, late, early):
    run, moved = keras.function(function), []
    run(a)
    for waits in ((0.1,), (0.1, 0.1)):  # long enough for the run to have begun on a busy machine
        before = w.numpy()
        try:
            interrupt_after(*waits)
            run(a)
            raise SystemExit("not interrupted")
        except KeyboardInterrupt:
            pass
        time.sleep(0.1)
        difference = w.numpy() - before
        assert difference.min() == difference.max()
        moved.append(bool(difference.any()))
    print(function.__name__, *moved)
"""
    assert output_of(code).split("\n") == ["products False False", "late True False", "early True True"]


def test_a_handler_that_uses_the_model_in_the_middle_of_a_step_is_told_so() -> None:
    """It would wait for itself for ever. Between steps it may."""
    code = f"""
{PRELUDE}
{HOST}
model = make()
said = set()
def handler(number, frame):
    try:
        said.add(model.predict(x, verbose=0).shape)
    except RuntimeError as error:
        said.add("in the middle" in str(error))
signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 0.002, 0.002)
model.fit(x, y, batch_size=len(x), epochs={rounds(60, 400)}, verbose=0)
signal.setitimer(signal.ITIMER_REAL, 0)
print(said - {{(32, 10)}} in (set(), {{True}}), model.predict(x, verbose=0).shape)
"""
    assert output_of(code) == "True (32, 10)"


def test_the_command_ends_with_the_usual_code() -> None:
    """An uncaught Ctrl-C kills the process by SIGINT, as shells expect."""
    done = run_script(f"{PRELUDE}\ninterrupt_after(0.5)\nnetwork().fit(x, y, epochs=10**6, verbose=0)")
    assert done.returncode == -signal.SIGINT
    assert "KeyboardInterrupt" in done.stderr


def test_uninterrupted_puts_off_the_first_and_heeds_the_second() -> None:
    seen = []
    with pytest.raises(KeyboardInterrupt), Uninterrupted():
        signal.raise_signal(signal.SIGINT)
        seen.append("on")
    assert seen == ["on"]
    with pytest.raises(KeyboardInterrupt), Uninterrupted():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        seen.append("too far")
    assert seen == ["on"]
    with pytest.raises(KeyboardInterrupt), Uninterrupted(second=False):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        seen.append("whole")
    assert seen == ["on", "whole"]
    with Uninterrupted():
        pass
    with pytest.raises(KeyError), Uninterrupted():
        raise KeyError
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_uninterrupted_nests_and_stays_out_of_other_threads() -> None:
    with pytest.raises(KeyboardInterrupt), Uninterrupted():
        with Uninterrupted(second=False):
            signal.raise_signal(signal.SIGINT)
        inner = True
    assert inner

    def work() -> None:
        with Uninterrupted():
            handlers.append(signal.getsignal(signal.SIGINT))

    handlers: list[object] = []
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert handlers == [signal.default_int_handler]


def test_a_handler_of_ones_own_is_called_after() -> None:
    calls = []
    previous = signal.signal(signal.SIGINT, lambda number, frame: calls.append(number))
    try:
        with Uninterrupted():
            signal.raise_signal(signal.SIGINT)
            assert not calls
        assert calls == [signal.SIGINT]
    finally:
        signal.signal(signal.SIGINT, previous)
