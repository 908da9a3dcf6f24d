"""The lecture's model on the whole of Fashion-MNIST: a schedule, mirrored images, the book's 0.92 and more.

    python examples/whole_fashion_mnist.py [--epochs 14] [--hold-back 5000] [--out curve.jsonl]

Each epoch sees every garment once, half of them mirrored (a mirrored shoe is a shoe). With --hold-back the last images
of the training set are kept apart and scored after each epoch, and the test images are not touched: so a schedule is
chosen. Without it all training images are learned from, and the test images are scored once, at the end. Takes minutes
an epoch on an old laptop; docs/results/fashion_mnist.md has what it gave.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np

import striate as keras

SEED = 42


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train the lecture's model on the whole of Fashion-MNIST.")
    parser.add_argument("--epochs", type=int, default=14)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rate", type=float, default=1e-3, help="highest learning rate of Adam")
    parser.add_argument("--mirror", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--hold-back", type=int, default=0, help="training images to score instead of the test images")
    parser.add_argument("--images", type=int, default=60_000, help="training images, at most 60000")
    parser.add_argument("--mini", action="store_true", help="the sample of 6,000 images that comes with Striate")
    parser.add_argument("--floor", type=float, default=0.92, help="least accuracy at the end")
    parser.add_argument("--out", type=Path, help="file for a line of JSON an epoch")
    return parser.parse_args()


def main() -> None:
    asked = options()
    data = keras.datasets.fashion_mnist_mini if asked.mini else keras.datasets.fashion_mnist
    (x, y), (x_test, y_test) = data.load_data()
    x, y, x_test = x[: asked.images, ..., None] / 255, y[: asked.images], x_test[..., None] / 255
    if asked.hold_back:
        (x, x_test), (y, y_test) = np.split(x, [-asked.hold_back]), np.split(y, [-asked.hold_back])
    x, x_test = x.astype("float32"), x_test.astype("float32")

    keras.utils.set_random_seed(SEED)
    model = keras.applications.LectureModel()
    steps = -(-len(x) // asked.batch) * asked.epochs
    warm_up = max(1, steps // 10)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, max(1, steps - warm_up), warmup_target=asked.rate, warmup_steps=warm_up
    )
    model.compile(keras.optimizers.Adam(schedule), loss="sparse_categorical_crossentropy", metrics=["accuracy"])

    random = np.random.default_rng(SEED)
    lines: list[str] = []
    start = time.perf_counter()
    for epoch in range(asked.epochs):
        seen = x.copy()
        if asked.mirror:
            turned = random.random(len(x)) < 0.5
            seen[turned] = x[turned, :, ::-1]
        history = model.fit(
            seen, y, batch_size=asked.batch, initial_epoch=epoch, epochs=epoch + 1, verbose=2,
            validation_data=(x_test, y_test) if asked.hold_back else None,
        ).history  # fmt: skip
        row = {"epoch": epoch + 1, "seconds": round(time.perf_counter() - start, 1)}
        lines.append(json.dumps(row | {name: round(float(values[-1]), 5) for name, values in history.items()}))
        if asked.out:
            asked.out.write_text("\n".join(lines) + "\n")

    _, accuracy = model.evaluate(x_test, y_test, verbose=0)
    print(f"{'held back' if asked.hold_back else 'test'} accuracy {accuracy:.4f}")
    if accuracy < asked.floor:
        sys.exit(f"The model learned too little: {accuracy:.4f} is below {asked.floor}.")


if __name__ == "__main__":
    main()
