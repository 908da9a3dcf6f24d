"""`striate train`: a model, a data set, a folder."""

from __future__ import annotations

from pathlib import Path

import click

from striate.cli.options import MODELS, Name, data_option, json_option, positive


@click.command("train")
@data_option()
@click.option("--model", type=Name("model", MODELS), required=True, help="Model to train.")
@click.option("--epochs", type=int, default=10, show_default=True, callback=positive, help="Passes over the training images.")
@click.option("--batch-size", type=int, default=32, show_default=True, callback=positive, help="Images a step.")
@click.option("--learning-rate", type=float, default=1.5e-3, show_default=True, callback=positive,
              help="Highest learning rate of Adam: reached after a warm-up, then down to zero by a cosine.")  # fmt: skip
@click.option("--validation-split", type=click.FloatRange(0, 1, max_open=True), default=0.0, show_default=True,
              help="Share of the training images held back to watch the training.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=42, show_default=True,
              help="Seed of weights, dropout and shuffling: the same seed gives the same weights.")  # fmt: skip
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True,
              help="Folder for model.keras and metrics.jsonl.")  # fmt: skip
@json_option
def command(
    data: str, model: str, epochs: int, batch_size: int, learning_rate: float, validation_split: float, seed: int, out: Path,
    as_json: bool,
) -> None:  # fmt: skip
    """Train a model on a data set, score its test images, and save it."""
    from striate.cli.options import load_images, print_json
    from striate.cli.training import Recipe, train

    images = load_images(data)
    recipe = Recipe(epochs, batch_size, learning_rate, seed=seed, validation_split=validation_split)
    run = train(model, images, recipe, out)
    if as_json:
        print_json(
            {
                "model": out / "model.keras",
                "metrics": out / "metrics.jsonl",
                "seconds": round(run.seconds, 3),
                "test_loss": run.test_loss,
                "test_accuracy": run.test_accuracy,
            }
        )
        return
    click.echo(f"model   {out / 'model.keras'}")
    click.echo(f"metrics {out / 'metrics.jsonl'}")
    click.echo(f"trained in {run.seconds:.1f} s")
    click.echo(f"test loss {run.test_loss:.4f}")
    click.echo(f"test accuracy {run.test_accuracy:.4f}")
