"""`striate zoo`: the architectures that Striate has, what each costs and sees."""

from __future__ import annotations

from typing import Any

import click

from striate.cli.options import json_option

_HEADER = ("name", "year", "parameters", "multiply-adds", "field", "file", "paper")


@click.group("zoo")
def command() -> None:
    """The architectures that Striate has."""


@command.command("list")
@json_option
def listed(as_json: bool) -> None:
    """Name, year, parameters, multiply-adds for one image, receptive field, file and paper of each architecture.

    All numbers are counted on the model, made for the images it was published for. The field is how many rows of pixels
    a unit of the last maps sees.
    """
    from striate.applications.zoo import ZOO
    from striate.cli.output import print_json

    if as_json:
        print_json({"architectures": [facts(a) for a in ZOO.values()]})
        return
    names, files = (max(len(t) for t in texts) for texts in zip(*((a.name, a.file) for a in ZOO.values()), strict=True))

    def line(cells: tuple[Any, ...]) -> str:
        name, year, parameters, products, seen, file, paper = cells
        return f"{name:{names}}  {year:4}  {parameters:>11}  {products:>14}  {seen:>5}  {file:{files}}  {paper}"

    click.echo(line(_HEADER))
    for architecture in ZOO.values():  # each as soon as it is counted
        f = facts(architecture)
        numbers = (f"{f['parameters']:,}", f"{f['multiply_adds']:,}", f"{f['receptive_field'][0]:,}")
        click.echo(line((f["name"], f["year"], *numbers, f["file"], f["paper"])))


def facts(architecture: Any) -> dict[str, Any]:
    """What the list says of one architecture."""
    from striate.backend import only_shapes
    from striate.models.measure import multiply_adds, receptive_field

    with only_shapes():
        model = architecture.make()
    return {
        "name": architecture.name,
        "year": architecture.year,
        "paper": architecture.paper,
        "image": list(architecture.image),
        "parameters": model.count_params(),
        "multiply_adds": multiply_adds(model),
        "receptive_field": list(receptive_field(model)),
        "file": architecture.file,
    }
