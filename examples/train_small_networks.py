"""The small published networks on the whole of Fashion-MNIST, each by one recipe that was written down beforehand.

    python examples/train_small_networks.py resnet20 [--epochs 12] [--seed 42] [--out runs/resnet20-42]
    python examples/train_small_networks.py resnet20 --measure 60     (images a second, for a minute; nothing is kept)

After every epoch the state goes to the folder `--out`: a run that was killed goes on there when the same command is
given again, and ends in the same weights. `curve.jsonl` there has a line an epoch, `result.json` what came out,
`model.keras` the model. The test images are scored once, at the end. With --hold-back the last images of the training
set are kept apart and scored after each epoch, and the test images are not touched.

Recipes are the papers' where they fit into minutes; what is other is said beside each. docs/results/architectures.md
has what they gave.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import striate as keras
from striate.applications import lenet5

#: of the 60,000 training images' pixels, from 0 to 1.
MEAN, DEVIATION = 0.2860, 0.3530


def standardized(images: np.ndarray) -> np.ndarray:
    """(n, 28, 28) bytes -> (n, 28, 28, 1), mean 0 and variance 1 over the training set."""
    return ((images[..., None] / 255 - MEAN) / DEVIATION).astype("float32")


def in_32x32(images: np.ndarray) -> np.ndarray:
    """The same with two pixels of background around, for networks that need 32 pixels."""
    return standardized(np.pad(images, ((0, 0), (2, 2), (2, 2))))


@dataclass(frozen=True)
class Recipe:
    """How a network is trained.

    Args:
        make: the model, not compiled.
        prepare: bytes of images to what it takes.
        optimizer: from a learning rate or schedule.
        rate: the highest learning rate; it rises over the first tenth of the steps and falls along a cosine to 0.
        batch, epochs: images a step, and passes unless the command says otherwise.
        margin: pixels of background around an image before a part of 28x28 is cut out at random; 0: left in place.
        loss, metric: as `compile` takes them.
    """

    make: Callable[[], Any]
    prepare: Callable[[np.ndarray], np.ndarray]
    optimizer: Callable[[Any], Any]
    rate: float
    batch: int
    epochs: int
    margin: int
    loss: Any = "sparse_categorical_crossentropy"
    metric: Any = "accuracy"


def momentum(decay: float) -> Callable[[Any], Any]:
    """SGD as the papers after 2012 use it; the weight decay is taken from the weights, not added to the loss."""
    return lambda rate: keras.optimizers.SGD(rate, momentum=0.9, nesterov=True, weight_decay=decay)


def mobilenet_v2() -> Any:
    return keras.applications.MobileNetV2(input_shape=(32, 32, 1), weights=None, classes=10)


GREY = (28, 28, 1)
RECIPES = {
    # The paper's network and loss (equation 9); Adam in place of its second-order steps of one image.
    "lenet5-1998": Recipe(
        lambda: keras.applications.LeNet5("1998"), lenet5.preprocess_input, keras.optimizers.Adam, 2e-3, 64, 15, 0,
        keras.losses.SparsePenaltyCrossentropy(), keras.metrics.SparsePenaltyAccuracy(name="accuracy"),
    ),
    # As textbooks draw it today: max pools and ReLU.
    "lenet5": Recipe(
        lambda: keras.applications.LeNet5("modern", pooling="max", activation="relu"), lenet5.preprocess_input,
        keras.optimizers.Adam, 2e-3, 64, 15, 0,
    ),
    # Lin, Chen and Yan: SGD with momentum and dropout. Here Adam, since the epochs are few.
    "nin": Recipe(lambda: keras.applications.NiN(GREY), standardized, keras.optimizers.Adam, 1e-3, 64, 3, 0),
    # Springenberg et al.: SGD(0.05), 350 epochs. Here Adam, since the epochs are few.
    "all-cnn": Recipe(lambda: keras.applications.AllCNN(GREY), standardized, keras.optimizers.Adam, 1e-3, 64, 3, 0),
    # He et al.: batches of 128, SGD(0.1), weight decay 1e-4, crops after 4 pixels of margin, reflections. Here 64,
    # 5e-4, 2 pixels, and a cosine in place of two steps of a tenth, since the epochs are few.
    "resnet20": Recipe(lambda: keras.applications.ResNet20(GREY), standardized, momentum(5e-4), 0.1, 64, 12, 2),
    # Sandler et al.: RMSprop(0.045), weight decay 4e-5. Here SGD. Its first window goes in steps of 2: 32 pixels end in
    # one.
    "mobilenetv2": Recipe(mobilenet_v2, in_32x32, momentum(4e-5), 0.1, 128, 10, 2),
}  # fmt: skip


class Garments(keras.utils.PyDataset):
    """Batches in an order, mirrored and moved, all keyed by (seed, epoch): a run that goes on sees the same ones."""

    def __init__(self, images: np.ndarray, labels: np.ndarray, recipe: Recipe, seed: int) -> None:
        super().__init__()
        self.images, self.labels, self.recipe, self.seed = images, labels, recipe, seed
        self.padded = np.pad(images, ((0, 0), *[(recipe.margin,) * 2] * 2))
        self.begin(0)

    def begin(self, epoch: int) -> None:
        random = np.random.default_rng([self.seed, epoch])
        count = len(self.images)
        self.order = random.permutation(count)
        self.mirrored = random.random(count) < 0.5
        self.rows, self.columns = random.integers(0, 2 * self.recipe.margin + 1, (2, count, 1))

    def __len__(self) -> int:
        return -(-len(self.images) // self.recipe.batch)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        chosen = self.order[index * self.recipe.batch : (index + 1) * self.recipe.batch]
        rows = (self.rows[chosen] + np.arange(28))[:, :, None]
        columns = (self.columns[chosen] + np.arange(28))[:, None, :]
        x = self.padded[chosen[:, None, None], rows, columns]
        x = np.where(self.mirrored[chosen, None, None], x[:, :, ::-1], x)
        return self.recipe.prepare(x), self.labels[chosen]


class Curve(keras.callbacks.Callback):
    """Tells the data which epoch it is, and writes a line of JSON after each."""

    def __init__(self, garments: Garments, file: Path) -> None:
        super().__init__()
        self.garments, self.file = garments, file
        self.lines = file.read_text().splitlines() if file.exists() else []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.garments.begin(epoch)
        self.started = time.perf_counter(), time.process_time()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        wall, cpu = time.perf_counter() - self.started[0], time.process_time() - self.started[1]
        row = {"epoch": epoch + 1, "seconds": round(wall, 1), "cpu_seconds": round(cpu, 1)}
        row |= {name: round(float(value), 5) for name, value in (logs or {}).items()}
        # A run that was killed between this line and its backup writes the line again.
        self.lines = [*self.lines[:epoch], json.dumps(row)]
        self.file.write_text("\n".join(self.lines) + "\n")
        print(self.lines[-1], flush=True)


class StopAfter(keras.callbacks.Callback):
    """Ends the training after so many seconds, the first three steps not counted, and says how fast it was."""

    def __init__(self, seconds: float, batch: int) -> None:
        super().__init__()
        self.seconds, self.batch = seconds, batch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        now = time.perf_counter(), time.process_time()
        if batch == 2:
            self.start = now
        if batch > 2 and now[0] - self.start[0] > self.seconds:
            wall, cpu = (b - a for a, b in zip(self.start, now, strict=True))
            images = (batch - 2) * self.batch
            sys.exit(f"{images} images: {images / wall:.0f} a second, {images / cpu:.0f} a second of a core")


def compiled(recipe: Recipe, steps: int) -> Any:
    model = recipe.make()
    warm_up = max(1, steps // 10)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, max(1, steps - warm_up), warmup_target=recipe.rate, warmup_steps=warm_up
    )
    model.compile(recipe.optimizer(schedule), recipe.loss, metrics=[recipe.metric])
    return model


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train a small published network on Fashion-MNIST.")
    parser.add_argument("name", choices=sorted(RECIPES))
    parser.add_argument("--epochs", type=int, help="the recipe's own unless given")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--hold-back", type=int, default=0, help="training images to score instead of the test images")
    parser.add_argument("--images", type=int, default=60_000, help="training images, at most 60000")
    parser.add_argument("--mini", action="store_true", help="the sample of 6,000 images that comes with Striate")
    parser.add_argument("--out", type=Path, help="folder for state and results; runs/NAME-SEED unless given")
    parser.add_argument("--measure", type=float, metavar="SECONDS", help="only say how fast it is")
    parser.add_argument("--floor", type=float, default=0.0, help="least accuracy at the end")
    return parser.parse_args()


def folder(asked: argparse.Namespace, epochs: int) -> Path:
    """The folder of this run, refused where it has another."""
    out = asked.out or Path("runs") / f"{asked.name}-{asked.seed}"
    out.mkdir(parents=True, exist_ok=True)
    wanted = {"name": asked.name, "epochs": epochs, "seed": asked.seed, "hold_back": asked.hold_back,
              "images": asked.images, "mini": asked.mini}  # fmt: skip
    file = out / "asked.json"
    if file.exists() and json.loads(file.read_text()) != wanted:
        sys.exit(f"{out} holds another run: {file.read_text()}. Give another folder with --out, or take it away.")
    file.write_text(json.dumps(wanted))
    if (out / "result.json").exists():
        sys.exit(f"{out} holds this run's end: {(out / 'result.json').read_text()}")
    return out


def main() -> None:
    asked = options()
    recipe = RECIPES[asked.name]
    epochs = asked.epochs or recipe.epochs
    data = keras.datasets.fashion_mnist_mini if asked.mini else keras.datasets.fashion_mnist
    (x, y), (x_test, y_test) = data.load_data()
    x, y = x[: asked.images], y[: asked.images]
    if asked.hold_back:
        (x, x_test), (y, y_test) = np.split(x, [-asked.hold_back]), np.split(y, [-asked.hold_back])
    x_test = recipe.prepare(x_test)

    keras.utils.set_random_seed(asked.seed)
    garments = Garments(x, y, recipe, asked.seed)
    model = compiled(recipe, len(garments) * epochs)
    if asked.measure:
        model.fit(garments, epochs=epochs, shuffle=False, verbose=0, callbacks=[StopAfter(asked.measure, recipe.batch)])
        sys.exit("The training was over before that. Take fewer seconds.")
    out = folder(asked, epochs)
    print(f"{asked.name}: {model.count_params():,} parameters, {epochs} epochs of {len(x)} images", flush=True)
    curve = Curve(garments, out / "curve.jsonl")
    model.fit(
        garments, epochs=epochs, shuffle=False, verbose=0,
        validation_data=(x_test, y_test) if asked.hold_back else None,
        callbacks=[curve, keras.callbacks.BackupAndRestore(out / "backup", delete_checkpoint=False)],
    )  # fmt: skip
    model.save(out / "model.keras")

    loss, accuracy = model.evaluate(x_test, y_test, batch_size=200, verbose=0)
    rows = [json.loads(line) for line in curve.lines]
    spent = {name: round(sum(row[name] for row in rows)) for name in ("seconds", "cpu_seconds")}
    result = {
        "name": asked.name, "parameters": model.count_params(), "epochs": epochs, "seed": asked.seed,
        "scored": f"{asked.hold_back} held back" if asked.hold_back else "test",
        "accuracy": round(accuracy, 4), "loss": round(loss, 4), **spent,
    }  # fmt: skip
    (out / "result.json").write_text(json.dumps(result) + "\n")
    print(json.dumps(result))
    if accuracy < asked.floor:
        sys.exit(f"The model learned too little: {accuracy:.4f} is below {asked.floor}.")


if __name__ == "__main__":
    main()
