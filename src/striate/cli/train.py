"""`striate train`: a model, a data set, a folder."""

from __future__ import annotations

from pathlib import Path

import click

from striate.cli.options import ARCHITECTURES, data_option, json_option, positive, share
from striate.cli.suggest import Name


@click.command("train")
@data_option()
@click.option(
    "--model", type=Name("model", ARCHITECTURES), required=True, metavar="NAME", help="Model to train, by its name."
)
@click.option(
    "--size",
    type=click.IntRange(1),
    metavar="PIXELS",
    help="Have the model enlarge the images to so many rows and columns: most networks take no 28x28.",
)
@click.option(
    "--epochs", type=int, default=10, show_default=True, callback=positive, help="Passes over the training images."
)
@click.option("--batch-size", type=int, default=32, show_default=True, callback=positive, help="Images a step.")
@click.option(
    "--learning-rate",
    type=float,
    default=1.5e-3,
    show_default=True,
    callback=positive,
    help="Highest learning rate of Adam: reached after a warm-up, then down to zero by a cosine.",
)
@click.option(
    "--validation-split",
    type=float,
    default=0.0,
    show_default=True,
    callback=share,
    metavar="SHARE",
    help="Share of the training images held back to watch the training, 0 to 1.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    default=42,
    show_default=True,
    help="Seed of weights, dropout and shuffling: the same seed gives the same weights.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder for model.keras and metrics.jsonl.",
)
@json_option
def command(
    data: str,
    model: str,
    size: int | None,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    validation_split: float,
    seed: int,
    out: Path,
    as_json: bool,
) -> None:
    """Train a model on a data set, score its test images, and save it.

    Model and metrics are written after each epoch. Ctrl-C stops the training; what the last whole epoch gave stays.
    Names are those of `striate zoo list`. lenet5-1998 has the loss of its paper, and its smallest output decides.

    Example: striate train --data fashion_mnist --model lecture --epochs 10 --out runs/x
    """
    from striate.cli.output import print_json
    from striate.cli.sources import load_images
    from striate.cli.training import METRICS, MODEL, Recipe, TrainingRun

    recipe = Recipe(epochs, batch_size, learning_rate, seed=seed, validation_split=validation_split)
    prepared = TrainingRun.prepare(model, data, recipe, out, size=size)
    run = prepared.train(load_images(data))
    if as_json:
        print_json(
            {
                "model": out / MODEL,
                "metrics": out / METRICS,
                "epochs": epochs,
                "seconds": round(run.seconds, 3),
                "test_loss": run.test_loss,
                "test_accuracy": run.test_accuracy,
            }
        )
        return
    click.echo(f"model   {out / MODEL}")
    click.echo(f"metrics {out / METRICS}")
    click.echo(f"trained in {run.seconds:.1f} s")
    click.echo(f"test loss {run.test_loss:.4f}")
    click.echo(f"test accuracy {run.test_accuracy:.4f}")
