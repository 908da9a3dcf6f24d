"""What a network learned on five classes, put to use on five others of which there are few images.

    python examples/transfer_learning.py [--images 10 50 500] [--seeds 5] [--out runs/transfer]

A small convolutional network learns the first five of Fashion-MNIST's classes (T-shirt to coat). Then there are 10, 50
or 500 images of each of the other five (sandal to ankle boot), and four ways to learn those:

    scratch          the same network, from random weights
    frozen           a new head on the trained network, whose weights stay as they are
    fine-tuned       after that all weights, at a tenth of the rate
    discriminative   ... or each layer at a rate 2.6 times that of the one before it, the head at the full one

Each way takes as many steps in all. Results go to `--out` line by line, and what is there is not computed again. The
test images of the five classes are scored once for each line; with --hold-back training images are scored instead,
which is how a recipe is tried out. docs/results/transfer.md has what came out, docs/how-to/transfer-learning.md how it
is done.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np

import striate as keras
from striate import layers, optimizers
from striate.explain.charts import CHART_STYLE, line_chart

OLD, NEW = range(5), range(5, 10)
WAYS = ("scratch", "frozen", "fine-tuned", "discriminative")
BATCH, RATE = 32, 1e-3


def network(classes: int) -> Any:
    """1.9 million multiply-adds an image: three convolutions, and one dense layer as its head."""
    images = x = layers.Input((28, 28, 1))
    for i, maps in enumerate((16, 32, 64), 1):
        x = layers.Conv2D(maps, 3, padding="same", activation="relu", name=f"conv{i}")(x)
        x = layers.MaxPooling2D(name=f"pool{i}")(x)
    x = layers.Flatten(name="features")(x)
    return keras.Model(images, layers.Dense(classes, activation="softmax", name="predictions")(x))


def of_classes(x: np.ndarray, y: np.ndarray, classes: range) -> tuple[np.ndarray, np.ndarray]:
    """The images of some classes, labelled from 0 on."""
    chosen = np.isin(y, classes)
    return x[chosen], y[chosen].astype("int64") - classes.start


def few(x: np.ndarray, y: np.ndarray, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """`count` images of each class, drawn at random."""
    random = np.random.default_rng(seed)
    chosen = np.concatenate([random.choice(np.flatnonzero(y == c), count, replace=False) for c in np.unique(y)])
    return x[chosen], y[chosen]


def train(model: Any, optimizer: Any, x: np.ndarray, y: np.ndarray, steps: int) -> None:
    """That many steps, in passes over the images."""
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    a_pass = -(-len(x) // BATCH)
    while steps:
        taken = min(steps, a_pass)
        model.fit(x, y, batch_size=BATCH, steps_per_epoch=taken, verbose=0)
        steps -= taken


def with_new_head(file: Path) -> tuple[Any, Any]:
    """(model, base): the trained network without its head, frozen, and a new one on it."""
    trained = keras.saving.load_model(file)
    base = keras.Model(trained.input, trained.get_layer("features").output, name="base")
    base.trainable = False
    images = layers.Input((28, 28, 1))
    return keras.Model(images, layers.Dense(len(NEW), activation="softmax", name="new_head")(base(images))), base


def learn(way: str, file: Path, x: np.ndarray, y: np.ndarray, seed: int, steps: int) -> Any:
    """A model of the new classes, after twice so many steps."""
    keras.utils.set_random_seed(seed)
    if way == "scratch":
        model = network(len(NEW))
        train(model, optimizers.Adam(RATE), x, y, 2 * steps)
        return model
    model, base = with_new_head(file)
    if way == "frozen":
        train(model, optimizers.Adam(RATE), x, y, 2 * steps)
        return model
    train(model, optimizers.Adam(RATE), x, y, steps)
    base.trainable = True
    if way == "fine-tuned":
        optimizer = optimizers.Adam(RATE / 10)
    else:
        groups = [*(base.get_layer(f"conv{i}") for i in (1, 2, 3)), model.get_layer("new_head")]
        optimizer = optimizers.discriminative(optimizers.Adam, RATE, groups)
    train(model, optimizer, x, y, steps)
    return model


def trained_base(file: Path, x: np.ndarray, y: np.ndarray, epochs: int) -> None:
    """Learn the first five classes, if it was not done yet."""
    if file.exists():
        return
    keras.utils.set_random_seed(42)
    model = network(len(OLD))
    schedule = optimizers.schedules.CosineDecay(RATE, -(-len(x) // 64) * epochs)
    model.compile(optimizers.Adam(schedule), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y, batch_size=64, epochs=epochs, verbose=2)
    model.save(file)


def table(rows: list[dict[str, Any]], counts: list[int]) -> str:
    """Mean and standard deviation over the seeds, as Markdown."""
    lines = ["| images of each class | " + " | ".join(WAYS) + " |", "| ---: |" + " ---: |" * len(WAYS)]
    for count in counts:
        cells = []
        for way in WAYS:
            found = [row["accuracy"] for row in rows if (row["images"], row["way"]) == (count, way)]
            cells.append(f"{mean(found):.4f} ± {stdev(found) if len(found) > 1 else 0:.4f}" if found else "-")
        lines.append(f"| {count} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def plot(rows: list[dict[str, Any]], counts: list[int], file: Path) -> None:
    """The table as a drawing: a line for each way, bars as long as the standard deviation."""
    cells = {
        way: [[r["accuracy"] for r in rows if (r["images"], r["way"]) == (n, way)] for n in counts] for way in WAYS
    }
    drawn = line_chart(
        {way: [mean(found) for found in of_way] for way, of_way in cells.items()},
        "test accuracy", "images of each of the five new classes", width=640, height=360,
        x_names=[str(count) for count in counts],
        spread={way: [stdev(found) if len(found) > 1 else 0.0 for found in of_way] for way, of_way in cells.items()},
    )  # fmt: skip
    style = f"<style>{CHART_STYLE} .chart {{ font-family: sans-serif; background: #fff; color: #222 }}</style>"
    begun, _, rest = drawn.partition(">")
    file.write_text(begun.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1) + ">" + style + rest)


def main() -> None:
    parser = argparse.ArgumentParser(description="Transfer learning on Fashion-MNIST.")
    parser.add_argument("--images", type=int, nargs="+", default=[10, 50, 500], help="of each of the new classes")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=6, help="of the base")
    parser.add_argument("--steps", type=int, default=300, help="with a frozen base, and as many after it")
    parser.add_argument("--hold-back", type=int, default=0, help="training images to score instead of the test images")
    parser.add_argument("--mini", action="store_true", help="the sample of 6,000 images that comes with Striate")
    parser.add_argument("--out", type=Path, default=Path("runs/transfer"))
    parser.add_argument("--plot", type=Path, help="file for the results as a drawing (SVG)")
    parser.add_argument("--floor", type=float, default=0.0, help="least mean accuracy of a frozen base, most images")
    asked = parser.parse_args()

    data = keras.datasets.fashion_mnist_mini if asked.mini else keras.datasets.fashion_mnist
    (x, y), (x_test, y_test) = data.load_data()
    if asked.hold_back:
        (x, x_test), (y, y_test) = np.split(x, [-asked.hold_back]), np.split(y, [-asked.hold_back])
    x, x_test = ((images[..., None] / 255).astype("float32") for images in (x, x_test))
    asked.out.mkdir(parents=True, exist_ok=True)
    file, lines = asked.out / "base.keras", asked.out / "results.jsonl"
    trained_base(file, *of_classes(x, y, OLD), asked.epochs)
    x_new, y_new = of_classes(x, y, NEW)
    scored = of_classes(x_test, y_test, NEW)

    rows = [json.loads(line) for line in lines.read_text().splitlines()] if lines.exists() else []
    done = {(row["images"], row["seed"], row["way"]) for row in rows}
    for seed in range(asked.seeds):
        for count in asked.images:
            for way in WAYS:
                if (count, seed, way) in done:
                    continue
                model = learn(way, file, *few(x_new, y_new, count, seed), seed, asked.steps)
                accuracy = model.evaluate(*scored, batch_size=500, verbose=0)[1]
                rows.append({"images": count, "seed": seed, "way": way, "accuracy": round(accuracy, 4)})
                with lines.open("a") as end:
                    end.write(json.dumps(rows[-1]) + "\n")
                print(rows[-1], flush=True)
    print(table(rows, asked.images))
    if asked.plot:
        plot(rows, asked.images, asked.plot)
    frozen = mean(r["accuracy"] for r in rows if (r["images"], r["way"]) == (max(asked.images), "frozen"))
    if frozen < asked.floor:
        sys.exit(f"The frozen base taught too little: {frozen:.4f} is below {asked.floor}.")


if __name__ == "__main__":
    main()
