"""`striate summary`: the layers of a model, and how the engine runs it."""

from __future__ import annotations

import click

from striate.cli.options import MODELS, json_option


@click.command("summary")
@click.argument("model")
@click.option("--plan", is_flag=True, help="Show the engine's plan: each step, its kernel, why it, and why not another.")
@click.option("--batch-size", type=click.IntRange(1), default=32, show_default=True, help="Batch that the plan is made for.")
@click.option("--mode", type=click.Choice(["predict", "train"]), default="predict", show_default=True, help="Which program to plan.")
@json_option
def command(model: str, plan: bool, batch_size: int, mode: str, as_json: bool) -> None:
    """The layers of MODEL: a .keras file, or the name of a model ("lecture")."""
    from striate.cli.options import make_model, open_model, print_json
    from striate.models.plan import describe_plan

    loaded = make_model(model) if model in MODELS else open_model(model)
    if model in MODELS and mode == "train":
        loaded.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    if as_json:
        result = {
            "name": loaded.name,
            "parameters": loaded.count_params(),
            "layers": [
                {"name": layer.name, "class": type(layer).__name__, "output_shape": list(layer.output.shape),
                 "parameters": layer.count_params()}
                for layer in loaded.layers
            ],
        }  # fmt: skip
        if plan:
            result["plan"] = describe_plan(loaded, batch_size, training=mode == "train").as_dict()
        print_json(result)
        return
    loaded.summary(print_fn=click.echo)
    if plan:
        click.echo(describe_plan(loaded, batch_size, training=mode == "train").text())
