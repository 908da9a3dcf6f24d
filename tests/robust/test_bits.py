"""The same bits: on any number of threads, under any rounding and denormal mode of the caller."""

from __future__ import annotations

import ctypes
import ctypes.util
import platform
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

import striate as keras
from tests.robust.small import Array, data, digest, network, trained

_libm = ctypes.CDLL(ctypes.util.find_library("m"))
X86 = platform.machine() in ("x86_64", "AMD64")
MXCSR = slice(28, 32)  # of glibc's fenv_t on x86-64
FLUSH = 0x8040  # FTZ and DAZ
MODES = dict(zip(("down", "up", "to zero"), (0x400, 0x800, 0xC00) if X86 else (0x800000, 0x400000, 0xC00000)))


def environment() -> bytes:
    held = ctypes.create_string_buffer(64)
    assert _libm.fegetenv(held) == 0
    return held.raw


def mxcsr() -> int:
    return int.from_bytes(environment()[MXCSR], "little")


@contextmanager
def rounding(mode: int) -> Iterator[None]:
    assert _libm.fesetround(mode) == 0
    try:
        yield
        assert _libm.fegetround() == mode, "the caller's rounding mode did not come back"
    finally:
        _libm.fesetround(0)


@contextmanager
def flushing() -> Iterator[None]:
    before = environment()
    changed = bytearray(before)
    changed[MXCSR] = (mxcsr() | FLUSH).to_bytes(4, "little")
    assert _libm.fesetenv(bytes(changed)) == 0
    try:
        yield
        assert mxcsr() & FLUSH == FLUSH, "the caller's denormal mode did not come back"
    finally:
        _libm.fesetenv(before)


@pytest.fixture(autouse=True)
def default_threads() -> Iterator[None]:
    yield
    keras.config.set_threads(0)


@pytest.fixture(scope="module")
def wanted() -> str:
    keras.config.set_threads(1)
    return digest(trained())


@pytest.mark.parametrize("threads", [2, 3, 8])
def test_threads_change_no_bit(threads: int, wanted: str) -> None:
    keras.config.set_threads(threads)
    assert digest(trained()) == wanted


@pytest.mark.parametrize("mode", MODES)
def test_a_callers_rounding_mode_changes_no_bit(mode: str, wanted: str) -> None:
    keras.config.set_threads(2)
    with rounding(MODES[mode]):
        assert np.float32(1) + np.float32(2**-25) == 1 or mode == "up"
        got = digest(trained())
    assert got == wanted


@pytest.mark.skipif(not X86, reason="sets MXCSR")
def test_a_callers_denormal_mode_changes_no_bit(wanted: str) -> None:
    keras.config.set_threads(2)
    with flushing():
        got = digest(trained())
    assert got == wanted


def test_other_data_under_another_mode_is_read_the_same() -> None:
    """Conversions in Python round too: float64 images, class weights, a learning rate set by a callback."""
    x, y = data()
    wide = x.astype(np.float64) / 3

    def fitted() -> list[Array]:
        model = network()
        slower = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.3)
        model.fit(wide, y, class_weight=dict.fromkeys(range(10), 1.1), callbacks=[slower], epochs=2, verbose=0)
        return [*model.get_weights(), model.predict(wide, verbose=0), np.array(model.evaluate(wide, y, verbose=0))]

    wanted = digest(fitted())
    with rounding(MODES["up"]):
        got = digest(fitted())
    assert got == wanted


def test_host_ops_round_the_same() -> None:
    """An op without a kernel is run by its reference, in NumPy."""
    x = np.linspace(0.1, 1, 99).astype(np.float32)
    sums = keras.function(lambda v: keras.ops.cumsum(v * 0.7))
    wanted = (sums(x).tobytes(), keras.ops.cumsum(x).tobytes())
    with rounding(MODES["up"]):
        got = (keras.function(lambda v: keras.ops.cumsum(v * 0.7))(x).tobytes(), keras.ops.cumsum(x).tobytes())
    assert got == wanted


@pytest.mark.skipif(not X86, reason="looks at MXCSR")
def test_every_way_in_restores_the_callers_mode() -> None:
    model = network()
    x, y = data(20)
    with rounding(MODES["up"]), flushing():
        before = mxcsr() & 0xFFC0
        for call in (
            lambda: model.fit(x, y, verbose=0),
            lambda: model.train_on_batch(x, y),
            lambda: model.predict(x, verbose=0),
            lambda: model.evaluate(x, y, verbose=0),
            lambda: model(x),
            lambda: keras.Variable(0.1),
        ):
            call()
            assert mxcsr() & 0xFFC0 == before
        with pytest.raises(ValueError):
            model.fit(x, y[:-1], verbose=0)
        assert mxcsr() & 0xFFC0 == before


def test_in_10_000_steps_no_denormal_is_left_and_momentum_comes_to_rest() -> None:
    """A layer that died: no gradient reaches it, and its momentum shrinks to nothing. On denormals it would get stuck
    (0.9 times the smallest rounds to itself) and slow every later step down; bench/denormals.py has the times."""
    x, y = np.zeros((4, 6), np.float32), np.ones((4, 1), np.float32)
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(5, use_bias=False), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.01, momentum=0.9), "mse")
    model.fit(x, y, verbose=0)
    dead = next(v for v in model.optimizer.variables if v.shape == (6, 5))
    dead.assign(np.full((6, 5), 1e-30, np.float32))
    step = model.make_train_function()
    for i in range(10_000):
        step((x, y))
        if i % 20 == 0 or i == 9_999:  # from step 176 to 330 it would be a denormal, then stick
            for v in (*model.weights, *model.optimizer.variables):
                array = v.numpy()
                if array.dtype == np.float32:
                    assert not ((array != 0) & (np.abs(array) < np.finfo(np.float32).tiny)).any(), (i, v.path)
    assert not dead.numpy().any()


def test_dead_units_of_a_network_leave_no_denormal() -> None:
    """Convolution, ReLU and Adam, whose second moments shrink by 0.999 a step: what is squared is smaller still."""
    keras.utils.set_random_seed(1)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((6, 6, 1)),
            layers.Conv2D(8, 3, activation="relu", bias_initializer=keras.initializers.Constant(-100.0)),  # all dead
            layers.Flatten(),
            layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy")
    rng = np.random.default_rng(2)
    batch = rng.standard_normal((8, 6, 6, 1)).astype(np.float32), rng.integers(0, 2, 8)
    model.train_on_batch(*batch)
    for v in model.optimizer.variables:
        if v.shape == (3, 3, 1, 8):
            v.assign(np.full(v.shape, 1e-36, np.float32))
    step = model.make_train_function()
    for _ in range(10_000):
        step(batch)
    for v in (*model.weights, *model.optimizer.variables):
        array = v.numpy()
        if array.dtype == np.float32:
            assert not ((array != 0) & (np.abs(array) < np.finfo(np.float32).tiny)).any(), v.path
