"""Whether long training slows down on denormals: `python -m bench.denormals [--steps 10000]`.

A wide layer of dead units under momentum: no gradient reaches them, so their momenta shrink by 0.9 a step, after some
900 steps below what float32 writes as a normal number. With denormals kept each would stick to the smallest of them for
ever, and every later step pay about a hundred cycles an element. Prints the time of a step early and late, and their
ratio; exits with 1 where the late steps are slower by more than a tenth.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time

import numpy as np

import striate as keras


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=10_000)
    asked = parser.parse_args()
    keras.utils.set_random_seed(1)
    hidden = keras.layers.Dense(4096, activation="relu", bias_initializer=keras.initializers.Constant(-100.0))
    model = keras.Sequential([keras.Input((64,)), hidden, keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.01, momentum=0.9), "mse")
    rng = np.random.default_rng(0)
    batch = (rng.standard_normal((4, 64)).astype(np.float32), np.zeros((4, 1), np.float32))
    model.train_on_batch(*batch)
    slots = [v for v in model.optimizer.variables if v.shape == (64, 4096)]
    for slot in slots:
        slot.assign(np.full(slot.shape, 1e-3, np.float32))  # what was left when the units died
    step = model.make_train_function()
    seconds = []
    for _ in range(asked.steps):
        start = time.perf_counter()
        step(batch)
        seconds.append(time.perf_counter() - start)
    tenth = max(1, asked.steps // 20)
    early, late = (statistics.median(part) for part in (seconds[:tenth], seconds[-tenth:]))
    left = sum(int(np.count_nonzero(slot.numpy())) for slot in slots)
    print(
        f"a step: {early * 1e6:.0f} us early, {late * 1e6:.0f} us late, ratio {late / early:.3f}; {left} momenta left"
    )
    return 0 if late < 1.1 * early else 1


if __name__ == "__main__":
    sys.exit(main())
