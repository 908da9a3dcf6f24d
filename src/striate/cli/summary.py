"""`striate summary`: the layers of a model, and how the engine runs it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from striate.cli.options import ARCHITECTURES, json_option
from striate.cli.suggest import Name, printable


@click.command(
    "summary",
    help=f"The layers of MODEL: a .keras file, or the name of a model.\n\nNames: {', '.join(ARCHITECTURES)}.",
)
@click.argument("model")
@click.option(
    "--plan", is_flag=True, help="Show the engine's plan: each step, its kernel, why it, and why not another."
)
@click.option(
    "--batch-size", type=click.IntRange(1), default=32, show_default=True, help="Batch that the plan is made for."
)
@click.option(
    "--mode",
    type=Name("mode", ["predict", "train"]),
    default="predict",
    show_default=True,
    help="Which program to plan.",
)
@click.option(
    "--drawing",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.svg",
    help="Draw the model too: its maps as stacked planes with their sizes.",
)
@json_option
def command(model: str, plan: bool, batch_size: int, mode: str, drawing: Path | None, as_json: bool) -> None:
    from striate.backend import only_shapes
    from striate.cli.output import print_json
    from striate.cli.sources import compile_as_published, make_model, open_model
    from striate.models.plan import describe_plan

    if model in ARCHITECTURES:
        with only_shapes():
            loaded = make_model(model)
    else:
        loaded = open_model(model)
    training = mode == "train"
    if model in ARCHITECTURES and training:
        compile_as_published(model, loaded)
    # Before anything is printed: half an answer and then an error is none.
    described = describe_plan(loaded, batch_size, training=training) if plan else None
    if drawing is not None:
        _draw(loaded, drawing)
    if as_json:
        result = {
            "name": loaded.name,
            "parameters": loaded.count_params(),
            "layers": [
                {
                    "name": layer.name,
                    "class": type(layer).__name__,
                    "output_shape": _output_shape(layer),
                    "parameters": layer.count_params() if layer.built else None,
                }
                for layer in loaded.layers
            ],
        }
        if described is not None:
            result["plan"] = described.as_dict()
        print_json(result)
        return
    loaded.summary(print_fn=lambda text: click.echo(printable(text)))
    if described is not None:
        click.echo(printable(described.text()))


def _draw(model: Any, path: Path) -> None:
    from striate.core.errors import ArgumentError
    from striate.explain.architecture import plot_architecture

    try:
        plot_architecture(model, path)
    except ArgumentError as error:
        raise click.UsageError(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"{str(path)!r} cannot be written: {error.strerror or error}.") from error
    click.echo(f"drawing {path}", err=True)


def _output_shape(layer: Any) -> Any:
    """[null, rows, columns, maps]; a list of them for several outputs; null where it is not known."""
    try:
        output = layer.output
    except (AttributeError, ValueError):
        return None
    if isinstance(output, list | tuple):
        return [list(t.shape) for t in output]
    return list(output.shape) if hasattr(output, "shape") else None
