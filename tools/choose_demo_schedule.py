"""How the demo's schedule was chosen: python tools/choose_demo_schedule.py EPOCHS BATCH LEARNING_RATE [SEED]

Trains the lecture model on the first 5,000 of the sample's 6,000 training images and scores the last 1,000. The test
images are not touched.
"""

from __future__ import annotations

import sys
import time

import striate as keras
from striate.cli.sources import load_images
from striate.cli.training import Recipe


def main() -> None:
    epochs, batch, rate = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else 42
    data = load_images("fashion_mnist_mini")
    keras.utils.set_random_seed(seed)
    model = keras.applications.LectureModel()
    recipe = Recipe(epochs, batch, rate, seed=seed, validation_split=1 / 6)
    recipe.compile("lecture", model, len(data.x_train))
    start = time.perf_counter()
    history = model.fit(
        data.x_train, data.y_train, epochs=epochs, batch_size=batch, validation_split=1 / 6, verbose=0
    ).history
    seconds = time.perf_counter() - start
    curve = " ".join(f"{v:.3f}" for v in history["val_accuracy"])
    print(f"epochs {epochs} batch {batch} rate {rate:g} seed {seed}: {curve}  ({seconds:.0f} s)", flush=True)


if __name__ == "__main__":
    main()
