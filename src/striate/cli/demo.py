"""`striate demo`: the lecture model on the embedded sample of Fashion-MNIST, and a page about what it learned."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from striate.cli.sources import LabelledImages
    from striate.cli.training import Recipe

#: Chosen on the last 1,000 of the 6,000 training images (docs/results/demo.md); the test images are scored once.
EPOCHS, BATCH_SIZE, LEARNING_RATE, SEED = 10, 32, 1e-3, 42
REPORT = "report.html"


@click.command("demo")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("runs/demo"),
    show_default=True,
    help="Folder for model.keras, metrics.jsonl and report.html.",
)
def command(out: Path) -> None:
    """Train the lecture model on the embedded Fashion-MNIST sample (6,000 images) and write a report.

    The last line on stdout is `test accuracy 0.8xx`.
    """
    from striate.cli.sources import load_images
    from striate.cli.training import Recipe

    run_demo(load_images("fashion_mnist_mini"), Recipe(EPOCHS, BATCH_SIZE, LEARNING_RATE, seed=SEED), out)


def run_demo(data: LabelledImages, recipe: Recipe, out: Path) -> None:
    """Train, write model, metrics and report in `out`, and say so."""
    from striate.cli.training import METRICS, MODEL, TrainingRun
    from striate.core.files import write_atomically
    from striate.explain.markup import element
    from striate.explain.report import RunReport

    prepared = TrainingRun.prepare("lecture", "fashion_mnist_mini", recipe, out, also=[REPORT])
    click.echo(
        f"The lecture model on {len(data.x_train):,} images of Fashion-MNIST, batches of {recipe.batch_size}, "
        f"epochs: {recipe.epochs}",
        err=True,
    )
    run = prepared.train(data)
    page = RunReport(
        title="The lecture model on Fashion-MNIST",
        facts={
            "model": f"{run.model.count_params():,} parameters in {len(run.model.layers)} layers",
            "training": f"{len(data.x_train):,} images, {recipe.epochs} epochs, batches of {recipe.batch_size}; Adam, "
            f"learning rate up to {recipe.learning_rate:g} and down to 0 (cosine), seed {recipe.seed}",
            "time": f"{run.seconds:.0f} s, {len(data.x_train) * recipe.epochs / run.seconds:,.0f} images a second",
            "made by": element("code", "striate demo"),
            "try it": element("code", f"striate predict {out / MODEL} picture.png"),
        },
        history=run.history,
        images=data.x_test,
        labels=data.y_test,
        probabilities=run.model.predict(data.x_test, batch_size=100, verbose=0),
        class_names=data.class_names,
        model=run.model,
        garment=_first(data, "Ankle boot"),
    )
    write_atomically(out / REPORT, page.html().encode())
    click.echo(f"model   {out / MODEL}")
    click.echo(f"metrics {out / METRICS}")
    click.echo(f"report  {out / REPORT}")
    click.echo(f"test accuracy {run.test_accuracy:.3f}")


def _first(data: LabelledImages, name: str) -> int | None:
    """The first test image of a class, where there is one."""
    here = (data.y_test == data.class_names.index(name)).nonzero()[0]
    return int(here[0]) if len(here) else None
