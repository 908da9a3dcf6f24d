"""Whether long training slows down on denormals: `python -m bench.denormals [--steps 10000]`.

A wide layer of dead units under momentum: no gradient reaches them, so their momenta shrink by 0.9 a step, and from
1e-3 are after some 770 steps below what float32 writes as a normal number. With denormals kept each would stick to the
smallest of them for ever, and every later step pay about a hundred cycles an element.

A twin whose momenta are zero from the start takes each step in turn with it, so that whatever else the machine does
falls on both. Prints, for the first and the last twentieth of the steps, how long a step of one takes over a step of
the other (the median of the ratios of neighbours), and exits with 1 where the last ratio is larger by more than a
tenth. NumPy shows the same update with denormals kept, to tell how much there was to lose.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import striate as keras

SHAPE = (64, 4096)
LEFT = 1e-3  # what a momentum was when its unit died
BATCH = (np.random.default_rng(0).standard_normal((4, 64)).astype(np.float32), np.zeros((4, 1), np.float32))


def network(momentum: float) -> tuple[Callable[[], Any], Any]:
    """(a step, the dead units' momenta)"""
    keras.utils.set_random_seed(1)
    hidden = keras.layers.Dense(SHAPE[1], activation="relu", bias_initializer=keras.initializers.Constant(-100.0))
    model = keras.Sequential([keras.Input((SHAPE[0],)), hidden, keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.01, momentum=0.9), "mse")
    model.train_on_batch(*BATCH)
    (slot,) = [v for v in model.optimizer.variables if v.shape == SHAPE]
    slot.assign(np.full(SHAPE, momentum, np.float32))
    step = model.make_train_function()
    return lambda: step(BATCH), slot


def seconds(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def kept_in_numpy() -> float:
    """How much longer `m *= 0.9` takes where m is stuck at the smallest denormal."""
    tiny, zero, rate = np.full(SHAPE, 1e-45, np.float32), np.zeros(SHAPE, np.float32), np.float32(0.9)
    return statistics.median(
        seconds(lambda: np.multiply(tiny, rate, out=tiny)) / seconds(lambda: np.multiply(zero, rate, out=zero))
        for _ in range(200)
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=10_000)
    asked = parser.parse_args()
    (dying, slot), (resting, _) = network(LEFT), network(0.0)
    ratios = [seconds(dying) / seconds(resting) for _ in range(asked.steps)]
    part = max(1, asked.steps // 20)
    early, late = statistics.median(ratios[:part]), statistics.median(ratios[-part:])
    left = int(np.count_nonzero(slot.numpy()))
    print(
        f"a step over the twin's: {early:.3f} in the first {part} steps, {late:.3f} in the last {part}; {left} momenta "
        f"left after {asked.steps}. Denormals kept, in NumPy: an update takes {kept_in_numpy():.0f} times as long."
    )
    return 0 if late < 1.1 * early else 1


if __name__ == "__main__":
    sys.exit(main())
