"""`striate demo`: the lecture model on the embedded sample of Fashion-MNIST, and a page about what it learned."""

from __future__ import annotations

from pathlib import Path

import click

#: Chosen on the last 1,000 of the 6,000 training images (docs/results/demo.md); the test images are scored once.
EPOCHS, BATCH_SIZE, LEARNING_RATE, SEED = 8, 32, 1.5e-3, 42


@click.command("demo")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=Path("runs/demo"), show_default=True,
              help="Folder for model.keras, metrics.jsonl and report.html.")  # fmt: skip
def command(out: Path) -> None:
    """Train the lecture model on the embedded Fashion-MNIST sample (6,000 images) and write a report.

    The last line on stdout is `test accuracy 0.8xx`.
    """
    from striate.cli.options import load_images
    from striate.cli.training import Recipe, train
    from striate.explain.report import RunReport

    data = load_images("fashion_mnist_mini")
    recipe = Recipe(EPOCHS, BATCH_SIZE, LEARNING_RATE, seed=SEED)
    click.echo(
        f"The lecture model on {len(data.x_train)} images of Fashion-MNIST, {recipe.epochs} epochs, batch {recipe.batch_size}",
        err=True,
    )
    run = train("lecture", data, recipe, out)
    page = RunReport(
        title="The lecture model on Fashion-MNIST",
        facts={
            "test accuracy": f"{run.test_accuracy:.3f} on {len(data.x_test)} images that training never saw",
            "model": f"{run.model.count_params():,} parameters",
            "training": f"{len(data.x_train)} images, {recipe.epochs} epochs, batch {recipe.batch_size}, Adam, learning rate "
            f"up to {recipe.learning_rate:g} and down to 0 (cosine), seed {recipe.seed}",
            "time": f"{run.seconds:.0f} s, {len(data.x_train) * recipe.epochs / run.seconds:.0f} images a second",
            "command": "striate demo",
        },
        history=run.history,
        images=data.x_test,
        labels=data.y_test,
        probabilities=run.model.predict(data.x_test, batch_size=100, verbose=0),
        class_names=data.class_names,
        model=run.model,
    )
    (out / "report.html").write_text(page.html(), encoding="utf-8")
    click.echo(f"model   {out / 'model.keras'}")
    click.echo(f"metrics {out / 'metrics.jsonl'}")
    click.echo(f"report  {out / 'report.html'}")
    click.echo(f"test accuracy {run.test_accuracy:.3f}")
