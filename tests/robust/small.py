"""What the tests of robustness share: a small network with every kind of kernel and state, and processes of their own.

`rounds` says how often; `make check-full` runs the long forms.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import striate as keras
from tests.support.long import rounds as rounds

Array = np.ndarray[Any, Any]
ROOT = Path(__file__).parents[2]


@cache  # made once, before a test changes the rounding
def data(count: int = 40, seed: int = 0) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    return rng.standard_normal((count, 12, 12, 4)).astype(np.float32), rng.integers(0, 10, count)


def network(seed: int = 1) -> Any:
    """Convolutions (plain, depthwise, grouped), normalisation, dropout, pooling, dense; Adam."""
    keras.utils.clear_session()
    keras.utils.set_random_seed(seed)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((12, 12, 4)),
            layers.Conv2D(8, 3, padding="same"),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Dropout(0.3),
            layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2),
            layers.Conv2D(16, 3, groups=2, strides=2, activation="gelu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(1e-2), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def state_of(model: Any) -> list[Array]:
    """All that a step writes."""
    return [*model.get_weights(), *(v.numpy() for v in model.optimizer.variables)]


def digest(arrays: Iterable[Array]) -> str:
    """Equal for equal bits."""
    whole = hashlib.sha256()
    for array in arrays:
        whole.update(np.ascontiguousarray(array).tobytes())
    return whole.hexdigest()[:16]


def trained(epochs: int = 2) -> list[Array]:
    """The state after some steps, and what is predicted then."""
    model = network()
    x, y = data()
    model.fit(x, y, batch_size=16, epochs=epochs, verbose=0)  # the last batch of an epoch has 8
    return [*state_of(model), model.predict(x, verbose=0), model.predict(x[:3], verbose=0)]


def run_script(
    code: str, timeout: float = 120, prelude: bool = True, **environment: str
) -> subprocess.CompletedProcess[str]:
    """A fresh interpreter on `code`, which finds the names of this module where there is a prelude."""
    text = f"from tests.robust.small import *\n{code}" if prelude else code
    return subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", text],
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}", **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def output_of(code: str, timeout: float = 120, prelude: bool = True, **environment: str) -> str:
    """What the script prints; the test fails where it does not end well."""
    done = run_script(code, timeout, prelude, **environment)
    assert done.returncode == 0, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout.strip()


def together(*work: Callable[[], None], timeout: float = 120) -> None:
    """Run each in a thread of its own, at once. All must end, and none may raise."""
    raised: list[BaseException] = []

    def guarded(function: Callable[[], None]) -> None:
        try:
            function()
        except BaseException as error:
            raised.append(error)

    threads = [threading.Thread(target=guarded, args=(w,), daemon=True) for w in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout)
    assert not any(thread.is_alive() for thread in threads), "a thread hangs"
    if raised:
        raise raised[0]
