"""`striate evaluate`: a saved model on a data set's test images."""

from __future__ import annotations

import click

from striate.cli.options import data_option, json_option


@click.command("evaluate")
@click.argument("model")
@data_option()
@json_option
def command(model: str, data: str, as_json: bool) -> None:
    """Loss and metrics of MODEL (a .keras file) on the test images of a data set."""
    from striate.cli.output import print_json
    from striate.cli.progress import Progress
    from striate.cli.sources import load_images, open_model
    from striate.cli.suggest import printable

    loaded = open_model(model)
    if not loaded.compiled:
        raise click.UsageError(f"{model!r} was saved without being compiled, so it has no loss to evaluate.")
    images = load_images(data)
    with Progress("scoring") as progress:
        scores = loaded.evaluate(
            images.x_test, images.y_test, batch_size=100, return_dict=True, callbacks=[progress], verbose=0
        )
    if as_json:
        print_json({"model": model, "data": data, "images": len(images.x_test), **scores})
        return
    for name, value in scores.items():
        click.echo(f"test {printable(name)} {value:.4f}")
